"""Decisions from Monte-Carlo tests that are the same on every run and rarely wrong.

A test is made with a fixed seed; on failure it is made once more with another fixed seed and four
times the size, and that decides. For a test at level ``LEVEL`` the false-alarm rate, over the
choice of seeds, is ``LEVEL**2``, while a real fault shows in both stages.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LEVEL = 1e-3
"""Level of a single stage; every p-value that is passed in is of a whole family of comparisons."""

SECOND_STAGE = 4
"""How many times larger the second stage is."""


PValue = Callable[[np.random.Generator, int], float]
"""Takes a random generator and a sample size, returns a p-value."""


def is_rejected_at_once(p_value: PValue, *, size: int, seed: int) -> bool:
    """Whether the first stage rejects: what a sabotaged subject must bring about."""
    return p_value(np.random.default_rng([seed, 1]), size) < LEVEL


def is_accepted(p_value: PValue, *, size: int, seed: int) -> bool:
    """Decide on a null hypothesis in at most two stages.

    Parameters
    ----------
    p_value : callable
        Takes a random generator and a sample size, returns a p-value.
    size : int
        Sample size of the first stage.
    seed : int
        Both stages draw from streams of this seed.

    Returns
    -------
    bool
        Whether the null hypothesis stands.
    """
    if not is_rejected_at_once(p_value, size=size, seed=seed):
        return True
    return p_value(np.random.default_rng([seed, 2]), SECOND_STAGE * size) >= LEVEL


def smallest(p_values) -> float:
    """Bonferroni's p-value of a family of comparisons."""
    p_values = np.atleast_1d(np.asarray(p_values, dtype=float))
    return float(min(1.0, p_values.size * p_values.min()))
