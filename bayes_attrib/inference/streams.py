"""Streams of random numbers of methods: apart from each other and from all else in a run.

A seed in a list will not do: NumPy takes ``[seed, 1]`` and ``[seed, 1, 0]`` for the same, so a
stream that is numbered from zero would be the one that allocates amounts.
"""

from __future__ import annotations

import numpy as np


def stream_of(seed: int, method: int, purpose: int, number: int) -> np.random.Generator:
    """Return a source of randomness.

    Parameters
    ----------
    seed : int
        Seed of the fit.
    method : int
        First part of the key, of which each method has its own; chains of a sampler have keys of
        one part.
    purpose : int
        What it is for.
    number : int
        Which of several for the same purpose.

    Returns
    -------
    numpy.random.Generator
        The same for the same arguments, and independent of all others.
    """
    key = (method, purpose, number)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
