"""Ranks of rows of draws: who is best, who is among the first, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bayes_attrib.attribution.intervals import interval_of
from bayes_attrib.inference.draw_matrix import BLOCK_ELEMENTS
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.spec import IntervalSpec


@dataclass(frozen=True, eq=False, slots=True)
class Ranking:
    """Ranks over the joint draws; the largest value has rank 1.

    Rows that tie in a draw share the ranks that they take up, each with the same probability: two
    that tie for the first place are best with probability one half each in that draw.

    Attributes
    ----------
    prob_best : ndarray, shape (n_rows,)
        Probability of rank 1. Sums to 1.
    prob_top : ndarray, shape (n_rows,)
        Probability of one of the first ``top_k`` ranks. Sums to ``top_k``, or to n_rows if that is
        smaller.
    expected : ndarray, shape (n_rows,)
        Expected rank.
    lower, upper : ndarray, shape (n_rows,)
        Interval of the rank; rows that tie have the mean of their ranks.
    probability : ndarray, shape (n_detailed, n_rows)
        Probability of every rank, 1 first, for the rows that detail was asked for. Rows sum to 1.
    """

    prob_best: FloatArray
    prob_top: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray
    probability: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class _Places:
    """Places of a block of draws, best first; every field has shape (n_draws, n_rows).

    ``row`` holds the row that takes each place, ``first`` and ``last`` the ends, counted from 0, of
    the run of rows that tie with it.
    """

    row: IntArray
    first: IntArray
    last: IntArray

    @property
    def ties(self) -> IntArray:
        """Number of rows in each run; 1 where nothing ties."""
        return self.last - self.first + 1


def rank_draws(
    draws: FloatArray, detailed: IntArray, *, top_k: int, interval: IntervalSpec
) -> Ranking:
    """Rank rows within every draw.

    Draws are worked on in blocks, so memory is that of the draws and half as much again.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Joint draws: columns belong together.
    detailed : ndarray of int, shape (n_detailed,)
        Rows to keep the whole distribution of ranks for.
    top_k : int
        How many of the first ranks count as the top.
    interval : IntervalSpec
        Kind and probability of the interval of ranks.

    Returns
    -------
    Ranking
        Probabilities and ranks.
    """
    n_rows, n_draws = draws.shape
    best, top = np.zeros(n_rows), np.zeros(n_rows)
    counts = _RankCounts(detailed, n_rows)
    ranks = np.empty((n_rows, n_draws), dtype=np.float32)  # exact: ranks are halves at most
    step = max(1, BLOCK_ELEMENTS // n_rows)
    for start in range(0, n_draws, step):
        places = _places(draws[:, start : start + step].T)
        row, ties = places.row.ravel(), places.ties
        best += _summed(row, (places.first == 0) / ties, n_rows)
        top += _summed(row, np.clip(top_k - places.first, 0, ties) / ties, n_rows)
        counts.add(places)
        middle = np.empty(places.row.shape, dtype=np.float32)
        np.put_along_axis(middle, places.row, 1 + (places.first + places.last) / 2, axis=1)
        ranks[:, start : start + step] = middle.T
    lower, upper = _intervals(ranks, interval)
    expected = ranks.mean(axis=1, dtype=np.float64)
    probability = counts.probability(n_draws)
    return Ranking(best / n_draws, top / n_draws, expected, lower, upper, probability)


def rank_few(
    draws: npt.NDArray[np.floating], chosen: IntArray, *, interval: IntervalSpec
) -> Ranking:
    """Rank a few rows among all within every draw; the same as :func:`rank_draws` says of them.

    Every draw is sorted once, and the few are looked up in it.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Joint draws: columns belong together.
    chosen : ndarray of int, shape (n_chosen,)
        Rows to rank.
    interval : IntervalSpec
        Kind and probability of the interval of ranks.

    Returns
    -------
    Ranking
        Of the chosen rows alone; ``prob_top`` is of the first rank, and there is no detail.
    """
    n_rows, n_draws = draws.shape
    first, last = (np.empty((len(chosen), n_draws), dtype=np.int64) for _ in range(2))
    for draw in range(n_draws):
        ordered, wanted = np.sort(draws[:, draw]), draws[chosen, draw]
        first[:, draw] = n_rows - np.searchsorted(ordered, wanted, side="right")
        last[:, draw] = n_rows - np.searchsorted(ordered, wanted, side="left") - 1
    best = ((first == 0) / (last - first + 1)).mean(axis=1)
    middle = 1.0 + (first + last) / 2
    lower, upper = interval_of(middle, interval)
    return Ranking(best, best, middle.mean(axis=1), lower, upper, np.empty((0, n_rows)))


def holders_of_best(prob_best: FloatArray, prob: float) -> IntArray:
    """Return the fewest rows that hold the best one with a given probability.

    Parameters
    ----------
    prob_best : ndarray, shape (n_rows,)
        Probability of each row of being the best.
    prob : float
        Probability to reach.

    Returns
    -------
    ndarray of int, shape (n_chosen,)
        Rows, the most probable first; the earlier first where they are equally probable.
    """
    order = np.argsort(-prob_best, kind="stable")
    reached = np.cumsum(prob_best[order]) >= prob - 1e-12  # sums of fractions are rounded
    last = int(reached.argmax()) if reached.any() else len(order) - 1
    return order[: last + 1].astype(np.int64)


def _places(draws: FloatArray) -> _Places:
    """Sort draws of shape (n_draws, n_rows) and find what ties."""
    row = np.argsort(-draws, axis=1, kind="stable")
    ordered = np.take_along_axis(draws, row, axis=1)
    place = np.broadcast_to(np.arange(draws.shape[1]), draws.shape)
    differs = ordered[:, 1:] != ordered[:, :-1]
    edge = np.ones((len(draws), 1), dtype=bool)
    starts, ends = np.hstack([edge, differs]), np.hstack([differs, edge])
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    beyond = np.where(ends, place, draws.shape[1])
    last = np.minimum.accumulate(beyond[:, ::-1], axis=1)[:, ::-1]
    return _Places(row.astype(np.int64), first.astype(np.int64), last.astype(np.int64))


class _RankCounts:
    """Counts of draws by rank for some rows, ties spread evenly over the ranks that they take up.

    Ties are kept as steps up and down at the ends of their runs, and summed along at the end: in
    counts with many zeros a run can be as long as the draws are wide.
    """

    def __init__(self, detailed: IntArray, n_rows: int) -> None:
        self._position = np.full(n_rows, -1)
        self._position[detailed] = np.arange(len(detailed))
        self._alone = np.zeros((len(detailed), n_rows))
        self._steps = np.zeros((len(detailed), n_rows + 1))

    def add(self, places: _Places) -> None:
        """Count some draws."""
        at = self._position[places.row]
        single = (places.ties == 1) & (at >= 0)
        _add_at(self._alone, at[single], places.first[single], np.ones(single.sum()))
        tied = (places.ties > 1) & (at >= 0)
        part = 1.0 / places.ties[tied]
        _add_at(self._steps, at[tied], places.first[tied], part)
        _add_at(self._steps, at[tied], places.last[tied] + 1, -part)

    def probability(self, n_draws: int) -> FloatArray:
        """Return the probability of every rank, shape (n_detailed, n_rows)."""
        spread = np.cumsum(self._steps[:, :-1], axis=1)
        return (self._alone + np.maximum(spread, 0.0)) / n_draws  # no rounding below zero


def _add_at(matrix: FloatArray, row: IntArray, column: IntArray, values: FloatArray) -> None:
    flat = row * matrix.shape[1] + column
    matrix += np.bincount(flat, weights=values, minlength=matrix.size).reshape(matrix.shape)


def _summed(row: IntArray, values: npt.NDArray[np.floating], n_rows: int) -> FloatArray:
    sums = np.bincount(row, weights=values.ravel(), minlength=n_rows)
    return np.asarray(sums, dtype=np.float64)


def _intervals(
    ranks: npt.NDArray[np.float32], interval: IntervalSpec
) -> tuple[FloatArray, FloatArray]:
    step = max(1, BLOCK_ELEMENTS // ranks.shape[1])
    parts = [
        interval_of(ranks[start : start + step].astype(np.float64), interval)
        for start in range(0, len(ranks), step)
    ]
    lower, upper = (np.concatenate(side) for side in zip(*parts, strict=True))
    return lower, upper
