"""Summaries of draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.spec import IntervalSpec


@dataclass(frozen=True, eq=False, slots=True)
class Summary:
    """Moments and interval of each row of draws; every field has shape (n_rows,)."""

    mean: FloatArray
    sd: FloatArray
    lower: FloatArray
    upper: FloatArray


def summarise(draws: FloatArray, interval: IntervalSpec) -> Summary:
    """Summarise rows of draws.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Draws of n_rows quantities.
    interval : IntervalSpec
        Kind and probability of the interval.

    Returns
    -------
    Summary
        Mean, standard deviation (divisor n_draws - 1; NaN for a single draw) and interval.
    """
    lower, upper = interval_of(draws, interval)
    many = draws.shape[1] > 1
    sd = draws.std(axis=1, ddof=1) if many else np.full(len(draws), math.nan)
    return Summary(draws.mean(axis=1), sd, lower, upper)


def interval_of(draws: FloatArray, interval: IntervalSpec) -> tuple[FloatArray, FloatArray]:
    """Interval of each row of draws.

    ``hdi`` is the narrowest interval that spans ``floor(prob * n_draws)`` steps of the ordered
    draws (Chen and Shao 1999, Journal of Computational and Graphical Statistics 8), the first of
    them where several are equally narrow; ``eti`` takes the quantiles (1 - prob) / 2 and
    (1 + prob) / 2.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Draws of n_rows quantities.
    interval : IntervalSpec
        Kind and probability.

    Returns
    -------
    lower, upper : ndarray, shape (n_rows,)
        Bounds in the unit of the draws.
    """
    if interval.kind == "eti":
        tail = (1.0 - interval.prob) / 2.0
        lower, upper = np.quantile(draws, [tail, 1.0 - tail], axis=1)
        return lower, upper
    ordered = np.sort(draws, axis=1)
    steps = int(interval.prob * draws.shape[1])
    widths = ordered[:, steps:] - ordered[:, : draws.shape[1] - steps]
    first, row = widths.argmin(axis=1), np.arange(len(draws))
    return ordered[row, first], ordered[row, first + steps]
