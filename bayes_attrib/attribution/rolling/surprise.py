"""Are new totals what the fit foretells? A joint test, exact for draws that are the posterior's.

New totals are set beside replicates: totals that the fit draws for the same exposures, each with
its own draw of the parameters. If nothing has changed since the fit, observed totals and replicates
are exchangeable, so the rank of any figure among those of the replicates is uniform, however the
totals depend on each other through common rates (Box 1980, Journal of the Royal Statistical
Society A 143). Figures are made in families (level, scatter, by entity, ...); within a family, and
again over families, the smallest p-value is held against the smallest p-values of the replicates
(Westfall and Young 1993, Resampling-Based Multiple Testing), so one false-alarm rate holds for all
of them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import rankdata

from bayes_attrib.inputs.aggregate_data import FloatArray


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of one family, each a number made of the normal scores of all totals.

    Attributes
    ----------
    family : str
        Such as ``"entity"``.
    labels : sequence of str, shape (n_figures,)
        What each figure is about.
    weights : ndarray, shape (n_figures, n_aggregates), or None
        A figure is the absolute value of the weighted sum of scores; None for the mean of their
        squares, of which large values alone count.
    """

    family: str
    labels: Sequence[str]
    weights: FloatArray | None


@dataclass(frozen=True, slots=True)
class FamilyTest:
    """What a family of figures says.

    Attributes
    ----------
    family : str
        Its name.
    p_value : float
        Of the family as a whole: so often its most striking figure is as striking without drift.
    label : str
        What its most striking figure is about.
    score : float
        That figure in standard deviations of the replicates; negative where totals are lower than
        foretold, for the scatter its excess.
    """

    family: str
    p_value: float
    label: str
    score: float


@dataclass(frozen=True, eq=False)
class Surprise:
    """How new totals compare with what the fit foretells.

    Attributes
    ----------
    p_value : float
        Of all families together.
    families : tuple of FamilyTest
        One for each family.
    pit : ndarray, shape (n_aggregates,)
        Probability integral transform of every total: its place among its replicates, between 0
        and 1; ties count half.
    n_replicates : int
        Number of replicates; no p-value can be below 1 / (n_replicates + 1).
    """

    p_value: float
    families: tuple[FamilyTest, ...]
    pit: FloatArray
    n_replicates: int


def compare_totals(
    totals: FloatArray, replicates: FloatArray, families: Sequence[Figures]
) -> Surprise:
    """Hold new totals against replicates.

    Parameters
    ----------
    totals : ndarray, shape (n_aggregates,)
        Observed.
    replicates : ndarray, shape (n_aggregates, n_replicates)
        Drawn by the fit, each column with a draw of its own of all parameters.
    families : sequence of Figures
        What is looked at; at least one.

    Returns
    -------
    Surprise
        P-values, and where the totals are most striking.
    """
    pooled = np.column_stack([totals, replicates])
    n = pooled.shape[1]
    place = (rankdata(pooled, axis=1) - 0.5) / n
    scores = ndtri(place)
    tests, smallest = [], []
    for figures in families:
        test, by_column = _test_family(figures, scores)
        tests.append(test)
        smallest.append(by_column)
    overall = _rank_of_small(np.min(smallest, axis=0))
    return Surprise(float(overall[0]), tuple(tests), place[:, 0], n - 1)


def _test_family(figures: Figures, scores: FloatArray) -> tuple[FamilyTest, FloatArray]:
    """Return the test, and the p-value of the family for every column, shape (n_columns,)."""
    values = (
        np.mean(scores**2, axis=0, keepdims=True)
        if figures.weights is None
        else figures.weights @ scores
    )
    values = values - values.mean(axis=1, keepdims=True)
    striking = values if figures.weights is None else np.abs(values)
    p_values = _rank_of_large(striking)
    by_column = _rank_of_small(p_values.min(axis=0))
    worst = int(np.argmin(p_values[:, 0] - 1e-9 * striking[:, 0] / (striking.max() + 1.0)))
    spread = float(values[worst].std())
    score = float(values[worst, 0]) / spread if spread > 0 else 0.0
    test = FamilyTest(figures.family, float(by_column[0]), str(figures.labels[worst]), score)
    return test, by_column


def _rank_of_large(values: FloatArray) -> FloatArray:
    """Fraction of columns with a value at least as large, for every row and column."""
    return rankdata(-values, method="max", axis=1) / values.shape[1]


def _rank_of_small(values: npt.NDArray[np.float64]) -> FloatArray:
    """Fraction of columns with a value at most as large, shape (n_columns,)."""
    return rankdata(values, method="max") / len(values)
