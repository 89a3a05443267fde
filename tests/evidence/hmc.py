"""Hamiltonian Monte Carlo in NumPy (Neal 2011, Handbook of MCMC, chapter 5), for second opinions.

All chains advance together, as rows of one array. The step size is tuned by dual averaging
(Hoffman and Gelman 2014), the diagonal mass matrix from the chains of the warm-up; the number of
leapfrog steps is drawn anew in every iteration, so that no period is resonant.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Target = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Takes positions (n_chains, n), returns log densities (n_chains,) and gradients (n_chains, n)."""

PATH = 5.0
"""Longest path of a trajectory, in posterior standard deviations; the shortest is one step."""

ACCEPTANCE = 0.75


def draw(target: Target, start: np.ndarray, *, tune: int, draws: int, rng: np.random.Generator):
    """Draw from a density, after tuning.

    Returns
    -------
    ndarray, shape (n_chains, draws, n)
        Positions.
    """
    position, scale, step = start, np.ones(start.shape[1]), 0.1
    for length in (tune // 6, tune // 3, tune - tune // 6 - tune // 3):
        visited, step = _run(target, position, scale, step, length, rng, adapt=True)
        position = visited[:, -1]
        scale = visited[:, length // 3 :].std(axis=1).mean(axis=0)
    _, step = _run(target, position, scale, step, tune // 6, rng, adapt=True)
    return _run(target, position, scale, step, draws, rng, adapt=False)[0]


def _run(target, position, scale, step, length, rng, *, adapt):
    visited = np.empty((length, *position.shape))
    state = (position, *target(position))
    tuner = _StepSize(step)
    for i in range(length):
        used = tuner.step if adapt else step
        n_steps = int(rng.integers(1, max(2, int(PATH / used)) + 1))
        state, acceptance = _transition(target, state, scale, used, n_steps, rng)
        tuner.update(float(acceptance.mean()))
        visited[i] = state[0]
    return np.moveaxis(visited, 0, 1), tuner.averaged if adapt else step


def _transition(target, state, scale, step, n_steps, rng):
    position, log_density, gradient = state
    momentum = rng.standard_normal(position.shape)
    q, p, logp, g = position, momentum, log_density, gradient
    with np.errstate(all="ignore"):  # diverging trajectories are rejected
        for _ in range(n_steps):
            p = p + step / 2 * scale * g
            q = q + step * scale * p
            logp, g = target(q)
            p = p + step / 2 * scale * g
        change = logp - log_density - ((p**2).sum(axis=1) - (momentum**2).sum(axis=1)) / 2
    acceptance = np.exp(np.minimum(0.0, np.nan_to_num(change, nan=-np.inf)))
    moved = rng.random(len(q)) < acceptance
    chosen = np.where(moved[:, np.newaxis], q, position)
    slope = np.where(moved[:, np.newaxis], g, gradient)
    return (chosen, np.where(moved, logp, log_density), slope), acceptance


class _StepSize:
    """Dual averaging with the constants of Hoffman and Gelman."""

    def __init__(self, step: float):
        self.step = self.averaged = step
        self._anchor, self._error, self._n = np.log(10 * step), 0.0, 0

    def update(self, acceptance: float) -> None:
        self._n += 1
        weight = 1 / (self._n + 10)
        self._error = (1 - weight) * self._error + weight * (ACCEPTANCE - acceptance)
        log_step = self._anchor - np.sqrt(self._n) / 0.05 * self._error
        forget = self._n**-0.75
        average = forget * log_step + (1 - forget) * np.log(self.averaged)
        self.step, self.averaged = float(np.exp(log_step)), float(np.exp(average))
