"""The edges of some aggregates, in every draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import FloatArray


@dataclass(frozen=True, eq=False)
class Cells:
    """The edges of some aggregates, in every draw; what an allocation law is a function of.

    Attributes
    ----------
    totals : ndarray, shape (n_aggregates,) or (n_aggregates, n_draws)
        Totals: the same in every draw, or a draw of each where they are estimates.
    indptr : ndarray of int, shape (n_aggregates + 1,)
        Edges of aggregate b are ``indptr[b]:indptr[b + 1]``; no aggregate is empty.
    mu : ndarray, shape (n_edges, n_draws)
        Expected amount of every edge in every draw; positive.
    of_many : bool
        Whether they belong to so many cells and draws that whole amounts are drawn by the compiled
        algorithm, see :mod:`bayes_attrib.model.families.multinomial_kernel`.
    """

    totals: FloatArray
    indptr: npt.NDArray[np.integer[Any]]
    mu: FloatArray
    of_many: bool = False

    @cached_property
    def shares(self) -> FloatArray:
        """Shares p_eb = mu_eb / mu_b, shape (n_edges, n_draws)."""
        return shares_of(self.indptr, self.mu)

    @property
    def totals_by_draw(self) -> FloatArray:
        """Totals as a matrix, shape (n_aggregates, 1) or (n_aggregates, n_draws)."""
        return self.totals if self.totals.ndim == 2 else self.totals[:, np.newaxis]

    def scaled_by_totals(self, shares: FloatArray) -> FloatArray:
        """Multiply shares, shape (n_edges, n_draws), by the totals of their aggregates."""
        return shares * np.repeat(self.totals_by_draw, np.diff(self.indptr), axis=0)


def shares_of(indptr: npt.NDArray[np.integer[Any]], weights: FloatArray) -> FloatArray:
    """Divide non-negative weights by their sum within each aggregate.

    Parameters
    ----------
    indptr : ndarray of int, shape (n_aggregates + 1,)
        Row pointers; no aggregate is empty.
    weights : ndarray, shape (n_edges, n_draws)
        Weights whose sum within each aggregate is positive.

    Returns
    -------
    ndarray, shape (n_edges, n_draws)
        Shares that sum to one within each aggregate.
    """
    sums = np.add.reduceat(weights, indptr[:-1], axis=0)
    return weights / np.repeat(sums, np.diff(indptr), axis=0)
