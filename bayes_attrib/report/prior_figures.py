"""Geometry of the figures about priors: positions in percent, so that they fit any width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.forest import Forest, ForestRow, Tick, axis_ticks
from bayes_attrib.report.labels import printable
from bayes_attrib.report.numbers import compact, percent

TOP_SHARES: Final = 20
"""Shares that are drawn; ``prior.csv`` has them all."""

_BINS: Final = 41
_LINEAR_BELOW: Final = 0.03
_SHARE_COLUMNS: Final = {
    "mean": "mean",
    "lower": "lower",
    "upper": "upper",
    "proportional": "reference",
}


@dataclass(frozen=True, slots=True)
class QuantileBar:
    """What the prior says of one quantile of the totals; positions in percent, y from the top.

    Attributes
    ----------
    x : float
        Level of the quantile.
    lower, median, upper, observed : float
        Heights of the ends of the interval, the prior median and the observed quantile.
    """

    x: float
    lower: float
    median: float
    upper: float
    observed: float


@dataclass(frozen=True, slots=True)
class QuantilePlot:
    """Quantiles of the totals on a scale that is logarithmic but reaches zero."""

    bars: tuple[QuantileBar, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a histogram: left end, width and height in percent."""

    x: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram with a labelled axis below it."""

    bins: tuple[Bin, ...]
    ticks: tuple[Tick, ...]


def layout_quantiles(quantiles: pd.DataFrame) -> QuantilePlot:
    """Lay out quantiles of the totals.

    Parameters
    ----------
    quantiles : DataFrame
        ``level``, ``lower``, ``median``, ``upper`` and ``observed``, as in
        :attr:`bayes_attrib.report.prior_summary.PriorSummary.quantiles`.

    Returns
    -------
    QuantilePlot
        The height of x is asinh(x / u): logarithmic but for the smallest totals, u being a small
        fraction of the median one.
    """
    highest = float(quantiles[["upper", "observed"]].max().max()) or 1.0
    positive = quantiles["observed"][quantiles["observed"] > 0]
    unit = _LINEAR_BELOW * (float(positive.median()) if len(positive) else highest)
    top = math.asinh(highest / unit)

    def height(value: float) -> float:
        """Position from the top, in percent."""
        return round(100 * (1 - math.asinh(value / unit) / top), 2)

    columns = quantiles[["level", "lower", "median", "upper", "observed"]]
    bars = tuple(
        QuantileBar(round(100 * level, 2), *map(height, values))
        for level, *values in columns.to_numpy(dtype=np.float64).tolist()
    )
    powers = range(math.ceil(math.log10(unit)), math.floor(math.log10(highest)) + 1)
    step = max(1, math.ceil(len(powers) / 7))
    marks = [0.0, *(10.0**power for power in powers[::step])]
    return QuantilePlot(bars, tuple(Tick(height(mark), compact(mark)) for mark in marks))


def layout_rates(relative: FloatArray) -> Histogram:
    """Lay out a histogram of rates on a logarithmic axis.

    Parameters
    ----------
    relative : ndarray, shape (n_entities, n_draws)
        Rates over the data's own rate; positive.

    Returns
    -------
    Histogram
        The outer .2% on either side are left out.
    """
    logs = np.log10(relative.ravel())
    low, high = np.quantile(logs, [0.002, 0.998])
    counts, _ = np.histogram(logs, bins=_BINS, range=(low, high))
    width = 100 / _BINS
    bins = tuple(
        Bin(round(i * width, 2), round(0.9 * width, 2), round(float(height), 2))
        for i, height in enumerate(100 * counts / counts.max())
    )
    powers = range(math.ceil(low), math.floor(high) + 1)
    ticks = tuple(
        Tick(round(100 * (power - low) / (high - low), 2), f"×{10.0**power:g}") for power in powers
    )
    return Histogram(bins, ticks)


def layout_shares(shares: pd.DataFrame) -> Forest:
    """Lay out the largest prior shares, with the proportional split beside them.

    Parameters
    ----------
    shares : DataFrame
        ``name``, ``mean``, ``lower``, ``upper`` and ``reference``, as fractions.

    Returns
    -------
    Forest
        The entities of the largest mean shares.
    """
    drawn = shares.sort_values("mean", ascending=False, kind="stable").head(TOP_SHARES)
    end = 1.02 * float(drawn[["upper", "reference"]].max().max())
    figures = drawn[list(_SHARE_COLUMNS.values())].to_numpy(dtype=np.float64).tolist()
    rows = tuple(
        _share_row(printable(str(name)), dict(zip(_SHARE_COLUMNS, values, strict=True)), end)
        for name, values in zip(drawn["name"], figures, strict=True)
    )
    ticks = tuple(Tick(tick.position, f"{tick.label}%") for tick in axis_ticks(100 * end))
    return Forest(rows, ticks, len(shares) - len(drawn), frozenset(_SHARE_COLUMNS))


def _share_row(label: str, values: dict[str, float], end: float) -> ForestRow:
    texts = {key: percent(value) for key, value in values.items()}
    interval = f"{texts['lower']} to {texts['upper']}"
    words = f"{label}: mean {texts['mean']}; {interval}; proportional {texts['proportional']}"
    at = {key: round(100 * value / end, 2) for key, value in values.items()}
    return ForestRow(label, texts["mean"], interval, words, at)
