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
