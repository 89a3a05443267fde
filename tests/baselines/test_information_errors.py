from __future__ import annotations

import dataclasses
import importlib

import numpy as np
import pytest

from bayes_attrib.baselines import (
    fit_em,
    fit_proportional,
    has_information_errors,
    information_errors,
    pearson_dispersion,
)
from bayes_attrib.inputs import AggregateData

module = importlib.import_module("bayes_attrib.baselines.information_errors")


@pytest.fixture
def counts(random_data):
    """Counts of 40 aggregates over 6 entities, all of which have a positive rate."""
    data = random_data(2, shape=(40, 6), noise=0.1)
    return dataclasses.replace(data, totals=np.round(data.totals))


def dense_errors(data, fit, phi=1.0):
    """Inverse of W' diag(y / mu^2) W, and the delta method by central differences."""
    w = data.exposure.toarray()
    mu = w @ fit.rate
    covariance = phi * np.linalg.inv(w.T @ (w * (data.totals / mu**2)[:, None]))

    def amounts(rate):
        return data.sum_to_entities(data.split_totals(rate))

    steps = 1e-6 * np.diag(fit.rate)
    jacobian = np.column_stack(
        [(amounts(fit.rate + s) - amounts(fit.rate - s)) / (2 * s.sum()) for s in steps]
    )
    shares = w * fit.rate / mu[:, None]
    return covariance, jacobian @ covariance @ jacobian.T, shares, mu


def test_against_dense_matrices(counts):
    fit = fit_em(counts, tolerance=1e-13)
    errors = information_errors(counts, fit)
    of_rate, of_amount, p, _ = dense_errors(counts, fit)
    allocation = counts.totals @ (p * (1 - p))
    np.testing.assert_allclose(errors.rate_se, np.sqrt(np.diag(of_rate)), rtol=1e-5)
    np.testing.assert_allclose(errors.expected_amount_se, np.sqrt(np.diag(of_amount)), rtol=1e-5)
    wanted = np.sqrt(np.diag(of_amount) + allocation)
    np.testing.assert_allclose(errors.amount_se, wanted, rtol=1e-5)
    np.testing.assert_allclose(errors.share_se, wanted / counts.grand_total, rtol=1e-5)
    assert not errors.at_zero.any()
    assert not errors.is_flat.any()


def test_missing_information(counts):
    """Var(amount given totals) = Var(expected amount) - amount: what the totals already tell."""
    fit = fit_em(counts, tolerance=1e-13)
    errors = information_errors(counts, fit)
    unconditional = (errors.rate_se * counts.exposure.sum(axis=0)) ** 2
    np.testing.assert_allclose(errors.amount_se**2, unconditional - fit.entity_amount, rtol=1e-5)


@pytest.mark.parametrize("phi", [0.5, 30.0])
def test_dispersion_widens_and_makes_the_allocation_that_of_gamma_amounts(counts, phi):
    money = dataclasses.replace(counts, totals=counts.totals + 0.25)
    fit = fit_em(money, tolerance=1e-13)
    errors = information_errors(money, fit, dispersion=phi)
    _, of_amount, p, mu = dense_errors(money, fit, phi)
    allocation = (money.totals**2 / (mu / phi + 1)) @ (p * (1 - p))
    np.testing.assert_allclose(
        errors.amount_se, np.sqrt(np.diag(of_amount) + allocation), rtol=1e-5
    )
    assert errors.dispersion == phi


def test_one_entity_per_aggregate_in_closed_form(data_of):
    """Var(rate) = rate / exposure; the amounts are the totals, known without error."""
    data = data_of([[2, 0], [5, 0], [0, 3]], [6, 10, 12])
    errors = information_errors(data, fit_em(data, tolerance=1e-14))
    np.testing.assert_allclose(errors.rate_se, np.sqrt([16 / 7 / 7, 4 / 3]), rtol=1e-9)
    np.testing.assert_allclose(errors.amount_se, [0, 0], atol=1e-6)
    np.testing.assert_allclose(errors.expected_amount_se, [0, 0], atol=1e-6)
    lower, upper = errors.interval("rate")
    np.testing.assert_allclose(upper - lower, 4 * errors.rate_se)


def test_intervals_are_centred_at_the_estimate(counts):
    fit = fit_em(counts)
    errors = information_errors(counts, fit)
    for quantity, centre, error in (
        ("amount", fit.entity_amount, errors.amount_se),
        ("expected_amount", fit.entity_amount, errors.expected_amount_se),
        ("share", fit.entity_share, errors.share_se),
        ("rate", fit.rate, errors.rate_se),
    ):
        lower, upper = errors.interval(quantity, n_se=1.5)
        np.testing.assert_allclose(lower, centre - 1.5 * error)
        np.testing.assert_allclose(upper, centre + 1.5 * error)


def test_what_the_data_do_not_tell_apart_has_infinite_errors(two_bricks):
    errors = information_errors(two_bricks, fit_em(two_bricks))
    assert errors.is_flat.all()
    assert np.isinf(errors.amount_se).all()


def test_only_those_in_a_flat_direction_are_infinite(data_of):
    """H1 and H2 always go together; H3 has an aggregate of its own."""
    data = data_of([[1, 1, 0], [2, 2, 1], [0, 0, 4]], [20, 50, 40])
    errors = information_errors(data, fit_em(data))
    np.testing.assert_array_equal(errors.is_flat, [True, True, False])
    assert np.isfinite(errors.amount_se[2])
    assert np.isinf(errors.amount_se[:2]).all()


def test_entities_at_zero_have_no_error(channels):
    data = channels["Search"]
    fit = fit_em(data)
    errors = information_errors(data, fit, dispersion=pearson_dispersion(data, fit))
    np.testing.assert_array_equal(errors.at_zero, fit.rate == 0)
    assert errors.at_zero.sum() == 2
    assert np.isnan(errors.amount_se[errors.at_zero]).all()
    assert np.isfinite(errors.amount_se[~errors.at_zero]).all()


def test_entities_without_exposure_have_no_error(data_of):
    data = data_of([[1, 0], [2, 0], [0, 0]], [4, 9, 0])
    errors = information_errors(data, fit_em(data))
    np.testing.assert_array_equal(errors.at_zero, [False, True])
    np.testing.assert_allclose(errors.interval("rate")[0], [13 / 3 - 2 * np.sqrt(13) / 3, np.nan])


def test_errors_are_frozen(counts):
    errors = information_errors(counts, fit_em(counts))
    with pytest.raises(ValueError, match="read-only"):
        errors.amount_se[0] = 0.0


def test_pearson_dispersion_by_hand(data_of):
    data = data_of([[1.0], [1.0], [2.0], [0.0]], [3, 5, 8, 0])
    wanted = (1 / 4 + 1 / 4 + 0) / 2  # mu = 4, 4, 8 and two degrees of freedom
    assert pearson_dispersion(data, fit_em(data, tolerance=1e-14)) == pytest.approx(wanted)


def test_no_residuals_no_dispersion(two_bricks):
    with pytest.raises(ValueError, match=r"2 aggregate.* and 4 positive rates leave no residuals"):
        pearson_dispersion(two_bricks, fit_em(two_bricks))


def test_only_converged_em_has_errors(counts):
    for fit in (fit_proportional(counts), fit_em(counts, stop_after=3)):
        with pytest.raises(ValueError, match="belong to converged EM"):
            information_errors(counts, fit)


def test_money_needs_a_dispersion(data_of):
    data = data_of([[1.0], [1.0]], [3.5, 4])
    with pytest.raises(ValueError, match=r"1 total.s. are not whole, first 3.5 of 'B1'.*give disp"):
        information_errors(data, fit_em(data))
    with pytest.raises(ValueError, match="dispersion must be positive and finite; got -1"):
        information_errors(data, fit_em(data), dispersion=-1.0)


def test_nothing_earned_has_no_errors(data_of):
    data = data_of([[1.0]], [0])
    with pytest.raises(ValueError, match="all totals are zero"):
        information_errors(data, fit_em(data))


def test_a_matrix_that_is_too_large_is_refused(counts, monkeypatch):
    fit = fit_em(counts)
    assert has_information_errors(counts, fit)
    monkeypatch.setattr(module, "MOST_ELEMENTS", 35)
    assert not has_information_errors(counts, fit)
    with pytest.raises(ValueError, match=r"6 positive rates and 40 .*limit 35 .*use bootstrap_em"):
        information_errors(counts, fit)


def test_few_totals_of_many_entities(random_data):
    """More rates than totals: the decomposition by rows tells the same as that by columns.

    Two entities that nobody shares a total with are told by it; all others are flat.
    """
    dense = random_data(9, shape=(6, 14), density=0.6).exposure.toarray()
    dense[:2, :] = 0
    dense[:, :2] = 0
    dense[0, 0], dense[1, 1] = 2.0, 3.0
    data = AggregateData.from_dense(dense, [40, 30, 90, 80, 120, 70])
    fit = fit_em(data, tolerance=1e-13)
    errors = information_errors(data, fit)
    active = fit.rate > 0
    assert active.sum() > 6
    np.testing.assert_array_equal(errors.is_flat[:2], [False, False])
    np.testing.assert_allclose(errors.rate_se[:2], fit.rate[:2] / np.sqrt([40, 30]), rtol=1e-6)
    expected = dense * fit.rate
    root = (np.sqrt(data.totals) / expected.sum(axis=1))[:, np.newaxis] * expected
    root = root[:, active] / np.sqrt(fit.entity_amount[active])
    fraction, vectors = np.linalg.eigh(root.T @ root)
    wanted = (vectors[:, fraction < 1e-8] ** 2).sum(axis=1) > 1e-10
    np.testing.assert_array_equal(errors.is_flat[active], wanted)
    assert wanted.sum() >= 5
