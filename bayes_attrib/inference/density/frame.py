"""Where chains begin, and in which coordinates they move, from a point near the posterior's mode.

Totals know the sums of what their entities earn, hence common effects given the entities' own. With
H the precision at the centre, c = z - A e with A = inv(H_cc) H_ce takes from common effects c what
depends on all else, e, to first order: what the totals know is then about z alone, while the prior
governs e (a partial non-centring of common effects; Papaspiliopoulos, Roberts and Skold 2007,
Statistical Science 22, for one level).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.inference.density.shear import Shear
from bayes_attrib.inputs.aggregate_data import FloatArray

SPREAD: Final = 2.0
"""Chains start so many sds off the centre, each element given all others."""

MOST_SHEARED: Final = 32
"""More common effects than that would make a change of coordinates cost more than a gradient."""

_N_PATTERNS = 8
_STEP = 1e-4
_UNKNOWN_SD = 1.0

Gradient = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Centre:
    """A point near the middle of the posterior, unconstrained.

    Attributes
    ----------
    common : ndarray, shape (n_common,)
        First elements of the point.
    is_effect : ndarray of bool, shape (n_common,)
        Whether log rates are linear in each of them.
    offsets : ndarray, shape (n_entities,)
        The other elements: the entities' own, standard normal in the prior.
    """

    common: FloatArray
    is_effect: npt.NDArray[np.bool_]
    offsets: FloatArray


@dataclass(frozen=True, eq=False)
class Frame:
    """Coordinates of the sampler, and the start of a chain in them.

    Attributes
    ----------
    shear : Shear or None
        The change of coordinates.
    start : callable
        Returns the first point of a chain with a seed.
    """

    shear: Shear | None
    start: Callable[[Any], FloatArray]


def make_frame(centre: Centre, gradient: Gradient) -> Frame:
    """Choose coordinates and starts.

    Offsets start at plus or minus one, and each element of the centre at plus or minus ``SPREAD``
    of its sds given all others. So no slope is near zero: one over the slopes are the sampler's
    first scales, and a scale that is far too long costs hundreds of steps.

    Parameters
    ----------
    centre : Centre
        Where the posterior is.
    gradient : callable
        Gradient of the log density at a point of the model.

    Returns
    -------
    Frame
        Without a shear where the precision at the centre is not positive definite, or where common
        effects are many.
    """
    n, middle = len(centre.common), np.concatenate([centre.common, centre.offsets])
    shear = _shear(centre, gradient, middle)
    effects = np.flatnonzero(centre.is_effect) if shear is not None else np.empty(0, dtype=int)
    others = np.setdiff1d(np.arange(n), effects)
    base = middle if shear is None else shear.to_sampler(middle)

    def start(seed: Any) -> FloatArray:
        """Return where the chain of a seed begins, in the coordinates of the sampler."""
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=len(middle))
        at = np.concatenate([centre.common, signs[n:]])
        point = np.concatenate([base[:n], signs[n:]])
        point[others] += SPREAD * signs[others] * _conditional_sds(gradient, at, others)
        point[effects] += SPREAD * signs[effects]
        return point

    return Frame(shear, start)


def _shear(centre: Centre, gradient: Gradient, middle: FloatArray) -> Shear | None:
    """Return the shear that makes common effects independent of all else near the centre."""
    places, n = np.flatnonzero(centre.is_effect), len(centre.common)
    if not 0 < len(places) <= MOST_SHEARED:
        return None
    # Precision at the centre with entities spread as in the posterior, over a few such points: how
    # totals depend on the sd of the entities is only seen where entities differ.
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(_N_PATTERNS, len(centre.offsets)))
    rows = np.zeros((len(places), len(middle)))
    for pattern in signs:
        point = middle.copy()
        point[n:] += pattern
        rows += (
            np.array([_precision_row(gradient, point, i) for i in places.tolist()]) / _N_PATTERNS
        )
    own = (rows[:, places] + rows[:, places].T) / 2
    if not np.isfinite(rows).all() or np.linalg.eigvalsh(own)[0] <= 0:
        return None
    inverse = np.linalg.inv(own)
    weights = np.zeros((len(middle), len(places)))
    for row, column in zip(rows, inverse, strict=True):  # in NumPy's order, whatever the threads
        weights -= row[:, np.newaxis] * column
    weights[places] = np.linalg.cholesky(inverse).T
    return Shear(places, weights)


def _precision_row(gradient: Gradient, point: FloatArray, i: int) -> FloatArray:
    up, down = point.copy(), point.copy()
    up[i] += _STEP
    down[i] -= _STEP
    return np.asarray((gradient(down) - gradient(up)) / (2 * _STEP))


def _conditional_sds(
    gradient: Gradient, point: FloatArray, elements: npt.NDArray[np.intp]
) -> FloatArray:
    """Return the sds of elements given all others; 1 where the curvature is no positive number."""
    curvature = np.array([_precision_row(gradient, point, i)[i] for i in elements.tolist()])
    known = np.isfinite(curvature) & (curvature > 1.0)
    return np.where(known, 1.0 / np.sqrt(np.where(known, curvature, 1.0)), _UNKNOWN_SD)
