"""Intervals against ArviZ's implementation and closed forms."""

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from bayes_attrib.attribution import interval_of, summarise
from bayes_attrib.spec import IntervalSpec

RNG = np.random.default_rng(0)
SAMPLES = {
    "normal": RNG.normal(size=(5, 1000)),
    "skewed": RNG.gamma(0.3, size=(5, 999)),
    "counts": RNG.poisson(2.0, size=(5, 1000)).astype(float),
    "constant": np.full((2, 100), 3.0),
}


@pytest.mark.parametrize("prob", [0.5, 0.89, 0.94])
@pytest.mark.parametrize("kind", ["normal", "skewed", "counts", "constant"])
def test_hdi_equals_arviz(kind, prob):
    draws = SAMPLES[kind]
    lower, upper = interval_of(draws, IntervalSpec(kind="hdi", prob=prob))
    expected = np.array([array_stats.hdi(row, prob=prob) for row in draws])
    np.testing.assert_array_equal(np.column_stack([lower, upper]), expected)


def test_hdi_of_an_exponential_starts_at_its_minimum():
    draws = np.random.default_rng(1).exponential(size=(1, 200_000))
    lower, upper = interval_of(draws, IntervalSpec(kind="hdi", prob=0.94))
    assert lower[0] < 1e-3
    assert upper[0] == pytest.approx(-np.log(0.06), rel=0.02)


def test_equal_tails_are_quantiles():
    draws = SAMPLES["normal"]
    lower, upper = interval_of(draws, IntervalSpec(kind="eti", prob=0.9))
    np.testing.assert_allclose(lower, np.quantile(draws, 0.05, axis=1))
    np.testing.assert_allclose(upper, np.quantile(draws, 0.95, axis=1))


def test_hdi_is_never_wider_than_equal_tails():
    draws = SAMPLES["skewed"]
    hdi = interval_of(draws, IntervalSpec(kind="hdi", prob=0.8))
    eti = interval_of(draws, IntervalSpec(kind="eti", prob=0.8))
    assert np.all(hdi[1] - hdi[0] <= eti[1] - eti[0])


def test_moments():
    summary = summarise(SAMPLES["normal"], IntervalSpec())
    np.testing.assert_allclose(summary.mean, SAMPLES["normal"].mean(axis=1))
    np.testing.assert_allclose(summary.sd, SAMPLES["normal"].std(axis=1, ddof=1))


def test_a_single_draw_has_no_spread():
    summary = summarise(np.array([[2.0]]), IntervalSpec())
    assert (summary.lower[0], summary.upper[0]) == (2.0, 2.0)
    assert np.isnan(summary.sd[0])
