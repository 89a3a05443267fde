"""The columns that a formula reads, numbers as float and categories as text, and their faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.spec.formula import Formula
from bayes_attrib.spec.formula_tree import Column, columns_of

Kind = Literal["number", "category"]
Columns = Mapping[str, npt.NDArray[np.float64] | npt.NDArray[np.object_]]

_FILL: Final = "fill the cells, or take the column out of the formula"


class CovariateError(ValueError):
    """Some rows do not fit a formula.

    Parameters
    ----------
    code : str
        Stable name of the fault.
    message : str
        What is wrong.
    remedy : str
        What the reader can do.
    rows : ndarray of int, shape (n,), optional
        Positions of the rows.
    values : ndarray, shape (n,), optional
        What stands there.
    """

    def __init__(
        self,
        code: str,
        message: str,
        remedy: str,
        rows: IntArray | None = None,
        values: npt.NDArray[np.generic] | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.remedy = remedy
        self.rows = rows
        self.values = values
        super().__init__(message)

    def finding(self, formula: Formula, index: pd.Index) -> Finding:
        """Return the fault as a finding that cites rows by their label.

        Parameters
        ----------
        formula : Formula
            The formula that met the fault.
        index : Index, shape (n_rows,)
            Labels of the table's rows; without labels, rows are counted from 1.
        """
        message = self.message
        if self.rows is not None:
            labels = [_label(index, row) for row in self.rows[:MAX_EXAMPLES].tolist()]
            if self.values is not None:
                shown = [_worded(value) for value in self.values[:MAX_EXAMPLES]]
                labels = [f"{value} ({label})" for label, value in zip(labels, shown, strict=True)]
            count = len(self.rows)
            message += f" ({counted(count, 'row')}): {listed(labels, count)}"
        return Finding(self.code, "error", f"formula {formula.text!r}", message, self.remedy)


def column_kinds(formula: Formula, table: pd.DataFrame) -> dict[str, Kind]:
    """Say which columns are numbers: those of a numeric type that stand outside of ``C()``.

    Parameters
    ----------
    formula : Formula
        Names the columns.
    table : DataFrame
        Holds them.

    Returns
    -------
    dict of str to {"number", "category"}
        The kind of every column that the table has.
    """
    kinds: dict[str, Kind] = {}
    for name in formula.columns:
        if name in table:
            is_number = _is_numeric(table[name]) and name not in formula.categorical
            kinds[name] = "number" if is_number else "category"
    return kinds


def read_column(
    formula: Formula, table: pd.DataFrame, name: str, kind: Kind | None
) -> npt.NDArray[np.float64] | npt.NDArray[np.object_]:
    """Read one column of a formula.

    Parameters
    ----------
    formula : Formula
        Says which columns must be numbers.
    table : DataFrame
        Holds the column.
    name : str
        The column.
    kind : {"number", "category"} or None
        What the column is in the training rows; None where they do not have it.

    Returns
    -------
    ndarray, shape (n_rows,)
        Finite numbers as float, or categories as text.

    Raises
    ------
    CovariateError
        If the column or a cell is missing, not a number where one is needed, or not finite.
    """
    if name not in table or kind is None:
        known = listed([quote(str(column)) for column in table.columns]) or "none"
        raise CovariateError(
            "missing-covariate",
            f"there is no column {name!r}",
            f"add it to the table, or correct the formula; the table has {known}",
        )
    column = table[name]
    missing = np.flatnonzero(column.isna())
    if len(missing):
        message = f"column {name!r} has empty cells"
        raise CovariateError("missing-covariate-value", message, _FILL, missing)
    return _numbers(column) if kind == "number" else _categories(formula, column)


def _numbers(column: pd.Series) -> FloatArray:
    name = str(column.name)
    if not _is_numeric(column):
        raise _not_numbers(column, f"column {name!r} holds numbers where the model was fitted")
    values = column.to_numpy(dtype=np.float64)
    odd = np.flatnonzero(~np.isfinite(values))
    if len(odd):
        message = f"column {name!r} has values that are not finite"
        raise CovariateError("infinite-covariate", message, _FILL, odd, values[odd])
    return values


def _categories(formula: Formula, column: pd.Series) -> npt.NDArray[np.object_]:
    name = str(column.name)
    if name in formula.numeric:
        readers = (f for f in formula.factors if name in columns_of(f))
        reader = next(f.text for f in readers if not isinstance(f, Column))
        raise _not_numbers(column, f"{reader} needs numbers in column {name!r}")
    if not _is_numeric(column):
        return column.astype(str).to_numpy(dtype=object)
    codes, distinct = pd.factorize(column.to_numpy(dtype=np.float64))
    texts = [repr(float(value)).removesuffix(".0") for value in distinct]
    return np.array(texts, dtype=object)[codes]


def _not_numbers(column: pd.Series, message: str) -> CovariateError:
    parsed = pd.to_numeric(column, errors="coerce")
    rows = np.flatnonzero(parsed.isna()) if parsed.isna().any() else np.arange(len(column))
    return CovariateError(
        "covariate-not-a-number",
        f"{message}, and it holds text",
        "correct the cells; a category stands alone or in C(), outside of other functions",
        rows,
        column.to_numpy(dtype=object)[rows],
    )


def _is_numeric(column: pd.Series) -> bool:
    dtype = column.dtype
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def _label(index: pd.Index, row: int) -> str:
    if isinstance(index, pd.RangeIndex):
        return f"row {row + 1}"
    label = index[row]
    return quote(" / ".join(map(str, label)) if isinstance(label, tuple) else str(label))


def _worded(value: Any) -> str:
    return quote(value) if isinstance(value, str) else f"{value + 0.0:g}"  # no -0
