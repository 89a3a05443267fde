"""How much of each amount's variance comes from the totals, from the rates, and from allocation.

By the law of total variance, with T the totals, R the rates, A an amount, and E = E[A | T, R] the
expected amount sum_b T_b p_eb(R):

    Var A = Var E[E | T]  +  E Var[E | T]  +  E Var[A | T, R]
             the totals       the rates        allocation

Totals that are known leave the first part empty. Where totals and rates are independent
(``"paired"``), E is bilinear in T and p, so the parts need no nested draws: E[E | T] is the amount
at mean shares, and E Var[E | T] is the variance at mean totals plus that of the interaction

    i = E - E[E | T] - E[E | R] + E[E].

Where rates were inferred from each draw of the totals (``"cut"``), E[E | T] is the mean of a refit.
Means of few draws vary by themselves, and what they do so is subtracted from the variance between
refits, as in an analysis of variance with random effects (Searle, Casella and McCulloch 1992,
Variance Components, section 3.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.attribution.allocation import Allocation
from bayes_attrib.inference.given_totals import GivenTotals
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray

COLUMNS: Final = (
    "variance",
    "variance_from_totals",
    "variance_from_rates",
    "variance_from_allocation",
    "variance_of_interaction",
    "estimated_variance",
)
"""Numbers of every row of the table."""

_ROUNDING: Final = 1e-9
"""Relative sd below which an amount does not vary: the sum of a channel whose total is known."""


def split_variance(
    data: AggregateData, allocation: Allocation, given: GivenTotals | None
) -> pd.DataFrame:
    """Split the variance of every amount.

    Parts are estimated by themselves, each with its own Monte-Carlo error, and then scaled to the
    variance of the draws, so that they add up to it; ``estimated_variance`` is their sum before.

    Parameters
    ----------
    data : AggregateData
        Entities and their groups.
    allocation : Allocation
        Draws of amounts, of expected amounts and, for paired totals, of their main effects.
    given : GivenTotals or None
        Totals by draw; None where they are known.

    Returns
    -------
    DataFrame, shape (n_entities + levels of all groupings, 8)
        ``level`` and ``name``; ``variance``, the square of ``amount_sd``, in squared units of the
        totals; its three parts ``variance_from_*``, which add up to it; ``variance_of_interaction``
        of totals and rates, a part of that of the rates; ``estimated_variance``.
    """
    levels: list[tuple[str, npt.NDArray[np.object_], sp.csr_array | None]] = [
        (names.ENTITY, data.entity_names, None),
        *((g.name, np.array(g.levels, object), g.indicator) for g in data.groupings.values()),
    ]
    frames = []
    for level, labels, weights in levels:
        parts = _parts(allocation, given, weights)
        frame = pd.DataFrame(dict(zip(COLUMNS, parts, strict=True)))
        frame.insert(0, "name", labels.tolist())
        frame.insert(0, "level", level)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _parts(
    allocation: Allocation, given: GivenTotals | None, weights: sp.csr_array | None
) -> FloatArray:
    """Return the numbers of the rows of a level, shape (n_columns, n_rows)."""
    matrices = [allocation.amounts, allocation.expected_amounts]
    if allocation.main_effects is not None:
        matrices += [allocation.main_effects.of_totals, allocation.main_effects.of_rates]
    if weights is not None:
        return _split([matrix.sums(weights) for matrix in matrices], given)
    found = [
        _split([block, *(matrix.rows(rows) for matrix in matrices[1:])], given)
        for rows, block in matrices[0].blocks()
    ]
    return np.concatenate(found, axis=1)


def _split(draws: list[FloatArray], given: GivenTotals | None) -> FloatArray:
    amounts, expected, *effects = draws
    variance = _variance(amounts)
    variance[variance < np.square(_ROUNDING * amounts.mean(axis=1))] = 0.0
    from_allocation = np.mean(np.square(amounts - expected), axis=1)
    interaction = np.zeros_like(variance)
    if given is None:
        from_totals, from_rates = np.zeros_like(variance), _variance(expected)
    elif given.treatment == "paired":
        from_totals = _variance(effects[0])
        interaction = _variance(expected - effects[0] - effects[1])
        from_rates = _variance(effects[1]) + interaction
    else:
        from_totals, from_rates = _Refits.of(given).split(expected)
    estimated = from_totals + from_rates + from_allocation
    scale = np.divide(variance, estimated, out=np.zeros_like(variance), where=estimated > 0)
    parts = [from_totals, from_rates, from_allocation, interaction]
    return np.stack([variance, *(part * scale for part in parts), estimated])


def _variance(draws: FloatArray) -> FloatArray:
    many = draws.shape[1] > 1
    return draws.var(axis=1, ddof=1) if many else np.zeros(len(draws))


@dataclass(frozen=True, eq=False)
class _Refits:
    """Where the draws of each refit are: chain after chain, and refit after refit in each.

    Attributes
    ----------
    first : ndarray of int, shape (n_segments,)
        First draw of each segment, which is one chain of one refit.
    length : ndarray of int, shape (n_segments,)
        Its number of draws.
    refit : ndarray of int, shape (n_segments,)
        Its refit.
    """

    first: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    refit: npt.NDArray[np.int64]

    @classmethod
    def of(cls, given: GivenTotals) -> _Refits:
        first = np.flatnonzero(np.diff(given.of_draw, prepend=-1) != 0)
        length = np.diff(np.append(first, len(given.of_draw)))
        _, refit = np.unique(given.of_draw[first], return_inverse=True)
        return cls(first.astype(np.int64), length.astype(np.int64), refit.astype(np.int64))

    def split(self, draws: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the variances between and within refits of rows of draws."""
        n_refits = int(self.refit.max()) + 1
        sums = np.add.reduceat(draws, self.first, axis=1)
        of_refit = sp.csr_array(
            (np.ones(len(self.refit)), (np.arange(len(self.refit)), self.refit)),
            shape=(len(self.refit), n_refits),
        )
        n_of_refit = np.bincount(self.refit, weights=self.length)
        means = (sums @ of_refit) / n_of_refit
        around = draws - np.repeat(means[:, self.refit], self.length, axis=1)
        within = np.mean(np.square(around), axis=1)
        noise = self._noise(sums / self.length, means, around, of_refit)
        between = means.var(axis=1, ddof=1) - noise if n_refits > 1 else np.zeros(len(draws))
        return np.maximum(between, 0.0), within + noise

    def _noise(
        self, of_segment: FloatArray, means: FloatArray, around: FloatArray, of_refit: sp.csr_array
    ) -> FloatArray:
        """Mean variance of a refit's mean, told by how its chains differ, shape (n_rows,).

        Chains are independent, so their differences hold whatever correlation there is within one.
        """
        n_chains = np.bincount(self.refit)
        if n_chains.min() > 1:
            squares = np.square(of_segment - means[:, self.refit]) @ of_refit
            return np.asarray(np.mean(squares / (n_chains * (n_chains - 1)), axis=1))
        n_draws = np.bincount(self.refit, weights=self.length)
        squares = np.add.reduceat(np.square(around), self.first, axis=1) @ of_refit
        return np.asarray(np.mean(squares / np.maximum(n_draws * (n_draws - 1), 1), axis=1))
