"""Sets of touchpoints that occur in journeys, each with what its journeys yielded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.journeys.build import Journeys

_BITS = 62


@dataclass(frozen=True, eq=False)
class Coalitions:
    """Distinct sets of touchpoints, one after the other.

    Attributes
    ----------
    n_touchpoints : int
        How many touchpoints there are.
    members : ndarray of int, shape (n_members,)
        Touchpoints of each set, in ascending order.
    starts : ndarray of int, shape (n_sets + 1,)
        Where each set begins among the members.
    journeys : ndarray of float, shape (n_sets,)
        Number of journeys with exactly this set; several conversions at one time count as several.
    outcomes : ndarray of float, shape (n_sets, n_outcomes)
        Sums of outcomes over these journeys.
    """

    n_touchpoints: int
    members: IntArray
    starts: IntArray
    journeys: FloatArray
    outcomes: FloatArray

    @property
    def sizes(self) -> IntArray:
        """Number of members of every set, shape (n_sets,)."""
        return np.diff(self.starts)


def find_coalitions(journeys: Journeys, outcomes: FloatArray) -> Coalitions:
    """Collect the sets of touchpoints of journeys.

    Parameters
    ----------
    journeys : Journeys
        Journeys, each with at least one touch; null journeys among them.
    outcomes : ndarray of float, shape (n_journeys, n_outcomes)
        What each journey ended with.

    Returns
    -------
    Coalitions
        The sets that occur.
    """
    n_points = len(journeys.touchpoints)
    words = [_word(journeys, low) for low in range(0, n_points, _BITS)]
    codes, first = _number(words)
    weight = np.maximum(journeys.conversions, 1.0)
    bits = [
        (word[first, np.newaxis] >> np.arange(min(_BITS, n_points - low))) & 1
        for word, low in zip(words, range(0, n_points, _BITS), strict=True)
    ]
    member = np.concatenate(bits, axis=1).astype(bool)
    return Coalitions(
        n_touchpoints=n_points,
        members=np.nonzero(member)[1].astype(np.int64),
        starts=np.concatenate([[0], np.cumsum(member.sum(axis=1))]).astype(np.int64),
        journeys=np.bincount(codes, weights=weight).astype(np.float64),
        outcomes=np.column_stack([np.bincount(codes, weights=c) for c in outcomes.T]),
    )


def _word(journeys: Journeys, low: int) -> IntArray:
    """Return, for every journey, which of the touchpoints from ``low`` on it has, one bit each."""
    place = journeys.touch.astype(np.int64) - low
    here = (place >= 0) & (place < _BITS)
    bit = np.where(here, np.left_shift(np.int64(1), np.clip(place, 0, _BITS)), 0)
    return np.bitwise_or.reduceat(bit, journeys.starts[:-1])


def _number(words: list[IntArray]) -> tuple[IntArray, IntArray]:
    """Number distinct sets, and return the first journey of each."""
    codes = np.zeros(len(words[0]), dtype=np.int64)
    for word in words:
        part, kinds = pd.factorize(word)
        codes = pd.factorize(codes * len(kinds) + part)[0].astype(np.int64)
    first = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, first
