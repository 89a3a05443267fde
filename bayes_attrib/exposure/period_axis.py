"""The periods of a delivery table, in the order of time and at regular steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.citing import listed, quote
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.timeline import ISO_FORMS, arrange

IntArray = npt.NDArray[np.int64]

_WHERE: Final = "periods"


@dataclass(frozen=True, eq=False)
class PeriodAxis:
    """Periods at regular steps: those of history first, then those that get exposures.

    Attributes
    ----------
    periods : Index, shape (n_periods,)
        Periods in the order of time, as they were given.
    labels : tuple of str
        The same as text: how a period is looked up.
    n_history : int
        Number of leading periods from which delivery is carried over, and which get no exposures.
    """

    periods: pd.Index[Any]
    labels: tuple[str, ...]
    n_history: int

    def positions(self, periods: pd.Series[Any]) -> IntArray:
        """Return where each period stands on the axis, shape (n_rows,); -1 where it does not."""
        codes, distinct = pd.factorize(periods)
        found = pd.Index(self.labels).get_indexer(pd.Index(text_of(distinct)))
        return np.where(codes < 0, -1, np.append(found, -1)[codes]).astype(np.int64)


def read_axis(periods: Sequence[Any], history: Sequence[Any] = ()) -> PeriodAxis:
    """Check that periods are in the order of time, distinct and at regular steps.

    Labels that are no numbers and in none of ISO's forms, such as ``W01``, are taken in the order
    in which they stand, each for one step.

    Parameters
    ----------
    periods : sequence
        Periods that get exposures: those of the aggregates. Dates, numbers or text.
    history : sequence
        Earlier periods from which delivery is carried over.

    Returns
    -------
    PeriodAxis
        All periods.

    Raises
    ------
    DataError
        If there are none, or they repeat, run backwards, have gaps or are in different forms.
    """
    values = pd.Index([*history, *periods])
    axis = PeriodAxis(values, tuple(text_of(values)), len(history))
    findings = list(_faults(axis, len(periods)))
    if findings:
        raise DataError("the periods cannot be used:", findings)
    return axis


def text_of(values: Any) -> list[str]:
    """Return periods as text; dates without a time of day in ISO's form."""
    index = pd.Index(values)
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if isinstance(index, pd.DatetimeIndex):
        whole_days = bool((index == index.normalize()).all())
        return [stamp.strftime("%Y-%m-%d") if whole_days else stamp.isoformat() for stamp in index]
    return [str(value) for value in index]


def _faults(axis: PeriodAxis, n_periods: int) -> Iterator[Finding]:
    if not n_periods:
        message, remedy = "there are no periods", "give the periods of the aggregates"
        yield Finding("no-periods", "error", _WHERE, message, remedy)
        return
    repeated = pd.Index(axis.labels)
    repeated = repeated[repeated.duplicated()].unique()
    if len(repeated):
        yield Finding(
            "repeated-period",
            "error",
            _WHERE,
            f"given more than once: {listed([quote(label) for label in repeated])}",
            "give every period once, and none of history among the others",
        )
        return
    places = _places(axis)
    if isinstance(places, Finding):
        yield places
    elif len(places) > 1:
        yield from _step_faults(axis.labels, np.diff(places))


def _places(axis: PeriodAxis) -> npt.NDArray[np.float64] | Finding:
    """Return where periods stand in time, shape (n_periods,), or say which have no place."""
    given = axis.periods
    if isinstance(given, pd.DatetimeIndex) and not (given == given.normalize()).all():
        return np.asarray(given.astype("int64"), dtype=np.float64)
    timeline = arrange(axis.labels)
    if not timeline.labels:
        return np.arange(len(given), dtype=np.float64)
    if timeline.unplaced:
        return Finding(
            "unordered-period",
            "error",
            _WHERE,
            "no place in the order of the other periods for "
            + listed([quote(label) for label in timeline.unplaced]),
            "write every period once, all as numbers or all in one form of ISO's: " + ISO_FORMS,
        )
    place = dict(zip(timeline.labels, timeline.positions, strict=True))
    return np.array([place[label] for label in axis.labels])


def _step_faults(labels: tuple[str, ...], steps: npt.NDArray[np.float64]) -> Iterator[Finding]:
    back = np.flatnonzero(steps <= 0)
    if len(back):
        yield Finding(
            "unsorted-periods",
            "error",
            _WHERE,
            f"not in the order of time: {_pairs(labels, back)}",
            "sort them",
        )
        return
    smallest = steps.min()
    wide = np.flatnonzero(steps > smallest * (1 + 1e-9))
    if len(wide):
        yield Finding(
            "irregular-periods",
            "error",
            _WHERE,
            f"carry-over needs equal steps, and some are wider than others: {_pairs(labels, wide)}",
            "add the periods that are missing; a period without delivery needs no rows",
        )


def _pairs(labels: tuple[str, ...], where: npt.NDArray[np.intp]) -> str:
    return listed([f"{quote(labels[i])} to {quote(labels[i + 1])}" for i in where])
