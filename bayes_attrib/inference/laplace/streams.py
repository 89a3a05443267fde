"""What an approximation draws random numbers for."""

from __future__ import annotations

from enum import IntEnum, unique

import numpy as np

from bayes_attrib.inference.streams import stream_of

_METHOD = 0x1A91ACE


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
    """Return the source of randomness for a purpose; ``number`` tells several apart."""
    return stream_of(seed, _METHOD, purpose, number)
