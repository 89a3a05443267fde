"""Differences between what is stored and what is computed again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from bayes_attrib.report.verification.outcome import RELATIVE_TOLERANCE, Outcome, measured

FloatArray = npt.NDArray[np.float64]

_SMALLEST = 1e-6
"""Values are compared on the scale of at least this part of the largest of their column."""


def relative_differences(stored: npt.ArrayLike, again: npt.ArrayLike) -> FloatArray:
    """Relative difference of two columns, shape (n,).

    The difference is over the larger of both absolute values, or over a millionth of the largest
    value of the column where both are smaller. Two NaN agree; one NaN is an infinite difference.

    Parameters
    ----------
    stored, again : array_like, shape (n,)
        Values in one unit.

    Returns
    -------
    ndarray, shape (n,)
        Differences, not negative.
    """
    a, b = (np.asarray(values, dtype=np.float64) for values in (stored, again))
    largest = float(np.max(np.abs(b), where=np.isfinite(b), initial=0.0))
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), _SMALLEST * largest)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.where(a == b, 0.0, np.abs(a - b) / scale)
    both_missing = np.isnan(a) & np.isnan(b)
    return np.where(both_missing, 0.0, np.where(np.isnan(gap), np.inf, gap))


def compare_columns(
    name: str,
    file: str,
    label: Callable[[int], str],
    columns: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    again: str,
    tolerance: float = RELATIVE_TOLERANCE,
) -> Outcome:
    """Compare stored columns with the same columns computed again.

    Parameters
    ----------
    name, file : str
        Of the check.
    label : callable
        From the position of a row to what it is, for messages.
    columns : mapping of str to (array_like, array_like)
        Stored and computed values, each of shape (n,), by the name of the column.
    again : str
        How the values were computed again, such as ``"summed over cells.parquet"``.
    tolerance : float
        Largest relative difference that passes.

    Returns
    -------
    Outcome
        With the row, the column and the two values where the difference is largest.
    """
    worst, detail = 0.0, ""
    for column, (stored, computed) in columns.items():
        gaps = relative_differences(stored, computed)
        if gaps.size == 0:
            continue
        row = int(np.argmax(gaps))
        if gaps[row] > worst:
            a, b = np.asarray(stored)[row], np.asarray(computed)[row]
            worst = float(gaps[row])
            detail = (
                f"{column} of {label(row)} is {a!s}, and {b!s} {again} "
                f"({int(np.sum(gaps > tolerance)):,} of {gaps.size:,} rows differ)"
            )
    what = f"{', '.join(columns)} {again}"
    return measured(name, file, worst, what, detail=detail, tolerance=tolerance)
