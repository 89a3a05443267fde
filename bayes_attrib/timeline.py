"""Periods in the order of time: numbers, or ISO dates, months, weeks or quarters."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

ISO_FORMS: Final = "2025-03-31, 2025-03, 2025-W13 or 2025-Q1"

_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})")
_WEEK: Final = re.compile(r"([0-9]{4})-W([0-9]{2})")
_QUARTER: Final = re.compile(r"([0-9]{4})-Q([1-4])")


@dataclass(frozen=True)
class Timeline:
    """Periods in the order of time.

    Attributes
    ----------
    labels : tuple of str
        Distinct periods in the order of time, as the table spells them.
    positions : tuple of float
        Where each stands in time, increasing: the number itself, or a count of days, weeks,
        months or quarters.
    unplaced : tuple of str
        Periods that have no place among the others: they are written in another form, are no date
        of the calendar, or stand where another spelling stands already.
    """

    labels: tuple[str, ...]
    positions: tuple[float, ...]
    unplaced: tuple[str, ...]

    @property
    def gaps(self) -> tuple[tuple[str, str], ...]:
        """Neighbours that are further apart than the nearest two are."""
        steps = [b - a for a, b in zip(self.positions, self.positions[1:], strict=False)]
        smallest = min(steps, default=0.0)
        pairs = zip(self.labels, self.labels[1:], steps, strict=False)
        return tuple((a, b) for a, b, step in pairs if step > smallest * (1 + 1e-9))


def arrange(labels: Iterable[str]) -> Timeline:
    """Put periods in the order of time.

    All of them must be numbers, or be written in the same of ISO's forms; the form that most have
    is taken for the one that is meant.

    Parameters
    ----------
    labels : iterable of str
        Periods in any order, each any number of times.

    Returns
    -------
    Timeline
        The periods in order, and those that have no place in it.
    """
    distinct = list(dict.fromkeys(labels))
    read = {label: _read(label) for label in distinct}
    forms = Counter(form for form, _ in read.values() if form)
    meant = forms.most_common(1)[0][0] if forms else ""
    placed: dict[float, str] = {}
    for label, (form, position) in read.items():
        if form and form == meant:
            placed.setdefault(position, label)
    ordered = dict(sorted(placed.items()))
    kept = set(ordered.values())
    positions = tuple(ordered)
    if meant == "date":
        positions = _in_months(positions)
    unplaced = tuple(label for label in distinct if label not in kept)
    return Timeline(tuple(ordered.values()), positions, unplaced)


def _read(label: str) -> tuple[str, float]:
    """Return the form of a period and its place in time; the empty form where it has none."""
    if _NUMBER.fullmatch(label):
        return "number", float(label)
    with suppress(ValueError):
        if match := _DATE.fullmatch(label):
            year, month, day = map(int, match.groups())
            return "date", float(dt.date(year, month, day).toordinal())
        if match := _MONTH.fullmatch(label):
            year, month = map(int, match.groups())
            return "month", float(_months(dt.date(year, month, 1)))
        if match := _WEEK.fullmatch(label):
            year, week = map(int, match.groups())
            return "week", float(dt.date.fromisocalendar(year, week, 1).toordinal() // 7)
        if match := _QUARTER.fullmatch(label):
            year, quarter = map(int, match.groups())
            return "quarter", float(4 * year + quarter)
    return "", 0.0


def _in_months(days: tuple[float, ...]) -> tuple[float, ...]:
    """Count months instead of days where all dates are the same day, or the last, of a month."""
    dates = [dt.date.fromordinal(int(day)) for day in days]
    same_day = len({date.day for date in dates}) == 1
    last_day = all(date.day == calendar.monthrange(date.year, date.month)[1] for date in dates)
    return tuple(float(_months(date)) for date in dates) if same_day or last_day else days


def _months(date: dt.date) -> int:
    return 12 * date.year + date.month
