"""How well totals are predicted: R2, MAPE, RMSE, CRPS and coverage, beside a naive forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray

_INNER: Final = 0.5


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of predictions of some targets.

    Attributes
    ----------
    n : int
        Number of targets.
    r2 : float
        One minus the squared error over that of the targets' own mean; NaN where they do not vary.
        With several geos, deviations are from each geo's own mean.
    mape : float
        Mean of absolute errors over absolute targets, as a fraction; NaN where a target is zero.
    rmse, mae, crps : float
        In the unit of the target. The CRPS of a forecast without draws is its absolute error.
    coverage_50, coverage : float
        Part of the targets inside equal-tailed intervals of 50% and of the stated probability;
        NaN without draws.
    """

    n: int
    r2: float
    mape: float
    rmse: float
    mae: float
    crps: float
    coverage_50: float
    coverage: float


def score(
    target: FloatArray, mean: FloatArray, draws: FloatArray | None = None, *, prob: float = 0.94
) -> Accuracy:
    """Score predictions.

    Parameters
    ----------
    target : ndarray, shape (n_periods, n_geos)
        What came.
    mean : ndarray, shape (n_periods, n_geos)
        What was expected.
    draws : ndarray, shape (n_draws, n_periods, n_geos), optional
        Predictive draws, noise included.
    prob : float
        Probability of the wider interval.

    Returns
    -------
    Accuracy
        The errors.
    """
    error = target - mean
    spread = float(((target - target.mean(axis=0)) ** 2).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        mape = float(np.mean(np.abs(error) / np.abs(target))) if np.all(target != 0) else np.nan
    mae = float(np.abs(error).mean())
    return Accuracy(
        n=target.size,
        r2=1.0 - float((error**2).sum()) / spread if spread > 0 else np.nan,
        mape=mape,
        rmse=float(np.sqrt((error**2).mean())),
        mae=mae,
        crps=mae if draws is None else float(crps(target, draws).mean()),
        coverage_50=np.nan if draws is None else covered(target, draws, _INNER),
        coverage=np.nan if draws is None else covered(target, draws, prob),
    )


def crps(target: FloatArray, draws: FloatArray) -> FloatArray:
    """Continuous ranked probability score of each target.

    Parameters
    ----------
    target : ndarray, shape (...)
        What came.
    draws : ndarray, shape (n_draws, ...)
        Predictive draws.

    Returns
    -------
    ndarray, shape (...)
        ``E|X - y| - E|X - X'| / 2``, X and X' distinct draws (Gneiting and Raftery 2007, Journal
        of the American Statistical Association 102), in the unit of the target.
    """
    ordered = np.sort(draws, axis=0)
    n = len(ordered)
    rank = (2.0 * np.arange(1, n + 1) - n - 1.0).reshape(-1, *[1] * target.ndim)
    between = (rank * ordered).sum(axis=0) / (n * max(n - 1, 1))
    return np.asarray(np.abs(ordered - target).mean(axis=0) - between)


def covered(target: FloatArray, draws: FloatArray, prob: float) -> float:
    """Return the part of targets inside the equal-tailed interval of their draws."""
    lower, upper = np.quantile(draws, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
    return float(((target >= lower) & (target <= upper)).mean())


def seasonal_naive(history: FloatArray, n: int, season: int) -> FloatArray:
    """Forecast the value of one season ago, of the last one where the history is shorter.

    Parameters
    ----------
    history : ndarray, shape (n_history, n_geos)
        Targets before the forecast.
    n : int
        Number of periods to forecast.
    season : int
        Number of periods in a season.

    Returns
    -------
    ndarray, shape (n, n_geos)
        The forecast.
    """
    back = season if len(history) >= season else 1
    last = history[-back:]
    return last[np.arange(n) % back]
