"""Independent lognormal amounts given their sum.

Write z_e = mu_e exp(sigma eps_e - sigma**2 / 2), eps_e standard normal. Rescaling independent draws
to the total is not their law given the sum: a total above its expectation is more likely due to
the entities that can carry it. What is drawn here is the law itself, by a Markov chain that keeps
to the amounts with that sum and leaves their law as it is. Each round makes two kinds of moves.

Global: choose a direction v, |v| = 1, and draw eps orthogonal to it; one step tau along v brings
the sum to the total (v has no negative element, so the sum grows with tau). By the change of
variables from (eps, tau) to (eps, log sum), such a point has the density of the law given the sum
up to the weight

    w = phi(tau) / (d log sum / d tau),        phi the standard normal density,

so it is accepted with probability min(1, w_new / w_old) (an independence chain; Tierney 1994,
Annals of Statistics 22). With v along the gradient of the sum at the mode, w hardly varies as long
as the law is close to normal around that mode.

Pairs: amounts are paired by lot, and each pair splits its sum anew. In x = log(z_i / z_j) the
density of the split is that of the two eps alone. A random walk in x settles the details; the swap
x -> log(mu_i / mu_j) - x moves between modes, which there are when one amount must have been large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model.families.cells import Cells, shares_of

N_ROUNDS = 20
"""Rounds of the chain; docs/families.md has the error that is left."""

_PAIR_SWEEPS = 2
_WALK = 2.0
_MODE_STEPS = 5
_NEWTON_STEPS = 60
_TOLERANCE = 1e-6
_FLOOR = 0.1


def draw_lognormal_shares(
    cells: Cells, sigma: FloatArray, rng: np.random.Generator, n_rounds: int = N_ROUNDS
) -> FloatArray:
    """Draw shares of independent lognormal amounts given their sum.

    Parameters
    ----------
    cells : Cells
        Totals, and expected amounts.
    sigma : ndarray, shape (n_draws,)
        Sd of the logarithm of an amount.
    rng : numpy.random.Generator
        Source of randomness.
    n_rounds : int
        Rounds of the chain.

    Returns
    -------
    ndarray, shape (n_edges, n_draws)
        Shares that sum to one within each aggregate; those of a zero total mean nothing.
    """
    totals = cells.totals_by_draw
    positive = np.where(totals > 0, totals, 1.0)
    law = _Law(
        cells.indptr,
        np.broadcast_to(sigma, cells.mu.shape[1:]),
        np.log(cells.mu) - sigma**2 / 2,
        np.log(positive),
    )
    ridge = _find_ridge(law, cells.shares)
    log_amount = _propose(law, ridge, rng)
    for _ in range(n_rounds):
        log_amount = _global_move(law, ridge, log_amount, rng)
        for _ in range(_PAIR_SWEEPS):
            log_amount = _pair_move(law, log_amount, rng)
    return shares_of(cells.indptr, np.exp(log_amount - law.spread(law.log_total)))


@dataclass(frozen=True, eq=False)
class _Law:
    """Independent lognormal amounts and what they sum to, in every draw.

    Arrays have shape (n_edges, n_draws), (n_aggregates, n_draws) for sums, and broadcast.
    """

    indptr: npt.NDArray[np.integer[Any]]
    sigma: FloatArray
    log_median: FloatArray
    log_total: FloatArray

    def sums(self, values: FloatArray) -> FloatArray:
        return np.add.reduceat(values, self.indptr[:-1], axis=0)

    def spread[T: np.generic](self, values: npt.NDArray[T]) -> npt.NDArray[T]:
        return np.repeat(values, np.diff(self.indptr), axis=0)

    def shares(self, log_amount: FloatArray) -> FloatArray:
        return np.exp(log_amount - self.spread(self.log_total))


@dataclass(frozen=True, eq=False)
class _Ridge:
    """A direction in the space of noise, and how far along it the sum is the total."""

    direction: FloatArray
    tau: FloatArray


def _find_ridge(law: _Law, shares: FloatArray) -> _Ridge:
    """Find the likeliest noise, which lies along the gradient of the sum at itself.

    The floor keeps the direction away from zero, where a step along it would move nothing.
    """
    n_edges = np.diff(law.indptr)
    floor = np.repeat(_FLOOR / n_edges, n_edges)[:, np.newaxis]
    tau = np.zeros_like(law.sums(shares))
    for _ in range(_MODE_STEPS):
        raised = shares + floor
        ridge = _Ridge(raised / law.spread(np.sqrt(law.sums(raised**2))), tau)
        tau, log_amount = _solve(law, ridge, np.zeros_like(shares))
        shares = law.shares(log_amount)
    return _Ridge(ridge.direction, tau)


def _solve(law: _Law, ridge: _Ridge, noise: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Find tau at which the sum is the total; return it with the logarithm of all amounts.

    Newton's method on log sum, which is convex and increasing in tau.
    """
    tau, start = ridge.tau, law.log_median + law.sigma * noise
    reach = law.sigma * ridge.direction
    for _ in range(_NEWTON_STEPS):
        log_amount = start + law.spread(tau) * reach
        largest = np.maximum.reduceat(log_amount, law.indptr[:-1], axis=0)
        scaled = np.exp(log_amount - law.spread(largest))
        total = law.sums(scaled)
        miss = np.log(total) + largest - law.log_total
        if np.max(np.abs(miss)) < _TOLERANCE:
            break
        tau = tau - miss * total / law.sums(scaled * reach)
    return tau, log_amount - law.spread(miss)


def _propose(law: _Law, ridge: _Ridge, rng: np.random.Generator) -> FloatArray:
    noise = rng.standard_normal(ridge.direction.shape)
    noise -= law.spread(law.sums(noise * ridge.direction)) * ridge.direction
    return _solve(law, ridge, noise)[1]


def _log_weight(law: _Law, ridge: _Ridge, log_amount: FloatArray) -> FloatArray:
    noise = (log_amount - law.log_median) / law.sigma
    tau = law.sums(noise * ridge.direction)
    return -0.5 * tau**2 - np.log(law.sums(law.shares(log_amount) * ridge.direction))


def _global_move(
    law: _Law, ridge: _Ridge, log_amount: FloatArray, rng: np.random.Generator
) -> FloatArray:
    proposed = _propose(law, ridge, rng)
    gain = _log_weight(law, ridge, proposed) - _log_weight(law, ridge, log_amount)
    accepted = -rng.standard_exponential(gain.shape) < gain
    return np.where(law.spread(accepted), proposed, log_amount)


def _pair_move(law: _Law, log_amount: FloatArray, rng: np.random.Generator) -> FloatArray:
    i, j = _pairs(law.indptr, rng)
    medians = law.log_median[i], law.log_median[j]
    log_sum = np.logaddexp(log_amount[i], log_amount[j])
    ratio = log_amount[i] - log_amount[j]

    def split(ratio: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        one = log_sum - np.logaddexp(0.0, -ratio)
        other = one - ratio
        squares = (one - medians[0]) ** 2 + (other - medians[1]) ** 2
        return one, other, -0.5 * squares / law.sigma**2

    one, other, log_density = split(ratio)
    walk = _WALK * law.sigma * rng.standard_normal(ratio.shape)
    for swap in (False, True):
        proposed = medians[0] - medians[1] - ratio if swap else ratio + walk
        new_one, new_other, new_density = split(proposed)
        accepted = -rng.standard_exponential(ratio.shape) < new_density - log_density
        one, other = np.where(accepted, new_one, one), np.where(accepted, new_other, other)
        log_density, ratio = np.where(accepted, new_density, log_density), one - other
    moved = log_amount.copy()
    moved[i], moved[j] = one, other
    return moved


def _pairs(
    indptr: npt.NDArray[np.integer[Any]], rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pair the edges of each aggregate by lot; of an odd number one stays alone."""
    n_edges = np.diff(indptr)
    aggregate = np.repeat(np.arange(len(n_edges)), n_edges)
    order = np.lexsort((rng.random(len(aggregate)), aggregate))
    place = np.arange(len(aggregate)) - np.repeat(indptr[:-1], n_edges)
    first = np.flatnonzero((place % 2 == 0) & (place + 1 < np.repeat(n_edges, n_edges)))
    return order[first], order[first + 1]
