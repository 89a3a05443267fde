"""Streams of random numbers of an approximation: apart from each other and from all else in a run.

A seed in a list will not do: NumPy takes ``[seed, 1]`` and ``[seed, 1, 0]`` for the same, so a
stream that is numbered from zero would be the one that allocates amounts.
"""

from __future__ import annotations

from enum import IntEnum, unique

import numpy as np

_METHOD = 0x1A91ACE
"""First part of every key; chains of a sampler have keys of one part."""


@unique
class Purpose(IntEnum):
    """What a stream is for."""

    POINTS = 0
    CORRECTION = 1
    DRAWS = 2
    RESAMPLING = 3
    PART = 4
    PROBES = 5
    NOISE = 6
    TRAVEL = 7


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
