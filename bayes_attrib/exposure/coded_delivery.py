"""A delivery table as numbers: which entity, which aggregate, which period, how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.exposure.columns import DeliveryColumns
from bayes_attrib.exposure.period_axis import PeriodAxis

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CodedDelivery:
    """Rows of a delivery table, as numbers.

    Attributes
    ----------
    cells : DataFrame, shape (n_cells, n_cell_columns)
        Keys of aggregates but the period, in the order of first appearance.
    entities : Index, shape (n_entities,)
        Entities in the order of first appearance.
    cell : ndarray of int, shape (n_rows,)
        Row of ``cells``; meaningless where a key is blank.
    entity : ndarray of int, shape (n_rows,)
        Position in ``entities``; -1 where it is blank.
    period : ndarray of int, shape (n_rows,)
        Position on the axis of periods; -1 where it is not on it.
    delivery : ndarray of float, shape (n_rows,)
        Delivery; NaN where the cell is empty or no number.
    blank : ndarray of bool, shape (n_rows,)
        Whether any key is blank.
    """

    cells: pd.DataFrame
    entities: pd.Index[Any]
    cell: IntArray
    entity: IntArray
    period: IntArray
    delivery: FloatArray
    blank: BoolArray

    def series(self) -> IntArray:
        """Number the combinations of aggregate and entity, shape (n_rows,)."""
        return self.cell * len(self.entities) + self.entity

    def duplicated(self, n_periods: int) -> BoolArray:
        """Mark rows whose whole key is another row's too, shape (n_rows,)."""
        keyed = ~self.blank & (self.period >= 0)
        marked = np.zeros(len(keyed), dtype=bool)
        key = pd.Series(self.series()[keyed] * n_periods + self.period[keyed])
        marked[keyed] = key.duplicated(keep=False).to_numpy()
        return marked


def code_delivery(table: pd.DataFrame, columns: DeliveryColumns, axis: PeriodAxis) -> CodedDelivery:
    """Turn the keys of a delivery table into numbers.

    Parameters
    ----------
    table : DataFrame
        Delivery, with all of the columns.
    columns : DeliveryColumns
        Their names.
    axis : PeriodAxis
        Periods.

    Returns
    -------
    CodedDelivery
        The same rows, not yet checked.
    """
    cell, blank = np.zeros(len(table), dtype=np.int64), np.zeros(len(table), dtype=bool)
    for column in columns.cell:
        codes, levels = _factorise(table[column])
        blank |= codes < 0
        cell = cell * max(len(levels), 1) + codes.clip(0)
    cell, distinct = pd.factorize(cell)
    first = np.zeros(len(distinct), dtype=np.int64)
    first[cell[::-1]] = np.arange(len(table))[::-1]
    entity, entities = _factorise(table[columns.entity])
    period = axis.positions(table[columns.period])
    return CodedDelivery(
        cells=table[list(columns.cell)].iloc[first].reset_index(drop=True),
        entities=entities,
        cell=cell.astype(np.int64),
        entity=entity,
        period=period,
        delivery=_numbers(table[columns.delivery]),
        blank=blank | (entity < 0) | (_factorise(table[columns.period])[0] < 0),
    )


def _factorise(column: pd.Series[Any]) -> tuple[IntArray, pd.Index[Any]]:
    """Return codes and distinct values; the code is -1 where a cell is missing or white space."""
    codes, found = pd.factorize(column)
    levels = pd.Index(found)
    white = np.array([isinstance(level, str) and not level.strip() for level in levels], dtype=bool)
    codes = codes.astype(np.int64)
    if white.any():
        codes[(codes >= 0) & white[codes]] = -1
    return codes, levels


def _numbers(column: pd.Series[Any]) -> FloatArray:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
