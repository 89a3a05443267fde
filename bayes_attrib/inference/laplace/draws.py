"""Draws of field and hyperparameters: points of the former, and draws of the latter at each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from bayes_attrib.inference.laplace.axes import HyperDensity
from bayes_attrib.inference.laplace.conditional import draw_field, mean_correction
from bayes_attrib.inference.laplace.elimination import EliminationSolver
from bayes_attrib.inference.laplace.expectations import FieldTarget
from bayes_attrib.inference.laplace.posterior import IterativeMode, Posterior
from bayes_attrib.inference.laplace.streams import Purpose, stream
from bayes_attrib.inputs.aggregate_data import FloatArray

_PAIRS = 32
"""Pairs of draws over which the correction of the mean is averaged, at most."""


@dataclass(frozen=True, eq=False)
class WeighedDraws:
    """Draws of the field at one point of the hyperparameters, where determinants are exact.

    Attributes
    ----------
    point : ndarray, shape (n,)
        The hyperparameters, on the transformed scale.
    x : ndarray, shape (size, n_draws)
        Standard normals of the field.
    log_weight : float
        Log ratio of the marginal posterior to the density that the point was drawn from.
    log_joint_weight : ndarray, shape (n_draws,)
        Log ratio of the joint posterior of field and hyperparameters to the density of the draws.
    correction : float
        Root mean square, over entities, of what the correction of the mean moved log rates by, in
        posterior sds.
    """

    point: FloatArray
    x: FloatArray
    log_weight: float
    log_joint_weight: FloatArray
    correction: float


@dataclass(frozen=True, eq=False)
class PointDraws:
    """Draws of the field at one point of the hyperparameters.

    Attributes
    ----------
    values : mapping of str to float
        The hyperparameters.
    effects : ndarray, shape (n_coarse, n_draws)
        Effects of the field but the entities' own.
    log_rates : ndarray, shape (n_entities, n_draws)
        Logarithms of rates, in 32 bits where there are very many.
    correction : float
        As for weighed draws.
    """

    values: dict[str, float]
    effects: FloatArray
    log_rates: FloatArray
    correction: float


def spread_points(density: HyperDensity, n_points: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return points that fill the density evenly (a scrambled Sobol sequence), and its logarithm.

    Parameters
    ----------
    density : HyperDensity
        Where the points are drawn from.
    n_points : int
        A power of two.
    seed : int
        Seed of the scrambling.
    """
    generator = qmc.Sobol(len(density.centre), scramble=True, rng=stream(seed, Purpose.POINTS))
    return density.points(generator.random(n_points))


def draw_exact(
    posterior: Posterior, density: HyperDensity, n_points: int, n_each: int, seed: int
) -> Iterator[WeighedDraws]:
    """Yield draws with their weights, point by point, where determinants are exact.

    Parameters
    ----------
    posterior : Posterior
        What is approximated.
    density : HyperDensity
        Where the points are drawn from.
    n_points, n_each : int
        Number of points, a power of two, and of draws of the field at each.
    seed : int
        Seed of everything random.
    """
    start = posterior.exact_mode(density.centre).x
    for i, (point, log_density) in enumerate(_points(density, n_points, seed)):
        rng = stream(seed, Purpose.DRAWS, i)
        near = posterior.rescaled(start, density.centre, point)
        mode, target = posterior.exact_mode(point, near), posterior.target(point)
        shift = mean_correction(target, mode, _PAIRS, rng)
        drawn = draw_field(mode, shift, n_each, rng)
        joint = target.log_joint(drawn.x) + posterior.hyper.log_prior(point)
        log_gaussian = drawn.exponent + 0.5 * mode.solver.log_det
        log_rates = posterior.field.log_rates(posterior.field.effects(drawn.x, target.scale))
        yield WeighedDraws(
            point,
            drawn.x,
            posterior.log_marginal(point, mode) - log_density,
            joint - log_gaussian - log_density,
            _correction_size(target, shift, log_rates),
        )


def draw_iterative(
    posterior: Posterior, density: HyperDensity, n_points: int, n_draws: int, seed: int
) -> Iterator[PointDraws]:
    """Yield draws without weights, a few at a time, where determinants are out of reach.

    The correction of the mean is made once, at the mode of the hyperparameters: with so many
    totals, they hardly move.

    Parameters
    ----------
    posterior : Posterior
        What is approximated.
    density : HyperDensity
        Where the points are drawn from.
    n_points, n_draws : int
        Number of points, a power of two, and of draws over all of them.
    seed : int
        Seed of everything random.
    """
    centre = posterior.iterative_mode(density.centre)
    n_pairs = min(_PAIRS, centre.solver.width)
    rng = stream(seed, Purpose.CORRECTION)
    shift = mean_correction(posterior.target(density.centre), centre, n_pairs, rng)
    shares = np.diff(np.linspace(0, n_draws, n_points + 1).astype(int))
    for i, (point, _) in enumerate(_points(density, n_points, seed)):
        if not shares[i]:
            continue
        rng = stream(seed, Purpose.DRAWS, i)
        start = posterior.rescaled(centre.x, density.centre, point)
        mode, target = posterior.iterative_mode(point, start), posterior.target(point)
        n_batches = -(-int(shares[i]) // mode.solver.width)
        for n in np.diff(np.linspace(0, shares[i], n_batches + 1).astype(int)).tolist():
            effects, log_rates = _draw_rates(target, mode, shift, n, rng)
            values = posterior.hyper.values(point)
            size = _correction_size(target, shift, log_rates) if n > 1 else np.nan
            yield PointDraws(values, effects, log_rates, size)


def _draw_rates(
    target: FieldTarget, mode: IterativeMode, shift: FloatArray, n: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw common effects and log rates; in as few passes as will do where there are many."""
    field, k = target.field, target.field.n_coarse
    if not isinstance(mode.solver, EliminationSolver):
        effects = field.effects(draw_field(mode, shift, n, rng).x, target.scale)
        return effects[:k], field.log_rates(effects)
    x = mode.solver.noise(n, rng)
    x += (mode.x + shift).astype(x.dtype)
    effects = field.centre(x[:k].astype(np.float64)) * target.scale[:k, np.newaxis]
    for block in field.blocks[:-1]:
        effects[block.span] += block.mean
    log_rates = x[k:]
    log_rates *= x.dtype.type(target.scale[-1])
    log_rates += np.asarray(field.design @ effects, dtype=x.dtype)
    log_rates += x.dtype.type(field.log_reference_rate)
    return effects, np.asarray(log_rates)


def _points(density: HyperDensity, n_points: int, seed: int) -> Iterator[tuple[FloatArray, float]]:
    points, log_density = spread_points(density, n_points, seed)
    for point, value in zip(points, log_density, strict=True):
        yield point, float(value)


def _correction_size(target: FieldTarget, shift: FloatArray, log_rates: FloatArray) -> float:
    """Root mean square of the shift of log rates in sds, these estimated from few draws."""
    field = target.field
    moved = field.log_rates(field.centre(shift) * target.scale[:, np.newaxis])
    moved -= field.log_reference_rate
    n = log_rates.shape[1]
    # The mean of one over an estimated variance is too large by (n - 1) / (n - 3).
    few = (n - 3) / (n - 1) if n > 3 else 0.5
    return float(np.sqrt(few * np.mean(moved[:, 0] ** 2 / log_rates.var(axis=1, ddof=1))))
