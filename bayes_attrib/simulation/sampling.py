"""Weighted sampling without replacement, for very many small samples at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


def sample_distinct(
    sizes: IntArray, weights: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Draw, for each of many owners, a set of distinct items by successive sampling.

    Successive sampling draws one item after the other, each with probability proportional to its
    weight among the items that are not in the set yet; it is the law of
    ``Generator.choice(..., replace=False, p=...)``. Here it is carried out exactly by rejection:
    items are drawn with replacement, and repetitions are drawn again. The distinct values of an
    i.i.d. sequence, in order of first occurrence, follow successive sampling; and since no round
    draws more than an owner still lacks, no value beyond the wanted ones is ever looked at.

    Parameters
    ----------
    sizes : ndarray of int, shape (n_owners,)
        How many distinct items each owner gets, at most ``len(weights)``.
    weights : ndarray of float, shape (n_items,)
        Popularity of the items, positive.
    rng : Generator
        Source of randomness.

    Returns
    -------
    owner, item : ndarray of int, shape (sum of sizes,)
        The pairs, sorted by owner and then by item.

    Raises
    ------
    ValueError
        If an owner is to get more items than there are, or a weight is not positive.
    """
    n_items = len(weights)
    if sizes.size and not 0 <= sizes.min() <= sizes.max() <= n_items:
        raise ValueError(f"sizes must lie in 0..{n_items}, the number of items; got {sizes!r}")
    if not np.all(np.isfinite(weights) & (weights > 0)):
        raise ValueError(f"weights must be positive and finite; got {weights!r}")
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]
    owners = np.arange(len(sizes))
    wanted = np.asarray(sizes, dtype=np.int64)
    lacking = wanted
    complete = [np.empty(0, dtype=np.int64)]  # pairs as owner * n_items + item
    begun = complete[0]  # pairs of the owners that still lack some
    while lacking.any():
        item = np.searchsorted(cumulative, rng.random(int(lacking.sum())), side="right")
        begun = np.unique(np.concatenate([begun, np.repeat(owners, lacking) * n_items + item]))
        got = np.bincount(begun // n_items, minlength=len(owners))
        lacking = np.where(lacking > 0, wanted - got, 0)
        is_done = lacking[begun // n_items] == 0
        complete.append(begun[is_done])
        begun = begun[~is_done]
    pairs = np.sort(np.concatenate(complete))
    return pairs // n_items, pairs % n_items
