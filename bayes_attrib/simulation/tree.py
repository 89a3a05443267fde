"""Random trees, level by level, and names for their nodes that repeat under different parents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

IntArray = npt.NDArray[np.int64]


def draw_parents(n_parents: int, n_children: int, rng: np.random.Generator) -> IntArray:
    """Give every child a parent, so that families differ much in size.

    Each parent has a child; the others are spread multinomially with Dirichlet weights of
    concentration 3. One parent of several gets no second child, so that single children occur in
    every tree.

    Parameters
    ----------
    n_parents : int
        Number of parents, at least 1.
    n_children : int
        Number of children; more than parents, or all children were single.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of int, shape (n_children,)
        Parent of each child, in ascending order.

    Raises
    ------
    ValueError
        If there are not more children than parents.
    """
    if not 1 <= n_parents < n_children:
        raise ValueError(f"{n_children} children cannot give {n_parents} parents unequal families")
    weights = rng.standard_gamma(3.0, size=n_parents)
    if n_parents > 1:
        weights[rng.integers(n_parents)] = 0.0
    further = rng.multinomial(n_children - n_parents, weights / weights.sum())
    return np.repeat(np.arange(n_parents), 1 + further)


def name_children(
    parents: IntArray, pool: Sequence[str], rng: np.random.Generator
) -> pd.Index[str]:
    """Name the children of every parent from one pool, in an order of the parent's own.

    Parameters
    ----------
    parents : ndarray of int, shape (n_children,)
        Parent of each child, from 0 up, in ascending order.
    pool : sequence of str
        Names; the children of a large family get them again with a number.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Index of str, shape (n_children,)
        Names that are unique among siblings and repeat under different parents.
    """
    found = []
    for n_children in np.bincount(parents):
        order = rng.permutation(len(pool))
        for child in range(n_children):
            again, place = divmod(child, len(pool))
            name = pool[order[place]]
            found.append(f"{name} {again + 1}" if again else name)
    return pd.Index(found, dtype="str")
