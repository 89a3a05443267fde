from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.baselines import poisson_log_likelihood
from bayes_attrib.baselines.free_rates import FreeRates


def test_scores_are_the_gradient(random_data):
    # d log-likelihood / d rate_e = (score_e - 1) * exposure_e, here by central differences.
    data = random_data(31)
    problem = FreeRates(data)
    rate = np.random.default_rng(31).lognormal(0, 0.5, data.n_entities)
    slope = (problem.evaluate(rate).score - 1) * problem.entity_exposure
    for e, step in enumerate(1e-5 * rate):
        ahead, behind = rate.copy(), rate.copy()
        ahead[e] += step
        behind[e] -= step
        rise = poisson_log_likelihood(data.totals, data.expected_totals(ahead))
        rise -= poisson_log_likelihood(data.totals, data.expected_totals(behind))
        assert slope[e] == pytest.approx(rise / (2 * step), rel=1e-5)


def test_information_is_that_of_the_dense_matrix(random_data):
    data = random_data(32)
    problem = FreeRates(data)
    at = problem.evaluate(np.random.default_rng(32).lognormal(0, 0.5, data.n_entities))
    w, mu = data.exposure.toarray(), at.expected
    dense = (at.rate * w).T @ np.diag(data.totals / mu**2) @ (at.rate * w)
    np.testing.assert_allclose(problem.information(at), np.diag(dense), rtol=1e-12)


def test_gain_is_the_rise_of_the_log_likelihood(random_data):
    data = random_data(33)
    problem = FreeRates(data)
    at = problem.evaluate(problem.on_scale(np.ones(data.n_entities)))
    rate = at.rate * np.random.default_rng(33).lognormal(0, 0.5, data.n_entities)
    before, after = (
        poisson_log_likelihood(data.totals, data.expected_totals(r)) for r in (at.rate, rate)
    )
    assert problem.gain(at, rate) == pytest.approx(after - before, rel=1e-10)


def test_gain_sees_changes_that_log_likelihoods_lose_to_rounding(data_of):
    # One total at its maximum: the loss is total * x^2 / 2, here 2e-14 nats beside 1e4.
    problem = FreeRates(data_of([[1.0]], [1e4]))
    at = problem.evaluate(np.array([1e4]))
    x = 2.0**-39
    assert problem.gain(at, at.rate * (1 + x)) == pytest.approx(-1e4 * x**2 / 2, rel=1e-3)


def test_a_positive_total_that_would_be_impossible(two_bricks):
    problem = FreeRates(two_bricks)
    at = problem.evaluate(np.ones(4))
    assert problem.gain(at, np.array([1.0, 0, 0, 0])) == -np.inf
    with pytest.raises(ValueError, match="aggregate 'B2' has a positive total"):
        problem.evaluate(np.array([1.0, 0, 0, 0]))
