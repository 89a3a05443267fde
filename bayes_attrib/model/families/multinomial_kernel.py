"""Multinomial amounts of very many cells, by a compiled pass that is twice as fast.

The law is that of :func:`~bayes_attrib.model.families.splits.multinomial_amounts`: the amount of an
edge given those before it is binomial, with what is left of the total and of the weights
(Devroye 1986, Non-Uniform Random Variate Generation, chapter XI.1.4). Binomial amounts of small
mean are found by inversion, which sums probabilities from zero (chapter X.4.3); others are drawn
by NumPy's own algorithm. Compiling takes two seconds, and the numbers for a seed are others than
NumPy's, so it is for runs in which that is nothing beside the rest.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray

LARGEST_MEAN: Final = 30.0
"""Mean up to which a binomial amount is found by inversion: so many steps on average."""

_MOST_STEPS: Final = 400
"""Steps of an inversion; with such means the probability of more is below the smallest double."""


def draw_multinomial(
    totals: FloatArray,
    indptr: npt.NDArray[np.integer[Any]],
    weights: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Split whole totals by a multinomial law.

    Parameters
    ----------
    totals : ndarray, shape (n_aggregates,)
        Whole totals, not negative.
    indptr : ndarray of int, shape (n_aggregates + 1,)
        Row pointers; no aggregate is empty.
    weights : ndarray, shape (n_edges, n_draws)
        Not negative; probabilities are in proportion to them within each aggregate and draw.
    rng : numpy.random.Generator
        Consumed in the order of aggregates, draws and edges.

    Returns
    -------
    ndarray, shape (n_edges, n_draws)
        Whole amounts as floats; they sum to the totals exactly.
    """
    amounts = np.zeros_like(weights)
    inverse = 1.0 / np.arange(1, _MOST_STEPS + 1)
    _fill(rng, totals.astype(np.int64), indptr.astype(np.int64), weights, inverse, amounts)
    return amounts


@numba.njit(nogil=True)
def _fill(  # noqa: PLR0917 - compiled functions take positions
    rng: np.random.Generator,
    totals: IntArray,
    indptr: IntArray,
    weights: FloatArray,
    inverse: FloatArray,
    amounts: FloatArray,
) -> None:
    """Fill in the amounts of all aggregates and draws."""
    for b in range(len(totals)):
        if totals[b] == 0:
            continue
        first, last = indptr[b], indptr[b + 1] - 1
        for draw in range(weights.shape[1]):
            rest = 0.0
            for edge in range(first, last + 1):
                rest += weights[edge, draw]
            left = totals[b]
            for edge in range(first, last):
                amount = _binomial(rng, left, weights[edge, draw] / rest, inverse)
                amounts[edge, draw] = amount
                left -= amount
                if left == 0:
                    break
                rest -= weights[edge, draw]
            if left > 0:
                amounts[last, draw] = left


@numba.njit(nogil=True)
def _binomial(rng: np.random.Generator, n: int, p: float, inverse: FloatArray) -> int:
    """Draw a binomial number; ``p`` may be above one by rounding."""
    if not p < 1.0:
        return n
    if n * p > LARGEST_MEAN:
        return rng.binomial(n, p)
    is_likely = p > 0.5  # then those that fail are fewer, and no power of 1 - p vanishes
    rare = 1.0 - p if is_likely else p
    most = min(n, len(inverse))
    odds, mass, level, x = rare / (1.0 - rare), (1.0 - rare) ** n, rng.random(), 0
    while level > mass and x < most:
        level -= mass
        mass *= (n - x) * odds * inverse[x]
        x += 1
    return n - x if is_likely else x
