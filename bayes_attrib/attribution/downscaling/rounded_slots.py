"""Amounts of slots in whole minor units that add up to the rounded amount of their cell."""

from __future__ import annotations

import numpy as np

from bayes_attrib.attribution.rounding import round_cells
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray


def round_slots(
    means: FloatArray,
    cell: IntArray,
    slot: IntArray,
    cell_units: IntArray,
    *,
    share: FloatArray,
) -> IntArray:
    """Round the slots of cells by largest remainders, see :func:`attribution.rounding.round_cells`.

    A cell's rounded amount may differ from its exact one by up to a unit, since cells are rounded
    to add up to their total. So the rounded amount is what is split, in proportion to the means.

    Parameters
    ----------
    means : ndarray, shape (n_rows,)
        Mean amounts of slots, in any unit.
    cell : ndarray of int, shape (n_rows,)
        Cell of each row, ascending; all slots of a cell are among the rows.
    slot : ndarray of int, shape (n_rows,)
        Decides ties; different within a cell.
    cell_units : ndarray of int64, shape (n_cells,)
        Rounded amounts of all cells, in minor units.
    share : ndarray, shape (n_rows,)
        Shares of the profile, which count for cells whose means are all zero.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        Minor units.
    """
    if not len(cell):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.diff(cell, prepend=cell[0] - 1))
    sizes = np.diff(np.append(starts, len(cell)))
    position = np.repeat(np.arange(len(starts)), sizes)
    units = cell_units[cell[starts]]
    means = np.where(np.add.reduceat(means, starts)[position] > 0, means, share)
    scale = units / np.add.reduceat(means, starts)
    return round_cells(means * scale[position], units, position, slot, 0)
