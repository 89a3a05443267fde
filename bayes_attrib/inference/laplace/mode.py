"""The mode of the latent field by Newton's method with Fisher scoring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayes_attrib.inference.laplace.expectations import Expectations, FieldTarget, Linearised
from bayes_attrib.inference.laplace.solvers import Solver
from bayes_attrib.inputs.aggregate_data import FloatArray

MOST_STEPS = 300
SMALLEST_GAIN = 1e-10
"""Half the squared length of a step, in posterior sds, at which the mode counts as found."""

_ENOUGH_PROGRESS = 3.0
"""The precision is computed anew when a step gains more than the one before over this."""

_NO_RISE = 1e-12
"""Rounding error of a log density, as a fraction of it."""

_LONGEST = 4.0
"""Largest change of an element in a step; what is far from the mode is approached with care."""

Place = tuple[FloatArray, Expectations, float]
"""A field, its expectations, and its log joint density."""


@dataclass(frozen=True, eq=False)
class Mode[S: Solver]:
    """The mode of a field and the precision there.

    Attributes
    ----------
    x : ndarray, shape (size, 1)
        Standard normals at the mode.
    solver : Solver
        Solves with the precision at the mode.
    linearised : Linearised
        The derivatives that make up the precision.
    log_joint : float
        Log joint density at the mode, but for (2 pi)**(-size / 2).
    converged : bool
        Whether the last step was short enough.
    steps : int
        Number of steps.
    """

    x: FloatArray
    solver: S
    linearised: Linearised
    log_joint: float
    converged: bool
    steps: int


def find_mode[S: Solver](
    target: FieldTarget,
    start: FloatArray,
    make_solver: Callable[[Linearised], S],
    smallest_gain: float = SMALLEST_GAIN,
) -> Mode[S]:
    """Climb to the mode from a start.

    Each step solves with the prior precision plus the Fisher information, which is positive
    definite everywhere, and is halved until the density rises. A precision serves several steps
    while they shorten quickly, and is computed once more at the end.

    Parameters
    ----------
    target : FieldTarget
        The density.
    start : ndarray, shape (size, 1)
        Standard normals to begin with.
    make_solver : callable
        Returns the solver of a linearisation.
    smallest_gain : float
        Half the squared length of a step, in posterior sds, at which the mode counts as found.

    Returns
    -------
    Mode
        Where the climb ended.
    """
    x, found, height = _better_start(target, start)
    linearised = target.linearise(found)
    solver, is_fresh = make_solver(linearised), True
    steps, previous, converged = 0, np.inf, False
    while steps < MOST_STEPS:
        gradient = target.gradient(x, found)
        step = solver.approach(gradient)
        gain = float(np.sum(gradient * step)) / 2
        converged = gain < smallest_gain
        if not is_fresh and (converged or gain > previous / _ENOUGH_PROGRESS):
            linearised = target.linearise(found)
            solver, is_fresh, previous = make_solver(linearised), True, np.inf
            if not converged:
                continue
        if converged:
            break
        step *= min(1.0, _LONGEST / float(np.max(np.abs(step))))
        moved = _climb(target, x, height, step)
        if moved is None:  # no rise that numbers can show
            converged = gain < _NO_RISE * (1.0 + abs(height))
            break
        (x, found, height), previous, is_fresh = moved, gain, False
        steps += 1
    if not is_fresh:
        linearised = target.linearise(found)
        solver = make_solver(linearised)
    return Mode(x, solver, linearised, height, converged, steps)


def _better_start(target: FieldTarget, start: FloatArray) -> Place:
    """Return the start, or the prior mean where that is higher."""
    given, mean = _look_at(target, start), _look_at(target, np.zeros_like(start))
    return given if given[2] >= mean[2] else mean


def _climb(target: FieldTarget, x: FloatArray, height: float, step: FloatArray) -> Place | None:
    """Return the first of the halved steps that rises; None if none does."""
    for _ in range(30):
        place = _look_at(target, x + step)
        if place[2] > height:
            return place
        step = step / 2
    return None


def _look_at(target: FieldTarget, x: FloatArray) -> Place:
    """Return a field with its expectations and height, minus infinity where that overflows."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = target.expectations(x)
        height = float(target.log_joint(x, found)[0])
    return x, found, height if np.isfinite(height) else -np.inf
