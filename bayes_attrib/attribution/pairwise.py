"""Pairs of rows of draws: differences, ratios, practical equivalence, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

from bayes_attrib.attribution.intervals import interval_of
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.spec import IntervalSpec


class Conclusion(StrEnum):
    """What the draws say about the first of a pair beside the second."""

    GREATER = "greater"
    LESS = "less"
    EQUAL = "practically equal"
    OPEN = "not separable by these data"


@dataclass(frozen=True, slots=True)
class Equivalence:
    """What counts as practically equal.

    Attributes
    ----------
    width : float
        As a ratio, how far the larger may exceed the smaller: 0.1 for ten percent. As a difference,
        the largest absolute difference, in the unit of the draws.
    scale : {"ratio", "difference"}
        Which of them is meant.

    Raises
    ------
    ValueError
        If the width is negative or not finite.
    """

    width: float = 0.1
    scale: Literal["ratio", "difference"] = "ratio"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.width) and self.width >= 0):
            raise ValueError(
                f"a region of practical equivalence is 0 or more wide; got {self.width!r}"
            )

    def holds(self, first: FloatArray, second: FloatArray) -> npt.NDArray[np.bool_]:
        """Say in which draws two quantities are practically equal, whatever their order."""
        if self.scale == "difference":
            return np.abs(first - second) <= self.width
        return np.maximum(first, second) <= (1.0 + self.width) * np.minimum(first, second)


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """All pairs of some rows; every field has shape (n_pairs,).

    Attributes
    ----------
    first, second : ndarray of int
        The two rows.
    prob_greater : ndarray
        Probability that the first is greater; a tie counts one half.
    prob_less : ndarray
        Probability that it is less, one minus the former.
    prob_equal : ndarray
        Probability that the two are practically equal.
    difference_mean, difference_lower, difference_upper : ndarray
        Mean and interval of first minus second, in the unit of the draws.
    ratio_median, ratio_lower, ratio_upper : ndarray
        Median and interval of first over second; NaN where it is infinite or not defined in
        any draw, as over zero. The mean of a ratio may not exist, so the median is given.
    conclusion : ndarray of Conclusion
        By the rule of :func:`compare_pairs`.
    """

    first: IntArray
    second: IntArray
    prob_greater: FloatArray
    prob_less: FloatArray
    prob_equal: FloatArray
    difference_mean: FloatArray
    difference_lower: FloatArray
    difference_upper: FloatArray
    ratio_median: FloatArray
    ratio_lower: FloatArray
    ratio_upper: FloatArray
    conclusion: npt.NDArray[np.object_]

    @property
    def expected_errors(self) -> float:
        """How many of the pairs called greater or less are expected to be the other way round.

        The sum of the posterior probabilities of the opposite, over those pairs.
        """
        greater = self.conclusion == Conclusion.GREATER
        less = self.conclusion == Conclusion.LESS
        return float(self.prob_less[greater].sum() + self.prob_greater[less].sum())


def compare_pairs(
    draws: FloatArray,
    rows: IntArray,
    *,
    equivalence: Equivalence,
    prob: float,
    interval: IntervalSpec,
) -> Pairs:
    """Compare each of some rows with each other.

    The conclusion, from the joint draws: *practically equal* where the probability of that is at
    least ``prob``, even if the sign of the difference is certain; else *greater* or *less* where
    the probability of that is at least ``prob``; else *not separable by these data*.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Joint draws of quantities that are not negative.
    rows : ndarray of int, shape (n_chosen,)
        Rows to compare; pairs are in this order.
    equivalence : Equivalence
        What counts as practically equal.
    prob : float
        Probability that a conclusion needs.
    interval : IntervalSpec
        Kind and probability of the intervals of differences and ratios.

    Returns
    -------
    Pairs
        All n_chosen (n_chosen - 1) / 2 pairs.
    """
    chosen = draws[rows]
    parts = [
        _against(chosen[i], chosen[i + 1 :], equivalence, interval) for i in range(len(rows) - 1)
    ]
    columns = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.zeros(0)
        for name in _COLUMNS
    }
    first, second = np.triu_indices(len(rows), k=1)
    return Pairs(
        first=rows[first],
        second=rows[second],
        conclusion=_conclude(columns, prob),
        **columns,
    )


_COLUMNS = (
    "prob_greater",
    "prob_less",
    "prob_equal",
    *(f"difference_{what}" for what in ("mean", "lower", "upper")),
    *(f"ratio_{what}" for what in ("median", "lower", "upper")),
)


def _against(
    first: FloatArray, others: FloatArray, equivalence: Equivalence, interval: IntervalSpec
) -> dict[str, FloatArray]:
    """Compare one row, shape (n_draws,), with others, shape (n_others, n_draws)."""
    n_draws = len(first)
    ties = (first == others).sum(axis=1) / 2
    difference = first - others
    lower, upper = interval_of(difference, interval)
    ratio = np.full((3, len(others)), np.nan)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratios = first / others
    defined = np.isfinite(ratios).all(axis=1)
    if defined.any():
        ratios = ratios[defined]
        ratio[:, defined] = [np.median(ratios, axis=1), *interval_of(ratios, interval)]
    return {
        "prob_greater": ((first > others).sum(axis=1) + ties) / n_draws,
        "prob_less": ((first < others).sum(axis=1) + ties) / n_draws,
        "prob_equal": equivalence.holds(first, others).mean(axis=1),
        "difference_mean": difference.mean(axis=1),
        "difference_lower": lower,
        "difference_upper": upper,
        "ratio_median": ratio[0],
        "ratio_lower": ratio[1],
        "ratio_upper": ratio[2],
    }


def _conclude(columns: dict[str, FloatArray], prob: float) -> npt.NDArray[np.object_]:
    conclusion = np.full(len(columns["prob_equal"]), Conclusion.OPEN, dtype=object)
    conclusion[columns["prob_less"] >= prob] = Conclusion.LESS
    conclusion[columns["prob_greater"] >= prob] = Conclusion.GREATER
    conclusion[columns["prob_equal"] >= prob] = Conclusion.EQUAL
    return conclusion
