"""The duality gap bounds the distance to an optimum that was found in another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from bayes_attrib.baselines import certify_rates, fit_em, poisson_log_likelihood


def optimum_by_scipy(data) -> float:
    """Maximum of the log-likelihood by a general-purpose bounded optimiser, from ten starts."""
    scale = data.reference_rate

    def objective(x):
        mu = data.expected_totals(x * scale)
        slope = data.exposure.T @ (1 - data.totals / mu)
        return -poisson_log_likelihood(data.totals, mu), slope * scale

    found = [
        optimize.minimize(
            objective,
            np.random.default_rng(seed).lognormal(0, 1, data.n_entities),
            jac=True,
            method="L-BFGS-B",
            bounds=[(1e-14, None)] * data.n_entities,
            options={"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-15, "gtol": 1e-9},
        ).fun
        for seed in range(10)
    ]
    return -min(found)


@pytest.mark.parametrize("seed", range(6))
def test_bound_holds_against_an_independent_optimum(random_data, seed):
    data = random_data(seed, shape=(6, 4) if seed % 2 else (5, 9))
    best = optimum_by_scipy(data)
    rounding = 1e-9 * abs(best)
    rng = np.random.default_rng(100 + seed)
    for spread in (0.01, 0.1, 1.0, 5.0):
        proof = certify_rates(data, data.reference_rate * rng.lognormal(0, spread, data.n_entities))
        distance = best - proof.log_likelihood
        assert 0 < distance <= proof.gap + rounding
        assert proof.upper_bound >= best - rounding
    fit = fit_em(data)
    assert fit.log_likelihood[-1] == pytest.approx(best, abs=rounding)
    assert fit.certificate.upper_bound >= best - rounding


def test_bound_holds_against_a_closed_form(data_of):
    # One entity: the maximum is at the sum of totals over the sum of exposures, 30 / 6.
    data = data_of([[1.0], [2.0], [3.0]], [4, 17, 9])
    best = poisson_log_likelihood(data.totals, np.array([5.0, 10.0, 15.0]))
    assert certify_rates(data, np.array([5.0])).gap == pytest.approx(0, abs=1e-13)
    for rate in (0.5, 4.9, 5.1, 60.0):
        proof = certify_rates(data, np.array([rate]))
        assert proof.gap == pytest.approx(best - proof.log_likelihood, rel=1e-9)


@pytest.mark.parametrize("spread", [0.0, 0.05, 1.0])
def test_gap_is_primal_minus_the_better_of_two_duals(random_data, spread):
    data = random_data(3)
    rate = fit_em(data).rate * np.random.default_rng(3).lognormal(0, spread, data.n_entities)
    proof = certify_rates(data, rate)
    y, w = data.totals, data.exposure.toarray()
    mu = w @ rate
    score = w.T @ (y / mu) / w.sum(axis=0)
    by_scores = y / mu / np.where(w > 0, score, 0.0).max(axis=1)
    perfect = np.ones_like(y)
    duals = []
    for nu in (by_scores, perfect):
        assert np.all(w.T @ nu <= w.sum(axis=0) * (1 + 1e-14))
        duals.append(np.sum(y - y * np.log(y) + y * np.log(nu)))
    primal = np.sum(mu - y * np.log(mu))
    wanted, rounding = primal - max(duals), 1e-12 * abs(primal)
    assert proof.gap == pytest.approx(wanted, rel=1e-9, abs=rounding)
    assert proof.relative_gap == pytest.approx(wanted / y.sum(), rel=1e-9, abs=rounding / y.sum())
    assert proof.max_score == pytest.approx(score.max(), rel=1e-14)
    assert (duals[0] > duals[1]) == (spread < 0.5)  # each is the better one somewhere
    coarse = mu.sum() - y.sum() + y.sum() * np.log(score.max())  # one divisor for all aggregates
    assert proof.gap < coarse + rounding


def test_an_entity_that_is_not_settled_speaks_for_its_own_aggregates_only(data_of):
    """Of two separate halves one is at its maximum: the gap is that of the other."""
    data = data_of([[1, 0], [0, 1]], [30, 10])
    proof = certify_rates(data, np.array([30.0, 5.0]))
    assert proof.max_score == pytest.approx(2.0)
    assert proof.gap == pytest.approx(10 * np.log(2) - 5)  # exactly what is missing


def test_relative_gap_has_no_units(random_data, data_of):
    data = random_data(4)
    rate = np.random.default_rng(4).lognormal(0, 1, data.n_entities)
    proof = certify_rates(data, rate)
    money = certify_rates(data_of(data.exposure.toarray(), 1e6 * data.totals), 1e6 * rate)
    minutes = certify_rates(data_of(60 * data.exposure.toarray(), data.totals), rate / 60)
    assert money.relative_gap == pytest.approx(proof.relative_gap, rel=1e-12)
    assert money.gap == pytest.approx(1e6 * proof.gap, rel=1e-12)
    assert minutes.gap == pytest.approx(proof.gap, rel=1e-12)


def test_a_perfect_fit_has_no_gap(data_of):
    data = data_of([[1, 2], [3, 0]], [8, 6])
    proof = certify_rates(data, np.array([2.0, 3.0]))
    assert proof.gap == pytest.approx(0, abs=1e-14)
    assert proof.max_score == pytest.approx(1)


def test_zero_totals_and_idle_aggregates_take_part_as_they_should(data_of):
    data = data_of([[1, 1], [0, 2], [0, 0]], [6, 0, 0])
    best = certify_rates(data, np.array([6.0, 0.0]))
    assert best.gap == pytest.approx(0, abs=1e-14)
    wasteful = certify_rates(data, np.array([5.0, 1.0]))
    assert wasteful.gap == pytest.approx(2)  # two units expected where none were earned
    assert certify_rates(data_of([[1, 1]], [0]), np.array([0.0, 0.0])).relative_gap == 0
    assert certify_rates(data_of([[1, 1]], [0]), np.array([0.0, 1.0])).relative_gap == np.inf


def test_rates_that_cannot_be_certified(data_of):
    data = data_of([[1, 0, 0], [1, 1, 0]], [3, 4])
    with pytest.raises(ValueError, match=r"aggregate 'B1' has a positive total.*positive rate"):
        certify_rates(data, np.array([0.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match=r"1 are not, first -1 for 'H2'"):
        certify_rates(data, np.array([1.0, -1.0, np.nan]))
