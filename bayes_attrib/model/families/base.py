"""What a likelihood family has to offer, and the laws that families share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.spec import PriorSpec

Draws = Mapping[str, FloatArray]
"""Posterior draws of the dispersion parameters by name, each of shape (n_draws,)."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The edges of some aggregates, in every draw; what an allocation law is a function of.

    Attributes
    ----------
    totals : ndarray, shape (n_aggregates,)
        Observed totals.
    indptr : ndarray of int, shape (n_aggregates + 1,)
        Edges of aggregate b are ``indptr[b]:indptr[b + 1]``; no aggregate is empty.
    mu : ndarray, shape (n_edges, n_draws)
        Expected amount of every edge in every draw; positive.
    """

    totals: FloatArray
    indptr: npt.NDArray[np.integer[Any]]
    mu: FloatArray

    @cached_property
    def shares(self) -> FloatArray:
        """Shares p_eb = mu_eb / mu_b, shape (n_edges, n_draws)."""
        return shares_of(self.indptr, self.mu)

    def scaled_by_totals(self, shares: FloatArray) -> FloatArray:
        """Multiply shares, shape (n_edges, n_draws), by the totals of their aggregates."""
        return shares * np.repeat(self.totals, np.diff(self.indptr))[:, np.newaxis]


class Family(ABC):
    """Noise of the totals, closed under the sum over entities.

    A family offers three laws that belong together: the marginal law of a total (for the sampler),
    the law of a new total (for predictive checks), and the exact law of the amounts given their
    total.
    """

    name: ClassVar[str]
    level: ClassVar[str | None]
    dispersion: ClassVar[str | None]

    @abstractmethod
    def default_prior(self, data: AggregateData) -> PriorSpec | None:
        """Prior of the dispersion parameter on the data's own scale; None without dispersion."""

    @abstractmethod
    def add_total(self, mu: Any, totals: FloatArray, dispersion: Any, **kwargs: Any) -> None:
        """Add the observed totals, with expectation ``mu``, to the PyMC model in context."""

    @abstractmethod
    def variance(self, mu: FloatArray, dispersion: FloatArray | float) -> FloatArray:
        """Variance of a total with expectation ``mu``, in squared units of the total."""

    @abstractmethod
    def moment_dispersion(self, totals: FloatArray, mu: FloatArray) -> float:
        """Moment estimate of the dispersion parameter from totals and expectations, same shape."""

    @abstractmethod
    def draw_totals(
        self, mu: FloatArray, dispersion: Draws, rng: np.random.Generator
    ) -> FloatArray:
        """Draw new totals from expectations ``mu``, shape (n_aggregates, n_draws)."""

    @abstractmethod
    def draw_amounts(self, cells: Cells, dispersion: Draws, rng: np.random.Generator) -> FloatArray:
        """Draw the amounts given their totals, exactly.

        Parameters
        ----------
        cells : Cells
            Totals and expected amounts.
        dispersion : mapping
            Draws of the dispersion parameter, if the family has one.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray, shape (n_edges, n_draws)
            Amounts; in every draw they sum to the totals, exactly for counts.
        """


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


def multinomial_amounts(cells: Cells, shares: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Split whole totals by a multinomial law.

    Independent Poisson amounts are multinomial given their sum, with the shares of their
    expectations as probabilities (Johnson, Kotz and Balakrishnan 1997, Discrete Multivariate
    Distributions, section 35.2).

    Parameters
    ----------
    cells : Cells
        Totals, whole numbers, and the edges that share them.
    shares : ndarray, shape (n_edges, n_draws)
        Probabilities, summing to one within each aggregate.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_edges, n_draws)
        Whole amounts as floats; they sum to the totals exactly.
    """
    amounts = np.zeros_like(shares)
    for b in np.flatnonzero(cells.totals > 0):
        edges = slice(cells.indptr[b], cells.indptr[b + 1])
        amounts[edges] = rng.multinomial(int(cells.totals[b]), shares[edges].T).T
    return amounts


def dirichlet_shares(
    indptr: npt.NDArray[np.integer[Any]], concentration: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw Dirichlet shares within each aggregate, safely for tiny concentrations.

    A Gamma(a) variable is a Gamma(a + 1) variable times U**(1/a) (Marsaglia and Tsang 2000); on the
    log scale no concentration is too small to be drawn from.

    Parameters
    ----------
    indptr : ndarray of int, shape (n_aggregates + 1,)
        Row pointers; no aggregate is empty.
    concentration : ndarray, shape (n_edges, n_draws)
        Positive concentrations.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_edges, n_draws)
        Shares that sum to one within each aggregate.
    """
    log_gamma = np.log(rng.standard_gamma(concentration + 1.0))
    log_gamma -= rng.standard_exponential(concentration.shape) / concentration
    largest = np.maximum.reduceat(log_gamma, indptr[:-1], axis=0)
    return shares_of(indptr, np.exp(log_gamma - np.repeat(largest, np.diff(indptr), axis=0)))


def mean_cell_amount(data: AggregateData) -> float:
    """Mean amount of an edge, in the unit of the totals: the natural scale of pair-level noise."""
    return data.grand_total / data.n_edges
