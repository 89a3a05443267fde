from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.baselines import acceleration, conjugate_gradients
from bayes_attrib.baselines.acceleration import newton_direction, newton_step
from bayes_attrib.baselines.free_rates import FreeRates


def at_equal_rates(data):
    problem = FreeRates(data)
    return problem, problem.evaluate(problem.on_scale(np.ones(data.n_entities)))


def test_direction_solves_the_dense_newton_system(random_data, monkeypatch):
    data = random_data(41)
    problem, at = at_equal_rates(data)
    monkeypatch.setattr(acceleration, "SOLVE", 1e-12)
    w = at.rate * data.exposure.toarray()
    amount = w.sum(axis=0)
    residual = np.sqrt(np.sum(amount * (at.score - 1) ** 2) / data.grand_total)
    slack = np.maximum(1 - at.score, 0) + 0.1 * min(residual, 1)
    dense = w.T @ np.diag(data.totals / at.expected**2) @ w + np.diag(amount * slack)
    wanted = np.linalg.solve(dense, amount * (at.score - 1))
    np.testing.assert_allclose(newton_direction(problem, at), wanted, rtol=1e-9)


@pytest.mark.parametrize("products", [1, 3])
def test_a_truncated_solve_is_still_a_direction_of_ascent(random_data, monkeypatch, products):
    problem, at = at_equal_rates(random_data(42))
    monkeypatch.setattr(conjugate_gradients, "MAX_PRODUCTS", products)
    direction = newton_direction(problem, at)
    assert direction @ (at.rate * problem.entity_exposure * (at.score - 1)) > 0


def test_a_step_that_is_too_long_is_shortened(random_data, monkeypatch):
    problem, at = at_equal_rates(random_data(43))
    long = 50 * newton_direction(problem, at)
    monkeypatch.setattr(acceleration, "newton_direction", lambda *_: long)
    assert problem.gain(at, problem.on_scale(at.rate * np.maximum(1 + long, 0.01))) < 0
    assert problem.gain(at, newton_step(problem, at)) >= 0


def test_a_direction_of_descent_is_refused(random_data, monkeypatch):
    problem, at = at_equal_rates(random_data(44))
    wrong = -newton_direction(problem, at)
    monkeypatch.setattr(acceleration, "newton_direction", lambda *_: wrong)
    assert newton_step(problem, at) is None


def test_no_step_shrinks_a_rate_to_nothing(random_data):
    problem, at = at_equal_rates(random_data(45, shape=(6, 30)))
    for _ in range(30):
        rate = newton_step(problem, at)
        if rate is None:
            break
        at = problem.evaluate(rate)
        assert np.all(at.rate > 0)
