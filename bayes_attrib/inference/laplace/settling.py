"""Draws of the approximation, moved along short trajectories until they forget where they began.

What the approximation misses (fields that are not normal, and the weight that Laplace's method
gives to large spreads) is mended by Hamiltonian trajectories that leave the posterior as it is.
Many draws move side by side from where the approximation put them, so a few dozen trajectories do;
how much of the start is left is known from the correlation of the draws with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayes_attrib.inference.laplace.conditional import mean_correction, noise_of_precision
from bayes_attrib.inference.laplace.joint import JointDensity, Place
from bayes_attrib.inference.laplace.posterior import Posterior
from bayes_attrib.inference.laplace.trajectories import NormalLaw, Travel, travel
from bayes_attrib.inputs.aggregate_data import FloatArray

FORGOTTEN = 0.2
"""Draws have settled when no quantity correlates more than that with the start."""

_COLUMN_ELEMENTS = 400_000
_FEWEST_COLUMNS = 128
_MOST_WORK = 4e8
"""Elements of field and edges, times columns, times looks at the density: some seconds."""

_PHASE = 5
"""Trajectories after which the law of the hyperparameters is fitted anew."""

_MOST_PHASES = 8
_APART = 3
"""Trajectories from one kept draw of a column to the next; fewer where time runs out."""

_FIRST_STEP = 0.3
_SHORTEST_STEP = 0.02
_LEAST_ACCEPTED = 0.2
_PAIRS = 32
_PROBES = 64


@dataclass(frozen=True, eq=False)
class Settled:
    """Draws after they were moved.

    Attributes
    ----------
    values : mapping of str to ndarray, shape (n_draws,)
        Hyperparameters.
    effects : ndarray, shape (size, n_draws)
        All effects of the field.
    log_density : ndarray, shape (n_draws,)
        Log joint density of the coordinates, but for a constant.
    start_left : float
        Largest correlation of a hyperparameter or an effect above the entities with the start.
    effective : float
        How many independent draws the worst of these is worth.
    accepted : float
        Mean probability of acceptance, once the steps were tuned.
    n_columns, n_trajectories : int
        Columns, and trajectories that each of them went along.
    """

    values: dict[str, FloatArray]
    effects: FloatArray
    log_density: FloatArray
    start_left: float
    effective: float
    accepted: float
    n_columns: int
    n_trajectories: int


def n_columns_for(posterior: Posterior, n_draws: int) -> int:
    """Return how many draws are moved side by side."""
    many = max(_COLUMN_ELEMENTS // _elements(posterior), _FEWEST_COLUMNS)
    return min(many, n_draws)


def _elements(posterior: Posterior) -> int:
    return posterior.field.size + len(posterior.field.exposure.data)


def settle(
    posterior: Posterior,
    x: FloatArray,
    points: FloatArray,
    n_draws: int,
    rng: np.random.Generator,
) -> Settled | None:
    """Move draws until they have settled, and then draw.

    Parameters
    ----------
    posterior : Posterior
        What is drawn from.
    x : ndarray, shape (size, n_columns)
        Standard normals to begin with.
    points : ndarray, shape (n_hyperparameters, n_columns)
        Hyperparameters to begin with, on the transformed scale.
    n_draws : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Settled or None
        None where steps would have to be so short that trajectories lead nowhere in the time given.
    """
    density, law, place = _begin(posterior, x, points, rng)
    start, n_columns = _watched(density, place), x.shape[1]
    most_looks = _MOST_WORK / (_elements(posterior) * n_columns)
    n_keep = -(-n_draws // n_columns)
    now, n_trajectories = Travel(_FIRST_STEP), 0
    for _ in range(_MOST_PHASES):
        for _ in range(_PHASE):
            place, now = travel(density, law, place, now, rng, tune=True)
            n_trajectories += 1
        law = law.fitted_to(place.t)
        left = _most_correlated(start, _watched(density, place))
        per_trajectory = 2.0 / now.step
        rest = (most_looks - now.looks) / per_trajectory
        if left < FORGOTTEN or now.step < _SHORTEST_STEP or rest < n_keep + 2 * _PHASE:
            break
    if now.step < _SHORTEST_STEP or now.accepted < _LEAST_ACCEPTED:
        return None
    place, now = travel(density, law, place, now, rng, tune=True)
    apart = int(min(max(rest // n_keep, 1), _APART))
    kept, watched, accepted = [], [], []
    for _ in range(n_keep):
        for _ in range(apart):
            place, now = travel(density, law, place, now, rng, tune=False)
            accepted.append(now.accepted)
        kept.append(place)
        watched.append(_watched(density, place))
    t = np.hstack([p.t for p in kept])[:, :n_draws]
    return Settled(
        density.values(t),
        np.hstack([density.effects(p.u, p.t) for p in kept])[:, :n_draws],
        np.concatenate([p.height for p in kept])[:n_draws],
        _most_correlated(start, watched[0]),
        _effective(np.stack(watched)),
        float(np.mean(accepted)),
        n_columns,
        n_trajectories + 1 + apart * n_keep,
    )


def _begin(
    posterior: Posterior, x: FloatArray, points: FloatArray, rng: np.random.Generator
) -> tuple[JointDensity, NormalLaw, Place]:
    centre = points.mean(axis=1)
    mode = posterior.exact_mode(centre)
    v, _ = noise_of_precision(mode, _PROBES, rng)
    told = [1.0 - float(np.mean(v[block.span] ** 2)) for block in posterior.field.blocks]
    density = JointDensity(posterior, centre, told)
    mean = mode.x + mean_correction(posterior.target(centre), mode, _PAIRS, rng)
    place = density(*density.coordinates(x, points))
    law = NormalLaw(mode, mean, np.zeros((len(points), 1)), np.eye(len(points)))
    return density, law.fitted_to(place.t), place


def _watched(density: JointDensity, place: Place) -> FloatArray:
    """Return the quantities that settle last: hyperparameters, and effects above the entities."""
    effects = density.effects(place.u, place.t)[: density.field.n_coarse]
    return np.vstack([*density.values(place.t).values(), effects])


def _most_correlated(first: FloatArray, second: FloatArray) -> float:
    a, b = (v - v.mean(axis=1, keepdims=True) for v in (first, second))
    scale = np.sqrt(np.sum(a**2, axis=1) * np.sum(b**2, axis=1))
    return float(np.max(np.sum(a * b, axis=1) / np.where(scale > 0, scale, 1.0)))


def _effective(watched: FloatArray) -> float:
    """Return the effective number of draws, from the variance of the columns' means.

    Parameters
    ----------
    watched : ndarray, shape (n_keep, n_quantities, n_columns)
    """
    n_keep, _, n_columns = watched.shape
    total = watched.var(axis=(0, 2))
    of_means = watched.mean(axis=0).var(axis=1)
    ratio = np.min(total / np.where(of_means > 0, of_means, np.inf), initial=n_keep)
    return float(n_columns * min(ratio, n_keep))


def tempered(log_weights: FloatArray, least: float) -> FloatArray:
    """Return log weights times the largest number up to 1 that leaves enough draws in effect.

    Parameters
    ----------
    log_weights : ndarray, shape (n_draws,)
    least : float
        Effective fraction of the draws.

    Returns
    -------
    ndarray, shape (n_draws,)
        Normalised.
    """
    for power in _powers():
        chosen = power * log_weights
        weights = np.exp(chosen - chosen.max())
        weights /= weights.sum()
        if 1.0 / float(np.sum(weights**2)) >= least * len(weights):
            break
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(weights))


def _powers() -> Iterator[float]:
    yield 1.0
    for i in range(40):
        yield 0.8 ** (i + 1)
    yield 0.0
