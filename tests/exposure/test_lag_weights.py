"""Weights of lags: shape, mass, limits, and the definitions of other packages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bayes_attrib.exposure import (
    ADSTOCKS,
    BinomialAdstock,
    DelayedAdstock,
    GeometricAdstock,
    NoAdstock,
    WeibullCdfAdstock,
    WeibullPdfAdstock,
    binomial_weights,
    carry_over,
    delayed_weights,
    geometric_adstock,
    geometric_weights,
    normalised,
    weibull_cdf_weights,
    weibull_pdf_weights,
)

LAGS = st.integers(1, 30)
FRACTION = st.floats(0, 1)
POSITIVE = st.floats(0.05, 50)


@st.composite
def adstocks(draw, *, normalise=None):
    """Any adstock of any kind."""
    options = {
        "l_max": draw(LAGS),
        "normalise": draw(st.booleans()) if normalise is None else normalise,
    }
    kind = draw(st.sampled_from(["geometric", "binomial", "delayed", "weibull_pdf", "weibull_cdf"]))
    if kind.startswith("weibull"):
        return ADSTOCKS[kind](scale=draw(POSITIVE), shape=draw(POSITIVE), **options)
    if kind == "delayed":
        options["peak"] = float(draw(st.integers(0, options["l_max"] - 1)))
    return ADSTOCKS[kind](decay=draw(FRACTION), **options)


@settings(derandomize=True, deadline=None)
@given(adstocks())
def test_weights_are_finite_and_never_negative(adstock):
    weights = adstock.weights()
    assert weights.shape == (adstock.l_max,)
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert weights.max() > 0


@settings(derandomize=True, deadline=None)
@given(adstocks(normalise=True))
def test_normalised_weights_sum_to_one(adstock):
    assert adstock.weights().sum() == pytest.approx(1.0, rel=1e-12)


@settings(derandomize=True, deadline=None)
@given(adstocks(normalise=True), st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_what_is_delivered_is_carried_over_whole(adstock, series):
    padded = np.append(series, np.zeros(30))
    assert carry_over(padded, adstock.weights()).sum() == pytest.approx(sum(series), rel=1e-12)


@settings(derandomize=True, deadline=None)
@given(FRACTION, FRACTION, LAGS)
def test_more_decay_retains_more(one, other, l_max):
    low, high = sorted((one, other))
    assert (geometric_weights(low, l_max=l_max) <= geometric_weights(high, l_max=l_max)).all()
    assert (binomial_weights(low, l_max=l_max) <= binomial_weights(high, l_max=l_max)).all()


@pytest.mark.parametrize("weights", [geometric_weights, binomial_weights])
def test_no_decay_works_at_once_and_full_decay_works_evenly(weights):
    assert weights(0.0, l_max=4).tolist() == [1, 0, 0, 0]
    assert weights(1.0, l_max=4).tolist() == [1, 1, 1, 1]


def test_binomial_of_one_half_is_a_straight_line_to_zero_after_the_last_lag():
    np.testing.assert_allclose(binomial_weights(0.5, l_max=4), [1, 0.8, 0.6, 0.4], rtol=1e-15)


def test_delayed_is_one_at_its_peak():
    np.testing.assert_allclose(
        delayed_weights(0.5, 2, l_max=5), [1 / 16, 1 / 2, 1, 1 / 2, 1 / 16], rtol=1e-15
    )


@pytest.mark.parametrize(("scale", "shape"), [(3.0, 0.6), (3.0, 2.5), (0.8, 1.0)])
def test_weibull_against_scipy(scale, shape):
    law = stats.weibull_min(shape, scale=scale)
    density = law.pdf(np.arange(1, 13))
    wanted = (density - density.min()) / (density.max() - density.min())
    np.testing.assert_allclose(weibull_pdf_weights(scale, shape, l_max=12), wanted, atol=1e-12)
    survival = np.cumprod(np.append(1.0, law.sf(np.arange(1, 12))))
    np.testing.assert_allclose(weibull_cdf_weights(scale, shape, l_max=12), survival, atol=1e-12)


def test_weibull_densities_that_are_all_equal_work_at_once():
    assert weibull_pdf_weights(2.0, 3.0, l_max=1).tolist() == [1]
    assert weibull_pdf_weights(1e-3, 5.0, l_max=3).tolist() == [1, 0, 0]


def test_parameters_broadcast():
    assert geometric_weights(np.full((3, 2), 0.5), l_max=4).shape == (3, 2, 4)
    assert delayed_weights(0.5, np.zeros((2, 1)), l_max=4).shape == (2, 1, 4)
    got = weibull_pdf_weights(np.array([1.0, 2.0]), np.array([[1.0], [3.0]]), l_max=5)
    assert got.shape == (2, 2, 5)
    np.testing.assert_array_equal(got[1, 0], weibull_pdf_weights(1.0, 3.0, l_max=5))


def meridian(delivery, alpha, max_lag, decay):
    """Meridian's weighted average over a window, by its definition."""
    lag = np.arange(max_lag + 1)
    weights = alpha**lag if decay == "geometric" else (1 - lag / (max_lag + 1)) ** (1 / alpha - 1)
    padded = np.append(np.zeros(max_lag), delivery)
    windows = [padded[t : t + max_lag + 1][::-1] for t in range(len(delivery))]
    return np.array(windows) @ weights / weights.sum()


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.9])
def test_meridian_is_reached_with_one_more_lag_and_its_own_horizon(alpha):
    delivery = np.array([0.0, 3.0, 1.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0])
    for adstock, decay in (
        (GeometricAdstock(alpha, l_max=6), "geometric"),
        (BinomialAdstock(alpha, l_max=6, horizon=6), "binomial"),
    ):
        wanted = meridian(delivery, alpha, 5, decay)
        np.testing.assert_allclose(carry_over(delivery, adstock.weights()), wanted, atol=1e-12)


def robyn(delivery, shapes, scales, kind):
    """Robyn's Weibull adstock by its definition: every day's delivery spread over those after it.

    Its scale is a quantile of 1, ..., n, rounded, and n the number of periods of the data.
    """
    n = len(delivery)
    scale = round(np.quantile(np.arange(1, n + 1), scales))
    law = stats.weibull_min(shapes, scale=scale)
    if kind == "cdf":
        weights = np.cumprod([1.0, *(1 - law.cdf(np.arange(1, n)))])
    else:
        density = law.pdf(np.arange(1, n + 1))
        weights = (density - density.min()) / (density.max() - density.min())
    carried = np.zeros(n)
    for day, value in enumerate(delivery):
        carried[day:] += value * weights[: n - day]
    return carried


@pytest.mark.parametrize(("shapes", "scales"), [(0.4, 0.3), (2.2, 0.2), (1.0, 0.01)])
@pytest.mark.parametrize("kind", ["cdf", "pdf"])
def test_robyn_is_reached_with_the_whole_data_as_length(shapes, scales, kind):
    delivery = np.array([0.0, 3.0, 1.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0])
    n = len(delivery)
    adstock = ADSTOCKS[f"weibull_{kind}"](
        scale=round(1 + (n - 1) * scales), shape=shapes, l_max=n, normalise=False
    )
    wanted = robyn(delivery, shapes, scales, kind)
    np.testing.assert_allclose(carry_over(delivery, adstock.weights()), wanted, atol=1e-12)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.3, 0.97])
def test_without_l_max_carry_over_is_the_recursion_without_end(decay, normalise):
    delivery = np.array([5.0, 0, 0, 1, 2, 0, 0, 0, 0, 7, 0, 0])
    adstock = GeometricAdstock(decay, normalise=normalise)
    wanted = geometric_adstock(delivery, decay, normalise=normalise)
    np.testing.assert_allclose(carry_over(delivery, adstock.weights()), wanted, rtol=1e-12)


def test_what_is_left_when_endless_carry_over_is_cut_cannot_be_told_from_nothing():
    weights = GeometricAdstock(0.5, normalise=False).weights()
    assert 1.0 + 0.5 ** len(weights) == 1.0
    assert weights[-1] > 1e-16


def test_without_adstock_delivery_works_at_once():
    assert NoAdstock().weights().tolist() == [1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GeometricAdstock(1.2, 4), r"decay must lie in \[0, 1\]; got 1.2"),
        (lambda: GeometricAdstock(0.5, 0), "l_max must be a whole number of periods.*got 0"),
        (lambda: GeometricAdstock(0.5, 2.5), r"l_max must be a whole number.*got 2\.5"),
        (lambda: GeometricAdstock(0.5, True), "l_max must be a whole number.*got True"),
        (lambda: GeometricAdstock(1.0), "too near 1 to carry over without l_max; got 1"),
        (lambda: GeometricAdstock(1 - 1e-9), "too near 1 to carry over without l_max"),
        (lambda: GeometricAdstock(np.nan, 3), "decay must be finite; got nan"),
        (lambda: BinomialAdstock(-0.1, 4), r"decay must lie in \[0, 1\]; got -0.1"),
        (lambda: BinomialAdstock(0.5, 4, horizon=3), "horizon must be more than l_max - 1 = 3"),
        (lambda: DelayedAdstock(0.5, 4, 4), r"peak must lie in \[0, l_max - 1\] = \[0, 3\]; got 4"),
        (lambda: DelayedAdstock(0.0, 0.5, 4), "all weights of lags are zero"),
        (lambda: WeibullPdfAdstock(0, 1, 4), "scale must be positive; got 0"),
        (lambda: WeibullCdfAdstock(1, -1, 4), "shape must be positive; got -1"),
        (lambda: normalised(np.zeros((2, 3))), "all weights of lags are zero"),
        (lambda: carry_over(3.0, [1.0]), "delivery needs a time axis"),
        (lambda: carry_over([1.0], [np.nan]), "weights must be finite"),
    ],
)
def test_parameters_out_of_range_are_named_with_their_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_kinds_are_registered_under_their_names():
    assert list(ADSTOCKS) == [
        "geometric",
        "binomial",
        "delayed",
        "weibull_pdf",
        "weibull_cdf",
        "none",
    ]
    assert all(cls.kind == name for name, cls in ADSTOCKS.items())
