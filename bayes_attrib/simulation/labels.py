"""Keys of simulated units and periods: text that sorts in its own order."""

from __future__ import annotations

import datetime as dt

import pandas as pd

FIRST_YEAR = 2025


def numbered(prefix: str, count: int, *, width: int = 1) -> pd.Index[str]:
    """Return the keys ``prefix1`` to ``prefix<count>``, padded with zeros to one width.

    Parameters
    ----------
    prefix : str
        What the unit is, such as ``"B"``.
    count : int
        How many keys.
    width : int
        Least number of digits.

    Returns
    -------
    Index of str, shape (count,)
        Unique keys in ascending order.
    """
    digits = max(width, len(str(count)))
    return pd.Index([f"{prefix}{i:0{digits}d}" for i in range(1, count + 1)], dtype="str")


def iso_months(count: int) -> pd.Index[str]:
    """Return consecutive months from ``"2025-01"`` on.

    Parameters
    ----------
    count : int
        How many months.

    Returns
    -------
    Index of str, shape (count,)
        Months in ISO 8601 form, in the order of time.
    """
    months = [f"{FIRST_YEAR + i // 12}-{i % 12 + 1:02d}" for i in range(count)]
    return pd.Index(months, dtype="str")


def iso_weeks(count: int) -> pd.Index[str]:
    """Return consecutive weeks from ``"2025-W01"`` on.

    Parameters
    ----------
    count : int
        How many weeks.

    Returns
    -------
    Index of str, shape (count,)
        Weeks in ISO 8601 form, in the order of time.
    """
    first = dt.date.fromisocalendar(FIRST_YEAR, 1, 1)
    weeks = [(first + dt.timedelta(weeks=i)).isocalendar() for i in range(count)]
    return pd.Index([f"{week.year}-W{week.week:02d}" for week in weeks], dtype="str")


def mondays(count: int) -> pd.Index[str]:
    """Return consecutive weeks by the dates of their Mondays, from ``"2024-12-30"`` on.

    Parameters
    ----------
    count : int
        How many weeks.

    Returns
    -------
    Index of str, shape (count,)
        Dates in ISO 8601 form, in the order of time.
    """
    first = dt.date.fromisocalendar(FIRST_YEAR, 1, 1)
    return pd.Index([str(first + dt.timedelta(weeks=i)) for i in range(count)], dtype="str")
