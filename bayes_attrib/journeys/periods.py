"""Periods of the calendar: days, weeks that begin on Mondays, months."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.journeys.events import TICKS_PER_DAY

Period = Literal["day", "week", "month"]

_FROM_MONDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, eq=False)
class Calendar:
    """Consecutive periods that hold all of some times.

    Attributes
    ----------
    kind : {"day", "week", "month"}
        Length of a period.
    first : int
        Number of the first period since 1970.
    starts : ndarray of int64, shape (n_periods + 1,)
        When each begins, and when the last ends: microseconds since 1970-01-01.
    days : ndarray of float, shape (n_periods,)
        Days of each that lie between the day of the first time and that of the last.
    """

    kind: Period
    first: int
    starts: IntArray
    days: FloatArray

    @classmethod
    def spanning(cls, kind: Period, earliest: int, latest: int) -> Calendar:
        """Return the periods from one time to another.

        Parameters
        ----------
        kind : {"day", "week", "month"}
            Length of a period.
        earliest, latest : int
            Microseconds since 1970-01-01.

        Returns
        -------
        Calendar
            From the period of the first to that of the last.
        """
        ends = np.array([earliest, latest], dtype=np.int64)
        first, last = (int(number) for number in _numbers(kind, ends))
        starts = _first_days(kind, np.arange(first, last + 2))
        from_day, to_day = ends // TICKS_PER_DAY + np.array([0, 1])
        inside = np.minimum(starts[1:], to_day) - np.maximum(starts[:-1], from_day)
        return cls(kind, first, starts * TICKS_PER_DAY, inside.astype(np.float64))

    def __len__(self) -> int:
        return len(self.days)

    def places(self, ticks: IntArray) -> IntArray:
        """Return the period of every time, counted from the first.

        Parameters
        ----------
        ticks : ndarray of int64, shape (n,)
            Microseconds since 1970-01-01.

        Returns
        -------
        ndarray of int, shape (n,)
            Positions.
        """
        return _numbers(self.kind, ticks) - self.first

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the periods in ISO's form."""
        days = (self.starts[:-1] // TICKS_PER_DAY).tolist()
        dates = [dt.date(1970, 1, 1) + dt.timedelta(days=day) for day in days]
        if self.kind == "day":
            return tuple(date.isoformat() for date in dates)
        if self.kind == "month":
            return tuple(f"{date:%Y-%m}" for date in dates)
        weeks = [date.isocalendar() for date in dates]
        return tuple(f"{week.year}-W{week.week:02d}" for week in weeks)


def _numbers(kind: Period, ticks: IntArray) -> IntArray:
    days = ticks // TICKS_PER_DAY
    if kind == "day":
        return days
    if kind == "week":
        return (days + _FROM_MONDAY) // 7
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _first_days(kind: Period, numbers: IntArray) -> IntArray:
    if kind == "day":
        return numbers
    if kind == "week":
        return 7 * numbers - _FROM_MONDAY
    return numbers.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
