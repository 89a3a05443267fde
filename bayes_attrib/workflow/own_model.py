"""A model of the user's own in place of the one that the spec describes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

import pymc as pm

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inputs import AggregateData
from bayes_attrib.spec import ModelSpec

OWN: Final = "user's own"


@dataclass(frozen=True)
class OwnModel:
    """What a manifest says of a model that no spec describes.

    Attributes
    ----------
    variables : tuple of str
        Its unobserved variables.
    digest : str
        SHA-256 of its laws as PyMC prints them, with dimensions and shapes. Two models of the same
        digest may still differ in data or in deterministic expressions.
    """

    variables: tuple[str, ...]
    digest: str


def check_own_model(model: pm.Model, data: AggregateData, spec: ModelSpec) -> OwnModel:
    """Check that a model offers what attribution needs.

    Parameters
    ----------
    model : pymc.Model
        The model.
    data : AggregateData
        The data that it is meant for.
    spec : ModelSpec
        Names the family by which totals are allocated.

    Returns
    -------
    OwnModel
        What is recorded of it.

    Raises
    ------
    FitError
        If it lacks ``rate`` over ``entity``, has other entities or another order of them than the
        data, lacks a parameter of the family, or the spec asks for explicit amounts.
    """
    dims = tuple(model.named_vars_to_dims.get(names.RATE, ()))
    if names.RATE not in model.named_vars or dims != (names.ENTITY,):
        raise FitError(
            "your model has no variable 'rate' over the dimension 'entity'; add "
            'pm.Deterministic("rate", ..., dims="entity")'
        )
    if spec.likelihood.amounts == "explicit":
        raise FitError(
            "the spec asks for explicit amounts, and your own model says itself what it samples; "
            "set likelihood.amounts to 'marginal'"
        )
    _require_entities(model, data)
    lacking = [name for name in spec.likelihood.parameters if name not in model.named_vars]
    if lacking:
        raise FitError(
            f"your model has no variable {', '.join(map(repr, lacking))}, by which the family "
            f"{spec.likelihood.family!r} of the spec splits totals; name your variable so, add it "
            "with pm.Deterministic, or choose a family without it"
        )
    variables = tuple(sorted(variable.name for variable in model.unobserved_RVs))
    shapes = {name: list(value.shape) for name, value in model.initial_point().items()}
    facts = [model.str_repr(), shapes, {k: list(v) for k, v in model.named_vars_to_dims.items()}]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return OwnModel(variables, digest)


def own_parameters(posterior: PosteriorFit) -> list[str]:
    """Return the variables of a posterior that have no value per entity or aggregate."""
    many = {names.ENTITY, names.ATTRIBUTABLE, names.AGGREGATE}
    found = posterior.posterior.data_vars.items()
    return [str(name) for name, values in found if not many & set(map(str, values.dims))]


def _require_entities(model: pm.Model, data: AggregateData) -> None:
    wanted = list(map(str, data.entity_names))
    found = list(map(str, model.coords.get(names.ENTITY) or ()))
    if found == wanted:
        return
    remedy = 'build it with coords={"entity": tables.data.entity_names}'
    if not found:
        raise FitError(f"the dimension 'entity' of your model has no names; {remedy}")
    if sorted(found) == sorted(wanted):
        first = next(i for i, (a, b) in enumerate(zip(found, wanted, strict=True)) if a != b)
        raise FitError(
            "the entities of your model are in another order than those of the data (number "
            f"{first + 1} is {found[first]!r}, in the data {wanted[first]!r}); {remedy}"
        )
    lacking = [name for name in wanted if name not in set(found)][:3]
    beyond = [name for name in found if name not in set(wanted)][:3]
    raise FitError(
        f"your model has {len(found)} entities and the data {len(wanted)} (missing: "
        f"{', '.join(lacking) or 'none'}; unknown: {', '.join(beyond) or 'none'}); {remedy}"
    )
