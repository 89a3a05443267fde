"""Checks that every transform of delivery shares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def require_delivery(values: npt.ArrayLike, *, name: str) -> FloatArray:
    """Return delivery as floats, or say which value is negative or not finite.

    Parameters
    ----------
    values : array_like
        Delivery of any shape.
    name : str
        Name under which a fault is reported.

    Returns
    -------
    ndarray of float
        The values; not a copy where they are floats already.

    Raises
    ------
    ValueError
        If a value is negative or not finite; the first such value is named with its position.
    """
    array = np.asarray(values, dtype=np.float64)
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{name} must be finite and not negative; got {array[where]:g} at position {where} "
            f"({int(bad.sum())} such values); correct the source"
        )
    return array


def require_series(values: npt.ArrayLike) -> FloatArray:
    """Return delivery with time on its last axis as floats.

    Parameters
    ----------
    values : array_like, shape (..., n_periods)
        Delivery.

    Returns
    -------
    ndarray of float, shape (..., n_periods)
        The values; not a copy where they are floats already.

    Raises
    ------
    ValueError
        If there is no time axis, or a value is negative or not finite.
    """
    series = require_delivery(values, name="delivery")
    if series.ndim == 0:
        raise ValueError("delivery needs a time axis: pass an array of shape (..., n_periods)")
    return series


def require_parameter(values: npt.ArrayLike, *, name: str) -> FloatArray:
    """Return a parameter as floats, or raise ValueError where it is not finite.

    Parameters
    ----------
    values : array_like
        One value, or one per series.
    name : str
        Name under which a fault is reported.

    Returns
    -------
    ndarray of float
        The values.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite; got {values!r}")
    return array


def require_positive(values: npt.ArrayLike, *, name: str) -> FloatArray:
    """Return a parameter as floats, or raise ValueError where it is not finite and positive.

    Parameters
    ----------
    values : array_like
        One value, or one per series.
    name : str
        Name under which a fault is reported.

    Returns
    -------
    ndarray of float
        The values.

    Raises
    ------
    ValueError
        If a value is not finite, or not above zero.
    """
    array = require_parameter(values, name=name)
    if np.any(array <= 0):
        raise ValueError(f"{name} must be positive; got {array.min():g}")
    return array


def require_fraction(values: npt.ArrayLike, *, name: str) -> FloatArray:
    """Return a parameter as floats, or raise ValueError where it lies outside [0, 1].

    Parameters
    ----------
    values : array_like
        One value, or one per series.
    name : str
        Name under which a fault is reported.

    Returns
    -------
    ndarray of float
        The values.

    Raises
    ------
    ValueError
        If a value is not finite, below zero or above one.
    """
    array = require_parameter(values, name=name)
    if np.any(array < 0) or np.any(array > 1):
        raise ValueError(f"{name} must lie in [0, 1]; got {values!r}")
    return array


def require_lags(l_max: int) -> int:
    """Return a number of lags, or raise ValueError where it is not a whole number above zero.

    Parameters
    ----------
    l_max : int
        Number of periods in which a unit of delivery works, its own included.

    Returns
    -------
    int
        The number.

    Raises
    ------
    ValueError
        If it is no whole number, or below one.
    """
    if isinstance(l_max, bool) or not isinstance(l_max, int | np.integer) or l_max < 1:
        raise ValueError(f"l_max must be a whole number of periods, 1 or more; got {l_max!r}")
    return int(l_max)
