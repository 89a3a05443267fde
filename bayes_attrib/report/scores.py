"""Scores of an attribution against a known truth; arrays in, numbers out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def shares_of(amounts: npt.ArrayLike) -> FloatArray:
    """Return amounts divided by their sum.

    Parameters
    ----------
    amounts : array_like, shape (n,)
        Amounts, finite and not negative, in any unit.

    Returns
    -------
    ndarray, shape (n,)
        Shares that sum to one.

    Raises
    ------
    ValueError
        If the amounts have no positive, finite sum.
    """
    values = np.asarray(amounts, dtype=np.float64)
    total = values.sum()
    if not np.isfinite(total) or total <= 0:
        raise ValueError(f"shares need a positive, finite sum of amounts; got {total:g}")
    return np.asarray(values / total)


def total_variation(share_a: npt.ArrayLike, share_b: npt.ArrayLike) -> float:
    """Total variation distance of two sets of shares: half the sum of absolute differences.

    It is the part of the whole that one set credits to another entity than the other set does:
    0 where they agree, 1 where they have nothing in common.

    Parameters
    ----------
    share_a, share_b : array_like, shape (n,)
        Shares of the same entities in the same order, finite.

    Returns
    -------
    float
        Between 0 and 1 for shares that sum to one.

    Raises
    ------
    ValueError
        If shapes differ or a share is not finite.
    """
    a = np.asarray(share_a, dtype=np.float64)
    b = np.asarray(share_b, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"shares of the same entities are needed; got shapes {a.shape}, {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("shares must be finite")
    return float(0.5 * np.abs(a - b).sum())


def is_covered(
    lower: npt.ArrayLike, upper: npt.ArrayLike, truth: npt.ArrayLike
) -> npt.NDArray[np.bool_]:
    """Tell for each interval, ends included, whether it holds the truth.

    Parameters
    ----------
    lower, upper, truth : array_like, shape (n,)
        Ends of the intervals and true values, in one unit. A NaN anywhere counts as not covered.

    Returns
    -------
    ndarray of bool, shape (n,)
        Whether ``lower <= truth <= upper``.
    """
    low, high, true = (np.asarray(x, dtype=np.float64) for x in (lower, upper, truth))
    return np.asarray((low <= true) & (true <= high))


def interval_coverage(lower: npt.ArrayLike, upper: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Return the fraction of intervals that hold the truth.

    Parameters
    ----------
    lower, upper, truth : array_like, shape (n,)
        Ends of the intervals and true values, in one unit.

    Returns
    -------
    float
        Between 0 and 1; compare it with the probability of the intervals.

    Raises
    ------
    ValueError
        If there is no interval.
    """
    covered = is_covered(lower, upper, truth)
    if covered.size == 0:
        raise ValueError("coverage of no interval is not defined")
    return float(covered.mean())
