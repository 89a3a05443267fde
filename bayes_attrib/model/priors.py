"""Priors: the defaults on the data's own scale, and the step from a spec to PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pymc_extras.prior import Prior

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec, PriorSpec

DEFAULT_INTERCEPT = PriorSpec(dist="Normal", mu=0.0, sigma=1.0)
"""With probability .94 the typical rate lies within a factor 6.6 of the data's own rate r0."""

DEFAULT_SIGMA = PriorSpec(dist="HalfNormal", sigma=1.0)
"""Sd of log rates: from no difference to entities that differ by a factor of several."""


def resolve_priors(spec: ModelSpec, data: AggregateData) -> Mapping[str, PriorSpec]:
    """Return the prior of every parameter: the spec's where it names one, else the default.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    data : AggregateData
        Gives the scale of dispersion parameters that have a unit.

    Returns
    -------
    mapping of str to PriorSpec
        One prior for each of ``spec.parameters``, in that order.
    """
    defaults: dict[str, PriorSpec | None] = dict.fromkeys(spec.parameters, DEFAULT_SIGMA)
    defaults[names.INTERCEPT] = DEFAULT_INTERCEPT
    family = get_family(spec.likelihood)
    if family.dispersion is not None:
        defaults[family.dispersion] = family.default_prior(data)
    merged = defaults | dict(spec.priors)
    return MappingProxyType({name: prior for name, prior in merged.items() if prior is not None})


def add_parameter(name: str, prior: PriorSpec) -> Any:
    """Add a scalar parameter with its prior to the PyMC model in context and return it."""
    return Prior(prior.dist, **prior.parameters).create_variable(name)
