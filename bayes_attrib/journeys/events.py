"""Touches and conversions as arrays: keys as positions in lists, times as whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray

CodeArray = npt.NDArray[np.int32]

TICKS_PER_DAY: Final = 86_400_000_000
"""Microseconds of a day: the unit in which times are counted, from 1970-01-01 on."""


@dataclass(frozen=True, eq=False)
class Touches:
    """What customers touched, in any order.

    Attributes
    ----------
    customer, touchpoint : ndarray of int32, shape (n_touches,)
        Positions in the lists of names.
    time : ndarray of int64, shape (n_touches,)
        Microseconds since 1970-01-01.
    geo : ndarray of int32, shape (n_touches,), or None
        Position in the list of geos.
    """

    customer: CodeArray
    time: IntArray
    touchpoint: CodeArray
    geo: CodeArray | None = None

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Conversions:
    """Conversions, in any order.

    Attributes
    ----------
    customer : ndarray of int32, shape (n_conversions,)
        Positions in the list of customers.
    time : ndarray of int64, shape (n_conversions,)
        Microseconds since 1970-01-01.
    value : ndarray of float, shape (n_conversions,), or None
        What each is worth, not negative; None where that is not known.
    geo : ndarray of int32, shape (n_conversions,), or None
        Position in the list of geos.
    """

    customer: CodeArray
    time: IntArray
    value: FloatArray | None = None
    geo: CodeArray | None = None

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Events:
    """Touches and conversions of the same customers.

    Attributes
    ----------
    touchpoints : tuple of str
        Names of the touchpoints, in ascending order.
    n_customers : int
        How many customers occur in either table.
    touches : Touches
        All touches.
    conversions : Conversions
        All conversions.
    geos : tuple of str
        Names of the geos; empty without any.
    groups : mapping of str to tuple of str
        For each grouping column, the group of every touchpoint.
    """

    touchpoints: tuple[str, ...]
    n_customers: int
    touches: Touches
    conversions: Conversions
    geos: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] | None = None
