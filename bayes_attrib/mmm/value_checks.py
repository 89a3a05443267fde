"""Checks of what a mix model's file holds: ranges of values, and the order of time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.citing import listed, quote
from bayes_attrib.mmm.refusal import refusal

FloatArray = npt.NDArray[np.float64]

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_AGAIN: Final = "fit or export again; a value was changed, or is of another variable"


def require_range(
    values: FloatArray,
    where: str,
    *,
    least: float = 0.0,
    most: float = np.inf,
    positive: bool = False,
) -> None:
    """Refuse values out of their range.

    Parameters
    ----------
    values : ndarray
        Finite values of one variable.
    where : str
        File and variable.
    least, most : float
        Ends of the range, themselves allowed.
    positive : bool
        Whether zero is not allowed.

    Raises
    ------
    DataError
        If a value is out of range; the first one is named with its place.
    """
    bad = (values < least) | (values > most) | (positive & (values <= 0))
    if not bad.any():
        return
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    wanted = "positive" if positive else f"{least:g} or more"
    if np.isfinite(most):
        wanted = f"between {least:g} and {most:g}"
    raise refusal(
        "out-of-range",
        where,
        f"{int(bad.sum()):,} of {values.size:,} values are not {wanted}: {values[at]:g} at "
        f"position {at}",
        _AGAIN,
    )


def require_order(periods: Sequence[str], where: str) -> None:
    """Refuse dates that run backwards; labels that are no dates are taken in the order given.

    Parameters
    ----------
    periods : sequence of str
        Labels of the periods.
    where : str
        File and dimension.

    Raises
    ------
    DataError
        If a date is earlier than the one before it.
    """
    if not all(_DATE.fullmatch(period) for period in periods):
        return
    for before, after in pairwise(periods):
        if after <= before:
            raise refusal(
                "unordered-periods",
                where,
                f"{quote(after)} follows {quote(before)}",
                "export periods in the order of time, each once",
            )


def require_dates(texts: Sequence[str], lines: Sequence[int], where: str) -> None:
    """Refuse cells that are no dates in ISO's form.

    Parameters
    ----------
    texts : sequence of str
        Cells.
    lines : sequence of int
        Line of each cell in its file.
    where : str
        File and column.

    Raises
    ------
    DataError
        If a cell is not written as 2024-01-31.
    """
    wrong = [
        f"line {line}: {quote(text)}"
        for text, line in zip(texts, lines, strict=True)
        if not _DATE.match(text)
    ]
    if wrong:
        raise refusal(
            "not-a-date",
            where,
            f"not a date such as '2024-01-31': {listed(wrong[:5], len(wrong))}",
            "export the file again, and do not save it from a spreadsheet",
        )
