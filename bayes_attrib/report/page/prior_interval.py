"""Intervals of priors by name, from the quantile functions of their distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from scipy import stats

from bayes_attrib.spec import PriorSpec

_LAWS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "Normal": lambda mu, sigma: stats.norm(loc=mu, scale=sigma),
        "StudentT": lambda nu, mu, sigma: stats.t(nu, loc=mu, scale=sigma),
        "HalfNormal": lambda sigma: stats.halfnorm(scale=sigma),
        "HalfCauchy": lambda beta: stats.halfcauchy(scale=beta),
        "Exponential": lambda lam: stats.expon(scale=1 / lam),
        "Gamma": lambda alpha, beta: stats.gamma(alpha, scale=1 / beta),
        "InverseGamma": lambda alpha, beta: stats.invgamma(alpha, scale=beta),
        "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
        "Weibull": lambda alpha, beta: stats.weibull_min(alpha, scale=beta),
        "Beta": lambda alpha, beta: stats.beta(a=alpha, b=beta),
    }
)
"""Each distribution of a spec in SciPy's words, from parameters in PyMC's."""


def central_interval(prior: PriorSpec, prob: float) -> tuple[float, float]:
    """Return the central interval of a prior.

    Parameters
    ----------
    prior : PriorSpec
        Distribution and parameters.
    prob : float
        Probability inside.

    Returns
    -------
    lower, upper : float
        Quantiles (1 - prob) / 2 and (1 + prob) / 2.
    """
    ends = np.array([1 - prob, 1 + prob]) / 2
    given = prior.parameters
    if prior.dist == "HalfStudentT":  # the absolute value of a Student t
        lower, upper = given["sigma"] * stats.t(given["nu"]).ppf((1 + ends) / 2)
    else:
        lower, upper = _LAWS[prior.dist](**given).ppf(ends)
    return float(lower), float(upper)
