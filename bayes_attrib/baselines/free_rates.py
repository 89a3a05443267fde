"""The Poisson likelihood with one free rate per entity.

One evaluation is a product with the exposures and one with their transpose, by SciPy. A compiled
kernel that does both in a single pass over the edges is no faster (``benchmarks/em.py`` measures
it): sums over some ten edges wait for additions and for memory, not for the second reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Iterate:
    """Rates, and what the likelihood says about them.

    Attributes
    ----------
    rate : ndarray of float, shape (n_entities,)
        Rates per unit of exposure; zero for entities without exposure.
    expected : ndarray of float, shape (n_aggregates,)
        Expected totals mu.
    ratio : ndarray of float, shape (n_aggregates,)
        Totals over expected totals, c_b = y_b / mu_b; zero where the total is zero.
    score : ndarray of float, shape (n_entities,)
        Factor by which EM would multiply each rate: the mean of the ratios, weighted by exposure.
        Zero for entities without exposure.
    """

    rate: FloatArray
    expected: FloatArray
    ratio: FloatArray
    score: FloatArray


class FreeRates:
    """The likelihood as a function of the rates, with what is computed once per data set.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    """

    def __init__(self, data: AggregateData) -> None:
        self.data = data
        self._transpose = data.exposure.T
        exposure = np.asarray(data.exposure.sum(axis=0), dtype=np.float64).reshape(-1)
        self.is_exposed = exposure > 0
        """Whether each entity has any exposure, shape (n_entities,)."""
        self.entity_exposure = exposure
        """Exposure of each entity, summed over aggregates, shape (n_entities,)."""
        self._everybody_is_exposed = bool(self.is_exposed.all())
        self._divisor = np.where(self.is_exposed, exposure, 1.0)
        self.is_positive = data.totals > 0
        """Whether each total is positive, shape (n_aggregates,)."""
        self.n_products = 0
        """Products with the exposures or their transpose so far."""

    def expected_totals(self, rate: FloatArray) -> FloatArray:
        """Sum exposure times a value per entity, shape (n_entities,), to (n_aggregates,)."""
        self.n_products += 1
        return self.data.expected_totals(rate)

    def evaluate(self, rate: FloatArray) -> Iterate:
        """Evaluate the likelihood's ingredients at rates of shape (n_entities,).

        Parameters
        ----------
        rate : ndarray of float, shape (n_entities,)
            Rates per unit of exposure; not negative where there is exposure.

        Returns
        -------
        Iterate
            The rates with expected totals, ratios and scores.

        Raises
        ------
        ValueError
            If a positive total has an expected total of zero.
        """
        rate = self._of_the_exposed(rate)
        expected = self.expected_totals(rate)
        positive = self.is_positive
        if not np.all((expected > 0) | ~positive):
            label = self.data.aggregate_labels[np.flatnonzero(positive & ~(expected > 0))[0]]
            raise ValueError(
                f"aggregate {label!r} has a positive total, but all rates of its entities are "
                "zero; give each of them a positive rate"
            )
        ratio = np.divide(self.data.totals, expected, out=np.zeros_like(expected), where=positive)
        score = self.sum_over_aggregates(ratio)
        score /= self._divisor
        return Iterate(rate=rate, expected=expected, ratio=ratio, score=score)

    def on_scale(self, rate: FloatArray) -> FloatArray:
        """Scale rates so that expected and observed totals have the same sum.

        That maximises the likelihood along the ray through the rates. An EM update does it by
        itself.

        Parameters
        ----------
        rate : ndarray of float, shape (n_entities,)
            Rates per unit of exposure, up to a common factor.

        Returns
        -------
        ndarray of float, shape (n_entities,)
            Scaled rates; zero for entities without exposure.
        """
        rate = self._of_the_exposed(rate)
        expected = float(self.entity_exposure @ rate)
        return rate * (self.data.grand_total / expected) if expected > 0 else rate

    def gain(self, before: Iterate, rate: FloatArray) -> float:
        """Rise of the log-likelihood from an iterate to other rates, in nats.

        Computed from the change of the expected totals, so that it stays accurate where the
        difference of two log-likelihoods would be rounding noise.

        Parameters
        ----------
        before : Iterate
            Where to start from.
        rate : ndarray of float, shape (n_entities,)
            Where to go.

        Returns
        -------
        float
            Rise in nats; minus infinity if a positive total would be expected to be zero.
        """
        return self._gain_of_change(before, self.expected_totals(rate - before.rate))

    def gain_of_update(self, before: Iterate, after: Iterate) -> float:
        """Rise of the log-likelihood by an update of EM, in nats.

        It costs no product. Differences of expected totals have rounding errors of their own, so
        a rise that is smaller than those is reported as none: an update of EM never falls.

        Parameters
        ----------
        before, after : Iterate
            Where the update started, and where it ended.

        Returns
        -------
        float
            Rise in nats; not negative.
        """
        return max(self._gain_of_change(before, after.expected - before.expected), 0.0)

    def _gain_of_change(self, before: Iterate, change: FloatArray) -> float:
        relative = np.zeros_like(change)
        np.divide(change, before.expected, out=relative, where=self.is_positive)
        if relative.min(initial=0.0) <= -1.0:
            return -np.inf
        return float(self.data.totals @ np.log1p(relative) - change.sum())

    def _of_the_exposed(self, rate: FloatArray) -> FloatArray:
        return rate if self._everybody_is_exposed else np.where(self.is_exposed, rate, 0.0)

    def sum_over_aggregates(self, per_aggregate: FloatArray) -> FloatArray:
        """Sum exposure times a value per aggregate, shape (n_aggregates,), to (n_entities,)."""
        self.n_products += 1
        return np.asarray(self._transpose @ per_aggregate)

    def largest_over_entities(self, per_entity: FloatArray) -> FloatArray:
        """Largest value of the entities of each aggregate.

        Parameters
        ----------
        per_entity : ndarray of float, shape (n_entities,)
            A value per entity.

        Returns
        -------
        ndarray of float, shape (n_exposed_aggregates,)
            Values in the order of the aggregates that have exposure.
        """
        exposure = self.data.exposure
        starts = exposure.indptr[:-1][self.data.is_exposed]
        largest: FloatArray = np.maximum.reduceat(per_entity[exposure.indices], starts)
        return largest

    def information(self, at: Iterate) -> FloatArray:
        """Observed information of each log rate: (lambda w)^2 y / mu^2, summed over aggregates.

        Parameters
        ----------
        at : Iterate
            Rates with their expected totals and ratios.

        Returns
        -------
        ndarray of float, shape (n_entities,)
            Diagonal of the information matrix.
        """
        amount = at.rate * self.entity_exposure
        return amount**2 * np.asarray(self._squared_profiles @ self.curvature(at))

    def curvature(self, at: Iterate) -> FloatArray:
        """Curvature y / mu^2 of the likelihood in each expected total, shape (n_aggregates,).

        Parameters
        ----------
        at : Iterate
            Expected totals and ratios.

        Returns
        -------
        ndarray of float, shape (n_aggregates,)
            Curvature; zero where the total is zero.
        """
        return np.divide(at.ratio, at.expected, out=np.zeros_like(at.ratio), where=self.is_positive)

    @cached_property
    def _squared_profiles(self) -> sp.csc_array:
        """Squares of the exposures as fractions of their entity's, transposed: free of units."""
        exposure = self.data.exposure
        profile = exposure.data / self.entity_exposure[exposure.indices]
        squared = sp.csr_array((profile**2, exposure.indices, exposure.indptr), exposure.shape)
        return squared.T
