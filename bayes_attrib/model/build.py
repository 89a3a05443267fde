"""The step from data and spec to a plain PyMC model; the only PyTensor graph of the package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model.families import get_family
from bayes_attrib.model.geometry import Form, Geometry, choose_geometry
from bayes_attrib.model.priors import add_parameter, resolve_priors
from bayes_attrib.spec import ModelSpec


def build_model(data: AggregateData, spec: ModelSpec, geometry: Geometry | None = None) -> pm.Model:
    """Build the model of a spec for data.

    log rate_e = log r0 + intercept + sum over groups of effect[group of e] + sigma_entity * eps_e,
    with eps_e standard normal, group effects zero-sum normal with their own standard deviation, and
    r0 the data's own rate. Totals follow the spec's family with expectation exposure @ rate.

    Parameters
    ----------
    data : AggregateData
        Totals, sparse exposures, and a grouping for each of ``spec.rates.pooling``.
    spec : ModelSpec
        The model.
    geometry : Geometry, optional
        Parameterisation; chosen from the data where it is not given.

    Returns
    -------
    pymc.Model
        With variables ``rate`` and ``log_rate`` over the dimension ``entity``, the parameters of
        ``spec.parameters``, an ``effect_<group>`` per group, and the observed ``total``.
    """
    geometry = geometry or choose_geometry(data, spec)
    priors = resolve_priors(spec, data)
    exposed = data.is_exposed
    groupings = [data.groupings[group] for group in spec.rates.pooling]
    coords = {
        names.ENTITY: data.entity_names,
        names.AGGREGATE: data.aggregate_labels[exposed],
        **{grouping.name: list(grouping.levels) for grouping in groupings},
    }
    with pm.Model(coords=coords) as model:
        parameters = {name: add_parameter(name, prior) for name, prior in priors.items()}
        centre = np.log(data.reference_rate) + parameters[names.INTERCEPT]
        for grouping in groupings:
            form = geometry.groups[grouping.name]
            effect = _group_effect(grouping, parameters[names.sigma_of(grouping.name)], form)
            centre = centre + effect[grouping.codes]
        log_rate = _log_rate(centre, parameters[names.SIGMA_ENTITY], geometry.entity)
        rate = pm.Deterministic(names.RATE, pt.exp(log_rate), dims=names.ENTITY)
        family = get_family(spec.likelihood)
        family.add_total(
            expected_totals(data, rate),
            data.totals[exposed],
            parameters.get(family.dispersion or ""),
            dims=names.AGGREGATE,
        )
    return model


def expected_totals(data: AggregateData, rate: Any) -> Any:
    """Expected totals of the exposed aggregates as a PyTensor vector: exposure @ rate.

    The twin of :meth:`AggregateData.expected_totals`, which tests hold it against. The sparse
    product is written as gather and scatter-add over edges: its gradient is of the same form, numba
    compiles both, and the edges stay data that can be exchanged without compiling again.

    Parameters
    ----------
    data : AggregateData
        Gives the sparse exposures.
    rate : TensorVariable, shape (n_entities,)
        Rates per unit of exposure.

    Returns
    -------
    TensorVariable, shape (n_exposed_aggregates,)
        Expected totals in the unit of the totals.
    """
    row = (np.cumsum(data.is_exposed) - 1)[data.edge_aggregate]
    aggregate = pm.Data("edge_aggregate", row)
    entity = pm.Data("edge_entity", data.edge_entity.astype(np.int64))
    exposure = pm.Data("edge_exposure", data.exposure.data)
    start = pt.zeros(int(data.is_exposed.sum()))
    return start[aggregate].inc(rate[entity] * exposure)


def _group_effect(grouping: Grouping, sigma: Any, form: Form) -> Any:
    name = names.effect_of(grouping.name)
    if form == "centered":
        return pm.ZeroSumNormal(name, sigma=sigma, dims=grouping.name)
    offset = pm.ZeroSumNormal(f"offset_{grouping.name}", sigma=1.0, dims=grouping.name)
    return pm.Deterministic(name, sigma * offset, dims=grouping.name)


def _log_rate(centre: Any, sigma: Any, form: Form) -> Any:
    if form == "centered":
        return pm.Normal(names.LOG_RATE, mu=centre, sigma=sigma, dims=names.ENTITY)
    offset = pm.Normal(names.ENTITY_OFFSET, dims=names.ENTITY)
    return pm.Deterministic(names.LOG_RATE, centre + sigma * offset, dims=names.ENTITY)
