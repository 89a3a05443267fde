"""Keys and labels are text, always: ``007``, ``1E5`` and ``NA`` are names, not numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bayes_attrib.inputs.aggregate_data import IntArray

_MIDNIGHT: Final = r" 00:00:00(\.0+)?$"


def as_text(cells: pa.ChunkedArray) -> pd.Series:
    """Turn the cells of a key or grouping column into text; null becomes the empty text.

    Whole numbers, dates and categories have one plain spelling, and get it: a timestamp at
    midnight is its date, as spreadsheets and pandas write it.

    Parameters
    ----------
    cells : pyarrow.ChunkedArray, shape (n_rows,)
        A column as stored.

    Returns
    -------
    Series of str, shape (n_rows,)
        The column as text.

    Raises
    ------
    TypeError
        If the stored type has no such spelling: floating point, instants with a time zone,
        binary or nested data.
    """
    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells, kind = cells.cast(kind.value_type), kind.value_type
    if pa.types.is_timestamp(kind) and kind.tz is None:
        cells = pc.replace_substring_regex(cells.cast(pa.string()), _MIDNIGHT, "")
    elif pa.types.is_boolean(kind):
        cells = pc.utf8_capitalize(cells.cast(pa.string()))
    elif not _has_plain_spelling(kind):
        raise TypeError(str(kind))
    text = cells.cast(pa.large_string()).fill_null("")
    return pd.Series(text.to_pandas(), dtype="str")


def _has_plain_spelling(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_date(kind)
        or pa.types.is_null(kind)
        or (pa.types.is_decimal(kind) and kind.scale == 0)
    )


def compose(text: pd.Series) -> pd.Series:
    """Return texts in Unicode's composed form, NFC, in which 'é' is one character."""
    return _map_text(text, lambda cells: pc.utf8_normalize(cells, form="NFC"))


def strip(text: pd.Series) -> pd.Series:
    """Return texts without white space around them."""
    return _map_text(text, pc.utf8_trim_whitespace)


def is_blank(text: pd.Series) -> pd.Series:
    """Return whether each text is empty or white space only."""
    return strip(text) == ""


def _map_text(text: pd.Series, function: Callable[[pa.Array], pa.Array]) -> pd.Series:
    cells = function(pa.array(text, type=pa.large_string()))
    return pd.Series(cells.to_pandas().array, index=text.index, dtype="str")


def match_keys(parent: pd.DataFrame, child: pd.DataFrame, columns: Sequence[str]) -> IntArray:
    """Find the parent of every row of a child table.

    Parameters
    ----------
    parent, child : DataFrame
        Tables that share the key columns; where a parent key occurs twice, its first row counts.
    columns : sequence of str
        The key columns.

    Returns
    -------
    ndarray of int, shape (n_child_rows,)
        Position of the parent row, -1 where there is none.
    """
    n_parents = len(parent)
    code = np.zeros(n_parents + len(child), dtype=np.int64)
    for column in columns:
        both = pd.concat([parent[column], child[column]], ignore_index=True)
        part, levels = pd.factorize(both)
        code = pd.factorize(code * len(levels) + part)[0]
    first = np.full(int(code.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[code[:n_parents][::-1]] = np.arange(n_parents)[::-1]
    return first[code[n_parents:]]
