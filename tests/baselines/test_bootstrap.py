from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.baselines import bootstrap, bootstrap_em, fit_em, information_errors


@pytest.fixture
def counts(random_data):
    data = random_data(2, shape=(40, 6), noise=0.1)
    return dataclasses.replace(data, totals=np.round(20 * data.totals))


def variance_ratio_bounds(replicates, comparisons, level=1e-4):
    """Bounds of a variance from normal replicates over the true one, at this level for all."""
    tail = level / (2 * comparisons)
    freedom = replicates - 1
    return stats.chi2.ppf([tail, 1 - tail], freedom) / freedom


@pytest.mark.parametrize("phi", [None, 40.0])
def test_errors_are_those_of_the_information_where_that_is_regular(counts, phi):
    """False-alarm rate 1e-4 if replicates are normal; 5% are allowed for curvature."""
    fit = fit_em(counts)
    exact = information_errors(counts, fit, dispersion=phi)
    drawn = bootstrap_em(counts, fit, seed=4, replicates=250, dispersion=phi)
    lower, upper = variance_ratio_bounds(250, comparisons=3 * 6)
    for name in ("rate_se", "expected_amount_se", "amount_se"):
        ratio = (getattr(drawn, name) / getattr(exact, name)) ** 2
        assert np.all(ratio > 0.95 * lower), name
        assert np.all(ratio < 1.05 * upper), name
    assert drawn.unconverged == 0


def test_one_entity_per_aggregate_in_closed_form(data_of):
    """Var(rate) = rate / exposure exactly; amounts are the totals in every replicate."""
    data = data_of([[2, 0], [5, 0], [0, 3]], [60, 100, 120])
    drawn = bootstrap_em(data, fit_em(data), seed=1, replicates=500)
    lower, upper = variance_ratio_bounds(500, comparisons=2)
    ratio = drawn.rate_se**2 / [160 / 7 / 7, 40 / 3]
    assert np.all((ratio > lower) & (ratio < upper))
    np.testing.assert_allclose(drawn.amounts, [[160, 120]] * 500)
    np.testing.assert_allclose(drawn.amount_se, 0, atol=1e-9)


@pytest.mark.parametrize("phi", [None, 5.0])
def test_every_replicate_splits_the_observed_totals(counts, phi):
    drawn = bootstrap_em(counts, fit_em(counts), seed=2, replicates=5, dispersion=phi)
    np.testing.assert_allclose(drawn.amounts.sum(axis=1), counts.grand_total)
    np.testing.assert_allclose(drawn.expected_amounts.sum(axis=1), counts.grand_total)
    whole = drawn.amounts == np.floor(drawn.amounts)
    assert whole.all() if phi is None else not whole.any()


def test_totals_are_drawn_around_the_fit_not_around_the_data(data_of, monkeypatch):
    """Expected are 50 and 50 where 0 and 100 were seen; six standard errors are allowed."""
    data, drawn = data_of([[1.0], [1.0]], [0, 100]), []
    fit = fit_em(data)
    monkeypatch.setattr(bootstrap, "fit_em", lambda world: drawn.append(world.totals) or fit)
    bootstrap_em(data, fit, seed=8, replicates=50)
    np.testing.assert_allclose(np.mean(drawn, axis=0), 50, atol=6)
    np.testing.assert_array_less(np.var(drawn, axis=0), 150)


def test_a_seed_gives_the_same_replicates(counts):
    fit = fit_em(counts)
    one, two, other = (bootstrap_em(counts, fit, seed=s, replicates=3) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.amounts, two.amounts)
    assert np.any(one.amounts != other.amounts)
    with pytest.raises(ValueError, match="read-only"):
        one.amounts[0, 0] = 0.0


def test_percentiles(counts):
    drawn = bootstrap_em(counts, fit_em(counts), seed=3, replicates=20)
    lower, upper = drawn.percentile_interval(0.9)
    np.testing.assert_allclose(lower, np.quantile(drawn.amounts, 0.05, axis=0))
    np.testing.assert_allclose(upper, np.quantile(drawn.amounts, 0.95, axis=0))
    with pytest.raises(ValueError, match="prob must be between 0 and 1; got 1"):
        drawn.percentile_interval(1.0)


def test_totals_whose_rates_are_all_zero_in_a_replicate_are_split_by_exposure(data_of):
    """One unit in the second aggregate: more than a third of the replicates draw none there."""
    data = data_of([[1, 0, 0], [0, 1, 3]], [50, 1])
    drawn = bootstrap_em(data, fit_em(data), seed=5, replicates=60)
    np.testing.assert_allclose(drawn.expected_amounts, [[50, 0.25, 0.75]] * 60)


def test_an_entity_at_zero_seems_sure_of_it(channels):
    """The boundary misleads: truth is 12,439, the estimate 0, the error finite."""
    data = channels["Search"]
    fit = fit_em(data)
    at_zero = int(np.flatnonzero(fit.rate == 0)[1])
    drawn = bootstrap_em(data, fit, seed=6, replicates=20, dispersion=30.0)
    assert np.isfinite(drawn.amount_se).all()
    assert drawn.interval()[0][at_zero] < 0
    assert drawn.percentile_interval(0.9)[0][at_zero] == 0


def test_entities_without_exposure(data_of):
    data = data_of([[1, 0], [2, 0], [0, 0]], [4, 9, 0])
    drawn = bootstrap_em(data, fit_em(data), seed=7, replicates=5)
    np.testing.assert_array_equal(drawn.amounts, [[13, 0]] * 5)
    assert np.isnan(drawn.rate_se[1])


def test_too_few_replicates(counts):
    with pytest.raises(ValueError, match="replicates must be at least 2; got 1"):
        bootstrap_em(counts, fit_em(counts), seed=1, replicates=1)
