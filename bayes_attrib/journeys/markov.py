"""Markov chains over touchpoints, and what is lost when one is taken out of them.

A journey is a walk from a start through touchpoints to a conversion, or to none. The state of a
chain of order k is the last k touchpoints. Probabilities of transitions are relative frequencies,
so the chain itself converts as often as the journeys do. Taking a touchpoint out sends every walk
that would enter it to 'no conversion'; its removal effect is the part of the outcome that is lost
(Anderl, Becker, von Wangenheim and Schumann 2016, IJRM 33, 457-474). Visits of an absorbing chain
are solved for, never simulated (Kemeny and Snell 1960, Finite Markov Chains, theorem 3.2.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import scipy.linalg
import scipy.sparse as sp

from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.journeys.build import Journeys

MOST_DENSE_STATES: Final = 2_500
"""Chains of up to so many states are inverted; larger ones are iterated within a proven bound."""

MOST_WORK: Final = 30_000_000
"""Largest number of transitions times touchpoints of a chain that is iterated."""

TOLERANCE: Final = 1e-15
"""Part of all journeys that may be left inside a chain when iterating it ends."""

_MOST_STEPS: Final = 200_000


class TooManyStatesError(Exception):
    """A chain is too large to be solved; the message says how large it is."""


@dataclass(frozen=True, eq=False)
class Chain:
    """An absorbing chain; state 0 is the start.

    Attributes
    ----------
    transitions : csr_array, shape (n_states, n_states)
        Probabilities of going on to another state; the rest is absorbed.
    entered : ndarray of int, shape (n_states,)
        Touchpoint that is entered with each state; -1 for the start.
    outcome : ndarray of float, shape (n_states, n_outcomes)
        Expected outcome of ending in each state, per visit.
    """

    transitions: sp.csr_array
    entered: IntArray
    outcome: FloatArray

    @property
    def n_states(self) -> int:
        """Number of states, the start among them."""
        return len(self.entered)


def build_chain(journeys: Journeys, order: int, outcomes: FloatArray) -> Chain:
    """Count the transitions of journeys.

    Parameters
    ----------
    journeys : Journeys
        Journeys, each with at least one touch; null journeys among them.
    order : int
        How many touchpoints a state remembers.
    outcomes : ndarray of float, shape (n_journeys, n_outcomes)
        What each journey ends with.

    Returns
    -------
    Chain
        Only states that occur.
    """
    n_points, lengths = len(journeys.touchpoints), journeys.lengths
    codes, names_of = _states(journeys, order)
    begins = np.zeros(len(codes), dtype=bool)
    begins[journeys.starts[:-1]] = True
    before = np.empty_like(codes)
    before[1:] = codes[:-1]
    before[begins] = 0
    # Journeys of several conversions at one time are that many journeys.
    weight = np.maximum(journeys.conversions, 1.0)
    n_states = len(names_of)
    arcs, kinds = pd.factorize(before.astype(np.int64) * n_states + codes)
    counts = np.bincount(arcs, weights=np.repeat(weight, lengths))
    last = codes[journeys.starts[1:] - 1]
    ended = np.bincount(last, weights=weight, minlength=n_states)
    source, target = np.divmod(np.asarray(kinds), n_states)
    passed = np.bincount(source, weights=counts, minlength=n_states) + ended
    reward = np.column_stack(
        [np.bincount(last, weights=column, minlength=n_states) for column in outcomes.T]
    )
    shape = (n_states, n_states)
    probability = sp.csr_array((counts / passed[source], (source, target)), shape=shape)
    entered = names_of % (n_points + 1)
    return Chain(probability, np.where(entered == n_points, -1, entered), reward / passed[:, None])


def _states(journeys: Journeys, order: int) -> tuple[IntArray, IntArray]:
    """Number the states after each touch from 1 on, 0 being the start; return their long names."""
    base = len(journeys.touchpoints) + 1  # the last digit stands for 'before the first touch'
    n_touches = len(journeys.touch)
    place = np.arange(n_touches) - np.repeat(journeys.starts[:-1], journeys.lengths)
    name = journeys.touch.astype(np.int64)
    for back in range(1, order):
        earlier = np.full(n_touches, base - 1, dtype=np.int64)
        earlier[back:] = journeys.touch[:-back]
        name += np.where(place >= back, earlier, base - 1) * base**back
    codes, kinds = pd.factorize(name)
    start = sum((base - 1) * base**back for back in range(order))
    return codes + 1, np.concatenate([[start], np.asarray(kinds)]).astype(np.int64)


def removal_effects(chain: Chain, n_touchpoints: int) -> tuple[FloatArray, FloatArray]:
    """Return what the chain yields, and which part of it each touchpoint's removal takes away.

    Parameters
    ----------
    chain : Chain
        The chain.
    n_touchpoints : int
        How many touchpoints there are.

    Returns
    -------
    expected : ndarray of float, shape (n_outcomes,)
        Expected outcome of one journey.
    effects : ndarray of float, shape (n_touchpoints, n_outcomes)
        Lost part, from 0 to 1; NaN where nothing is expected.

    Raises
    ------
    TooManyStatesError
        If the chain has more than :data:`MOST_DENSE_STATES` states, and more transitions times
        touchpoints than :data:`MOST_WORK`.
    """
    if chain.n_states <= MOST_DENSE_STATES:
        expected, left = _by_inverse(chain, n_touchpoints)
    else:
        expected, left = _by_iteration(chain, n_touchpoints)
    safe = np.where(expected > 0, expected, np.nan)
    return expected, np.clip(1.0 - left / safe, 0.0, 1.0)


def _by_inverse(chain: Chain, n_touchpoints: int) -> tuple[FloatArray, FloatArray]:
    """Solve once, and take states out by Schur complements of the solution.

    With B = (1 - Q)^-1, the system without the states D has the solution
    h - B[:, D] B[D, D]^-1 h[D]: the multipliers that hold h at zero on D.
    """
    visits = np.linalg.inv(np.eye(chain.n_states) - chain.transitions.toarray())
    outcome = visits @ chain.outcome
    left = np.empty((n_touchpoints, outcome.shape[1]))
    for touchpoint in range(n_touchpoints):
        out = np.flatnonzero(chain.entered == touchpoint)
        held = scipy.linalg.solve(visits[np.ix_(out, out)], outcome[out]) if len(out) else None
        left[touchpoint] = outcome[0] - (0.0 if held is None else visits[0, out] @ held)
    return outcome[0], left


def _by_iteration(chain: Chain, n_touchpoints: int) -> tuple[FloatArray, FloatArray]:
    """Add up visits step by step, for the chain and for it without each touchpoint, side by side.

    A journey that is still inside after a step can add one outcome at most. So the sum ends within
    a proven distance of the exact solution: :data:`TOLERANCE` times the largest mean outcome of a
    state.
    """
    work = chain.transitions.nnz * (n_touchpoints + 1)
    if work > MOST_WORK:
        raise TooManyStatesError(
            f"{chain.n_states:,} states with {chain.transitions.nnz:,} transitions, times "
            f"{n_touchpoints:,} touchpoints"
        )
    forward = chain.transitions.T.tocsr()
    stays = np.ones((chain.n_states, n_touchpoints + 1))
    inside = np.flatnonzero(chain.entered >= 0)
    stays[inside, chain.entered[inside]] = 0.0
    present = np.zeros_like(stays)
    present[0] = 1.0
    visits = present.copy()
    for _ in range(_MOST_STEPS):
        present = (forward @ present) * stays
        visits += present
        if present[:, -1].sum() <= TOLERANCE:
            outcomes = visits.T @ chain.outcome
            return outcomes[-1], outcomes[:-1]
    raise TooManyStatesError(
        f"{chain.n_states:,} states whose walks do not end within {_MOST_STEPS:,} steps"
    )
