"""The mode of a latent field by Newton's method: some ten steps, each of about ten products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bayes_attrib.baselines.conjugate_gradients import Linear, conjugate_gradients
from bayes_attrib.baselines.field_density import FieldDensity, Place
from bayes_attrib.inputs.aggregate_data import FloatArray

SOLVE: Final = 0.1
"""Relative accuracy to which a Newton system is solved: a step leaves a percent of the gain."""

LONGEST: Final = 4.0
"""Largest change of a standard normal in one step; what is far from the mode goes with care."""

NEAR: Final = 0.5
"""Largest change of a standard normal up to which a preconditioner serves again."""

MAX_HALVINGS: Final = 30


@dataclass(frozen=True, eq=False, slots=True)
class FieldMode:
    """Where the search ended.

    Attributes
    ----------
    at : Place
        The point.
    gradient : ndarray of float, shape (size,)
        Gradient of the loss there.
    predicted_gain : float
        Nats by which one more step would lower the loss, to second order.
    steps : int
        Steps taken.
    """

    at: Place
    gradient: FloatArray
    predicted_gain: float
    steps: int


def find_field_mode(density: FieldDensity, tolerance: float, max_steps: int) -> FieldMode:
    """Go from the prior mean to the mode.

    Parameters
    ----------
    density : FieldDensity
        Minus a log density; finite at the prior mean.
    tolerance : float
        Predicted gain, in nats, at which to stop.
    max_steps : int
        Steps after which to give up.

    Returns
    -------
    FieldMode
        The last point; not the mode where its predicted gain is larger than the tolerance.
    """
    at, steps = density.look(np.zeros(density.field.size)), 0
    prepared_at, precondition = at, density.precondition(at)
    while True:
        if np.abs(at.x - prepared_at.x).max() > NEAR:
            prepared_at, precondition = at, density.precondition(at)
        slope = density.slope(at)
        gradient = density.gradient(at, slope)
        direction = _newton_direction(density, at, slope, gradient, precondition)
        gain = -0.5 * float(gradient @ direction)
        following = None
        if gain > tolerance and steps < max_steps:
            following = _shorter_until_lower(density, at, direction)
        if following is None:
            return FieldMode(at, gradient, gain, steps)
        at, steps = following, steps + 1


def _newton_direction(
    density: FieldDensity,
    at: Place,
    slope: FloatArray,
    gradient: FloatArray,
    precondition: Linear,
) -> FloatArray:
    """Solve with the Hessian, or with its expectation where it is not positive."""
    direction, is_positive = conjugate_gradients(
        density.hessian(at, slope), -gradient, precondition, SOLVE
    )
    if not is_positive:
        direction, _ = conjugate_gradients(density.fisher(at), -gradient, precondition, SOLVE)
    return direction


def _shorter_until_lower(density: FieldDensity, at: Place, direction: FloatArray) -> Place | None:
    length = min(1.0, LONGEST / float(np.abs(direction).max()))
    for halvings in range(MAX_HALVINGS):
        following = density.look(at.x + (length / 2**halvings) * direction)
        if following.loss < at.loss:
            return following
    return None
