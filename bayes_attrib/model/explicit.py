"""The model with the amounts of pairs among its unknowns.

Integrating the amounts out leaves the law of the totals, which is what
:func:`bayes_attrib.model.build_model` holds. Here they stay: the amounts are independent given
their expectations, and all that the totals say is that amounts sum to them. Nothing is shared with
the families' marginal and allocation laws, so each route checks the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.build import build_expectations
from bayes_attrib.model.geometry import Geometry
from bayes_attrib.spec import ModelSpec

MOST_PAIRS = 2000
"""Beyond so many pairs the draws of amounts fill memory, and chains mix too slowly to be of use."""


class PairLaw(ABC):
    """Law of independent amounts, and their law given that they sum to a total.

    Attributes
    ----------
    latent : str
        Name of the unknown: the amounts, or their logarithms.
    """

    latent: str = names.AMOUNT

    @abstractmethod
    def add_amounts(self, mu: Any, noise: Mapping[str, Any]) -> None:
        """Add amounts with expectations ``mu``, shape (n_edges,), to the PyMC model in context."""

    @abstractmethod
    def draw(
        self, total: float, mu: FloatArray, noise: Mapping[str, Any], rng: np.random.Generator
    ) -> Any:
        """Draw the unknowns of one aggregate given its total.

        Parameters
        ----------
        total : float
            Observed total.
        mu : ndarray, shape (n_chosen,)
            Expected amounts of its edges; positive.
        noise : mapping of str to float
            Parameters of the family.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray, shape (n_chosen,)
            Amounts that sum to the total, or their logarithms.
        """


class PoissonPairs(PairLaw):
    """z_eb ~ Poisson(mu_eb); given their sum they are multinomial."""

    def add_amounts(self, mu: Any, noise: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Add z ~ Poisson(mu)."""
        pm.Poisson(names.AMOUNT, mu=mu, dims=names.PAIR)

    def draw(
        self,
        total: float,
        mu: FloatArray,
        noise: Mapping[str, Any],  # noqa: ARG002
        rng: np.random.Generator,
    ) -> Any:
        """Draw z ~ Multinomial(total, mu / sum of mu)."""
        return rng.multinomial(int(total), mu / mu.sum())


class NegativeBinomialPairs(PairLaw):
    """z_eb ~ NegBin(mean mu_eb, size mu_eb / phi): Poisson with Gamma means of a common scale.

    Given the sum, the means' shares are Dirichlet(mu / phi), and amounts multinomial with them.
    """

    def add_amounts(self, mu: Any, noise: Mapping[str, Any]) -> None:
        """Add z ~ NegBin(mean mu, size mu / phi)."""
        size = mu / noise[names.PHI]
        pm.NegativeBinomial(names.AMOUNT, mu=mu, alpha=size, dims=names.PAIR)

    def draw(
        self, total: float, mu: FloatArray, noise: Mapping[str, Any], rng: np.random.Generator
    ) -> Any:
        """Draw shares, then z ~ Multinomial(total, shares)."""
        shares = np.exp(_log_dirichlet(mu / noise[names.PHI], rng))
        return rng.multinomial(int(total), shares / shares.sum())


class GammaPairs(PairLaw):
    """z_eb ~ Gamma(shape mu_eb / phi, scale phi).

    Given their sum, the shares z / total are Dirichlet(mu / phi), whatever the total. The unknown
    is log z: amounts of small shapes can be too small for a floating-point number.
    """

    latent = "log_amount"

    def add_amounts(self, mu: Any, noise: Mapping[str, Any]) -> None:
        """Add log z with z ~ Gamma(shape mu / phi, scale phi), and z."""
        phi = noise[names.PHI]
        log_amount = pm.CustomDist(
            self.latent, mu / phi, phi, logp=_log_gamma_density, dims=names.PAIR
        )
        pm.Deterministic(names.AMOUNT, pt.exp(log_amount), dims=names.PAIR)

    def draw(
        self, total: float, mu: FloatArray, noise: Mapping[str, Any], rng: np.random.Generator
    ) -> Any:
        """Draw log z as log total plus the logarithm of Dirichlet shares."""
        return np.log(total) + _log_dirichlet(mu / noise[names.PHI], rng)


PAIR_LAWS: Final = MappingProxyType[tuple[str, str | None], PairLaw](
    {
        ("poisson", None): PoissonPairs(),
        ("negative_binomial", "pair"): NegativeBinomialPairs(),
        ("gamma", "pair"): GammaPairs(),
    }
)
"""Law of the pairs by name and level of the family."""


@dataclass(frozen=True, eq=False)
class ExplicitModel:
    """A model whose unknowns include the amounts, and what their law given the totals needs.

    Attributes
    ----------
    model : pymc.Model
        With ``amount`` over the dimension ``pair``, and no observed variable.
    law : PairLaw
        Law of the amounts.
    mu : TensorVariable, shape (n_edges,)
        Expected amounts.
    noise : mapping of str to TensorVariable
        Parameters of the family.
    """

    model: pm.Model
    law: PairLaw
    mu: Any
    noise: Mapping[str, Any]


def build_explicit_model(
    data: AggregateData, spec: ModelSpec, geometry: Geometry | None = None
) -> ExplicitModel:
    """Build the model of a spec with its amounts among the unknowns.

    Parameters
    ----------
    data : AggregateData
        Sparse exposures, and the groupings and covariates that the spec names.
    spec : ModelSpec
        The model.
    geometry : Geometry, optional
        Parameterisation; chosen from the data where it is not given.

    Returns
    -------
    ExplicitModel
        With the variables of :func:`bayes_attrib.model.build_model` but ``total``.

    Raises
    ------
    FitError
        If there are too many pairs.
    """
    require_few_pairs(data)
    model, mu, noise = build_expectations(data, spec, geometry)
    law = PAIR_LAWS[spec.likelihood.family, spec.likelihood.level]
    labels = data.aggregate_labels[data.edge_aggregate]
    entities = data.entity_names[data.edge_entity]
    pairs = [names.PATH_SEPARATOR.join(pair) for pair in zip(labels, entities, strict=True)]
    with model:
        model.add_coord(names.PAIR, pairs)
        law.add_amounts(mu, noise)
    return ExplicitModel(model, law, mu, noise)


def require_few_pairs(data: AggregateData) -> None:
    """Raise FitError if there are more pairs than explicit amounts are good for."""
    if data.n_edges > MOST_PAIRS:
        raise FitError(
            f"explicit amounts are for small data: at most {MOST_PAIRS:,} pairs of an aggregate "
            f"and an entity, and these data have {data.n_edges:,}; set likelihood.amounts to "
            "'marginal', which has the same posterior of rates and shares"
        )


def _log_gamma_density(log_amount: Any, shape: Any, scale: Any) -> Any:
    """Log density of log z for z ~ Gamma(shape, scale): that of z plus log z."""
    standard = log_amount - pt.log(scale)
    return shape * standard - pt.exp(standard) - pt.gammaln(shape)


def _log_dirichlet(concentration: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw logarithms of Dirichlet shares: a Gamma(a) is a Gamma(a + 1) times U**(1 / a)."""
    log_gamma = np.log(rng.standard_gamma(concentration + 1.0))
    log_gamma -= rng.standard_exponential(len(concentration)) / concentration
    return np.asarray(log_gamma - np.logaddexp.reduce(log_gamma))
