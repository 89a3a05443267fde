"""Carry-over in fine steps: delivery goes on working, and ever less so."""

from __future__ import annotations

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray

NOTHING = 1e-9
"""Part of a series' largest delivery below which what is left of it counts as nothing."""


def carried_over(delivery: FloatArray, instants: IntArray, half_life: float) -> FloatArray:
    """Carry delivery over in time: a_i = x_i + a_(i-1) 2^(-(t_i - t_(i-1)) / half_life).

    This is the geometric adstock in elapsed time, so steps may differ and slots may be missing.

    Parameters
    ----------
    delivery : ndarray, shape (n_slots, n_series)
        Delivery, not negative, in the order of time.
    instants : ndarray of int, shape (n_slots,)
        When each slot begins, increasing.
    half_life : float
        In the unit of ``instants``.

    Returns
    -------
    ndarray, shape (n_slots, n_series)
        What works in each slot, in the unit of delivery; zero where it is less than
        :data:`NOTHING` of the largest of its series.
    """
    left = np.exp2(-np.diff(instants) / half_life)
    carried = np.array(delivery, dtype=np.float64)
    for slot in range(1, len(carried)):
        carried[slot] += left[slot - 1] * carried[slot - 1]
    carried[carried < NOTHING * carried.max(axis=0, initial=0.0)] = 0.0
    return carried
