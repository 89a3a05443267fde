"""Shapley values of touchpoints, in two games that are easily taken for one another.

``total``: a coalition is worth the outcome of the journeys all of whose touchpoints belong to it.
A journey then adds to every coalition that holds its set, so its outcome is shared evenly by its
distinct touchpoints: exact for any number of them (Zhao, Mahboobi and Bagheri 2018,
arXiv:1804.05327). ``rate``: a coalition is worth the outcome *per journey*, null journeys among
them, of the same journeys. That has no short form; up to 12 touchpoints all coalitions are valued,
beyond, orders of touchpoints are drawn (Castro, Gomez and Tejada 2009, Computers & Operations
Research 36, 1726-1730), each beside its reverse.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.journeys.coalitions import Coalitions

MOST_EXACT: Final = 12
"""Largest number of touchpoints for which all coalitions are valued."""


@dataclass(frozen=True, eq=False)
class ShapleyValues:
    """Shapley values, in the unit of the worth of a coalition.

    Attributes
    ----------
    values : ndarray of float, shape (n_touchpoints, n_outcomes)
        They add up to the worth of all touchpoints together.
    standard_errors : ndarray of float, shape (n_touchpoints, n_outcomes), or None
        Of sampling orders; None where nothing was sampled.
    """

    values: FloatArray
    standard_errors: FloatArray | None = None


def shapley_of_totals(coalitions: Coalitions) -> ShapleyValues:
    """Share the outcome of every set evenly among its members.

    Parameters
    ----------
    coalitions : Coalitions
        Sets of touchpoints.

    Returns
    -------
    ShapleyValues
        Exact, whatever the number of touchpoints.
    """
    each = np.repeat(
        coalitions.outcomes / coalitions.sizes[:, np.newaxis], coalitions.sizes, axis=0
    )
    columns = [
        np.bincount(coalitions.members, weights=column, minlength=coalitions.n_touchpoints)
        for column in each.T
    ]
    return ShapleyValues(np.column_stack(columns))


def shapley_of_rates(coalitions: Coalitions, permutations: int, seed: int) -> ShapleyValues:
    """Value coalitions by their outcome per journey, and touchpoints by what they add to it.

    Parameters
    ----------
    coalitions : Coalitions
        Sets of touchpoints.
    permutations : int
        Beyond :data:`MOST_EXACT` touchpoints: number of orders that are drawn, even.
    seed : int
        Seed of these orders.

    Returns
    -------
    ShapleyValues
        A coalition in which no journey lies is worth nothing.
    """
    if coalitions.n_touchpoints <= MOST_EXACT:
        return ShapleyValues(exact_shapley(coalition_rates(coalitions)))
    return _sampled(coalitions, permutations, seed)


def coalition_rates(coalitions: Coalitions) -> FloatArray:
    """Return the outcome per journey of every coalition, by the bits of its members.

    Parameters
    ----------
    coalitions : Coalitions
        Sets of at most :data:`MOST_EXACT` touchpoints.

    Returns
    -------
    ndarray of float, shape (2 ** n_touchpoints, n_outcomes)
        Sums over all subsets (Yates' method), outcomes over journeys.
    """
    n_points = coalitions.n_touchpoints
    mask = np.bitwise_or.reduceat(1 << coalitions.members, coalitions.starts[:-1])
    sums = np.zeros((2**n_points, 1 + coalitions.outcomes.shape[1]))
    np.add.at(sums, mask, np.column_stack([coalitions.journeys, coalitions.outcomes]))
    for point in range(n_points):
        halves = sums.reshape(-1, 2, 2**point, sums.shape[1])
        halves[:, 1] += halves[:, 0]
    return _ratio(sums[:, 1:], sums[:, :1])


def exact_shapley(worth: FloatArray) -> FloatArray:
    """Return the Shapley values of a game by its definition (Shapley 1953).

    Parameters
    ----------
    worth : ndarray of float, shape (2 ** n, n_outcomes)
        Worth of every coalition, by the bits of its members; that of none is 0.

    Returns
    -------
    ndarray of float, shape (n, n_outcomes)
        Mean of what each member adds, over all orders in which they may join.
    """
    n = len(worth).bit_length() - 1
    coalition = np.arange(len(worth))
    size = np.bitwise_count(coalition)
    weight = np.array([1.0 / (n * comb(n - 1, s)) for s in range(n)])
    values = np.empty((n, worth.shape[1]))
    for member in range(n):
        without = coalition[(coalition >> member) & 1 == 0]
        added = worth[without | (1 << member)] - worth[without]
        values[member] = weight[size[without]] @ added
    return values


def _sampled(coalitions: Coalitions, permutations: int, seed: int) -> ShapleyValues:
    generator = np.random.Generator(np.random.PCG64(seed))
    n_points, n_outcomes = coalitions.n_touchpoints, coalitions.outcomes.shape[1]
    n_pairs = permutations // 2
    total, squares = np.zeros((n_points, n_outcomes)), np.zeros((n_points, n_outcomes))
    for _ in range(n_pairs):
        order = generator.permutation(n_points)
        pair = 0.5 * (_added(coalitions, order) + _added(coalitions, order[::-1]))
        total += pair
        squares += pair**2
    mean = total / n_pairs
    variance = np.maximum(squares / n_pairs - mean**2, 0.0) * n_pairs / (n_pairs - 1)
    return ShapleyValues(mean, np.sqrt(variance / n_pairs))


def _added(coalitions: Coalitions, order: IntArray) -> FloatArray:
    """Return what each touchpoint adds when all join in one order, shape (n, n_outcomes)."""
    n_points = coalitions.n_touchpoints
    rank = np.empty(n_points, dtype=np.int64)
    rank[order] = np.arange(n_points)
    complete = np.maximum.reduceat(rank[coalitions.members], coalitions.starts[:-1])
    columns = [coalitions.journeys, *coalitions.outcomes.T]
    sums = np.empty((n_points, len(columns)))
    for position, column in enumerate(columns):
        sums[:, position] = np.cumsum(np.bincount(complete, weights=column, minlength=n_points))
    worth = _ratio(sums[:, 1:], sums[:, :1])
    added = np.empty_like(worth)
    added[order] = np.diff(worth, axis=0, prepend=0.0)
    return added


def _ratio(outcome: FloatArray, journeys: FloatArray) -> FloatArray:
    return outcome / np.where(journeys > 0, journeys, 1.0)
