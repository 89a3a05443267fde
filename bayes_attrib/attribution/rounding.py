"""Amounts in whole minor units, such as cents, that add up to their totals exactly.

Largest remainders (Hamilton's method of apportionment; Balinski and Young 2001, Fair
Representation, chapter 3), in whole numbers: every cell gets the whole units in its amount, and the
units that are then left of the total go, one each, to the cells with the largest remainders. Cells
are rounded once, at (aggregate, entity); whatever is reported above is a sum of rounded cells.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.errors import RoundingError
from bayes_attrib.inputs.aggregate_data import FloatArray

IntArray = npt.NDArray[np.int64]

LARGEST_TOTAL: Final = 10**13
"""Minor units of one total. Beyond, double precision no longer holds a cell to the unit."""

_SLACK: Final = 0.7
"""Minor units by which cells may miss their total: half a unit from rounding the total, and noise
of floating-point sums."""

_FINEST, _COARSEST, _NOISE = -9, -3, 1e-12
_LARGEST_STEP_COUNT = 1e18


def to_minor_units(values: npt.ArrayLike, decimals: int) -> IntArray:
    """Round totals to whole minor units: half to even, of the number as it is written.

    The shortest decimal text that names the same double is rounded, so 2.675 is a tie, as on
    paper, although its double lies below it.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        Totals, in units such as euros.
    decimals : int
        Decimals of the minor unit: 2 for cents, 0 for whole units.

    Returns
    -------
    ndarray of int64, shape (n,)
        Totals in minor units.

    Raises
    ------
    RoundingError
        If a total is not finite, or has more than :data:`LARGEST_TOTAL` minor units.
    """
    found = np.asarray(values, dtype=np.float64)
    largest = LARGEST_TOTAL / 10.0**decimals
    outside = ~(np.abs(found) <= largest)  # NaN compares as false
    if outside.any():
        raise RoundingError(
            f"total {found[outside][0]:g} cannot be rounded to {decimals} decimals: it must be a "
            f"number of at most {largest:g}; state totals in a larger unit"
        )
    step = Decimal(1).scaleb(-decimals)
    rounded = (
        Decimal(repr(value)).quantize(step, rounding=ROUND_HALF_EVEN) for value in found.tolist()
    )
    return np.fromiter((int(value.scaleb(decimals)) for value in rounded), np.int64, len(found))


def round_cells(
    amounts: npt.ArrayLike,
    totals: npt.ArrayLike,
    aggregate: npt.ArrayLike,
    key: npt.ArrayLike,
    decimals: int,
) -> IntArray:
    """Round the cells of aggregates to minor units that add up to each total exactly.

    The units that are left go to the largest remainders; of equal remainders to the larger amount,
    and of equal amounts to the smaller key. What is equal is decided on a grid of 1e-9 minor
    units, or of the power of ten next above 1e-12 of the total where that is coarser (1e-3 at
    most): the last bits of amounts, which differ between machines, decide nothing.

    Parameters
    ----------
    amounts : array_like of float, shape (n_cells,)
        Exact amounts, not negative, in the unit of ``decimals = 0``.
    totals : array_like of int, shape (n_aggregates,)
        Totals in minor units, see :func:`to_minor_units`.
    aggregate : array_like of int, shape (n_cells,)
        Aggregate of each cell, in any order.
    key : array_like of int, shape (n_cells,)
        Place of the cell's entity in a fixed order; decides ties. Different within an aggregate.
    decimals : int
        Decimals of the minor unit.

    Returns
    -------
    ndarray of int64, shape (n_cells,)
        Minor units: the amount rounded down or up, never negative.

    Raises
    ------
    RoundingError
        If an amount is negative or no number, or the cells of an aggregate miss its total by more
        than rounding explains.
    """
    exact = np.asarray(amounts, dtype=np.float64) * 10.0**decimals
    wanted = np.asarray(totals, dtype=np.int64)
    row = np.asarray(aggregate, dtype=np.int64)
    sizes = np.bincount(row, minlength=len(wanted))
    _require_cells_of(exact, wanted, row)
    per_unit = _grid(wanted, sizes)[row]
    on_grid = np.rint(exact * per_unit).astype(np.int64)
    whole, remainder = np.divmod(on_grid, per_unit)
    left = wanted.copy()
    np.subtract.at(left, row, whole)
    _require_few_left(left, sizes)
    order = np.lexsort((np.asarray(key), -on_grid, -remainder, row))
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(len(order)) - np.repeat(starts, sizes)
    whole[order] += rank < left[row[order]]
    return whole


def _grid(totals: IntArray, sizes: IntArray) -> IntArray:
    """Return the steps per minor unit on which the cells of each aggregate are compared.

    There are at least twice as many as cells, so that what the grid moves adds up to less than a
    unit, and no more than 64-bit integers can count.
    """
    size = np.log10(np.maximum(totals, 1.0))
    step = np.clip(np.ceil(size + np.log10(_NOISE)), _FINEST, _COARSEST)
    step = np.minimum(step, -np.ceil(np.log10(np.maximum(2.0 * sizes, 1.0))))
    step = np.maximum(step, np.ceil(size - np.log10(_LARGEST_STEP_COUNT)))
    return np.power(np.int64(10), -step.astype(np.int64))


def _require_cells_of(exact: FloatArray, totals: IntArray, row: IntArray) -> None:
    wrong = ~((exact >= 0.0) & np.isfinite(exact))
    if wrong.any():
        raise RoundingError(
            f"cell {np.flatnonzero(wrong)[0]} has the amount {exact[wrong][0]:g} in minor units; "
            "amounts must be numbers, and not negative"
        )
    sums = np.bincount(row, weights=exact, minlength=len(totals))
    gaps = np.abs(sums - totals)
    if (gaps > _SLACK).any():
        worst = int(gaps.argmax())
        raise RoundingError(
            f"the cells of aggregate {worst} add up to {sums[worst]:.10g} minor units, and its "
            f"total is {totals[worst]}; rounding explains half a unit, so they do not belong "
            "together"
        )


def _require_few_left(left: IntArray, sizes: IntArray) -> None:
    """Require that one unit each for some of the cells makes up the total."""
    wrong = (left < 0) | (left > sizes)
    if wrong.any():
        worst = int(np.flatnonzero(wrong)[0])
        raise RoundingError(
            f"aggregate {worst} has {sizes[worst]} cells and {left[worst]} minor units left to "
            "give to them; state totals in a larger unit, or split the aggregate"
        )
