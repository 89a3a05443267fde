"""What a variational fit draws random numbers for."""

from __future__ import annotations

from enum import IntEnum, unique

import numpy as np

from bayes_attrib.inference.streams import stream_of

_METHOD = 0xAD71


@unique
class Purpose(IntEnum):
    """What a stream is for."""

    SEARCH = 0
    SETTLING = 1
    DRAWS = 2
    PATHS = 3


def stream(seed: int, purpose: Purpose, number: int = 0) -> np.random.Generator:
    """Return the source of randomness for a purpose; ``number`` tells several apart."""
    return stream_of(seed, _METHOD, purpose, number)
