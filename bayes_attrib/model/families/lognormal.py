"""Money with now and then a very large total."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import Draws, Family, Parameters
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.spec import PriorSpec


class LognormalAggregate(Family):
    """One lognormal factor of mean 1 per aggregate multiplies all of its expected amounts.

    y_b = mu_b exp(sigma eps_b - sigma**2 / 2), with mean mu_b and variance
    mu_b**2 (exp(sigma**2) - 1). Given the total, the amounts are y_b p_b: the factor is common, so
    allocation adds no noise.
    """

    name = "lognormal"
    level = "aggregate"
    parameters = (names.SIGMA_TOTAL,)
    counts = False
    zeros_allowed = False

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:  # noqa: ARG002
        """Prior of sigma_total, close to the CV of totals: median .3, 94% in (.07, 1.2)."""
        return {names.SIGMA_TOTAL: PriorSpec(dist="LogNormal", mu=math.log(0.3), sigma=0.75)}

    def total_law(self, mu: Any, parameters: Parameters) -> Any:
        """Return log y ~ Normal(log mu - sigma**2 / 2, sigma)."""
        sigma = parameters[names.SIGMA_TOTAL]
        return pm.LogNormal.dist(mu=pt.log(mu) - sigma**2 / 2, sigma=sigma)

    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the log density of a lognormal total with mean mu."""
        return log_density_of_lognormal(totals, mu, parameters[names.SIGMA_TOTAL])

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return z / (sigma mu), with z the standardised logarithm of y."""
        return score_of_lognormal(totals, mu, parameters[names.SIGMA_TOTAL])

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return 1 / (sigma mu)**2."""
        return np.asarray(1.0 / (parameters[names.SIGMA_TOTAL] * mu) ** 2)

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return mu**2 (exp(sigma**2) - 1)."""
        return np.asarray(mu**2 * np.expm1(parameters[names.SIGMA_TOTAL] ** 2))

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:
        """Return sigma_total from E[(y / mu - 1)**2] = exp(sigma**2) - 1."""
        return {names.SIGMA_TOTAL: sigma_of_cv2(float(np.mean((totals - mu) ** 2 / mu**2)))}

    def draw_totals(
        self, mu: FloatArray, parameters: Parameters, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y as mu times a lognormal factor of mean 1."""
        return draw_lognormal(mu, parameters[names.SIGMA_TOTAL], rng)

    def part_variance(
        self,
        totals: Any,  # noqa: ARG002
        part: Any,  # noqa: ARG002
        mu: Any,  # noqa: ARG002
        parameters: Parameters,  # noqa: ARG002
    ) -> Any:
        """Return 0: the factor of an aggregate is common to its amounts."""
        return 0.0

    def draw_amounts(
        self,
        cells: Cells,
        parameters: Draws,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> FloatArray:
        """Return z_b = y_b p_b."""
        return cells.scaled_by_totals(cells.shares)


def log_density_of_lognormal(totals: FloatArray, mean: FloatArray, sigma: Any) -> FloatArray:
    """Log density of lognormal variables with a given mean and sd of the logarithm."""
    z = np.log(totals / mean) / sigma + sigma / 2
    return np.asarray(-0.5 * z**2 - np.log(totals * sigma) - 0.5 * math.log(2 * math.pi))


def score_of_lognormal(totals: FloatArray, mean: FloatArray, sigma: Any) -> FloatArray:
    """Derivative by their mean of the log density of lognormal variables."""
    z = np.log(totals / mean) / sigma + sigma / 2
    return np.asarray(z / (sigma * mean))


def draw_lognormal(mean: FloatArray, sigma: Any, rng: np.random.Generator) -> FloatArray:
    """Draw lognormal variables with a given mean and sd of the logarithm."""
    return np.asarray(mean * np.exp(sigma * rng.standard_normal(mean.shape) - sigma**2 / 2))


def sigma_of_cv2(cv2: float) -> float:
    """Sd of the logarithm of a lognormal variable with a given squared coefficient of variation."""
    return math.sqrt(math.log1p(max(cv2, 1e-6)))
