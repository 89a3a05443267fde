"""Conjugate gradients for Newton systems, which may be truncated and need not be definite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray

MAX_PRODUCTS: Final = 300
"""Products with the matrix per system; a truncated solve is still a direction of descent."""

Linear = Callable[[FloatArray], FloatArray]
"""A linear map of vectors of shape (n,)."""


def by_diagonal(diagonal: FloatArray) -> Linear:
    """Return the preconditioner that divides by a diagonal.

    Parameters
    ----------
    diagonal : ndarray of float, shape (n,)
        Near the diagonal of the matrix; where it is zero, the solution stays zero.

    Returns
    -------
    callable
        Divides a vector of shape (n,) by the diagonal.
    """
    usable = diagonal > np.finfo(np.float64).tiny
    inverse = np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=usable)
    return lambda residual: inverse * residual


def conjugate_gradients(
    product: Linear, right_side: FloatArray, precondition: Linear, tolerance: float
) -> tuple[FloatArray, bool]:
    """Solve a positive definite system.

    Parameters
    ----------
    product : callable
        Multiplies the matrix with a vector of shape (n,).
    right_side : ndarray of float, shape (n,)
        Right side.
    precondition : callable
        Multiplies a vector of shape (n,) with something near the inverse of the matrix, symmetric
        and not negative, as a new array.
    tolerance : float
        Relative size of the preconditioned residual at which to stop.

    Returns
    -------
    ndarray of float, shape (n,)
        Solution, as far as it got.
    bool
        Whether the matrix was positive along every direction that was tried.
    """
    solution = np.zeros_like(right_side)
    residual = right_side.copy()
    direction = precondition(residual)
    size = first = float(residual @ direction)
    for _ in range(MAX_PRODUCTS):
        if size <= tolerance**2 * first:
            break
        image = product(direction)
        curvature = float(direction @ image)
        if not curvature > 0:  # not definite, or rounding has taken over
            return solution, False
        solution += (size / curvature) * direction
        residual -= (size / curvature) * image
        preconditioned = precondition(residual)
        size, previous = float(residual @ preconditioned), size
        direction *= size / previous
        direction += preconditioned
    return solution, True
