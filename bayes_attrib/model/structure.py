"""What decides how the graph of a model is written, but for the values of its data."""

from __future__ import annotations

from typing import Any

from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.geometry import Geometry
from bayes_attrib.model.lift_terms import LiftParts
from bayes_attrib.model.priors import resolve_priors
from bayes_attrib.spec import ModelSpec


def describe_structure(data: AggregateData, spec: ModelSpec, geometry: Geometry) -> dict[str, Any]:
    """Describe the graph that :func:`bayes_attrib.model.build_model` writes.

    Parameters
    ----------
    data : AggregateData
        Gives priors on the data's own scale.
    spec : ModelSpec
        The model.
    geometry : Geometry
        Parameterisation.

    Returns
    -------
    dict
        Plain JSON types. Equal descriptions and equal sizes stand for graphs that differ at most
        in the values of ``pm.Data``, and in numbers that stand in the graph itself.
    """
    plain = spec.model_dump(mode="json")
    return {
        "likelihood": plain["likelihood"],
        "rates": plain["rates"],
        "exposure": plain["exposure"],
        "priors": {
            name: prior.model_dump(mode="json")
            for name, prior in resolve_priors(spec, data).items()
        },
        "geometry": {"entity": geometry.entity, "groups": geometry.groups},
        "unattributed": data.has_unattributed,
        "lift_tests": LiftParts.of(data).sizes if data.lift_tests else {},
    }
