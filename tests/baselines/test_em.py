from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.decomposition import non_negative_factorization
from sklearn.exceptions import ConvergenceWarning

from bayes_attrib.baselines import certify_rates, em, fit_em, poisson_log_likelihood
from bayes_attrib.baselines.free_rates import FreeRates


def rmse(data, fit):
    return np.sqrt(np.mean((fit.amount - data.truth) ** 2))


def plain_em(data, iterations, rate=None):
    """Textbook EM on dense arrays: rates after the iterations, amounts of the last E step."""
    w, y = data.exposure.toarray(), data.totals
    rate = np.ones(data.n_entities) if rate is None else rate
    for _ in range(iterations):
        amount = rate * w * (y / (w @ rate))[:, None]
        rate = amount.sum(axis=0) / w.sum(axis=0)
    return rate, amount[w > 0]


# Plain iterations, stopped early


def test_two_bricks_by_hand(two_bricks):
    first = fit_em(two_bricks, stop_after=1)
    np.testing.assert_allclose(first.rate, [100 / 3, 80 / 3, 80 / 3, 20])
    third = fit_em(two_bricks, stop_after=3)
    np.testing.assert_allclose(third.rate, [42.2427, 25.8795, 25.8795, 14.2394], atol=5e-5)
    np.testing.assert_allclose(third.entity_amount, third.rate * [1, 2, 2, 1])
    assert (third.stopped, third.converged, third.iterations) == ("early", False, 3)
    assert third.certificate.max_score > 1.01


@pytest.mark.parametrize(("channel", "error"), [("Search", 28.33), ("Social", 68.33)])
def test_textbook_example_stopped_after_200_iterations(channels, channel, error):
    fit = fit_em(channels[channel], stop_after=200)
    assert rmse(channels[channel], fit) == pytest.approx(error, abs=0.005)
    assert fit.iterations == 200


@pytest.mark.parametrize("iterations", [1, 2, 25])
def test_early_stop_is_textbook_em(random_data, iterations):
    data = random_data(7)
    start = np.random.default_rng(7).lognormal(0, 1, data.n_entities)
    fit = fit_em(data, stop_after=iterations, start=start)
    rate, amount = plain_em(data, iterations, start)
    np.testing.assert_allclose(fit.rate, rate, rtol=1e-11)
    np.testing.assert_allclose(fit.amount, amount, rtol=1e-11)
    np.testing.assert_allclose(fit.entity_amount, fit.rate * data.exposure.sum(axis=0), rtol=1e-11)


def test_early_stop_goes_on_past_the_maximum(data_of):
    fit = fit_em(data_of([[1.0], [1.0]], [3, 5]), stop_after=4)
    assert (fit.stopped, fit.iterations, len(fit.log_likelihood)) == ("early", 4, 5)


def test_trace_is_the_log_likelihood_of_each_iteration(random_data):
    data = random_data(8)
    fit = fit_em(data, stop_after=30)
    for n in (1, 2, 10, 30):
        rate, _ = plain_em(data, n)
        wanted = poisson_log_likelihood(data.totals, data.exposure @ rate)
        assert fit.log_likelihood[n] == pytest.approx(wanted, rel=1e-12)


# The certified maximum


@pytest.mark.parametrize(
    ("channel", "error", "zeros"), [("Search", 75.36, 2), ("Social", 79.42, 3)]
)
def test_textbook_example_at_the_maximum(channels, channel, error, zeros):
    data = channels[channel]
    fit = fit_em(data)
    assert fit.converged
    assert fit.certificate.relative_gap < 1e-10
    assert rmse(data, fit) == pytest.approx(error, abs=0.005)
    assert np.count_nonzero(fit.rate == 0) == zeros
    assert fit.iterations < 50


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", [(40, 6), (15, 15), (6, 30)])
def test_conditions_of_a_maximum_hold(random_data, seed, shape):
    data = random_data(seed, shape=shape, noise=0.3 + 0.2 * seed)
    fit = fit_em(data)
    assert fit.stopped == "certificate"
    w = data.exposure.toarray()
    score = w.T @ (data.totals / (w @ fit.rate)) / w.sum(axis=0)
    assert np.all(score <= 1 + 1e-6)
    np.testing.assert_allclose(score[fit.rate > 0], 1, atol=1e-6)
    assert np.all(np.diff(fit.log_likelihood) >= 0)
    direct = poisson_log_likelihood(data.totals, data.expected_totals(fit.rate))
    assert fit.log_likelihood[-1] == pytest.approx(direct, rel=1e-12)
    sums = np.bincount(data.edge_aggregate, weights=fit.amount, minlength=shape[0])
    np.testing.assert_allclose(sums, data.totals, rtol=1e-12)
    np.testing.assert_allclose(fit.rate @ w.sum(axis=0), data.grand_total, rtol=1e-12)


def test_the_maximum_is_a_fixed_point(random_data):
    data = random_data(11, shape=(40, 6))
    fit = fit_em(data, tolerance=1e-13)
    start = np.maximum(fit.rate, 1e-300)
    np.testing.assert_allclose(fit_em(data, stop_after=1, start=start).rate, fit.rate, rtol=1e-9)
    again = fit_em(data, start=start)
    assert again.iterations == 0
    np.testing.assert_allclose(again.rate, fit.rate, rtol=1e-9)


def test_plain_and_accelerated_iterations_agree_where_the_maximum_is_unique(random_data):
    data = random_data(12, shape=(60, 5), noise=0.2)
    fast = fit_em(data)
    slow = fit_em(data, accelerate=False, max_iterations=200_000)
    assert fast.converged
    assert slow.converged
    assert fast.iterations < slow.iterations
    np.testing.assert_allclose(fast.entity_share, slow.entity_share, atol=1e-6)


def test_where_rates_are_not_identified_only_the_expected_totals_are(random_data):
    data = random_data(13, shape=(5, 30))
    other = np.random.default_rng(13).lognormal(0, 1.5, data.n_entities)
    one, two = fit_em(data), fit_em(data, start=other)
    assert one.converged
    assert two.converged
    assert np.abs(one.entity_share - two.entity_share).max() > 0.01
    np.testing.assert_allclose(
        data.expected_totals(one.rate), data.expected_totals(two.rate), rtol=1e-6
    )


def test_hostile_exposures_are_certified(data_of):
    rng = np.random.default_rng(5)
    exposure = rng.lognormal(0, 4, (60, 40)) * (rng.uniform(size=(60, 40)) < 0.2)
    exposure[np.arange(40), np.arange(40)] = 1e-9
    totals = rng.lognormal(0, 3, 60) * (rng.uniform(size=60) < 0.6) * (exposure.sum(axis=1) > 0)
    fit = fit_em(data_of(exposure, totals))
    assert fit.converged
    assert np.all(np.diff(fit.log_likelihood) >= 0)


def test_running_out_of_iterations_is_said(random_data):
    data = random_data(14, shape=(40, 6))
    fit = fit_em(data, accelerate=False, max_iterations=5)
    assert (fit.stopped, fit.converged, fit.iterations) == ("iterations", False, 5)
    assert fit.certificate.relative_gap > 1e-6
    np.testing.assert_allclose(fit.amount, data.split_totals(fit.rate))


def test_a_step_that_would_lower_the_likelihood_is_replaced(random_data, monkeypatch):
    data = random_data(15)
    monkeypatch.setattr(em, "newton_step", lambda *_: None)
    fallback = fit_em(data, max_iterations=60)
    plain = fit_em(data, max_iterations=60, accelerate=False)
    np.testing.assert_array_equal(fallback.log_likelihood, plain.log_likelihood)


def test_a_rate_is_not_dropped_where_that_lowers_the_likelihood(data_of):
    # H1's rate is on its way down, from 10 to 4, but not to zero.
    problem = FreeRates(data_of([[1, 1], [0, 100]], [5, 100]))
    at = problem.evaluate(np.array([10.0, 0.9]))
    assert em._without_vanishing(problem, at, tolerance=1.0) is None


# Invariances


@pytest.mark.parametrize("factor", [1e-6, 3.7, 1e9])
def test_units_of_exposure_change_rates_only(random_data, data_of, factor):
    data = random_data(20, shape=(40, 6))
    fit = fit_em(data)
    scaled = fit_em(data_of(factor * data.exposure.toarray(), data.totals))
    np.testing.assert_allclose(scaled.rate * factor, fit.rate, rtol=1e-6)
    np.testing.assert_allclose(scaled.amount, fit.amount, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-9, 0.01, 1e12])
def test_units_of_totals_scale_everything(random_data, data_of, factor):
    data = random_data(21, shape=(40, 6))
    fit = fit_em(data)
    scaled = fit_em(data_of(data.exposure.toarray(), factor * data.totals))
    assert scaled.converged
    np.testing.assert_allclose(scaled.rate, factor * fit.rate, rtol=1e-6)
    np.testing.assert_allclose(scaled.amount, factor * fit.amount, rtol=1e-6)


def test_order_of_rows_and_columns_does_not_matter(random_data, data_of):
    data = random_data(22, shape=(40, 6))
    rng = np.random.default_rng(22)
    rows, columns = rng.permutation(40), rng.permutation(6)
    shuffled = fit_em(data_of(data.exposure.toarray()[rows][:, columns], data.totals[rows]))
    np.testing.assert_allclose(shuffled.rate, fit_em(data).rate[columns], rtol=1e-6)


def test_an_aggregate_may_be_cut_in_two(random_data, data_of):
    # Halves with half of the exposures and half of the total say the same as the whole.
    data = random_data(23, shape=(40, 6))
    w, y = data.exposure.toarray(), data.totals
    fit = fit_em(data_of(np.vstack([w[1:], w[:1] / 2, w[:1] / 2]), [*y[1:], y[0] / 2, y[0] / 2]))
    np.testing.assert_allclose(fit.rate, fit_em(data).rate, rtol=1e-6)


# Edges of the domain


def test_zero_totals_push_rates_to_zero(data_of):
    fit = fit_em(data_of([[1, 1, 0], [0, 1, 1], [0, 0, 1]], [6, 0, 0]))
    np.testing.assert_allclose(fit.rate, [6, 0, 0], atol=1e-9)
    np.testing.assert_allclose(fit.amount, [6, 0, 0, 0, 0], atol=1e-9)
    assert fit.converged


def test_entities_and_aggregates_without_exposure_are_left_out(data_of):
    fit = fit_em(data_of([[1, 0, 0], [2, 0, 1], [0, 0, 0]], [4, 11, 0]))
    np.testing.assert_allclose(fit.rate, [4, np.nan, 3], rtol=1e-6)
    np.testing.assert_allclose(fit.entity_amount, [12, 0, 3], rtol=1e-6)
    assert fit.converged


@pytest.mark.parametrize("stop_after", [None, 3])
@pytest.mark.parametrize("exposure", [[[1.0, 2.0]], [[0.0, 0.0]]])
def test_nothing_earned(data_of, exposure, stop_after):
    fit = fit_em(data_of(exposure, [0]), stop_after=stop_after)
    np.testing.assert_array_equal(fit.entity_amount, [0, 0])
    np.testing.assert_array_equal(np.nan_to_num(fit.rate), [0, 0])
    assert fit.converged == (stop_after is None)
    assert fit.certificate.gap == 0


def test_one_aggregate_is_fitted_perfectly(data_of):
    fit = fit_em(data_of([[1.0, 3.0]], [8]))
    np.testing.assert_allclose(fit.rate, [2, 2])
    assert fit.certificate.relative_gap < 1e-15


def test_equal_profiles_keep_equal_rates(data_of):
    fit = fit_em(data_of([[1, 1, 2], [2, 2, 1]], [30, 24]), tolerance=1e-12)
    assert fit.rate[0] == pytest.approx(fit.rate[1], rel=1e-9)
    assert fit.converged


@pytest.mark.parametrize("accelerate", [True, False])
def test_entities_on_extreme_scales_side_by_side(data_of, accelerate):
    exposure = sp.diags_array([1e-60, 1e60]).toarray()
    fit = fit_em(data_of([*exposure, [1e-60, 1e60]], [2, 3, 9]), accelerate=accelerate)
    np.testing.assert_allclose(fit.rate, [2.8e60, 4.2e-60], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": 0.0}, "tolerance must be positive; got 0"),
        ({"tolerance": np.nan}, "tolerance must be positive; got nan"),
        ({"max_iterations": 0}, "max_iterations must be at least 1; got 0"),
        ({"stop_after": 0}, "stop_after must be at least 1; got 0"),
        ({"start": np.ones(3)}, r"shape \(4,\); got shape \(3,\)"),
        ({"start": np.array([1, 0, -1, 1.0])}, r"2 rate\(s\) are not, first 0 for 'H2'"),
    ],
)
def test_options_out_of_range(two_bricks, options, message):
    with pytest.raises(ValueError, match=message):
        fit_em(two_bricks, **options)


def test_a_fit_can_be_started_from_another(random_data):
    data = random_data(24)
    first = fit_em(data, stop_after=50)
    second = fit_em(data, start=first.rate)
    assert second.log_likelihood[0] == pytest.approx(first.log_likelihood[-1], rel=1e-12)
    assert dataclasses.asdict(certify_rates(data, second.rate)) == pytest.approx(
        dataclasses.asdict(second.certificate), rel=1e-9, abs=1e-9
    )


# An independent implementation


def nmf_rates(data, **options):
    """Rates by KL-NMF with a fixed basis: multiplicative updates from equal rates."""
    rate, _, n_iterations = non_negative_factorization(
        data.totals[np.newaxis],
        H=data.exposure.toarray().T.copy(),
        n_components=data.n_entities,
        update_H=False,
        solver="mu",
        beta_loss="kullback-leibler",
        **options,
    )
    return rate[0], n_iterations


@pytest.mark.parametrize("iterations", [1, 7, 60])
def test_plain_iterations_are_those_of_scikit_learn(random_data, iterations):
    data = random_data(31, shape=(25, 12), noise=0.8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is stopped on purpose
        rate, n_iterations = nmf_rates(data, max_iter=iterations, tol=0.0)
    assert n_iterations == iterations
    fit = fit_em(data, stop_after=iterations)
    np.testing.assert_allclose(fit.rate, rate, rtol=1e-7)
    wanted = poisson_log_likelihood(data.totals, data.expected_totals(rate))
    assert fit.log_likelihood[-1] == pytest.approx(wanted, rel=1e-9)


def test_the_certified_maximum_is_where_scikit_learn_ends_up(random_data):
    data = random_data(32, shape=(60, 5), noise=0.2)
    rate, _ = nmf_rates(data, max_iter=100_000, tol=1e-13)
    fit = fit_em(data)
    np.testing.assert_allclose(fit.entity_share, fit_shares(data, rate), atol=1e-5)
    other = poisson_log_likelihood(data.totals, data.expected_totals(rate))
    assert other <= fit.log_likelihood[-1] + fit.certificate.gap
    assert other == pytest.approx(fit.log_likelihood[-1], rel=1e-7)


def fit_shares(data, rate):
    return data.sum_to_entities(data.split_totals(rate)) / data.grand_total


def test_a_loose_proof_takes_plain_iterations_alone(random_data, monkeypatch):
    """More entities than aggregates: a perfect fit proves what scores cannot prove yet."""
    data = random_data(34, shape=(12, 40), noise=0.2)
    fit = fit_em(data, tolerance=1e-5)
    assert fit.converged
    assert fit.iterations <= 2 * em.PLAIN_FIRST
    best = fit_em(data, tolerance=1e-13).log_likelihood[-1]
    assert 0 <= best - fit.log_likelihood[-1] <= 1e-5 * data.grand_total
    monkeypatch.setattr(em, "gap_by_perfect_fit", lambda *_: np.inf)
    assert fit_em(data, tolerance=1e-5).iterations > fit.iterations


def test_rates_settle_to_the_measure_of_the_tolerance(random_data):
    """A perfect fit proves the likelihood long before the rates stop moving."""
    data = random_data(35, shape=(6, 30))
    fit = fit_em(data)
    at = FreeRates(data).evaluate(fit.rate)
    np.testing.assert_allclose(at.score[fit.rate > 0], 1.0, atol=1e-6)


def test_the_trace_needs_no_product_of_its_own(random_data):
    """Two products an iteration, and the gap only where it can be small enough."""
    problem = FreeRates(random_data(33))
    at = problem.evaluate(problem.on_scale(np.ones(7)))
    after = problem.evaluate(at.rate * at.score)
    assert problem.n_products == 4
    direct = problem.gain(at, after.rate)
    assert problem.gain_of_update(at, after) == pytest.approx(direct, rel=1e-9)
    assert problem.gain_of_update(after, after) == 0
