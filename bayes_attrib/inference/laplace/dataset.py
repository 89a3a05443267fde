"""Draws of a field as the variables that the sampled model has, with the same dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from bayes_attrib import names
from bayes_attrib.inference.large_rates import RateDraws
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.covariates import entity_design, pair_design
from bayes_attrib.model.families import get_family
from bayes_attrib.model.latent_field import LatentField
from bayes_attrib.spec import ModelSpec

Variable = tuple[tuple[str, ...], Any]


def posterior_dataset(
    data: AggregateData,
    spec: ModelSpec,
    field: LatentField,
    *,
    hyper: Mapping[str, FloatArray],
    effects: FloatArray,
    rates: RateDraws,
) -> xr.Dataset:
    """Name the draws.

    Parameters
    ----------
    data : AggregateData
        The data that were fitted.
    spec : ModelSpec
        The model.
    field : LatentField
        Where each effect is.
    hyper : mapping of str to ndarray, shape (n_draws,)
        Draws of the hyperparameters.
    effects : ndarray, shape (n_coarse, n_draws)
        Draws of all effects but the entities' own.
    rates : RateDraws
        Draws of all rates.

    Returns
    -------
    xarray.Dataset
        One chain of all the variables that a sampled fit of the same model has.
    """
    blocks = {block.variable: effects[block.span] for block in field.blocks[:-1]}
    intercept = blocks.pop(names.INTERCEPT)[0]
    found: dict[str, Variable] = {}
    for name in spec.parameters:
        dim = {names.BETA: names.COVARIATE, names.BETA_PAIR: names.PAIR_COVARIATE}.get(name)
        if name == names.INTERCEPT:
            found[name] = _variable(intercept)
        elif dim is None:
            found[name] = _variable(hyper[name])
        else:
            found[name] = _variable(blocks[name], dim)
    for column in (*spec.rates.groups, *spec.rates.aggregate_effects):
        name = names.effect_of(column)
        found[name] = _variable(blocks[name], column)
    coords: dict[str, Any] = {names.ENTITY: data.entity_names}
    for name, dim, design in (
        (names.COEFFICIENT, names.COVARIATE, entity_design(data, spec)),
        (names.COEFFICIENT_PAIR, names.PAIR_COVARIATE, pair_design(data, spec)),
    ):
        if design is not None:
            beta = names.BETA if dim == names.COVARIATE else names.BETA_PAIR
            found[name] = _variable(blocks[beta] / design.scale[:, np.newaxis], dim)
            coords[dim] = list(design.names)
    found |= {name: _variable(v, names.ENTITY) for name, v in rates.variables().items()}
    return xr.Dataset(found, coords | _levels(data, spec) | _draw_coords(len(intercept)))


def draw_dataset(variables: Mapping[str, FloatArray]) -> xr.Dataset:
    """Name what is known of every draw, each of shape (n_draws,)."""
    n_draws = len(next(iter(variables.values())))
    found = {name: _variable(values) for name, values in variables.items()}
    return xr.Dataset(found, _draw_coords(n_draws))


def observed_dataset(data: AggregateData, spec: ModelSpec) -> xr.Dataset:
    """Return the observed totals as a sampled fit keeps them."""
    exposed = data.is_exposed
    totals = data.totals[exposed]
    if get_family(spec.likelihood).counts:
        totals = totals.astype(np.int64)
    coords = {names.AGGREGATE: list(data.aggregate_labels[exposed])}
    return xr.Dataset({names.TOTAL: ((names.AGGREGATE,), totals)}, coords)


def _variable(values: npt.NDArray[Any], *dims: str) -> Variable:
    """One chain: shape (1, n_draws, ...) from draws of shape (..., n_draws)."""
    return (names.CHAIN, names.DRAW, *dims), np.moveaxis(values, -1, 0)[np.newaxis]


def _draw_coords(n_draws: int) -> dict[str, Any]:
    return {names.CHAIN: [0], names.DRAW: np.arange(n_draws)}


def _levels(data: AggregateData, spec: ModelSpec) -> dict[str, list[str]]:
    of_entities = {c: list(data.attributable_grouping(c).levels) for c in spec.rates.groups}
    of_aggregates = {
        c: list(data.aggregate_groupings[c].levels) for c in spec.rates.aggregate_effects
    }
    return of_entities | of_aggregates
