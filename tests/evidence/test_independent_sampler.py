"""400 physicians in 80 bricks: the package against another density, sampler and allocation.

Means and variances of all hyperparameters, group effects, shares and amounts of groups, and of
log rates, shares and amounts of 20 physicians are compared in Monte-Carlo standard errors, 160
comparisons in all. The test fails by chance with probability 1e-6 over the choice of its seed (see
``two_stage``), and small faults in the model, its draws or the allocation are told apart.
"""

from __future__ import annotations

import numpy as np
import pytest
from hcp_brick_posterior import HandWritten, cached_fit, fit, hand_written_draws, package_draws
from monte_carlo_error import p_value_of, scores_between
from two_stage import is_accepted, is_rejected_at_once

from bayes_attrib.model import build
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.model.families.cells import shares_of
from bayes_attrib.model.families.poisson import Poisson
from bayes_attrib.model.families.splits import multinomial_amounts

pytestmark = [pytest.mark.sampling, pytest.mark.statistical]

SIZE = 1000
POISSON = FAMILIES["poisson", None]


def comparison(*, fit=cached_fit, family=POISSON, change=dict):
    """P-value of the package's draws, perhaps tampered with, against the second opinion."""

    def p_value(rng, size):
        own_seed, other_seed = (int(seed) for seed in rng.integers(2**31, size=2))
        draws = package_draws(fit(size, own_seed), family, own_seed)
        return p_value_of(scores_between(change(draws), hand_written_draws(size, other_seed)))

    return p_value


def test_gradient_of_the_second_opinion():
    target, rng, step = HandWritten(), np.random.default_rng(1), 1e-6
    position = 0.3 * rng.standard_normal((3, target.size))
    _, gradient = target(position)
    for i in [*range(8), 100, target.size - 1]:
        shift = step * (np.arange(target.size) == i)
        slope = (target(position + shift)[0] - target(position - shift)[0]) / (2 * step)
        np.testing.assert_allclose(slope, gradient[:, i], rtol=1e-4, atol=1e-4)


def test_posterior_and_amounts():
    assert is_accepted(comparison(), size=SIZE, seed=1)


def test_a_smaller_prior_of_entity_effects_is_found(monkeypatch):
    honest = build._entity_effects

    def smaller(name, centre, sigma, form, dim):
        return honest(name, centre, 0.8 * sigma, form, dim)

    monkeypatch.setattr(build, "_entity_effects", smaller)
    assert is_rejected_at_once(comparison(fit=fit), size=SIZE, seed=1)


def test_a_shifted_intercept_is_found():
    def shifted(draws):
        intercept = draws["intercept"]
        return draws | {"intercept": intercept + 0.3 * intercept.std()}

    assert is_rejected_at_once(comparison(change=shifted), size=SIZE, seed=1)


class SharpenedShares(Poisson):
    """Allocates by shares to the power 1.1."""

    def draw_amounts(self, cells, parameters, rng):  # noqa: ARG002
        return multinomial_amounts(cells, shares_of(cells.indptr, cells.shares**1.1), rng)


def test_a_biased_allocation_is_found():
    assert is_rejected_at_once(comparison(family=SharpenedShares()), size=SIZE, seed=1)
