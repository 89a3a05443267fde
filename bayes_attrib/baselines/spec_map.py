"""Posterior modes of a spec's model: without a graph where rates are linear in normal effects."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from bayes_attrib import names
from bayes_attrib.baselines.field_density import FieldDensity
from bayes_attrib.baselines.field_mode import find_field_mode
from bayes_attrib.baselines.map_estimate import MapFit, check_tolerance, fit_map
from bayes_attrib.baselines.point_fit import Stopped
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model import build_model
from bayes_attrib.model.edge_terms import edge_terms
from bayes_attrib.model.families import get_family
from bayes_attrib.model.latent_field import NORMAL, LatentField, has_latent_field, latent_field
from bayes_attrib.spec import ModelSpec, RatesSpec

UNPOOLED_SIGMA: Final = 3.0
"""Sd of log rates that pools next to nothing: two rates in three within a factor 20 of r0."""


def fit_spec_map(
    data: AggregateData,
    spec: ModelSpec,
    hyperparameters: Mapping[str, Any],
    *,
    tolerance: float = 1e-10,
    max_iterations: int = 1000,
) -> MapFit:
    """Find the posterior mode of a spec's model, given its hyperparameters.

    It is the mode that :func:`~bayes_attrib.baselines.fit_map` finds for the model of the spec.
    Where log rates are linear in effects with normal priors (groups, nested levels, covariates of
    entities; every family but those whose noise depends on the split), it is found by Newton's
    method with products of the exposures only: nothing is compiled, and the count of products, some
    200, does not grow with the data. Every other model is built and handed to ``fit_map``.

    Parameters
    ----------
    data : AggregateData
        Totals, exposures, groups and covariates.
    spec : ModelSpec
        The model.
    hyperparameters : mapping of str to float or ndarray
        Values of all standard deviations and dispersions; see ``fit_map``.
    tolerance : float
        Predicted gain, in nats, at which the mode counts as found.
    max_iterations : int
        Iterations after which to give up.

    Returns
    -------
    MapFit
        Where no graph was built, ``parameters`` holds intercept, effects, coefficients of
        standardised covariates, ``log_rate`` and ``rate``; ``log_density`` is that of effects on
        their own scale, and ``gradient_norm`` that of standard normals.

    Raises
    ------
    ValueError
        If hyperparameters do not fit the model, a scale is not given, or the density is not
        finite where the search starts.
    """
    check_tolerance(tolerance)
    field = _field_of(data, spec, hyperparameters)
    if field is None:
        return fit_map(
            build_model(data, spec),
            data,
            hyperparameters,
            terms=edge_terms(data, spec),
            tolerance=tolerance,
            max_iterations=max_iterations,
        )
    values = {name: float(value) for name, value in hyperparameters.items()}
    density = FieldDensity(field, get_family(spec.likelihood), values)
    start = density.look(np.zeros(field.size))
    if not np.isfinite(start.loss):
        raise ValueError(
            "the density of the totals is not finite at equal rates given "
            f"{', '.join(f'{name}={value:g}' for name, value in values.items())}; check that the "
            "family allows the totals"
        )
    mode = find_field_mode(density, tolerance, max_iterations)
    stopped: Stopped = "iterations" if mode.steps >= max_iterations else "stalled"
    if mode.predicted_gain <= tolerance:
        stopped = "stationary"
    amount = data.split_totals(mode.at.rate)
    likelihoods = [density.log_likelihood(at.expected) for at in (start, mode.at)]
    return MapFit(
        method="map",
        rate=mode.at.rate,
        amount=amount,
        entity_amount=data.sum_to_entities(amount),
        log_likelihood=np.array(likelihoods),
        iterations=mode.steps,
        certificate=None,
        stopped=stopped,
        hyperparameters=MappingProxyType(dict(hyperparameters)),
        parameters=MappingProxyType(_parameters(density, mode.at.x)),
        log_density=density.log_density(mode.at),
        gradient_norm=float(np.abs(mode.gradient).max()),
        predicted_gain=mode.predicted_gain,
    )


def fit_unpooled_map(
    data: AggregateData,
    spec: ModelSpec,
    hyperparameters: Mapping[str, Any],
    *,
    sigma_entity: float = UNPOOLED_SIGMA,
) -> MapFit:
    """Find the posterior mode without pooling: no groups, no covariates, and wide rates.

    What remains of the spec are its likelihood and the prior of its intercept. It is the opponent
    of partial pooling, with the same likelihood and without the zeros of maximum likelihood.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    spec : ModelSpec
        Gives the likelihood.
    hyperparameters : mapping of str to float
        Values of the likelihood's parameters, such as ``alpha``; others are left aside, so the
        hyperparameters of a pooled fit will do.
    sigma_entity : float
        Standard deviation of the log rates.

    Returns
    -------
    MapFit
        The mode; see :func:`fit_spec_map`.
    """
    kept = {names.INTERCEPT, *spec.likelihood.parameters}
    if spec.unattributed is not None:
        kept.add(names.UNATTRIBUTED_SHARE)
    priors = {name: prior for name, prior in spec.priors.items() if name in kept}
    plain = spec.model_copy(update={"rates": RatesSpec(), "priors": priors})
    given = {name: value for name, value in hyperparameters.items() if name in kept}
    return fit_spec_map(data, plain, given | {names.SIGMA_ENTITY: sigma_entity})


def _field_of(
    data: AggregateData, spec: ModelSpec, hyperparameters: Mapping[str, Any]
) -> LatentField | None:
    """Return the latent field, or None where the model's own graph has to decide.

    The graph also serves hyperparameters that are not the expected ones, or out of range: it knows
    which are free to stay free, and says what is wrong with the others.
    """
    wanted = set(spec.parameters) - set(NORMAL)
    values = [np.asarray(value) for value in hyperparameters.values()]
    usual = all(value.shape == () and 0 < value < np.inf for value in values)
    if not (usual and set(hyperparameters) == wanted and has_latent_field(spec)):
        return None
    if names.PI in wanted and not hyperparameters[names.PI] < 1:
        return None
    if spec.rates.pair_covariates is not None or spec.rates.aggregate_effects:
        return None  # factors of edges
    return latent_field(data, spec)


def _parameters(density: FieldDensity, x: FloatArray) -> dict[str, FloatArray]:
    effects, log_rate = density.effects(x), density.log_rate(x)
    found = {block.variable: effects[block.span] for block in density.field.blocks[:-1]}
    found[names.INTERCEPT] = found[names.INTERCEPT].reshape(())
    return found | {names.LOG_RATE: log_rate, names.RATE: np.exp(log_rate)}
