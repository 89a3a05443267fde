"""The marginal posterior of the hyperparameters from its slopes: no determinant is needed.

By Fisher's identity the slope of the log marginal posterior is the expected slope of the log joint
density given the hyperparameters, which needs traces of blocks of the inverse precision, not its
determinant. For the sd of a block of n standard normals x the slope by its logarithm is
E |x|**2 - n. Small blocks are solved for exactly; the entities' own trace is estimated from random
signs (Hutchinson 1990), the same at every point, so that slopes change smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from bayes_attrib.inference.laplace.axes import AxisDensity, HyperDensity, principal_axes
from bayes_attrib.inference.laplace.conditional import noise
from bayes_attrib.inference.laplace.elimination import Known
from bayes_attrib.inference.laplace.explore_exact import mode_of_surface
from bayes_attrib.inference.laplace.posterior import Effort, IterativeMode, Posterior
from bayes_attrib.inference.laplace.streams import Purpose, stream
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.latent_field import Block

MOST_EXACT = 64
"""Blocks of at most so many elements are solved for exactly."""

N_PROBES = 16
"""Vectors of random signs per larger block."""

N_NOISE_DRAWS = 16
"""Draws over which slopes by the family's parameters are averaged, at most."""

N_PART = 400
"""A search begins at the mode that so many totals give, if they are at most a quarter of all."""

_STEP = 1e-4
_HESSIAN_STEP = 0.1
_MOST_STEPS = 25
_LONGEST_STEP = 1.0
_REACH = 2.0
_BEYOND = 4.0

_SHORT = 0.05
"""An axis is short if a posterior sd along it changes no parameter by more than 5%."""


@dataclass
class SlopeField:
    """Slope of the log marginal posterior as a function of the hyperparameters.

    Attributes
    ----------
    posterior : Posterior
        What is approximated.
    seed : int
        Seed of the probes.
    """

    posterior: Posterior
    seed: int

    def __post_init__(self) -> None:
        self._before: tuple[FloatArray, FloatArray] | None = None

    def __call__(self, point: FloatArray) -> FloatArray:
        """Return the slope at a point, shape (n,); each climb begins near the mode before."""
        posterior = self.posterior
        start = self._before and posterior.rescaled(*self._before, point)
        mode = posterior.iterative_mode(point, start)
        self._before = mode.x, point
        slopes = np.array([self._prior_slope(point, i) for i in range(posterior.hyper.size)])
        for block in posterior.field.blocks:
            if isinstance(block.sd, str):
                at = posterior.hyper.names.index(block.sd)
                square = float(np.sum(mode.x[block.span] ** 2))
                slopes[at] += square + self._trace(mode, block) - block.size
        if posterior.family.parameters:
            slopes += self._noise_slopes(point, mode)
        return slopes

    def _prior_slope(self, point: FloatArray, i: int) -> float:
        step = _STEP * np.eye(len(point))[i]
        log_prior = self.posterior.hyper.log_prior
        return (log_prior(point + step) - log_prior(point - step)) / (2 * _STEP)

    def _trace(self, mode: IterativeMode, block: Block) -> float:
        """Trace of a diagonal block of the inverse precision."""
        if block.size <= MOST_EXACT:
            probes = np.zeros((self.posterior.field.size, block.size))
            probes[block.span] = np.eye(block.size)
            return float(np.sum(probes * mode.solver.solve(probes)))
        rng = stream(self.seed, Purpose.PROBES, block.span.start)
        total, done = 0.0, 0
        width = mode.solver.width
        while done < N_PROBES:
            n = min(width, N_PROBES - done)
            probes = np.zeros((self.posterior.field.size, n))
            probes[block.span] = rng.choice([-1.0, 1.0], size=(block.size, n))
            total += float(np.sum(probes * mode.solver.solve(probes)))
            done += n
        return total / N_PROBES

    def _noise_slopes(self, point: FloatArray, mode: IterativeMode) -> FloatArray:
        """Slopes of the log likelihood at the mode, less those of half the log determinant.

        The latter is the expectation of sum_b (d log D_b) (G v)_b**2 over v from the Gaussian, with
        D_b the information about each log expected total.
        """
        posterior, slopes = self.posterior, np.zeros(len(point))
        rng = stream(self.seed, Purpose.NOISE)
        n_draws = min(N_NOISE_DRAWS, mode.solver.width)
        v = noise(mode, n_draws, rng)
        spread = np.mean(mode.linearised.forward(v) ** 2, axis=1)
        found = posterior.target(point).expectations(mode.x)
        for name in posterior.family.parameters:
            i = posterior.hyper.names.index(name)
            step = _STEP * np.eye(len(point))[i]
            ends = [posterior.target(point + sign * step) for sign in (1.0, -1.0)]
            heights = [float(end.log_likelihood(found)[0]) for end in ends]
            log_roots = [np.log(end.family.information(found.mu, end.noise)[:, 0]) for end in ends]
            half_log_det = 0.5 * float(np.sum((log_roots[0] - log_roots[1]) * spread))
            slopes[i] = (heights[0] - heights[1] - half_log_det) / (2 * _STEP)
        return slopes


def explore_iterative(posterior: Posterior, seed: int) -> HyperDensity:
    """Approximate the marginal posterior of the hyperparameters from its slopes.

    Parameters
    ----------
    posterior : Posterior
        What is approximated.
    seed : int
        Seed of the random signs.

    Returns
    -------
    HyperDensity
        On the transformed scale.
    """
    slope_at = SlopeField(posterior, seed)
    centre, slope, hessian = _climb(slope_at, _start(posterior, seed))
    axes = principal_axes(hessian)
    densities = tuple(_profile(slope_at, centre, axis, slope) for axis in axes.T)
    return HyperDensity(centre, axes, densities)


def _start(posterior: Posterior, seed: int) -> FloatArray:
    """Return the mode by a part of the totals, where that is a small part and told exactly."""
    if posterior.field.edge_design is not None or posterior.field.n_aggregates < 4 * N_PART:
        return posterior.hyper.start
    rng = stream(seed, Purpose.PART)
    rows = np.sort(rng.choice(posterior.field.n_aggregates, N_PART, replace=False))
    field = posterior.field.of_aggregates(rows)
    part = replace(posterior, field=field, effort=Effort(), known=Known())
    return mode_of_surface(part)


def _hessian(slope_at: SlopeField, point: FloatArray, slope: FloatArray) -> FloatArray:
    steps = _HESSIAN_STEP * np.eye(len(point))
    columns = [(slope_at(point + step) - slope) / _HESSIAN_STEP for step in steps]
    hessian = np.array(columns)
    return (hessian + hessian.T) / 2


def _climb(slope_at: SlopeField, point: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the mode, slope and Hessian there: Newton steps, the Hessian kept up to date."""
    slope = slope_at(point)
    hessian = _hessian(slope_at, point, slope)
    for _ in range(_MOST_STEPS):
        axes = principal_axes(hessian)
        step = axes @ (axes.T @ slope)
        if float(slope @ step) < 2e-3:  # a twentieth of a posterior sd
            break
        step *= min(1.0, _LONGEST_STEP / float(np.max(np.abs(step))))
        point = point + step
        after = slope_at(point)
        miss = after - slope - hessian @ step
        hessian = hessian + _symmetric_update(miss, step)
        slope = after
    return point, slope, hessian


def _symmetric_update(miss: FloatArray, step: FloatArray) -> FloatArray:
    """Powell's symmetric update (Nocedal and Wright 2006, Numerical Optimization, chapter 6)."""
    square = float(step @ step)
    outer = np.outer(miss, step)
    return (outer + outer.T) / square - float(miss @ step) * np.outer(step, step) / square**2


def _profile(
    slope_at: SlopeField, centre: FloatArray, axis: FloatArray, slope: FloatArray
) -> AxisDensity:
    """Integrate the slope along an axis; it goes on as a straight line beyond the last points.

    Where parameters hardly move along it, their density is nearly normal, and two points will do.
    """
    is_short = float(np.max(np.abs(axis))) < _SHORT
    z = np.array([-1.0, 0.0, 1.0] if is_short else [-1.0, -0.5, 0.0, 0.5, 1.0]) * _REACH
    slopes = np.array([float(axis @ (slope if d == 0 else slope_at(centre + d * axis))) for d in z])
    left = min((slopes[1] - slopes[0]) / (z[1] - z[0]), 0.0)
    right = min((slopes[-1] - slopes[-2]) / (z[-1] - z[-2]), 0.0)
    inner = np.linspace(-_REACH, _REACH, 17)
    heights = PchipInterpolator(z, slopes).antiderivative()(inner)
    beyond = np.linspace(0.25, _BEYOND - _REACH, 8)
    before = heights[0] - slopes[0] * beyond + left * beyond**2 / 2
    after = heights[-1] + slopes[-1] * beyond + right * beyond**2 / 2
    positions = np.concatenate([-_REACH - beyond[::-1], inner, _REACH + beyond])
    return AxisDensity.through(positions, np.concatenate([before[::-1], heights, after]))
