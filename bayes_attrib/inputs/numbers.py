"""Numbers, parsed strictly: what is not plainly a number is a fault, never a guess."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bayes_attrib.inputs.aggregate_data import FloatArray

_PLAIN: Final = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_MISSING: Final = r"^(NA|N/A|#N/A|na|n/a|NULL|Null|null|None)?$"
_NOT_FINITE: Final = r"^[+-]?(?i:nan|inf|infinity)$"
# Thousands of a locale with dots: 1.234 or 987, and never 0.125 or 12.5.
_DOTTED: Final = r"^[+-]?(0|[1-9][0-9]{0,2}(\.[0-9]{3})*)$"
# What a locale or a unit makes of a number; names of categories such as 50-74K are not like that.
_NUMBER_LIKE: Final = r"^[+-]?[0-9][0-9.,' \x{a0}]*%?$"


class CellStatus(IntEnum):
    """What a cell of a number column holds."""

    NUMBER = 0
    MISSING = 1
    NOT_FINITE = 2
    NOT_A_NUMBER = 3


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A column of numbers.

    Attributes
    ----------
    parsed : ndarray of float, shape (n_rows,)
        The numbers; NaN where a cell holds none.
    status : ndarray of uint8, shape (n_rows,)
        A :class:`CellStatus` for every cell.
    looks_dotted : bool
        Whether every number could as well be a whole number with dots between its thousands.
    """

    parsed: FloatArray
    status: npt.NDArray[np.uint8]
    looks_dotted: bool = False


def parse_numbers(cells: pa.ChunkedArray) -> NumberColumn:
    """Parse a column of numbers.

    Plain decimal and scientific notation with a decimal dot are numbers; spaces around them do
    not matter. Nothing else is: no commas, units, percent signs, NaN or infinities.

    Parameters
    ----------
    cells : pyarrow.ChunkedArray, shape (n_rows,)
        A column as stored, text or numbers.

    Returns
    -------
    NumberColumn
        Values and, for each cell, what is wrong with it.

    Raises
    ------
    TypeError
        If the stored type is neither text nor a number.
    """
    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells, kind = cells.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _parse_text(pc.utf8_trim_whitespace(cells.cast(pa.large_string()).fill_null("")))
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    ):
        raise TypeError(str(kind))
    return _take_numbers(cells)


def holds_names(cells: pa.ChunkedArray, column: NumberColumn) -> bool:
    """Tell whether a column whose kind no spec declares holds names rather than numbers.

    It does if some cells are texts that are no numbers and none is a number, not even one of
    another locale: a column of numbers with a few faulty cells must not turn into names.

    Parameters
    ----------
    cells : pyarrow.ChunkedArray, shape (n_rows,)
        A column as stored.
    column : NumberColumn
        The same column, as parsed.

    Returns
    -------
    bool
        Whether the column holds names.
    """
    if (column.status == CellStatus.NUMBER).any():
        return False
    texts = cells.filter(pa.array(column.status == CellStatus.NOT_A_NUMBER)).cast(pa.large_string())
    number_like = pc.match_substring_regex(pc.utf8_trim_whitespace(texts), _NUMBER_LIKE)
    return bool(len(texts)) and not pc.any(number_like, min_count=0).as_py()


def _take_numbers(cells: pa.ChunkedArray) -> NumberColumn:
    missing = _flags(cells.is_null())
    values = cells.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy().astype(np.float64)
    status = np.zeros(len(values), dtype=np.uint8)
    status[~np.isfinite(values)] = CellStatus.NOT_FINITE
    status[missing] = CellStatus.MISSING
    return NumberColumn(np.where(status == CellStatus.NUMBER, values, np.nan), status)


def _parse_text(text: pa.ChunkedArray) -> NumberColumn:
    plain = pc.match_substring_regex(text, _PLAIN)
    digits = pc.if_else(plain, pc.utf8_ltrim(text, "+"), pa.scalar(None, pa.large_string()))
    values = digits.cast(pa.float64()).fill_null(np.nan).to_numpy().astype(np.float64)
    status = np.zeros(len(values), dtype=np.uint8)
    if not pc.all(plain, min_count=0).as_py():
        status[~_flags(plain)] = CellStatus.NOT_A_NUMBER
        status[_flags(pc.match_substring_regex(text, _NOT_FINITE))] = CellStatus.NOT_FINITE
        status[_flags(pc.match_substring_regex(text, _MISSING))] = CellStatus.MISSING
    status[np.isinf(values)] = CellStatus.NOT_FINITE
    values = np.where(status == CellStatus.NUMBER, values, np.nan)
    return NumberColumn(values, status, _looks_dotted(text, status))


def _looks_dotted(text: pa.ChunkedArray, status: npt.NDArray[np.uint8]) -> bool:
    present = text.filter(pa.array(status != CellStatus.MISSING))
    dots = pc.match_substring(present, ".")
    return bool(
        pc.any(dots, min_count=0).as_py()
        and pc.all(pc.match_substring_regex(present, _DOTTED), min_count=0).as_py()
    )


def _flags(mask: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(mask.to_numpy(), dtype=bool)
