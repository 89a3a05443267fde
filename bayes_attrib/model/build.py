"""The step from data and spec to a plain PyMC model; the only PyTensor graph of the package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.covariates import entity_design, pair_design, zero_design
from bayes_attrib.model.design import Design
from bayes_attrib.model.drift import add_drift
from bayes_attrib.model.edge_terms import edge_terms
from bayes_attrib.model.families import get_family
from bayes_attrib.model.geometry import Form, Geometry, choose_geometry
from bayes_attrib.model.group_effects import (
    add_aggregate_effects,
    add_group_effects,
    entity_sigma,
)
from bayes_attrib.model.learned_exposure import add_transform_parameters, learned_of
from bayes_attrib.model.lift_terms import add_lift_tests
from bayes_attrib.model.priors import add_parameter, resolve_priors
from bayes_attrib.spec import ModelSpec


def build_model(data: AggregateData, spec: ModelSpec, geometry: Geometry | None = None) -> pm.Model:
    """Build the model of a spec for data.

    log rate_e = log r0 + intercept + sum over groups of effect[group of e] + x_e' beta +
    sigma_entity * eps_e, with eps_e standard normal, r0 the data's own rate, and covariates x
    standardised. Expected amounts are rate * exposure, times the factors of pairs and aggregates
    (:func:`bayes_attrib.model.edge_terms.edge_terms`). Totals follow the spec's family.

    Parameters
    ----------
    data : AggregateData
        Totals, sparse exposures, and the groupings and covariates that the spec names.
    spec : ModelSpec
        The model.
    geometry : Geometry, optional
        Parameterisation; chosen from the data where it is not given.

    Returns
    -------
    pymc.Model
        With variables ``rate`` and ``log_rate`` over the dimension ``entity``, the parameters of
        ``spec.parameters``, an ``effect_<column>`` per group, and the observed ``total``, unless
        the family is ``"given"``; with lift tests, also the observed ``lift_increment``.
    """
    model, amount, noise = build_expectations(data, spec, geometry)
    with model:
        mu = sum_over_edges(data, amount)
        add_lift_tests(data, spec, amount, mu, noise)
        family = get_family(spec.likelihood)
        if not family.informs_rates:
            return model
        if family.needs_herfindahl:
            noise = {**noise, names.HERFINDAHL: sum_over_edges(data, amount**2) / mu**2}
        family.add_total(mu, data.totals[data.is_exposed], noise, dims=names.AGGREGATE)
    return model


def build_expectations(
    data: AggregateData, spec: ModelSpec, geometry: Geometry | None = None
) -> tuple[pm.Model, Any, Mapping[str, Any]]:
    """Build all of a spec's model but what was observed.

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
    model : pymc.Model
        As that of :func:`build_model`, without ``total``.
    amount : TensorVariable, shape (n_edges,)
        Expected amounts in the unit of the totals.
    noise : mapping of str to TensorVariable
        Parameters of the family.
    """
    geometry = geometry or choose_geometry(data, spec)
    with pm.Model(coords=_coords(data, spec)) as model:
        parameters = {
            name: add_parameter(name, prior) for name, prior in resolve_priors(spec, data).items()
        }
        for beta, coefficient, dim, design in _designs(data, spec):
            scale = pm.Data(f"scale_{beta}", design.scale)
            pm.Deterministic(coefficient, parameters[beta] / scale, dims=dim)
        log_rate = _add_log_rate(data, spec, geometry, parameters)
        rate = pm.Deterministic(names.RATE, pt.exp(log_rate), dims=names.ENTITY)
        add_aggregate_effects(data, spec, geometry, parameters)
        if spec.rates.drift is not None:
            add_drift(data, spec, parameters, _entity_dim(data))
        add_transform_parameters(spec)
        terms = edge_terms(data, spec)
        factor = sum((term.graph(model[term.variable]) for term in terms), start=0.0)
        amount = expected_amounts(data, rate, factor if terms else None)
        noise = _noise(data, spec, parameters)
    return model, amount, noise


def expected_amounts(data: AggregateData, rate: Any, log_factor: Any = None) -> Any:
    """Expected amounts of all edges as a PyTensor vector; with their sums, exposure @ rate.

    With :func:`sum_over_edges` the twin of :meth:`AggregateData.expected_totals`, which tests hold
    it against. The sparse product is written as gather and scatter-add over edges: its gradient is
    of the same form, numba compiles both, and the edges stay data that can be exchanged without
    compiling again.

    Parameters
    ----------
    data : AggregateData
        Gives the sparse exposures.
    rate : TensorVariable, shape (n_entities,)
        Rates per unit of exposure.
    log_factor : TensorVariable, shape (n_edges,), optional
        Logarithm of what else multiplies the expected amount of each edge.

    Returns
    -------
    TensorVariable, shape (n_edges,)
        Expected amounts in the unit of the totals.
    """
    entity = pm.Data("edge_entity", data.edge_entity.astype(np.int64))
    exposure = pm.Data("edge_exposure", data.exposure.data)
    amount = rate[entity] * exposure
    return amount if log_factor is None else amount * pt.exp(log_factor)


def sum_over_edges(data: AggregateData, values: Any) -> Any:
    """Sum values of edges, shape (n_edges,), within each exposed aggregate."""
    model, name = pm.modelcontext(None), "edge_aggregate"
    if name not in model:
        pm.Data(name, (np.cumsum(data.is_exposed) - 1)[data.edge_aggregate])
    return pt.zeros(int(data.is_exposed.sum()))[model[name]].inc(values)


def _coords(data: AggregateData, spec: ModelSpec) -> dict[str, Any]:
    rates = spec.rates
    coords: dict[str, Any] = {
        names.ENTITY: data.entity_names,
        names.AGGREGATE: data.aggregate_labels[data.is_exposed],
    }
    if data.has_unattributed:
        coords[names.ATTRIBUTABLE] = data.entity_names[:-1]
    for column in rates.groups:
        coords[column] = list(data.attributable_grouping(column).levels)
    for column in rates.aggregate_effects:
        coords[column] = list(data.aggregate_groupings[column].levels)
    if rates.drift is not None:
        coords[names.PERIOD] = list(data.aggregate_groupings[rates.drift.period].levels)
    learned = learned_of(spec).parameters
    if learned:
        coords[names.TRANSFORM_PARAMETER] = [parameter.label for parameter in learned]
    return coords | {dim: list(design.names) for _, _, dim, design in _designs(data, spec)}


def _designs(data: AggregateData, spec: ModelSpec) -> Iterator[tuple[str, str, str, Design]]:
    """Yield coefficients on the standardised and the user's scale, their dimension and design."""
    for beta, coefficient, dim, design in (
        (names.BETA, names.COEFFICIENT, names.COVARIATE, entity_design(data, spec)),
        (names.BETA_PAIR, names.COEFFICIENT_PAIR, names.PAIR_COVARIATE, pair_design(data, spec)),
        (names.BETA_ZERO, names.COEFFICIENT_ZERO, names.ZERO_COVARIATE, zero_design(data, spec)),
    ):
        if design is not None:
            yield beta, coefficient, dim, design


def _entity_dim(data: AggregateData) -> str:
    return names.ATTRIBUTABLE if data.has_unattributed else names.ENTITY


def _add_log_rate(
    data: AggregateData, spec: ModelSpec, geometry: Geometry, parameters: Mapping[str, Any]
) -> Any:
    """Add ``log_rate`` over all entities to the model in context."""
    scale = pm.Data("log_reference_rate", np.log(data.reference_rate))
    centre = scale + parameters[names.INTERCEPT]
    centre = centre + add_group_effects(data, spec, geometry, parameters)
    design = entity_design(data, spec)
    if design is not None:
        matrix = pm.Data(f"matrix_{names.BETA}", design.matrix)
        centre = centre + pt.dot(matrix, parameters[names.BETA])
    sigma = entity_sigma(data, spec, parameters)
    if not data.has_unattributed:
        return _entity_effects(names.LOG_RATE, centre, sigma, geometry.entity, names.ENTITY)
    own = _entity_effects(
        f"{names.LOG_RATE}_{names.ATTRIBUTABLE}", centre, sigma, geometry.entity, names.ATTRIBUTABLE
    )
    scale = pm.Data("log_unattributed_scale", np.log(_unattributed_scale(data)))
    unexplained = pt.log(parameters[names.UNATTRIBUTED_SHARE]) + scale
    log_rate = pt.concatenate([own, pt.atleast_1d(unexplained)])
    return pm.Deterministic(names.LOG_RATE, log_rate, dims=names.ENTITY)


def _entity_effects(name: str, centre: Any, sigma: Any, form: Form, dim: str) -> Any:
    if form == "centered":
        return pm.Normal(name, mu=centre, sigma=sigma, dims=dim)
    offset = pm.Normal(names.ENTITY_OFFSET, dims=dim)
    return pm.Deterministic(name, centre + sigma * offset, dims=dim)


def _unattributed_scale(data: AggregateData) -> float:
    """Rate of the unattributed entity at which it would be expected to earn the grand total."""
    own = data.edge_entity == data.n_attributable
    return data.grand_total / float(data.exposure.data[own].sum())


def _noise(
    data: AggregateData, spec: ModelSpec, parameters: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Parameters of the family, with covariates of zeros worked into their probability."""
    noise = {name: parameters[name] for name in spec.likelihood.parameters}
    design = zero_design(data, spec)
    if design is not None:
        matrix = pm.Data(f"matrix_{names.BETA_ZERO}", design.matrix)
        slope = pt.dot(matrix, noise.pop(names.BETA_ZERO))
        noise[names.PI] = pm.math.invlogit(pm.math.logit(noise[names.PI]) + slope)
    return noise
