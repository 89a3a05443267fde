"""Marginal laws of the totals, as SciPy parameterises them, to hold the families against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from bayes_attrib.model.families import FAMILIES

COUNTS = tuple(key for key in FAMILIES if key[0].endswith(("poisson", "negative_binomial")))

_BASES = {
    ("poisson", None): lambda mu, _: stats.poisson(mu),
    ("negative_binomial", "aggregate"): lambda mu, p: stats.nbinom(
        p["alpha"], p["alpha"] / (p["alpha"] + mu)
    ),
    ("negative_binomial", "pair"): lambda mu, p: stats.nbinom(mu / p["phi"], 1 / (1 + p["phi"])),
    ("gamma", "aggregate"): lambda mu, p: stats.gamma(p["alpha"], scale=mu / p["alpha"]),
    ("gamma", "pair"): lambda mu, p: stats.gamma(mu / p["phi"], scale=p["phi"]),
    ("lognormal", "aggregate"): lambda mu, p: _lognormal(mu, p["sigma_total"] ** 2),
    ("lognormal", "pair_approximation"): lambda mu, p: _lognormal(
        mu, np.log(1 + (np.exp(p["sigma_total"] ** 2) - 1) * p["herfindahl"])
    ),
}


def _lognormal(mean, log_variance):
    return stats.lognorm(np.sqrt(log_variance), scale=mean * np.exp(-log_variance / 2))


@dataclass(frozen=True)
class ExcessZeroLaw:
    """Zero with probability pi, else a law of SciPy."""

    base: Any
    pi: Any
    counts: bool

    def log_density(self, totals):
        positive = np.where(totals == 0, 1.0, totals)
        log_density = self.base.logpmf if self.counts else self.base.logpdf
        of_base = self.base.pmf(0.0) if self.counts else 0.0
        zero = np.log(self.pi + (1 - self.pi) * of_base)
        return np.where(totals == 0, zero, np.log(1 - self.pi) + log_density(positive))

    def cdf(self, totals):
        return self.pi + (1 - self.pi) * self.base.cdf(totals)

    def mean(self):
        return (1 - self.pi) * self.base.mean()

    def var(self):
        second = (1 - self.pi) * (self.base.var() + self.base.mean() ** 2)
        return second - self.mean() ** 2


@dataclass(frozen=True)
class PlainLaw:
    """A law of SciPy."""

    base: Any
    counts: bool

    def log_density(self, totals):
        return self.base.logpmf(totals) if self.counts else self.base.logpdf(totals)

    def cdf(self, totals):
        return self.base.cdf(totals)

    def mean(self):
        return self.base.mean()

    def var(self):
        return self.base.var()


def base_key(key):
    """Key of the family without its excess zeros."""
    name, level = key
    return name.removeprefix("zero_inflated_").removeprefix("hurdle_"), level


def law_of(key, mu, parameters):
    """Law of a total of a family with expectation mu before zeros."""
    base, counts = _BASES[base_key(key)](mu, parameters), key in COUNTS
    if base_key(key) == key:
        return PlainLaw(base, counts)
    return ExcessZeroLaw(base, parameters["pi"], counts)
