"""Where chains of large models begin: common parameters near their mode, entities about a sd off.

A chain that begins a few hundred posterior sds away, as intercepts of large models do when PyMC's
jitter is added to them, spends a third of its gradients on the way. The sampler's first scales are
one over the slopes at the start, so slopes of about one in every direction matter as much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pymc as pm

from bayes_attrib import names
from bayes_attrib.inference.density import Centre
from bayes_attrib.inference.laplace.rough import can_find_centre, rough_centre
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.geometry import Geometry
from bayes_attrib.model.latent_field import NORMAL
from bayes_attrib.spec import ModelSpec

FEWEST_ENTITIES: Final = 1000
"""With fewer, sampling takes less time than looking for a start."""

_DECIMALS = 4
"""Digits of a centre that count, so that threads of linear algebra cannot change draws."""

_OFFSET_PREFIX = "offset_"


def centre_for(
    model: pm.Model, data: AggregateData, spec: ModelSpec, geometry: Geometry
) -> Callable[[], Centre | None] | None:
    """Return a function that finds where chains begin; None where PyMC's start serves.

    Parameters
    ----------
    model : pymc.Model
        The spec's model.
    data : AggregateData
        What it was built for.
    spec : ModelSpec
        The model.
    geometry : Geometry
        Its parameterisation.

    Returns
    -------
    callable or None
        Returns the centre; None if a parameter has no place there.
    """
    is_large = data.n_entities >= FEWEST_ENTITIES and geometry.entity == "noncentered"
    if not is_large or not can_find_centre(data, spec):
        return None
    return lambda: unconstrained(model, rough_centre(data, spec, spec.inference.seed))


def unconstrained(model: pm.Model, values: Mapping[str, FloatArray]) -> Centre | None:
    """Return parameters on the unconstrained scale of a model.

    Parameters
    ----------
    model : pymc.Model
        A model of this package whose last free variable is ``offset_entity``.
    values : mapping of str to ndarray
        Parameters, effects of groups, and ``offset_entity``.

    Returns
    -------
    Centre or None
        None if a free variable is not known, or lives on a scale that is not.
    """
    *common, last = model.free_RVs
    if last.name != names.ENTITY_OFFSET:
        return None
    parts: list[FloatArray] = []
    effects: list[bool] = []
    for variable in common:
        value = _value_of(str(variable.name), values)
        mapping = _MAPS.get(type(model.rvs_to_transforms[variable]).__name__)
        if value is None or mapping is None:
            return None
        parts.append(np.atleast_1d(mapping(value)))
        effects += [_is_effect(str(variable.name))] * len(parts[-1])
    own = _rounded(values[names.ENTITY_OFFSET])
    return Centre(_rounded(np.concatenate(parts)), np.array(effects), own)


def _value_of(name: str, values: Mapping[str, FloatArray]) -> FloatArray | None:
    """Return a free variable's value; that of standardised effects from the effects."""
    column = name.removeprefix(_OFFSET_PREFIX)
    if column == name:
        return values.get(name)
    effect, sigma = values.get(names.effect_of(column)), values.get(names.sigma_of(column))
    return None if effect is None or sigma is None else np.asarray(effect / sigma)


def _same(value: FloatArray) -> FloatArray:
    return value


def _without_sum(value: FloatArray) -> FloatArray:
    """Return the coordinates of effects that sum to zero, as PyMC's ``ZeroSumTransform`` does."""
    root = np.sqrt(len(value))
    return np.asarray(value[:-1] - value[-1] * root / (root + len(value)))


def _log_odds(value: FloatArray) -> FloatArray:
    return np.asarray(np.log(value / (1.0 - value)))


_MAPS: Mapping[str, Callable[[FloatArray], Any]] = {
    "NoneType": _same,
    "LogTransform": np.log,
    "LogOddsTransform": _log_odds,
    "ZeroSumTransform": _without_sum,
}
"""From a variable's own scale to the unconstrained one, by the name of PyMC's transform."""


def _rounded(values: FloatArray) -> FloatArray:
    return np.asarray(np.round(values, _DECIMALS), dtype=np.float64)


def _is_effect(name: str) -> bool:
    """Whether log rates are linear in a variable, other variables being known."""
    return name in NORMAL or name.startswith((names.effect_of(""), _OFFSET_PREFIX))
