"""From events to journeys: which touches belong to which conversion."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.journeys.events import TICKS_PER_DAY, CodeArray, Conversions, Events, Touches
from bayes_attrib.spec.journeys import JourneyRules

BoolArray = npt.NDArray[np.bool_]

_NONE: Final[IntArray] = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Journeys:
    """Journeys in the order of customers and of time, their touches one after the other.

    A journey ends in a conversion, or it is a null journey: touches that no conversion has
    followed yet. A conversion without a touch in its window is a journey without touches.

    Attributes
    ----------
    touchpoints : tuple of str
        Names of the touchpoints.
    touch : ndarray of int32, shape (n_touches,)
        Touchpoint of every touch, journey by journey, in the order of time.
    age_days : ndarray of float, shape (n_touches,)
        Days from the touch to the end of its journey: its conversion, or its last touch.
    starts : ndarray of int, shape (n_journeys + 1,)
        Where each journey begins among the touches.
    conversions : ndarray of float, shape (n_journeys,)
        Whole number of conversions at its end; 0 for a null journey.
    value : ndarray of float, shape (n_journeys,), or None
        What they are worth; None where that is not known.
    n_outside : int
        Touches of no journey: earlier than the window.
    n_ties : int
        Touches at the time of an earlier one of the same customer, whose order is the table's.
    n_repeated : int
        Those of them that follow a touch of the same touchpoint.
    """

    touchpoints: tuple[str, ...]
    touch: CodeArray
    age_days: FloatArray
    starts: IntArray
    conversions: FloatArray
    value: FloatArray | None
    n_outside: int = 0
    n_ties: int = 0
    n_repeated: int = 0

    def __len__(self) -> int:
        return len(self.conversions)

    @property
    def lengths(self) -> IntArray:
        """Number of touches of every journey, shape (n_journeys,)."""
        return np.diff(self.starts)

    @property
    def converts(self) -> BoolArray:
        """Whether each journey ends in a conversion, shape (n_journeys,)."""
        return self.conversions > 0

    def outcome(self, name: str) -> FloatArray:
        """Return conversions or their value of every journey, shape (n_journeys,).

        Parameters
        ----------
        name : {"conversions", "value"}
            What is asked for.

        Returns
        -------
        ndarray of float, shape (n_journeys,)
            Zero for null journeys.

        Raises
        ------
        ValueError
            If values are asked for and not known.
        """
        if name == "conversions":
            return self.conversions
        if self.value is None:
            raise ValueError("the values of these conversions are not known")
        return self.value

    def total(self, name: str) -> float:
        """Return the sum of an outcome, rounded once."""
        return math.fsum(self.outcome(name).tolist())

    def unattributed(self, name: str) -> float:
        """Return the sum of an outcome over conversions without a touch, rounded once."""
        return math.fsum(self.outcome(name)[self.lengths == 0].tolist())

    def select(self, mask: BoolArray) -> Journeys:
        """Return some of the journeys, in their order, with their touches.

        Parameters
        ----------
        mask : ndarray of bool, shape (n_journeys,)
            Which.

        Returns
        -------
        Journeys
            All others left out.
        """
        lengths = self.lengths
        kept = np.repeat(mask, lengths)
        return replace(
            self,
            touch=self.touch[kept],
            age_days=self.age_days[kept],
            starts=_pointers(lengths[mask]),
            conversions=self.conversions[mask],
            value=None if self.value is None else self.value[mask],
        )


def build_journeys(events: Events, rules: JourneyRules) -> Journeys:
    """Cut the touches of every customer into journeys.

    A touch at the very time of a conversion precedes it; conversions of one customer at one time
    end one journey together; touches at one time stay in the order of their table. By default a
    conversion ends a journey, and touches up to it belong to no later one. What follows the last
    conversion is a null journey, with the same window before its last touch.

    Parameters
    ----------
    events : Events
        Touches and conversions.
    rules : JourneyRules
        Window, and whether touches count again.

    Returns
    -------
    Journeys
        All journeys; every conversion ends one.
    """
    touches = _sorted_touches(events.touches)
    count, value, merged = _merged(events.conversions)
    first = np.searchsorted(touches.customer, np.arange(events.n_customers + 1)).astype(np.int64)
    window = round(rules.look_back_days * TICKS_PER_DAY)
    begin, end = first[merged.customer], first[merged.customer + 1]
    stop = _bisect(touches.time, begin, end, merged.time, inclusive=True)
    again = np.zeros(len(merged), dtype=bool)
    again[1:] = merged.customer[1:] == merged.customer[:-1]
    floor = begin.copy()
    if not rules.reuse_touches:
        floor[again] = stop[:-1][again[1:]]
    start = _bisect(touches.time, floor, stop, merged.time - window, inclusive=False)
    null_customer, null_start, null_stop = _null_journeys(touches, merged, first, stop, window)
    ends = np.concatenate([merged.time, touches.time[null_stop - 1]])
    order = np.argsort(np.concatenate([merged.customer, null_customer]), kind="stable")
    starts, stops = (
        np.concatenate(pair)[order] for pair in ((start, null_start), (stop, null_stop))
    )
    lengths = stops - starts
    pointers = _pointers(lengths)
    chosen = np.repeat(starts - pointers[:-1], lengths) + np.arange(pointers[-1])
    age = (np.repeat(ends[order], lengths) - touches.time[chosen]) / TICKS_PER_DAY
    nothing = np.zeros(len(null_start))
    tied = (np.diff(touches.customer) == 0) & (np.diff(touches.time) == 0)
    same = np.diff(touches.touchpoint) == 0
    used = np.zeros(len(touches), dtype=bool)
    used[chosen] = True
    return Journeys(
        touchpoints=events.touchpoints,
        touch=touches.touchpoint[chosen],
        age_days=age,
        starts=pointers,
        conversions=np.concatenate([count, nothing])[order],
        value=None if value is None else np.concatenate([value, nothing])[order],
        n_outside=int(len(touches) - np.count_nonzero(used)),
        n_ties=int(np.count_nonzero(tied)),
        n_repeated=int(np.count_nonzero(tied & same)),
    )


def _pointers(lengths: IntArray) -> IntArray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _sorted_touches(touches: Touches) -> Touches:
    order = np.lexsort((touches.time, touches.customer))
    return Touches(touches.customer[order], touches.time[order], touches.touchpoint[order])


def _merged(conversions: Conversions) -> tuple[FloatArray, FloatArray | None, Conversions]:
    """Return counts and values of conversions of one customer at one time, sorted."""
    order = np.lexsort((conversions.time, conversions.customer))
    customer, time = conversions.customer[order], conversions.time[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (customer[1:] != customer[:-1]) | (time[1:] != time[:-1])
    first = np.flatnonzero(new)
    count = np.diff(np.append(first, len(order))).astype(np.float64)
    value = conversions.value
    added = None if value is None or not len(first) else np.add.reduceat(value[order], first)
    if value is not None and added is None:
        added = np.zeros(0)
    return count, added, Conversions(customer[first], time[first])


def _null_journeys(
    touches: Touches, merged: Conversions, first: IntArray, stop: IntArray, window: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return customers with touches after their last conversion, and where these begin and end."""
    start = first[:-1].copy()
    np.maximum.at(start, merged.customer, stop)
    end = first[1:]
    some = np.flatnonzero(end > start)
    start, end = start[some], end[some]
    last = touches.time[end - 1] if len(end) else _NONE
    return some, _bisect(touches.time, start, end, last - window, inclusive=False), end


def _bisect(
    times: IntArray, low: IntArray, high: IntArray, wanted: IntArray, *, inclusive: bool
) -> IntArray:
    """Find, in many sorted slices at once, where each first time at (or after) a wanted one stands.

    ``inclusive`` counts times that equal the wanted one among those before it.
    """
    low, high = low.copy(), high.copy()
    while (active := np.flatnonzero(low < high)).size:
        middle = (low[active] + high[active]) // 2
        found, sought = times[middle], wanted[active]
        before = found <= sought if inclusive else found < sought
        low[active[before]] = middle[before] + 1
        high[active[~before]] = middle[~before]
    return low
