"""The field given hyperparameters: mode, precision, corrected mean, draws."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bayes_attrib.inference.laplace.elimination import EliminationSolver
from bayes_attrib.inference.laplace.expectations import FieldTarget
from bayes_attrib.inference.laplace.mode import Mode
from bayes_attrib.inference.laplace.solvers import Solver
from bayes_attrib.inputs.aggregate_data import FloatArray

MOST_SHIFT = 3.0
"""Longest step of a correction of the mean in small fields, in posterior sds over all elements."""

MOST_SHIFT_EACH = 0.3
"""Longest step per element, as a root mean square, in large fields."""

_CORRECTIONS = 2

_BLOCK_ELEMENTS = 2_000_000
"""Elements of the fields whose gradients are computed at a time."""


@dataclass(frozen=True, eq=False)
class FieldDraws:
    """Draws of the field from its Gaussian approximation.

    Attributes
    ----------
    x : ndarray, shape (size, n_draws)
        Standard normals.
    exponent : ndarray, shape (n_draws,)
        Logarithm of the Gaussian density, but for its constant: -v' H v / 2.
    """

    x: FloatArray
    exponent: FloatArray


def noise_of_precision[S: Solver](
    mode: Mode[S], n_draws: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw v with covariance H**-1, H = I + G' G, by solving H v = G' e1 + e2.

    Perturbation of the mode (Papandreou and Yuille 2010, NIPS 23): the right-hand side has
    covariance H, so the solution has covariance H**-1, exactly.

    Parameters
    ----------
    mode : Mode
        Gives G and a solver.
    n_draws : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    v : ndarray, shape (size, n_draws)
        Deviations from the mean.
    squared : ndarray, shape (n_draws,)
        v' H v.
    """
    field = mode.linearised.field
    r = rng.standard_normal((field.size, n_draws))
    r += mode.linearised.backward(rng.standard_normal((field.n_aggregates, n_draws)))
    v = mode.solver.solve(r)
    return v, np.einsum("ij,ij->j", v, r)


def noise[S: Solver](mode: Mode[S], n_draws: int, rng: np.random.Generator) -> FloatArray:
    """Return the deviations of :func:`noise_of_precision` alone, in whatever way is quickest."""
    if isinstance(mode.solver, EliminationSolver):
        return np.asarray(mode.solver.noise(n_draws, rng), dtype=np.float64)
    return noise_of_precision(mode, n_draws, rng)[0]


def mean_correction[S: Solver](
    target: FieldTarget, mode: Mode[S], n_pairs: int, rng: np.random.Generator
) -> FloatArray:
    """Return the shift from the mode to the mean of the best Gaussian with that covariance.

    The mean of the Gaussian that is nearest to the posterior in Kullback-Leibler divergence makes
    the expected gradient zero (van Niekerk and Rue 2024, JMLR 25, correct INLA's means so). The
    expectation is taken over pairs of draws at either side of the mean, which cancels all odd
    terms; the zero is approached by Newton steps.

    Parameters
    ----------
    target : FieldTarget
        The joint density.
    mode : Mode
        Mode and precision.
    n_pairs : int
        Pairs of draws over which the gradient is averaged.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (size, 1)
        What to add to the mode.
    """
    v = noise(mode, n_pairs, rng)
    shift = np.zeros_like(mode.x)
    n_parts = -(-v.size // _BLOCK_ELEMENTS)
    longest = max(MOST_SHIFT, MOST_SHIFT_EACH * math.sqrt(len(shift)))
    for _ in range(_CORRECTIONS):
        gradient = np.zeros_like(mode.x)
        for part in np.array_split(v, n_parts, axis=1):
            for sign in (1.0, -1.0):
                x = mode.x + shift + sign * part
                slopes = target.gradient(x, target.expectations(x))
                gradient += slopes.sum(axis=1, keepdims=True) / (2 * n_pairs)
        step = mode.solver.solve(gradient)
        length = math.sqrt(max(float(np.sum(step * gradient)), 0.0))
        shift = shift + step * min(1.0, longest / max(length, 1e-300))
    return shift


def draw_field[S: Solver](
    mode: Mode[S], shift: FloatArray, n_draws: int, rng: np.random.Generator
) -> FieldDraws:
    """Draw from the Gaussian with the precision at the mode around the mode plus a shift."""
    v, squared = noise_of_precision(mode, n_draws, rng)
    return FieldDraws(mode.x + shift + v, -0.5 * squared)
