"""The whole approximation: data and spec in, draws out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bayes_attrib.errors import FitError
from bayes_attrib.inference.laplace.axes import HyperDensity
from bayes_attrib.inference.laplace.dataset import (
    draw_dataset,
    observed_dataset,
    posterior_dataset,
)
from bayes_attrib.inference.laplace.draws import PointDraws, draw_exact, draw_iterative
from bayes_attrib.inference.laplace.explore_exact import explore_exact
from bayes_attrib.inference.laplace.explore_iterative import explore_iterative
from bayes_attrib.inference.laplace.hyperparameters import hyperparameters
from bayes_attrib.inference.laplace.latent_field import latent_field
from bayes_attrib.inference.laplace.posterior import Posterior
from bayes_attrib.inference.laplace.streams import Purpose, stream
from bayes_attrib.inference.laplace.supported import require_supported
from bayes_attrib.inference.laplace.weights import Weights, resample, weigh
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec

SMALL_FIELD = 200
"""Fields of at most so many elements get more points, and more draws to choose from."""

_MANY_TIMES, _TIMES = 12, 2
"""So many draws are made for each that is chosen, in small fields and in others."""

_MANY_POINTS, _POINTS, FEW_POINTS = 256, 64, 16


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
        points, weights = _weighted(posterior, density, settings)
    else:
        drawn = draw_iterative(posterior, density, FEW_POINTS, settings.draws, settings.seed)
        points, weights = list(drawn), None
    return _assemble(data, spec, posterior, points=points, weights=weights, settings=settings)


def _weighted(
    posterior: Posterior, density: HyperDensity, settings: LaplaceSettings
) -> tuple[list[PointDraws], Weights]:
    is_small = posterior.field.size <= SMALL_FIELD
    n_points = _MANY_POINTS if is_small else _POINTS
    n_each = max(4, -(-settings.draws * (_MANY_TIMES if is_small else _TIMES) // n_points))
    points = list(draw_exact(posterior, density, n_points, n_each, settings.seed))
    log_points = np.array([point.log_weight for point in points])
    log_joint = np.array([point.log_joint_weight for point in points])
    if not np.isfinite(log_points).all():
        raise FitError("the density of the totals is not finite near the mode of the parameters")
    return points, weigh(log_points, log_joint)


def _assemble(
    data: AggregateData,
    spec: ModelSpec,
    posterior: Posterior,
    *,
    points: Sequence[PointDraws],
    weights: Weights | None,
    settings: LaplaceSettings,
) -> PosteriorFit:
    at_point = np.repeat(np.arange(len(points)), [p.log_rates.shape[1] for p in points])
    chosen = np.arange(len(at_point))
    if weights is not None:
        rng = stream(settings.seed, Purpose.RESAMPLING)
        chosen = resample(weights.log_weights, settings.draws, rng)
    k = posterior.field.n_coarse
    hyper = {
        name: np.array([point.values[name] for point in points])[at_point][chosen]
        for name in posterior.hyper.names
    }
    dataset = posterior_dataset(
        data,
        spec,
        posterior.field,
        hyper=hyper,
        effects=np.hstack([point.effects[:k] for point in points])[:, chosen],
        log_rates=_columns([point.log_rates for point in points], chosen),
    )
    groups = {
        "posterior": dataset,
        "sample_stats": draw_dataset({"point": at_point[chosen].astype(np.float64)}),
        "observed_data": observed_dataset(data, spec),
        "approximation": _figures(posterior, weights, points),
    }
    return PosteriorFit(xr.DataTree.from_dict(groups), method="laplace")


def _columns(pieces: list[FloatArray], chosen: IntArray) -> FloatArray:
    """Return chosen columns of pieces side by side, without a copy of all of them."""
    ends = np.cumsum([piece.shape[1] for piece in pieces])
    result = np.empty((len(chosen), len(pieces[0])))
    for row, column in enumerate(chosen):
        piece = int(np.searchsorted(ends, column, side="right"))
        result[row] = pieces[piece][:, column - ends[piece]]
    return result.T


def _figures(
    posterior: Posterior, weights: Weights | None, points: Sequence[PointDraws]
) -> xr.Dataset:
    effort = posterior.effort
    found: dict[str, float] = {
        "n_points": len(points),
        "n_modes": effort.climbs,
        "modes_not_found": effort.failures,
        "worst_residual": effort.residuals.worst,
        "n_elements": posterior.field.size,
        "mean_correction": float(np.nanmean([point.correction for point in points])),
    }
    if weights is not None:
        found |= {
            "pareto_k": weights.pareto_k,
            "pareto_k_hyperparameters": weights.pareto_k_hyper,
            "effective_draws": weights.effective_draws,
            "effective_points": weights.effective_points,
            "log_marginal_likelihood": weights.log_marginal_likelihood,
            "field_is_reweighted": float(weights.corrects_field),
        }
    return xr.Dataset({name: ((), float(value)) for name, value in found.items()})
