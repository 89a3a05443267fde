"""Posteriors that nobody sampled, for the model of a spec."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pymc as pm
import scipy.sparse as sp
import xarray as xr

from bayes_attrib import names
from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model import build_model
from bayes_attrib.spec import ModelSpec

SAMPLE = (names.CHAIN, names.DRAW)


def with_unattributed(data: AggregateData, **changes) -> AggregateData:
    """Add the entity that no exposure explains: a unit of exposure wherever there is any.

    What is given one per stored exposure, such as ``truth``, has to come anew with ``changes``.
    """
    own = data.is_exposed[:, np.newaxis].astype(float)
    added = {
        "entity_names": np.append(data.entity_names, names.UNATTRIBUTED),
        "exposure": sp.csr_array(sp.hstack([data.exposure, own])),
        "groupings": {
            name: Grouping(
                name, (*group.levels, names.UNATTRIBUTED), np.append(group.codes, len(group.levels))
            )
            for name, group in data.groupings.items()
        },
        "has_unattributed": True,
    }
    return dataclasses.replace(data, **added | changes)


def random_variables(
    model: pm.Model, rng: np.random.Generator, n_chains: int, n_draws: int, *, offsets: bool = True
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Values between 0.2 and 0.8 for every variable of a model but what is observed.

    Those are legal for all of them. Real fits drop standardised offsets.
    """
    variables = {}
    for variable in [*model.free_RVs, *model.deterministics]:
        if offsets or not variable.name.startswith("offset_"):
            dims = model.named_vars_to_dims.get(variable.name, ())
            shape = (n_chains, n_draws, *(len(model.coords[dim]) for dim in dims))
            variables[variable.name] = ((*SAMPLE, *dims), 0.2 + 0.6 * rng.random(shape))
    return variables


def coords_of(model: pm.Model, variables: Mapping[str, tuple]) -> dict[str, np.ndarray]:
    """Labels of the dimensions that variables have, as the model names them."""
    used = {dim for dims, _ in variables.values() for dim in dims} & set(model.coords)
    return {dim: np.array(model.coords[dim], dtype=object) for dim in used}


def made_up_posterior(
    data: AggregateData,
    spec: ModelSpec,
    *,
    n_chains: int,
    n_draws: int,
    rates: np.ndarray | None = None,
    seed: int = 2,
) -> PosteriorFit:
    """Something for every variable of the model; rates of the first entities may be chosen.

    ``rates`` has the shape (n_chosen, n_chains, n_draws).
    """
    model = build_model(data, spec)
    variables = random_variables(model, np.random.default_rng(seed), n_chains, n_draws)
    if rates is not None:
        variables[names.RATE][1][..., : len(rates)] = np.moveaxis(rates, 0, -1)
    return _as_fit(data, xr.Dataset(variables, coords_of(model, variables)))


def plausible_posterior(
    data: AggregateData, spec: ModelSpec, rng: np.random.Generator, n_draws: int
) -> PosteriorFit:
    """Draws as a fit of pooled groups might have left them, in two chains; for any size of data."""
    shape = (2, n_draws // 2)
    scatter = rng.normal(0.0, 0.7, size=data.n_entities)
    scatter = scatter + rng.normal(0.0, 0.25, size=(*shape, data.n_entities))
    log_rate = np.log(data.reference_rate) + scatter
    variables = {
        "intercept": (SAMPLE, rng.normal(0.0, 0.1, shape)),
        "sigma_entity": (SAMPLE, rng.gamma(50.0, 0.015, shape)),
    }
    coords = {names.ENTITY: data.entity_names}
    for column in spec.rates.groups:
        group = data.attributable_grouping(column)
        effect = rng.normal(0.0, 0.1, (*shape, len(group.levels)))
        variables[f"effect_{column}"] = ((*SAMPLE, column), effect)
        variables[f"sigma_{column}"] = (SAMPLE, rng.gamma(10.0, 0.03, shape))
        coords[column] = list(group.levels)
        log_rate[..., : len(group.codes)] += effect[..., group.codes]
    variables["log_rate"] = ((*SAMPLE, names.ENTITY), log_rate)
    variables[names.RATE] = ((*SAMPLE, names.ENTITY), np.exp(log_rate))
    if not spec.likelihood.counts:
        variables["alpha"] = (SAMPLE, rng.gamma(50.0, 0.4, shape))
    return _as_fit(data, xr.Dataset(variables, coords))


def _as_fit(data: AggregateData, posterior: xr.Dataset) -> PosteriorFit:
    observed = xr.Dataset(
        {names.TOTAL: (names.AGGREGATE, data.totals[data.is_exposed])},
        {names.AGGREGATE: list(data.aggregate_labels[data.is_exposed])},
    )
    tree = {"posterior": posterior, "observed_data": observed}
    return PosteriorFit(xr.DataTree.from_dict(tree), "nuts")
