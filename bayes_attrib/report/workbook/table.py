"""A table before it stands on a sheet: columns of numbers, text, and formulas of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from xlsxwriter.utility import xl_col_to_name

Kind = Literal["text", "amount", "exact", "share", "rate", "exposure", "count", "check"]


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table.

    Attributes
    ----------
    key : str
        Short name that formulas know the column by.
    head : str
        Its head.
    kind : str
        What it holds; numbers get the number format of their kind.
    values : sequence
        One value per row; of a formula, what it comes to.
    formula : str or None
        Formula of every row, without ``=``; ``{key}`` stands for the cell of a column in that row.
        Written by us: no text of a user's is ever part of it.
    is_summed : bool
        Whether the column has a total.
    width : float or None
        Width in characters; chosen from the values where it is not given.
    """

    key: str
    head: str
    kind: Kind
    values: Sequence[Any] | npt.NDArray[Any]
    formula: str | None = None
    is_summed: bool = False
    width: float | None = None

    def total(self) -> float:
        """Sum of all values, exact for booked amounts once it is rounded to their decimals."""
        return float(np.sum(np.asarray(self.values, dtype=np.float64)))


@dataclass(frozen=True)
class Placement:
    """Where a table came to stand; rows count from 1, as a reader counts them.

    Attributes
    ----------
    sheet : str
        Name of the sheet.
    first, last : int
        First and last row of the body.
    total : int
        Row of the totals.
    letters : mapping of str to str
        Letter of each column by its key.
    totals : mapping of str to float
        Total of each summed column by its key.
    """

    sheet: str
    first: int
    last: int
    total: int
    letters: Mapping[str, str]
    totals: Mapping[str, float]

    def total_of(self, key: str) -> str:
        """Return the cell that holds a column's total, as other sheets refer to it."""
        return f"'{self.sheet}'!${self.letters[key]}${self.total}"

    def range_of(self, key: str, start: int = 0, stop: int | None = None) -> str:
        """Return the cells of a column, or of some of its rows, as other sheets refer to them."""
        last = self.last if stop is None else self.first + stop - 1
        letter = self.letters[key]
        return f"'{self.sheet}'!${letter}${self.first + start}:${letter}${last}"


def letters_of(columns: Sequence[Column]) -> dict[str, str]:
    """Return the letter of each column by its key; the first is A."""
    return {column.key: xl_col_to_name(i) for i, column in enumerate(columns)}
