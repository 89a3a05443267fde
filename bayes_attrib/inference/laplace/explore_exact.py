"""The marginal posterior of the hyperparameters where determinants are exact."""

from __future__ import annotations

import itertools

import numpy as np

from bayes_attrib.inference.laplace.axes import AxisDensity, HyperDensity, principal_axes
from bayes_attrib.inference.laplace.posterior import Posterior
from bayes_attrib.inputs.aggregate_data import FloatArray

_STEP = 0.1
"""Step of the differences that give the Hessian, on the transformed scale."""

_SLOPE_STEP = 1e-3
"""Step of the differences that give slopes."""

_LONGEST_STEP = 1.0
"""Longest step of the search along any hyperparameter, on the transformed scale."""

_MOST_STEPS = 60

_DROP = 5.0
"""An axis is followed until the log density has fallen so much, or its reach ends."""

_TEMPER = 0.9
"""Heights along an axis count so much: tails a bit too wide do no harm, tails too thin do."""


class MarginalSurface:
    """Log marginal posterior as a function of the hyperparameters, by Laplace's method.

    Parameters
    ----------
    posterior : Posterior
        What is approximated.
    """

    def __init__(self, posterior: Posterior) -> None:
        self._posterior = posterior
        self._start: FloatArray | None = None

    def __call__(self, point: FloatArray) -> float:
        """Return the height at a point, shape (n,); each search begins at the mode before."""
        mode = self._posterior.exact_mode(point, self._start)
        self._start = mode.x
        return self._posterior.log_marginal(point, mode)


def explore_exact(posterior: Posterior) -> HyperDensity:
    """Approximate the marginal posterior of the hyperparameters.

    Mode by quasi-Newton steps, principal axes by differences, then the height along each axis.

    Parameters
    ----------
    posterior : Posterior
        With exact determinants.

    Returns
    -------
    HyperDensity
        On the transformed scale.
    """
    surface = MarginalSurface(posterior)
    centre, height = _climb(surface, posterior.hyper.start)
    axes = principal_axes(_hessian(surface, centre, height))
    densities = tuple(_profile(surface, centre, axis, height) for axis in axes.T)
    return HyperDensity(centre, axes, densities)


def mode_of_surface(posterior: Posterior) -> FloatArray:
    """Return the mode of the hyperparameters alone, on the transformed scale."""
    return _climb(MarginalSurface(posterior), posterior.hyper.start)[0]


def _climb(surface: MarginalSurface, point: FloatArray) -> tuple[FloatArray, float]:
    """Return the mode and its height: quasi-Newton steps (BFGS) of limited length."""
    height, inverse = surface(point), np.eye(len(point))
    slope = _slope(surface, point, height)
    for _ in range(_MOST_STEPS):
        step = inverse @ slope
        step *= min(1.0, _LONGEST_STEP / float(np.max(np.abs(step))))
        while (reached := surface(point + step)) < height and np.max(np.abs(step)) > 1e-3:
            step = step / 3
        if reached < height:
            break
        gain, point, height = reached - height, point + step, reached
        change = (after := _slope(surface, point, height)) - slope
        inverse, slope = _updated(inverse, step, -change), after
        if gain < 1e-3 and float(slope @ inverse @ slope) < 1e-3:
            break
    return point, height


def _slope(surface: MarginalSurface, point: FloatArray, height: float) -> FloatArray:
    steps = _SLOPE_STEP * np.eye(len(point))
    return np.array([(surface(point + step) - height) / _SLOPE_STEP for step in steps])


def _updated(inverse: FloatArray, step: FloatArray, change: FloatArray) -> FloatArray:
    """Update an inverse Hessian (Nocedal and Wright 2006, Numerical Optimization, eq. 6.17)."""
    curvature = float(step @ change)
    if curvature <= 1e-6 * float(step @ step):
        return inverse
    if np.array_equal(inverse, np.eye(len(step))):
        inverse = inverse * curvature / float(change @ change)
    left = np.eye(len(step)) - np.outer(step, change) / curvature
    return left @ inverse @ left.T + np.outer(step, step) / curvature


def _hessian(surface: MarginalSurface, centre: FloatArray, height: float) -> FloatArray:
    n = len(centre)
    steps = _STEP * np.eye(n)
    up = [surface(centre + step) for step in steps]
    down = [surface(centre - step) for step in steps]
    hessian = np.diag([(u + d - 2 * height) / _STEP**2 for u, d in zip(up, down, strict=True)])
    for i, j in itertools.combinations(range(n), 2):
        both = surface(centre + steps[i] + steps[j]) + surface(centre - steps[i] - steps[j])
        mixed = (both + 2 * height - up[i] - down[i] - up[j] - down[j]) / (2 * _STEP**2)
        hessian[i, j] = hessian[j, i] = mixed
    return hessian


def _profile(
    surface: MarginalSurface, centre: FloatArray, axis: FloatArray, height: float
) -> AxisDensity:
    found = {0.0: 0.0}
    for sign in (-1.0, 1.0):
        for distance in (0.75, 1.5, 2.5, 3.5, 5.0, 6.5):
            found[sign * distance] = surface(centre + sign * distance * axis) - height
            if found[sign * distance] < -_DROP:
                break
    positions = np.array(sorted(found))
    heights = np.array([found[z] for z in positions])
    return AxisDensity.through(positions, _TEMPER * heights)
