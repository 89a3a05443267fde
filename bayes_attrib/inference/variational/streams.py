"""Streams of random numbers of variational fits, apart from each other and from all else."""

from __future__ import annotations

from enum import IntEnum, unique

import numpy as np

_METHOD = 0xAD71
"""First part of every key; other methods have keys of other beginnings."""


@unique
class Purpose(IntEnum):
    """What a stream is for."""

    SEARCH = 0
    SETTLING = 1
    DRAWS = 2
    PATHS = 3


def stream(seed: int, purpose: Purpose, number: int = 0) -> np.random.Generator:
    """Return a source of randomness.

    Parameters
    ----------
    seed : int
        Seed of the fit.
    purpose : Purpose
        What it is for.
    number : int
        Which of several for the same purpose.

    Returns
    -------
    numpy.random.Generator
        The same for the same arguments, and independent of all others.
    """
    key = (_METHOD, purpose, number)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
