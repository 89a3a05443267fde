"""New totals from the fit beside those observed: posterior predictive checks to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bayes_attrib.attribution import grain_of, interval_of
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.report.labels import printable
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.page.scale import Scale, Tick, scale_for_rates, scale_from_zero
from bayes_attrib.report.page.series import band_of, path_of
from bayes_attrib.report.replicates import replicate_totals
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.spec import IntervalSpec

MOST_BARS: Final = 60
"""Aggregates that are drawn one by one."""

MOST_REPLICATES: Final = 1000
_MOST_ELEMENTS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class TotalBar:
    """One aggregate: positions in percent, x from the left and y from above.

    Attributes
    ----------
    x, lower, upper, median, observed : float
        Positions.
    inside : bool
        Whether the observed total lies inside the interval.
    description : str
        In words.
    """

    x: float
    lower: float
    upper: float
    median: float
    observed: float
    inside: bool
    description: str


@dataclass(frozen=True, slots=True)
class TotalsOverTime:
    """Totals per period, in per mille of width and height: paths of what was observed and is new.

    Attributes
    ----------
    periods : tuple of str
        First and last period.
    observed, band : str
        Paths.
    ticks : tuple of Tick
        Labels of the vertical axis.
    n_inside, n : int
        Periods whose observed total lies inside the band, and all.
    """

    periods: tuple[str, str]
    observed: str
    band: str
    ticks: tuple[Tick, ...]
    n_inside: int
    n: int


@dataclass(frozen=True, slots=True)
class PredictiveCheck:
    """Observed and new totals.

    Attributes
    ----------
    bars : tuple of TotalBar
        Aggregates in the order of their expected totals.
    ticks : tuple of Tick
        Labels of the vertical axis, from above.
    n_inside, n : int
        Aggregates whose total lies inside its interval, and all that have exposure.
    prob : str
        Probability of the intervals, which are central.
    n_replicates : int
        Sets of new totals.
    over_time : TotalsOverTime or None
        Totals per period, where there are several.
    """

    bars: tuple[TotalBar, ...]
    ticks: tuple[Tick, ...]
    n_inside: int
    n: int
    prob: str
    n_replicates: int
    over_time: TotalsOverTime | None


def check_totals(run: RunFolder, draws: PageDraws, amounts: AmountFormat) -> PredictiveCheck:
    """Draw new totals from the fit and lay them out beside those observed.

    Parameters
    ----------
    run : RunFolder
        The run; its seed makes the draws.
    draws : PageDraws
        Fit and data.
    amounts : AmountFormat
        How amounts are written.

    Returns
    -------
    PredictiveCheck
        Positions and counts. Intervals are central, with the probability of the spec's report.
    """
    source, spec = draws.source, run.spec
    data = draws.data
    most = max(200, min(MOST_REPLICATES, _MOST_ELEMENTS // data.n_aggregates))
    totals, new = replicate_totals(source, most=most)
    observed = totals.observed[:, 0]
    interval = IntervalSpec(kind="eti", prob=spec.report.interval.prob)
    lower, upper = interval_of(new, interval)
    median = np.median(new, axis=1)
    inside = (lower <= observed) & (observed <= upper)
    order = np.argsort(np.median(totals.mu, axis=1), kind="stable")
    chosen = order[_evenly(len(order), MOST_BARS)]
    scale = scale_for_rates(np.stack([upper[chosen], observed[chosen]]))
    labels = data.aggregate_labels[data.is_exposed]
    bars = tuple(
        _bar(
            100 * (place + 0.5) / len(chosen),
            printable(str(labels[i])),
            (lower[i], upper[i], median[i], observed[i]),
            scale,
            amounts,
        )
        for place, i in enumerate(chosen.tolist())
    )
    return PredictiveCheck(
        bars,
        _from_above(scale, amounts),
        int(inside.sum()),
        len(observed),
        amounts.language.percent(interval.prob, 0),
        new.shape[1],
        _over_time(draws, observed, new, interval, amounts),
    )


def _evenly(n: int, most: int) -> IntArray:
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def _bar(
    x: float,
    label: str,
    values: tuple[float, float, float, float],
    scale: Scale,
    amounts: AmountFormat,
) -> TotalBar:
    lower, upper, median, observed = map(float, values)
    words = amounts.language.text(
        "{label}: observed {observed}, new totals {interval}",
        label=label,
        observed=amounts.mean(observed),
        interval=amounts.bounds(lower, upper),
    )
    down = [round(100 - scale.at(value), 2) for value in (lower, upper, median, observed)]
    return TotalBar(
        round(x, 2), down[0], down[1], down[2], down[3], lower <= observed <= upper, words
    )


def _from_above(scale: Scale, amounts: AmountFormat) -> tuple[Tick, ...]:
    return tuple(
        Tick(round(100 - tick.position, 2), tick.label) for tick in scale.ticks(amounts.language)
    )


def _over_time(
    draws: PageDraws,
    observed: FloatArray,
    new: FloatArray,
    interval: IntervalSpec,
    amounts: AmountFormat,
) -> TotalsOverTime | None:
    if draws.by_period is None:
        return None
    data, key = draws.data, draws.by_period.key
    grain = grain_of(data, [key])
    of_aggregate = np.zeros(data.n_aggregates, dtype=np.int64)
    of_aggregate[data.edge_aggregate] = grain.row
    period = of_aggregate[data.is_exposed]
    n = len(grain.labels)
    if len(period) == n:  # the same as the bars, but in the order of time
        order = np.argsort(period, kind="stable")
        sums, seen = new[order], observed[order]
    else:
        sums = np.zeros((n, new.shape[1]))
        np.add.at(sums, period, new)
        seen = np.bincount(period, weights=observed, minlength=n).astype(np.float64)
    lower, upper = interval_of(sums, interval)
    scale = scale_from_zero(np.stack([upper, seen]))
    labels = grain.labels[key].astype(str)
    return TotalsOverTime(
        (printable(labels.iloc[0]), printable(labels.iloc[-1])),
        path_of(seen, scale),
        band_of(lower, upper, scale),
        scale.ticks(amounts.language, wanted=3),
        int(((lower <= seen) & (seen <= upper)).sum()),
        n,
    )
