"""Hyperparameters on the whole real line: spreads, dispersion, and the probability of a zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import expit, log_expit, logit

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families import get_family
from bayes_attrib.model.priors import resolve_priors
from bayes_attrib.spec import ModelSpec, PriorSpec
from bayes_attrib.spec.schema import support_of

_START_SIGMA = 0.5
_NOT_HYPER = frozenset({names.INTERCEPT, names.BETA, names.BETA_PAIR})


def prior_law(prior: PriorSpec) -> Any:
    """Return a prior as a frozen law of SciPy, in PyMC's parameterisation.

    Parameters
    ----------
    prior : PriorSpec
        A prior on positive numbers or on those between 0 and 1.

    Returns
    -------
    scipy.stats frozen distribution
        With the method ``logpdf``.
    """
    p = prior.parameters
    laws: dict[str, Callable[[], Any]] = {
        "HalfNormal": lambda: stats.halfnorm(scale=p["sigma"]),
        "HalfStudentT": lambda: _Folded(stats.t(p["nu"], scale=p["sigma"])),
        "HalfCauchy": lambda: stats.halfcauchy(scale=p["beta"]),
        "Exponential": lambda: stats.expon(scale=1.0 / p["lam"]),
        "Gamma": lambda: stats.gamma(p["alpha"], scale=1.0 / p["beta"]),
        "InverseGamma": lambda: stats.invgamma(p["alpha"], scale=p["beta"]),
        "LogNormal": lambda: stats.lognorm(p["sigma"], scale=np.exp(p["mu"])),
        "Weibull": lambda: stats.weibull_min(p["alpha"], scale=p["beta"]),
        "Beta": lambda: stats.beta(p["alpha"], p["beta"]),
    }
    return laws[prior.dist]()


@dataclass(frozen=True)
class _Folded:
    """The absolute value of a symmetric variable."""

    law: Any

    def logpdf(self, value: Any) -> Any:
        return np.log(2.0) + self.law.logpdf(value)


@dataclass(frozen=True, eq=False)
class Hyperparameters:
    """Names, priors and transformations of the hyperparameters.

    Attributes
    ----------
    names : tuple of str
        In the model's order.
    laws : tuple of SciPy distributions
        Prior of each.
    in_unit : tuple of bool
        Whether each lives between 0 and 1 (its logit is used) or is positive (its logarithm is).
    start : ndarray, shape (n,)
        Where a search may begin, on the transformed scale.
    """

    names: tuple[str, ...]
    laws: tuple[Any, ...]
    in_unit: tuple[bool, ...]
    start: FloatArray

    @property
    def size(self) -> int:
        """Number of hyperparameters."""
        return len(self.names)

    def values(self, point: FloatArray) -> dict[str, float]:
        """Return the hyperparameters at a point of the transformed scale, shape (n,)."""
        return {
            name: float(expit(t) if unit else np.exp(t))
            for name, unit, t in zip(self.names, self.in_unit, point, strict=True)
        }

    def log_prior(self, point: FloatArray) -> float:
        """Return the log prior density on the transformed scale."""
        total = 0.0
        values = self.values(point)
        for name, law, unit, t in zip(self.names, self.laws, self.in_unit, point, strict=True):
            jacobian = log_expit(t) + log_expit(-t) if unit else t
            total += float(law.logpdf(values[name])) + float(jacobian)
        return total


def hyperparameters(data: AggregateData, spec: ModelSpec) -> Hyperparameters:
    """Return the hyperparameters of a spec's model.

    Parameters
    ----------
    data : AggregateData
        Gives the scale of default priors, and a start.
    spec : ModelSpec
        The model.

    Returns
    -------
    Hyperparameters
        All parameters but intercept and coefficients, which belong to the latent field.
    """
    priors: Mapping[str, PriorSpec] = resolve_priors(spec, data)
    chosen = tuple(name for name in spec.parameters if name not in _NOT_HYPER)
    start = dict.fromkeys(chosen, _START_SIGMA)
    exposed = data.is_exposed
    equal = data.expected_totals(np.full(data.n_entities, data.reference_rate))[exposed]
    start |= get_family(spec.likelihood).moment_parameters(data.totals[exposed], equal)
    if names.PI in start:
        start[names.PI] = float(np.clip(start[names.PI], 0.02, 0.98))
    in_unit = tuple(support_of(name) == "unit" for name in chosen)
    points = [
        float(logit(start[name]) if unit else np.log(start[name]))
        for name, unit in zip(chosen, in_unit, strict=True)
    ]
    laws = tuple(prior_law(priors[name]) for name in chosen)
    return Hyperparameters(chosen, laws, in_unit, np.array(points))
