"""Amounts over time: a small chart for each of the largest entities, and one for the total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bayes_attrib.attribution import interval_of
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.labels import printable
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.draws import N_LARGEST, PageDraws, PeriodDraws
from bayes_attrib.report.page.scale import Scale, Tick, scale_from_zero
from bayes_attrib.report.run_folder import RunFolder

MOST_PERIODS: Final = 400
"""Periods that are drawn; beyond, the last ones."""


@dataclass(frozen=True, slots=True)
class Line:
    """One chart over time, in per mille of its width and height.

    Attributes
    ----------
    name : str
        The entity; empty for the total.
    description : str
        What the chart shows, in a sentence.
    line, band : str
        Paths of the mean and of the interval; no band for the total, which was observed.
    ticks : tuple of Tick
        Labels of the vertical axis, in percent from below.
    texts : tuple of str
        Mean and interval per period.
    """

    name: str
    description: str
    line: str
    band: str
    ticks: tuple[Tick, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """The section on time.

    Attributes
    ----------
    key : str
        Key column that tells the time.
    periods : tuple of str
        Periods in the order of time.
    n_earlier : int
        Periods before these, which are not drawn.
    lines : tuple of Line
        The total, and the largest entities.
    n_more : int
        Entities that have no chart.
    """

    key: str
    periods: tuple[str, ...]
    n_earlier: int
    lines: tuple[Line, ...]
    n_more: int


def lay_out_series(draws: PageDraws, amounts: AmountFormat) -> Series | None:
    """Lay out amounts over time.

    Parameters
    ----------
    draws : PageDraws
        Draws of the run.
    amounts : AmountFormat
        How amounts are written.

    Returns
    -------
    Series or None
        None where no key column tells the time, or there is a single period.
    """
    found = draws.by_period
    if found is None:
        return None
    shown = slice(max(0, len(found.periods) - MOST_PERIODS), None)
    followed = range(min(N_LARGEST, len(found.entities)))
    entities = [_entity(draws, found, i, shown, amounts) for i in followed]
    return Series(
        found.key,
        tuple(map(printable, found.periods[shown])),
        len(found.periods) - len(found.periods[shown]),
        (_total(found.totals[shown], amounts), *entities),
        draws.data.n_entities - len(entities),
    )


def _total(totals: FloatArray, amounts: AmountFormat) -> Line:
    scale = scale_from_zero(totals)
    texts = tuple(amounts.mean(x) for x in totals.tolist())
    words = amounts.language.text(
        "Total: between {lowest} and {highest} per period",
        lowest=amounts.mean(float(totals.min())),
        highest=amounts.mean(float(totals.max())),
    )
    return Line("", words, path_of(totals, scale), "", _ticks(scale, amounts), texts)


def _entity(
    draws: PageDraws, found: PeriodDraws, i: int, shown: slice, amounts: AmountFormat
) -> Line:
    mean, lower, upper = amounts_over_time(draws.source.run, found, i)
    mean, lower, upper = mean[shown], lower[shown], upper[shown]
    scale = scale_from_zero(np.stack([mean, upper]))
    name = printable(str(draws.data.entity_names[found.entities[i]]))
    texts = tuple(
        f"{amounts.mean(m)} ({amounts.bounds(a, b)})"
        for m, a, b in zip(mean.tolist(), lower.tolist(), upper.tolist(), strict=True)
    )
    words = amounts.language.text(
        "{name}: mean amount between {lowest} and {highest} per period",
        name=name,
        lowest=amounts.mean(float(mean.min())),
        highest=amounts.mean(float(mean.max())),
    )
    band = band_of(lower, upper, scale)
    return Line(name, words, path_of(mean, scale), band, _ticks(scale, amounts), texts)


def amounts_over_time(
    run: RunFolder, found: PeriodDraws, i: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean and interval of an entity's amount in every period; zero without exposure.

    Parameters
    ----------
    run : RunFolder
        Gives the kind of interval.
    found : PeriodDraws
        Draws over time.
    i : int
        Which of the entities that are followed.

    Returns
    -------
    mean, lower, upper : ndarray, shape (n_periods,)
        In the unit of the totals.
    """
    row = found.row[i]
    active = np.flatnonzero(row >= 0)
    rows = found.draws.amounts.rows(row[active])
    mean, lower, upper = (np.zeros(len(row)) for _ in range(3))
    if len(active):
        mean[active] = rows.mean(axis=1)
        lower[active], upper[active] = interval_of(rows, run.spec.report.interval)
    return mean, lower, upper


def path_of(values: FloatArray, scale: Scale) -> str:
    """Return the path of a line over equally spaced periods, in a box of 1000 by 1000."""
    return "M" + "L".join(_places(values, scale))


def band_of(lower: FloatArray, upper: FloatArray, scale: Scale) -> str:
    """Return the path of a band over equally spaced periods, in a box of 1000 by 1000."""
    there, back = _places(upper, scale), _places(lower, scale)
    return "M" + "L".join([*there, *reversed(back)]) + "Z"


def _places(values: FloatArray, scale: Scale) -> list[str]:
    step = 1000 / max(1, len(values) - 1)
    return [
        f"{i * step:.0f} {1000 - 10 * scale.at(value):.0f}"
        for i, value in enumerate(values.tolist())
    ]


def _ticks(scale: Scale, amounts: AmountFormat) -> tuple[Tick, ...]:
    return scale.ticks(amounts.language, wanted=2)
