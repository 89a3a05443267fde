"""Which days a period has, where its label tells."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bayes_attrib.attribution.downscaling.options import PeriodDates
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.timeline import arrange

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})")
_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")
_QUARTER: Final = re.compile(r"([0-9]{4})-Q([1-4])")


@dataclass(frozen=True, eq=False)
class PeriodDays:
    """First day of each period, and the day after its last, as days of the calendar.

    Attributes
    ----------
    first, end : ndarray of int, shape (n_periods,)
        Proleptic Gregorian ordinals; ``end`` is the day after the last.
    """

    first: IntArray
    end: IntArray

    def hold(self, period: IntArray, day: IntArray) -> np.ndarray:
        """Return whether each day, shape (n,), lies in the period beside it."""
        return np.asarray((self.first[period] <= day) & (day < self.end[period]))

    def period_of(self, day: IntArray) -> IntArray:
        """Return the period of each day, -1 where it lies in none."""
        order = np.argsort(self.first, kind="stable")
        place = np.searchsorted(self.first[order], day, side="right") - 1
        found = order[np.maximum(place, 0)]
        inside = (place >= 0) & (day < self.end[found])
        return np.where(inside, found, -1)

    def words(self, period: int) -> str:
        """Return the days of a period as words."""
        first, last = (
            dt.date.fromordinal(int(day)).isoformat()
            for day in (self.first[period], self.end[period] - 1)
        )
        return first if first == last else f"{first} to {last}"


def days_of(labels: Sequence[str], *, dates: PeriodDates = "start") -> PeriodDays | None:
    """Find the days of periods from ISO weeks, months, quarters or dates.

    Dates are the first days of periods, or the last, that are as long as the nearest two are apart:
    in months where all dates are the same day, or the last, of a month, else in days. Dates that
    are all the last day of a month end it.

    Parameters
    ----------
    labels : sequence of str
        Distinct labels of periods, in any order.
    dates : {"start", "end"}
        Which day of its period a date is.

    Returns
    -------
    PeriodDays or None
        None where the labels do not tell: they are not all of one of these forms, or there is only
        one date.
    """
    timeline = arrange(labels)
    if timeline.unplaced or not labels:
        return None
    if all(_DATE.fullmatch(label) for label in labels):
        if len(labels) < 2:
            return None
        steps = np.diff(timeline.positions)
        spans = _spans_of_dates(labels, round(float(steps.min())), dates)
    else:
        spans = [span for label in labels if (span := _span(label)) is not None]
        if len(spans) < len(labels):
            return None
    bounds = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return PeriodDays(bounds[:, 0], bounds[:, 1])


def _span(label: str) -> tuple[int, int] | None:
    if match := _WEEK.fullmatch(label):
        first = dt.date.fromisocalendar(int(match[1]), int(match[2]), 1).toordinal()
        return first, first + 7
    for form, months in ((_MONTH, 1), (_QUARTER, 3)):
        if match := form.fullmatch(label):
            first_month = 12 * int(match[1]) + months * (int(match[2]) - 1)
            return _first_day(first_month), _first_day(first_month + months)
    return None


def _spans_of_dates(labels: Sequence[str], step: int, meant: PeriodDates) -> list[tuple[int, int]]:
    days = [dt.date.fromisoformat(label) for label in labels]
    if all(day.day == calendar.monthrange(day.year, day.month)[1] for day in days):
        ends = [12 * day.year + day.month for day in days]  # the month after
        return [(_first_day(end - step), _first_day(end)) for end in ends]
    if len({day.day for day in days}) == 1:
        if meant == "start":
            return [(day.toordinal(), _shifted(day, step)) for day in days]
        return [(_shifted(day, -step) + 1, day.toordinal() + 1) for day in days]
    if meant == "start":
        return [(day.toordinal(), day.toordinal() + step) for day in days]
    return [(day.toordinal() - step + 1, day.toordinal() + 1) for day in days]


def _first_day(month: int) -> int:
    """First day of a month that is counted from the year 0."""
    return dt.date(month // 12, month % 12 + 1, 1).toordinal()


def _shifted(day: dt.date, months: int) -> int:
    """Return the same day so many months later, or the last of that month where it has none."""
    month = 12 * day.year + day.month - 1 + months
    year, number = month // 12, month % 12 + 1
    last = calendar.monthrange(year, number)[1]
    return dt.date(year, number, min(day.day, last)).toordinal()
