"""Effects of groups on the log rate: crossed groups, nested levels, and unequal spreads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model.geometry import Form, Geometry
from bayes_attrib.spec import ModelSpec


def add_group_effects(
    data: AggregateData, spec: ModelSpec, geometry: Geometry, parameters: Mapping[str, Any]
) -> Any:
    """Add the effects of all groups to the model in context and return their sum per entity.

    Effects of a crossed column, and of the top level of nested ones, sum to zero: their mean is
    the intercept's. Deeper levels are offsets around their parents, normal with their own sd.

    Parameters
    ----------
    data : AggregateData
        Groupings of the entities.
    spec : ModelSpec
        Names crossed and nested columns.
    geometry : Geometry
        Form of each column's effects.
    parameters : mapping of str to TensorVariable
        Holds ``sigma_<column>`` of each.

    Returns
    -------
    TensorVariable or float, shape (n_attributable,)
        Sum of the effects of each attributable entity's groups; 0 without groups.
    """
    total: Any = 0.0
    for column in spec.rates.groups:
        grouping = data.attributable_grouping(column)
        sums_to_zero = column in spec.rates.pooling or column == spec.rates.nested[0]
        sigma = parameters[names.sigma_of(column)]
        effect = _effect(grouping, sigma, geometry.groups[column], sums_to_zero=sums_to_zero)
        total = total + effect[_levels_of_entities(grouping)]
    return total


def add_aggregate_effects(
    data: AggregateData, spec: ModelSpec, geometry: Geometry, parameters: Mapping[str, Any]
) -> None:
    """Add zero-sum effects of the columns that multiply whole totals to the model in context."""
    for column in spec.rates.aggregate_effects:
        grouping = data.aggregate_groupings[column]
        sigma = parameters[names.sigma_of(column)]
        _effect(grouping, sigma, geometry.groups[column], sums_to_zero=True)


def entity_sigma(data: AggregateData, spec: ModelSpec, parameters: Mapping[str, Any]) -> Any:
    """Return the sd of the entities' own effects: one for all, or one for each level of a column.

    Unequal spreads are sigma_entity times exp(sigma_spread * z), with z zero-sum normal over the
    levels: ``sigma_entity`` is then their geometric mean.

    Parameters
    ----------
    data : AggregateData
        Groupings of the entities.
    spec : ModelSpec
        ``rates.heteroscedastic`` names the column, if any.
    parameters : mapping of str to TensorVariable
        Holds ``sigma_entity`` and, if spreads differ, ``sigma_spread``.

    Returns
    -------
    TensorVariable, scalar or shape (n_attributable,)
        Standard deviations on the log scale.
    """
    sigma, column = parameters[names.SIGMA_ENTITY], spec.rates.heteroscedastic
    if column is None:
        return sigma
    grouping = data.attributable_grouping(column)
    offset = pm.ZeroSumNormal(f"offset_{names.SIGMA_SPREAD}", sigma=1.0, dims=column)
    spread = pm.Deterministic(
        names.sigma_entity_of(column),
        sigma * pt.exp(parameters[names.SIGMA_SPREAD] * offset),
        dims=column,
    )
    return spread[_levels_of_entities(grouping)]


def _effect(grouping: Grouping, sigma: Any, form: Form, *, sums_to_zero: bool) -> Any:
    law = pm.ZeroSumNormal if sums_to_zero else pm.Normal
    name = names.effect_of(grouping.name)
    if form == "centered":
        return law(name, sigma=sigma, dims=grouping.name)
    offset = law(f"offset_{grouping.name}", sigma=1.0, dims=grouping.name)
    return pm.Deterministic(name, sigma * offset, dims=grouping.name)


def _levels_of_entities(grouping: Grouping) -> Any:
    """Return the positions of the entities' levels as data of the model in context."""
    model, name = pm.modelcontext(None), f"level_{grouping.name}"
    return model[name] if name in model else pm.Data(name, grouping.codes)
