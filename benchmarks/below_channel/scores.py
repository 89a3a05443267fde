"""Scores of shares against the truth; arrays in, numbers out.

Shares are of the channel's total over the whole window, one per campaign.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from bayes_attrib.attribution.intervals import interval_of
from bayes_attrib.report.scores import is_covered
from bayes_attrib.spec import IntervalSpec

FloatArray = npt.NDArray[np.float64]

INTERVAL = IntervalSpec(kind="hdi", prob=0.94)


def mean_absolute_error(share: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Return the mean over campaigns of |share - true share|."""
    return float(np.mean(np.abs(np.asarray(share) - np.asarray(truth))))


def rank_correlation(share: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Return Spearman's correlation of shares and true shares over campaigns."""
    return float(stats.spearmanr(share, truth).statistic)


def crps(draws: FloatArray, truth: npt.ArrayLike) -> float:
    """Return the mean over campaigns of the continuous ranked probability score.

    For the empirical law of m draws x_i and a truth y it is
    mean |x_i - y| - 1 / (2 m^2) sum_ij |x_i - x_j|: the integral over z of
    (F(z) - 1(z >= y))^2, F the empirical distribution function (Gneiting and Raftery 2007,
    Journal of the American Statistical Association 102, equation 21). For one draw it is the
    absolute error.

    Parameters
    ----------
    draws : ndarray, shape (n_campaigns, m)
        Draws of each campaign's share.
    truth : array_like, shape (n_campaigns,)
        True shares.
    """
    ordered = np.sort(draws, axis=1)
    m = ordered.shape[1]
    # sum_ij |x_i - x_j| = 2 sum_i (2 i - m - 1) x_(i), i = 1, ..., m
    spread = ordered @ (2.0 * np.arange(1, m + 1) - m - 1) / m**2
    error = np.abs(ordered - np.asarray(truth)[:, np.newaxis]).mean(axis=1)
    return float(np.mean(error - spread))


def n_covered(draws: FloatArray, truth: npt.ArrayLike) -> int:
    """Return how many 94% highest-density intervals hold the true share."""
    lower, upper = interval_of(draws, INTERVAL)
    return int(is_covered(lower, upper, truth).sum())


def mean_width(draws: FloatArray) -> float:
    """Return the mean width of the 94% highest-density intervals."""
    lower, upper = interval_of(draws, INTERVAL)
    return float(np.mean(upper - lower))


def score_draws(draws: FloatArray, truth: npt.ArrayLike) -> dict[str, float]:
    """Return every score of draws of shares, shape (n_campaigns, m); the point is their mean."""
    mean = draws.mean(axis=1)
    return score_point(mean, truth) | {
        "crps": crps(draws, truth),
        "covered": n_covered(draws, truth),
        "width": mean_width(draws),
    }


def score_point(share: npt.ArrayLike, truth: npt.ArrayLike) -> dict[str, float]:
    """Return the scores of a split without uncertainty; its CRPS is its absolute error."""
    error = mean_absolute_error(share, truth)
    return {"mae": error, "crps": error, "spearman": rank_correlation(share, truth)}
