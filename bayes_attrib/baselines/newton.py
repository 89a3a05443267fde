"""Newton's method with Hessian products, as the last steps of an optimiser and its judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from bayes_attrib.baselines.conjugate_gradients import conjugate_gradients
from bayes_attrib.inputs.aggregate_data import FloatArray

MOST_STEPS: Final = 20
MOST_HALVINGS: Final = 10

ROUNDING: Final = 1e-13
"""A loss that rises by less than this fraction of itself has not risen."""

SOLVE: Final = 1e-6
"""Relative accuracy of the solution of a Newton system."""

Loss = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Takes a point, returns a loss and its gradient."""

Curvature = Callable[[FloatArray, FloatArray], FloatArray]
"""Takes a point and a direction, returns the Hessian times the direction."""


@dataclass(frozen=True, eq=False, slots=True)
class Minimum:
    """Where Newton's method ended.

    Attributes
    ----------
    point : ndarray of float, shape (n,)
        The point.
    gradient : ndarray of float, shape (n,)
        Gradient of the loss there.
    predicted_gain : float
        Fall of the loss that one more step would bring, to second order; infinite where the
        Hessian is not positive along the directions that the solver tried.
    steps : int
        Steps taken.
    """

    point: FloatArray
    gradient: FloatArray
    predicted_gain: float
    steps: int


def polish(loss: Loss, curvature: Curvature, point: FloatArray, *, tolerance: float) -> Minimum:
    """Go from near a minimum to the minimum, and say how near it is.

    Parameters
    ----------
    loss : callable
        Takes a point, returns the loss and its gradient.
    curvature : callable
        Takes a point and a direction, returns the Hessian times the direction.
    point : ndarray of float, shape (n,)
        Where to start from.
    tolerance : float
        Predicted gain at which to stop.

    Returns
    -------
    Minimum
        The last point; not a minimum where its predicted gain is larger than the tolerance.
    """
    value, gradient = loss(point)
    gain, steps = np.inf, 0
    while True:
        direction, is_positive = conjugate_gradients(
            partial(curvature, point), -gradient, np.copy, SOLVE
        )
        gain = -0.5 * float(gradient @ direction) if is_positive else np.inf
        following = None
        if gain > tolerance and steps < MOST_STEPS:
            following = _shorter_until_lower(loss, point, float(value), direction)
        if following is None:
            return Minimum(point, gradient, gain, steps)
        point, value, gradient = following
        steps += 1


def _shorter_until_lower(
    loss: Loss, point: FloatArray, value: float, direction: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    for halvings in range(MOST_HALVINGS):
        following = point + direction / 2**halvings
        new_value, gradient = loss(following)
        if float(new_value) <= value + ROUNDING * abs(value):
            return following, new_value, gradient
    return None
