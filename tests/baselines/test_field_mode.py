from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.baselines import field_mode
from bayes_attrib.baselines.field_density import Place
from bayes_attrib.baselines.field_mode import find_field_mode


class Valley:
    """Loss of a sum of functions of one variable; its Hessian is a diagonal."""

    class field:  # noqa: N801
        size = 2

    def look(self, x):
        return Place(x, x, x, float(np.sum(self.loss(x))))

    def slope(self, at):
        return at.x

    def gradient(self, at, _):
        return self.first(at.x)

    def hessian(self, at, _):
        return lambda v: self.second(at.x) * v

    def fisher(self, _):
        return np.copy

    def precondition(self, _):
        return np.copy


class Bell(Valley):
    """Minus a bell: curved the wrong way far from its minimum at 2."""

    def loss(self, x):
        return -np.exp(-0.5 * (x - 2.0) ** 2)

    def first(self, x):
        return (x - 2.0) * np.exp(-0.5 * (x - 2.0) ** 2)

    def second(self, x):
        return (1 - (x - 2.0) ** 2) * np.exp(-0.5 * (x - 2.0) ** 2)


class Steep(Valley):
    """A narrow valley at 1, with a Hessian that says it is wide."""

    def loss(self, x):
        return np.log1p((20 * (x - 1.0)) ** 2)

    def first(self, x):
        return 800 * (x - 1) / (1 + 400 * (x - 1) ** 2)

    def second(self, x):
        return np.full(x.shape, 0.5)  # far too small: the step is far too long


def test_the_expected_hessian_stands_in_where_the_hessian_is_not_positive():
    valley = Bell()
    assert valley.second(np.zeros(2)).max() < 0
    found = find_field_mode(valley, 1e-12, 200)
    np.testing.assert_allclose(found.at.x, 2.0, atol=1e-5)
    assert found.predicted_gain <= 1e-12


def test_a_step_that_is_too_long_is_shortened():
    found = find_field_mode(Steep(), 1e-9, 300)
    np.testing.assert_allclose(found.at.x, 1.0, atol=1e-3)
    assert found.at.loss < Steep().look(np.zeros(2)).loss


def test_no_step_is_taken_where_nothing_lowers_the_loss(monkeypatch):
    monkeypatch.setattr(field_mode, "MAX_HALVINGS", 0)
    found = find_field_mode(Bell(), 1e-12, 200)
    assert found.steps == 0
    assert found.predicted_gain > 1e-12


@pytest.mark.parametrize("steps", [0, 2])
def test_it_gives_up_after_so_many_steps(steps):
    found = find_field_mode(Bell(), 1e-300, steps)
    assert found.steps == steps
