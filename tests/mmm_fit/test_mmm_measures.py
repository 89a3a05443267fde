"""Accuracy, residuals and collinearity against other computations."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_attrib.inputs.source import SourceFile
from bayes_attrib.mmm_fit.accuracy import crps, score, seasonal_naive
from bayes_attrib.mmm_fit.residuals import check_residuals, collinearity
from bayes_attrib.mmm_fit.series import MmmSeries


def test_crps_of_normal_draws_is_the_known_formula():
    """Gneiting and Raftery (2007): sd (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)); 40,000 draws."""
    rng = np.random.default_rng(1)
    draws = rng.normal(3.0, 2.0, size=(40_000, 4))
    target = np.array([3.0, 4.0, -1.0, 9.0])
    z = (target - 3.0) / 2.0
    exact = 2.0 * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    np.testing.assert_allclose(crps(target, draws), exact, atol=0.05)


def test_crps_of_few_draws_is_fair():
    """Over all pairs of distinct draws, by hand."""
    draws = np.array([1.0, 4.0, 6.0])[:, np.newaxis]
    by_hand = (1 + 2 + 4) / 3 - (3 + 5 + 2) / 3 / 2
    assert crps(np.array([2.0]), draws)[0] == pytest.approx(by_hand)


def test_scores_by_hand():
    target = np.array([[10.0, 100.0], [20.0, 300.0]])
    mean = np.array([[12.0, 100.0], [20.0, 250.0]])
    draws = np.stack([mean - 5.0, mean, mean + 5.0])
    found = score(target, mean, draws, prob=0.9)
    assert found.n == 4
    assert found.r2 == pytest.approx(1 - (4 + 2500) / (50 + 20_000))
    assert found.mape == pytest.approx((0.2 + 50 / 300) / 4)
    assert found.rmse == pytest.approx(np.sqrt((4 + 2500) / 4))
    assert found.coverage == pytest.approx(0.75)
    zero = score(np.array([[0.0], [1.0]]), np.array([[1.0], [1.0]]))
    assert np.isnan(zero.mape)
    assert zero.crps == zero.mae == 0.5


def test_the_naive_forecast_repeats_the_season_or_the_last_value():
    history = np.arange(6.0)[:, np.newaxis]
    np.testing.assert_array_equal(seasonal_naive(history, 5, 4)[:, 0], [2, 3, 4, 5, 2])
    np.testing.assert_array_equal(seasonal_naive(history, 2, 52)[:, 0], [5, 5])


def test_white_noise_passes_and_an_autoregression_does_not():
    rng = np.random.default_rng(5)
    white = rng.normal(size=(200, 2))
    found = check_residuals(white).summary
    assert found["ljung_box_p"] > 0.001
    assert found["durbin_watson"] == pytest.approx(2.0, abs=0.35)
    walk = white.copy()
    for t in range(1, len(walk)):
        walk[t] += 0.5 * walk[t - 1]
    assert check_residuals(walk).summary["ljung_box_p"] < 1e-6
    skewed = check_residuals(rng.exponential(size=(200, 1))).summary
    assert skewed["jarque_bera_p"] < 1e-6


def test_ljung_box_has_its_level():
    """400 white series: rejections at 5% lie in the binomial band of one in 1,000."""
    rng = np.random.default_rng(6)
    rejected = sum(
        check_residuals(rng.normal(size=(150, 1))).summary["ljung_box_p"] < 0.05 for _ in range(400)
    )
    low, high = stats.binom.ppf([0.0005, 0.9995], 400, 0.06)  # 6%: it is known to be a bit liberal
    assert low <= rejected <= high


def test_vif_is_that_of_the_regression():
    rng = np.random.default_rng(7)
    a, b, c, z = rng.normal(size=(4, 80))
    spend = np.stack([10 + a, 10 + 0.8 * a + 0.3 * c, 10 + b], axis=-1)[:, np.newaxis]
    series = MmmSeries(
        pd.date_range("2024-01-01", periods=80, freq="W-MON"),
        ("",),
        ("x", "y", "w"),
        ("z",),
        spend,
        z[:, np.newaxis, np.newaxis],
        spend.sum(axis=-1),
        SourceFile("series", "made", "", 80),
    )
    found = collinearity(series).set_index("channel")
    others = np.column_stack([np.ones(80), spend[:, 0, 1], spend[:, 0, 2], z])
    rest = spend[:, 0, 0] - others @ np.linalg.lstsq(others, spend[:, 0, 0], rcond=None)[0]
    assert found.loc["x", "vif"] == pytest.approx(spend[:, 0, 0].var() / rest.var())
    assert found.loc["x", "closest"] == "y"
    assert found.loc["x", "correlation"] == pytest.approx(np.corrcoef(spend[:, 0, :2].T)[0, 1])
