"""Deliveries in long form: what was delivered for whom, in which period and slot."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np

from bayes_attrib.attribution.downscaling.carry_over import carried_over
from bayes_attrib.attribution.downscaling.clock import Moment
from bayes_attrib.inference.draw_matrix import BLOCK_ELEMENTS
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Slots:
    """The distinct slots of a profile, in their order.

    Attributes
    ----------
    labels : tuple of str
        How each is published: ISO's form with the offset from UTC where one is known.
    moments : tuple of datetime or date, or None
        When each begins; None where slots are no timestamps.
    instants : ndarray of int, shape (n_slots,), or None
        The same as microseconds since 1970, increasing.
    """

    labels: tuple[str, ...]
    moments: tuple[Moment, ...] | None = None
    instants: IntArray | None = None

    @property
    def days(self) -> IntArray:
        """Day of the calendar on which each slot begins, on the local clock."""
        if self.moments is None:
            raise AssertionError("slots that are no timestamps have no days")
        return np.array([moment.toordinal() for moment in self.moments], dtype=np.int64)

    @property
    def have_offsets(self) -> bool:
        """Whether the slots are instants: moments with an offset from UTC."""
        return bool(self.moments) and all(
            isinstance(moment, dt.datetime) and moment.tzinfo is not None
            for moment in self.moments or ()
        )


@dataclass(frozen=True, eq=False)
class Deliveries:
    """Rows of delivery, each (series, period, slot) once.

    Attributes
    ----------
    series : ndarray of int, shape (n_rows,)
        For whom: one code per combination of the key columns other than the period.
    period : ndarray of int, shape (n_rows,)
        Period of the run; -1 outside of all. All are zero where profiles are the same in every
        period.
    slot : ndarray of int, shape (n_rows,)
        Slot.
    delivery : ndarray of float, shape (n_rows,)
        Zero or more.
    """

    series: IntArray
    period: IntArray
    slot: IntArray
    delivery: FloatArray

    def take(self, rows: np.ndarray) -> Deliveries:
        """Return some of the rows, by a mask or by positions."""
        return Deliveries(
            self.series[rows], self.period[rows], self.slot[rows], self.delivery[rows]
        )

    def carried_over(
        self, instants: IntArray, period_of_slot: IntArray, n_periods: int, half_life: float
    ) -> Deliveries:
        """Let deliveries go on working in all later slots, those of later periods included.

        Parameters
        ----------
        instants : ndarray of int, shape (n_slots,)
            When each slot begins.
        period_of_slot : ndarray of int, shape (n_slots,)
            Period that each slot lies in, -1 outside of all.
        n_periods : int
            Number of periods.
        half_life : float
            In the unit of ``instants``.

        Returns
        -------
        Deliveries
            What works, in all slots of the file within periods; rows of zero are left out where a
            whole (series, period) is zero.
        """
        slots = np.flatnonzero(period_of_slot >= 0)
        n_series = int(self.series.max(initial=-1)) + 1
        step = max(1, BLOCK_ELEMENTS // max(1, len(instants)))
        order = np.argsort(self.series, kind="stable")
        bounds = np.searchsorted(self.series[order], np.arange(0, n_series + step, step))
        found = [Deliveries(*(np.zeros(0, np.int64),) * 3, np.zeros(0))]
        for block, first in enumerate(range(0, n_series, step)):
            rows = order[bounds[block] : bounds[block + 1]]
            width = min(step, n_series - first)
            dense = np.zeros((len(instants), width))
            dense[self.slot[rows], self.series[rows] - first] = self.delivery[rows]
            works = carried_over(dense, instants, half_life)[slots]
            series = np.broadcast_to(first + np.arange(width), works.shape).ravel()
            period = np.repeat(period_of_slot[slots], width)
            key = (series - first) * n_periods + period
            any_left = np.bincount(key, weights=works.ravel(), minlength=width * n_periods) > 0
            whole = Deliveries(series, period, np.repeat(slots, width), works.ravel())
            found.append(whole.take(any_left[key]))
        return _joined(found)

    def pooled(self, of_series: IntArray) -> Deliveries:
        """Sum over series that have the same code; series with the code -1 are left out."""
        rows = of_series[self.series] >= 0
        series, kept = of_series[self.series[rows]], self.take(rows)
        order = np.lexsort((kept.slot, kept.period, series))
        ordered = replace(kept.take(order), series=series[order])
        same = np.zeros(len(order), dtype=bool)
        same[1:] = (
            (np.diff(ordered.series) == 0)
            & (np.diff(ordered.period) == 0)
            & (np.diff(ordered.slot) == 0)
        )
        starts = np.flatnonzero(~same)
        sums = np.add.reduceat(ordered.delivery, starts) if len(starts) else np.zeros(0)
        return replace(ordered.take(starts), delivery=sums)


def _joined(pieces: list[Deliveries]) -> Deliveries:
    return Deliveries(
        np.concatenate([piece.series for piece in pieces]),
        np.concatenate([piece.period for piece in pieces]),
        np.concatenate([piece.slot for piece in pieces]),
        np.concatenate([piece.delivery for piece in pieces]),
    )
