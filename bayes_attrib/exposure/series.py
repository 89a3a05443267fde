"""Delivery series of entities, each as long as it works, one after the other in one vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure.coded_delivery import CodedDelivery

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """Delivery series of entities, one after the other.

    A series starts with its first delivery and ends when its last one has ceased to work, so that
    carry-over over the whole vector never reaches from one series into the next.

    Attributes
    ----------
    cell : ndarray of int, shape (n_series,)
        Cell of each series; cells with the same transform stand together.
    entity : ndarray of int, shape (n_series,)
        Entity of each series.
    length : ndarray of int, shape (n_series,)
        Number of periods of each series.
    period : ndarray of int, shape (n_points,)
        Position of each point on the axis of periods; may lie beyond its end.
    delivery : ndarray of float, shape (n_points,)
        Delivery at each point; zero in gaps.
    """

    cell: IntArray
    entity: IntArray
    length: IntArray
    period: IntArray
    delivery: FloatArray

    def of_points(self, values: IntArray) -> IntArray:
        """Repeat one value per series for each of its points, shape (n_points,)."""
        return np.repeat(values, self.length)


def lay_out(coded: CodedDelivery, group: IntArray, n_lags: IntArray, n_periods: int) -> Series:
    """Lay out the series of all entities that deliver anything.

    Parameters
    ----------
    coded : CodedDelivery
        Delivery without faults.
    group : ndarray of int, shape (n_cells,)
        Transform of each cell.
    n_lags : ndarray of int, shape (n_groups,)
        Number of periods in which a unit works, by transform.
    n_periods : int
        Number of periods on the axis.

    Returns
    -------
    Series
        Ordered by transform, cell, entity and period.
    """
    rows = np.flatnonzero(coded.delivery > 0)
    cell, entity, period = coded.cell[rows], coded.entity[rows], coded.period[rows]
    n_cells, n_entities = len(coded.cells), max(len(coded.entities), 1)
    rank = np.empty(n_cells, dtype=np.int64)
    rank[np.argsort(group, kind="stable")] = np.arange(n_cells)
    key = (rank[cell] * n_entities + entity) * n_periods + period
    order = np.argsort(key, kind="stable")
    rows, cell, entity, period, key = (a[order] for a in (rows, cell, entity, period, key))
    start = np.flatnonzero(np.diff(key // n_periods, prepend=-1))
    last = period[np.append(start[1:], len(rows)) - 1] if len(rows) else period
    length = last - period[start] + n_lags[group[cell[start]]]
    offset = np.cumsum(length) - length
    of_row = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(rows))))
    delivery = np.zeros(int(length.sum()))
    delivery[offset[of_row] + period - period[start][of_row]] = coded.delivery[rows]
    points = np.arange(len(delivery)) + np.repeat(period[start] - offset, length)
    return Series(cell[start], entity[start], length, points, delivery)
