"""A posterior comparison: ranks, losses and pairs of quantities that were drawn together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bayes_attrib.attribution.intervals import Summary, summarise
from bayes_attrib.attribution.pairwise import Equivalence, Pairs, compare_pairs
from bayes_attrib.attribution.ranking import Ranking, holders_of_best, rank_draws
from bayes_attrib.inference.draw_matrix import BLOCK_ELEMENTS
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.spec import IntervalSpec

MOST_DETAILED: Final = 60
"""Rows that pairs and whole distributions of ranks are kept for: 1,770 pairs."""


@dataclass(frozen=True, slots=True)
class ComparisonRule:
    """What a comparison calls what.

    Attributes
    ----------
    equivalence : Equivalence
        What counts as practically equal.
    prob : float
        Probability that a conclusion about a pair needs, and with which the set of candidates for
        the best one holds it. Above one half, so that a pair has one conclusion.
    top_k : int
        How many of the first ranks count as the top.
    interval : IntervalSpec
        Kind and probability of all intervals.

    Raises
    ------
    ValueError
        If ``prob`` is not between one half and 1, or ``top_k`` is below 1.
    """

    equivalence: Equivalence = field(default_factory=Equivalence)
    prob: float = 0.95
    top_k: int = 3
    interval: IntervalSpec = field(default_factory=IntervalSpec)

    def __post_init__(self) -> None:
        if not 0.5 < self.prob < 1:
            raise ValueError(f"prob lies between 0.5 and 1, both excluded; got {self.prob!r}")
        if self.top_k < 1:
            raise ValueError(f"top_k is at least 1; got {self.top_k!r}")


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """Rows of draws, compared.

    Attributes
    ----------
    rule : ComparisonRule
        What is called what.
    n_draws : int
        Number of joint draws; every probability is a fraction of them.
    summary : Summary
        Mean, sd and interval of each row.
    ranking : Ranking
        Probability of being best, of being among the top, expected rank, distribution of ranks.
    expected_loss : ndarray, shape (n_rows,)
        Expectation of the largest row minus this one, in the unit of the draws: what choosing this
        row costs on average for want of knowing the best.
    best_set : ndarray of int, shape (n_chosen,)
        The fewest rows that hold the best one with probability ``rule.prob``.
    detailed : ndarray of int, shape (n_detailed,)
        Rows of the pairs and of ``ranking.probability``, in order: all, or those with the largest
        means.
    pairs : Pairs
        All pairs of the detailed rows.
    """

    rule: ComparisonRule
    n_draws: int
    summary: Summary
    ranking: Ranking
    expected_loss: FloatArray
    best_set: IntArray
    detailed: IntArray
    pairs: Pairs

    @property
    def prob_greater(self) -> FloatArray:
        """Probability that one detailed row exceeds another, shape (n_detailed, n_detailed).

        Row i, column j: that i exceeds j. A tie counts one half, and so does the diagonal.
        """
        n = len(self.detailed)
        matrix = np.full((n, n), 0.5)
        first, second = np.triu_indices(n, k=1)
        matrix[first, second] = self.pairs.prob_greater
        matrix[second, first] = self.pairs.prob_less
        return matrix


def compare_draws(
    draws: FloatArray,
    rule: ComparisonRule | None = None,
    *,
    most_detailed: int = MOST_DETAILED,
) -> Comparison:
    """Compare quantities by their joint draws.

    Everything is read off the joint draws, in which what makes rows alike or opposed is contained:
    probabilities of ranks and of pairs need no further allowance for the number of comparisons,
    as far as the model is right. Time and memory grow with the number of rows, not with its square.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Draws of quantities that are not negative and have one unit; columns belong together.
    rule : ComparisonRule, optional
        What is called what; its defaults if not given.
    most_detailed : int
        Largest number of rows that pairs and distributions of ranks are kept for.

    Returns
    -------
    Comparison
        The comparison.

    Raises
    ------
    ValueError
        If there are fewer than two rows, no draws, or draws that are negative or not finite.
    """
    n_rows, n_draws = draws.shape
    if n_rows < 2 or n_draws < 1:
        raise ValueError(f"a comparison needs two rows and a draw; got shape {draws.shape}")
    if not (np.isfinite(draws).all() and draws.min() >= 0):
        raise ValueError("draws to compare are finite and not negative")
    rule = rule or ComparisonRule()
    summary = _summarise(draws, rule.interval)
    detailed = np.arange(n_rows)
    if n_rows > most_detailed:
        detailed = np.sort(np.argsort(-summary.mean, kind="stable")[:most_detailed])
    ranking = rank_draws(draws, detailed, top_k=rule.top_k, interval=rule.interval)
    pairs = compare_pairs(
        draws, detailed, equivalence=rule.equivalence, prob=rule.prob, interval=rule.interval
    )
    return Comparison(
        rule=rule,
        n_draws=n_draws,
        summary=summary,
        ranking=ranking,
        expected_loss=draws.max(axis=0).mean() - summary.mean,
        best_set=holders_of_best(ranking.prob_best, rule.prob),
        detailed=detailed,
        pairs=pairs,
    )


def _summarise(draws: FloatArray, interval: IntervalSpec) -> Summary:
    """Summarise a block of rows at a time: intervals need sorted copies."""
    step = max(1, BLOCK_ELEMENTS // draws.shape[1])
    parts = [summarise(draws[i : i + step], interval) for i in range(0, len(draws), step)]
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("mean", "sd", "lower", "upper")
    }
    return Summary(**columns)
