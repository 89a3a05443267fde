"""What a likelihood family has to offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.spec import PriorSpec

Parameters = Mapping[str, Any]
"""Values of a family's parameters by name: scalars, or arrays that broadcast against expectations.

``pi`` may differ between aggregates, where the spec has covariates of zeros: its shape is then
(n_aggregates,) in a graph and (n_aggregates, n_draws) in NumPy. A family that needs it is also
given ``herfindahl``, the sum of squared shares p_eb**2 of each aggregate, of that same shape.
"""

Draws = Mapping[str, FloatArray]
"""Posterior draws of a family's parameters by name, each of shape (n_draws,), but see above."""


class Family(ABC):
    """Noise of the totals, with the laws that belong together.

    A family offers the marginal law of a total (for the sampler, and its log density for model
    choice), the law of a new total (for predictive checks), and the law of the amounts given their
    total.

    Attributes
    ----------
    name : str
        Name in a spec.
    level : str or None
        Where the extra noise lives; None where there is none.
    parameters : tuple of str
        Names of the noise parameters, each of which has a default prior.
    counts : bool
        Whether totals are whole numbers.
    zeros_allowed : bool
        Whether a total of zero has a positive probability.
    needs_herfindahl : bool
        Whether the law of a total depends on how evenly its expected amounts are spread.
    informs_rates : bool
        Whether totals have a law at all, so that they say something about rates.
    """

    name: str
    level: str | None
    parameters: tuple[str, ...]
    counts: bool
    zeros_allowed: bool
    needs_herfindahl: bool = False
    informs_rates: bool = True

    @abstractmethod
    def default_priors(self, data: AggregateData) -> Mapping[str, PriorSpec]:
        """Prior of each parameter, on the data's own scale."""

    @abstractmethod
    def total_law(self, mu: Any, parameters: Parameters) -> Any:
        """Return the law of totals as a PyMC distribution outside of any model.

        Parameters
        ----------
        mu : TensorVariable, shape (n_aggregates,)
            Expected totals.
        parameters : mapping
            Noise parameters, as PyTensor variables.
        """

    def add_total(
        self, mu: Any, totals: FloatArray, parameters: Parameters, *, dims: str | None = None
    ) -> None:
        """Add the observed totals to the PyMC model in context.

        Parameters
        ----------
        mu : TensorVariable, shape (n_aggregates,)
            Expected totals.
        totals : ndarray, shape (n_aggregates,)
            Observed totals.
        parameters : mapping
            Noise parameters, as PyTensor variables.
        dims : str, optional
            Name of the dimension of the totals.
        """
        observed = pm.Data("observed_total", totals.astype(np.int64) if self.counts else totals)
        law = self.total_law(mu, parameters)
        along = None if dims is None else (dims,)
        pm.modelcontext(None).register_rv(law, names.TOTAL, observed=observed, dims=along)

    @abstractmethod
    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Log density, or log mass, of each total; the arguments broadcast against each other.

        Parameters
        ----------
        totals : ndarray, shape (n_aggregates, 1)
            Totals that the family allows.
        mu : ndarray, shape (n_aggregates, n_draws)
            Expected totals.
        parameters : mapping
            Noise parameters, of shape (n_draws,) or (n_aggregates, n_draws).
        """

    @abstractmethod
    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Derivative of the log density of each total by ``mu``, in the shape of that density.

        Parameters
        ----------
        totals : ndarray, shape (n_aggregates, 1)
            Totals that the family allows.
        mu : ndarray, shape (n_aggregates, n_draws)
            Expected totals.
        parameters : mapping
            Noise parameters, of shape (n_draws,) or (n_aggregates, n_draws); ``herfindahl`` stays
            as it is while ``mu`` moves.
        """

    @abstractmethod
    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Fisher information of a total about ``mu``: the variance of the score, same shape."""

    @abstractmethod
    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Mean of a total with expected amounts that sum to ``mu``, in units of the total."""

    @abstractmethod
    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Variance of a total with expected amounts that sum to ``mu``, in squared units."""

    @abstractmethod
    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:
        """Moment estimates of the parameters from totals and their expectations, same shape."""

    @abstractmethod
    def draw_totals(
        self, mu: FloatArray, parameters: Parameters, rng: np.random.Generator
    ) -> FloatArray:
        """Draw new totals from expectations ``mu``, shape (n_aggregates, n_draws)."""

    @abstractmethod
    def part_variance(self, totals: Any, part: Any, mu: Any, parameters: Parameters) -> Any:
        """Variance of a part of a total: of the summed amounts of some of its entities, given it.

        Arithmetic alone, so that it serves PyTensor and NumPy.

        Parameters
        ----------
        totals : array, shape (n,) or (n, 1)
            Totals.
        part : array, shape (n,) or (n, n_draws)
            Share of the expected amounts that these entities have.
        mu : array, same shape
            Expected totals.
        parameters : mapping
            Noise parameters.

        Returns
        -------
        array
            In squared units of the totals; 0 where the amounts follow from total and rates.
        """

    @abstractmethod
    def draw_amounts(self, cells: Cells, parameters: Draws, rng: np.random.Generator) -> FloatArray:
        """Draw the amounts given their totals.

        Parameters
        ----------
        cells : Cells
            Totals and expected amounts.
        parameters : mapping
            Draws of the parameters, shape (n_draws,); what belongs to zeros is not looked at.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray, shape (n_edges, n_draws)
            Amounts; in every draw they sum to the totals, exactly for counts.
        """


def mean_cell_amount(data: AggregateData) -> float:
    """Mean amount of an edge, in the unit of the totals: the natural scale of pair-level noise."""
    return data.grand_total / data.n_edges
