"""Priors: the defaults on the data's own scale, and the step from a spec to PyMC."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import pymc as pm

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec, PriorSpec

DEFAULT_INTERCEPT = PriorSpec(dist="Normal", mu=0.0, sigma=1.0)
"""With probability .94 the typical rate lies within a factor 6.6 of the data's own rate r0."""

DEFAULT_SIGMA = PriorSpec(dist="HalfNormal", sigma=1.0)
"""Sd of log rates: from no difference to entities that differ by a factor of several."""

DEFAULT_BETA = PriorSpec(dist="Normal", mu=0.0, sigma=0.5)
"""One sd of a covariate changes the rate by a factor below 2.6 with probability .94."""

DEFAULT_BETA_ZERO = PriorSpec(dist="Normal", mu=0.0, sigma=1.0)
"""One sd of a covariate changes the odds of a zero by a factor below 6.6 with probability .94."""

DEFAULT_SPREAD = PriorSpec(dist="HalfNormal", sigma=0.5)
"""Sd of the logarithm of spreads between groups: most spreads within a factor of 2 or so."""

DEFAULT_DRIFT = PriorSpec(dist="HalfNormal", sigma=0.5)
"""Sd of a smooth curve over time, on the log scale."""

DEFAULT_UNATTRIBUTED = PriorSpec(dist="Beta", alpha=1.0, beta=9.0)
"""Share that no exposure explains: 10% on average, below 27% with probability .94."""

_DIMENSION: Final = MappingProxyType(
    {
        names.BETA: names.COVARIATE,
        names.BETA_PAIR: names.PAIR_COVARIATE,
        names.BETA_ZERO: names.ZERO_COVARIATE,
    }
)
"""Dimension of the parameters that are vectors; their elements share a prior."""


def resolve_priors(spec: ModelSpec, data: AggregateData) -> Mapping[str, PriorSpec]:
    """Return the prior of every parameter: the spec's where it names one, else the default.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    data : AggregateData
        Gives the scale of noise parameters that have a unit, and the number of periods.

    Returns
    -------
    mapping of str to PriorSpec
        One prior for each of ``spec.parameters``, in that order.
    """
    defaults = dict.fromkeys(spec.parameters, DEFAULT_SIGMA)
    defaults |= {
        name: prior
        for name, prior in {
            names.INTERCEPT: DEFAULT_INTERCEPT,
            names.BETA: DEFAULT_BETA,
            names.BETA_PAIR: DEFAULT_BETA,
            names.BETA_ZERO: DEFAULT_BETA_ZERO,
            names.SIGMA_SPREAD: DEFAULT_SPREAD,
            names.UNATTRIBUTED_SHARE: DEFAULT_UNATTRIBUTED,
            **_drift_defaults(spec, data),
            **get_family(spec.likelihood).default_priors(data),
        }.items()
        if name in defaults
    }
    return MappingProxyType(defaults | dict(spec.priors))


def _drift_defaults(spec: ModelSpec, data: AggregateData) -> dict[str, PriorSpec]:
    """Defaults that hold for any number of periods.

    A random walk is expected to stray by about one in log rate over all periods; the lengthscale of
    a curve is around a quarter of them.
    """
    drift = spec.rates.drift
    if drift is None:
        return {}
    n_periods = len(data.aggregate_groupings[drift.period].levels)
    if drift.kind == "random_walk":
        step = PriorSpec(dist="HalfNormal", sigma=1.0 / math.sqrt(n_periods))
        return {names.SIGMA_DRIFT: step}
    lengthscale = PriorSpec(dist="LogNormal", mu=math.log(n_periods / 4), sigma=0.6)
    return {names.SIGMA_DRIFT: DEFAULT_DRIFT, names.LENGTHSCALE_DRIFT: lengthscale}


def add_parameter(name: str, prior: PriorSpec) -> Any:
    """Add a parameter with its prior to the PyMC model in context and return it."""
    law = getattr(pm, prior.dist)
    return law(name, dims=_DIMENSION.get(name), **prior.parameters)
