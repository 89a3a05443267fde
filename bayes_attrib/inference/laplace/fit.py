"""The whole approximation: data and spec in, draws out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import xarray as xr

from bayes_attrib.inference.laplace.assembly import draw_many, draw_settled
from bayes_attrib.inference.laplace.axes import HyperDensity
from bayes_attrib.inference.laplace.dataset import (
    draw_dataset,
    observed_dataset,
    posterior_dataset,
)
from bayes_attrib.inference.laplace.explore_exact import explore_exact
from bayes_attrib.inference.laplace.explore_iterative import explore_iterative
from bayes_attrib.inference.laplace.hyperparameters import hyperparameters
from bayes_attrib.inference.laplace.posterior import Posterior
from bayes_attrib.inference.laplace.supported import require_supported
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData
from bayes_attrib.model.families import get_family
from bayes_attrib.model.latent_field import latent_field
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class LaplaceSettings:
    """What determines the draws of an approximation.

    Attributes
    ----------
    draws : int
        Number of draws; they are independent of each other.
    seed : int
        Seed of everything random.
    """

    draws: int = 1000
    seed: int = 1


def build_posterior(data: AggregateData, spec: ModelSpec) -> Posterior:
    """Return the posterior of a spec's model for data, ready to be approximated.

    Raises
    ------
    SpecError
        If the approximation does not serve the model.
    """
    require_supported(spec)
    return Posterior(
        latent_field(data, spec), get_family(spec.likelihood), hyperparameters(data, spec)
    )


def explore(posterior: Posterior, seed: int) -> HyperDensity:
    """Approximate the marginal posterior of the hyperparameters."""
    return explore_exact(posterior) if posterior.exact else explore_iterative(posterior, seed)


def fit_laplace(data: AggregateData, spec: ModelSpec, settings: LaplaceSettings) -> PosteriorFit:
    """Approximate the posterior of a spec's model by nested Laplace approximations.

    Given the hyperparameters, the field of effects is approximated by the Gaussian with the
    precision at its mode and a corrected mean; the hyperparameters follow their marginal posterior
    by Laplace's method (Rue, Martino and Chopin 2009, JRSS B 71). Draws of both are independent.

    Parameters
    ----------
    data : AggregateData
        Totals, exposures, groups and covariates.
    spec : ModelSpec
        The model.
    settings : LaplaceSettings
        Number of draws, and seed.

    Returns
    -------
    PosteriorFit
        One chain, with the variables of a sampled fit; the group ``approximation`` holds the
        figures that checks are made from.

    Raises
    ------
    SpecError
        If the approximation does not serve the model.
    FitError
        If no mode was found anywhere near the data.
    """
    posterior = build_posterior(data, spec)
    density = explore(posterior, settings.seed)
    if posterior.exact:
        drawn = draw_settled(posterior, density, settings.draws, settings.seed)
    else:
        drawn = draw_many(posterior, density, settings.draws, settings.seed)
    dataset = posterior_dataset(
        data,
        spec,
        posterior.field,
        hyper=drawn.values,
        effects=drawn.effects,
        rates=drawn.rates,
    )
    groups = {
        "posterior": dataset,
        "sample_stats": draw_dataset(drawn.statistics),
        "observed_data": observed_dataset(data, spec),
        "approximation": _figures(posterior, drawn.figures),
    }
    return PosteriorFit(xr.DataTree.from_dict(groups), method="laplace")


def _figures(posterior: Posterior, of_draws: Mapping[str, float]) -> xr.Dataset:
    effort = posterior.effort
    found: dict[str, float] = {
        "n_modes": effort.climbs,
        "modes_not_found": effort.failures,
        "worst_residual": effort.residuals.worst,
        "n_elements": posterior.field.size,
    }
    return xr.Dataset({name: ((), float(value)) for name, value in {**found, **of_draws}.items()})
