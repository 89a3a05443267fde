"""Money: positive, continuous totals whose noise grows with their size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pymc as pm
from scipy.special import digamma, gammaln, polygamma, xlogy

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import Draws, Family, Parameters, mean_cell_amount
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.model.families.splits import dirichlet_shares
from bayes_attrib.spec import PriorSpec


class GammaAggregate(Family):
    """One Gamma(alpha, alpha) factor per aggregate multiplies all of its expected amounts.

    y_b ~ Gamma(alpha, rate alpha / mu_b), with coefficient of variation 1 / sqrt(alpha). Given the
    total, the amounts are y_b p_b: the factor is common, so allocation adds no noise.
    """

    name = "gamma"
    level = "aggregate"
    parameters = (names.ALPHA,)
    counts = False
    zeros_allowed = False

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:  # noqa: ARG002
        """Prior of alpha: the CV of totals 1 / sqrt(alpha) has median .3, 94% in (.07, 1.2)."""
        return {names.ALPHA: PriorSpec(dist="LogNormal", mu=2.4, sigma=1.5)}

    def total_law(self, mu: Any, parameters: Parameters) -> Any:
        """Return y ~ Gamma(alpha, rate alpha / mu)."""
        alpha = parameters[names.ALPHA]
        return pm.Gamma.dist(alpha=alpha, beta=alpha / mu)

    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the log density of Gamma(alpha, rate alpha / mu)."""
        alpha = parameters[names.ALPHA]
        return _log_density(totals, alpha, mu / alpha)

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return alpha (y - mu) / mu**2."""
        return np.asarray(parameters[names.ALPHA] * (totals / mu - 1.0) / mu)

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return alpha / mu**2."""
        return np.asarray(parameters[names.ALPHA] / mu**2)

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return mu**2 / alpha."""
        return np.asarray(mu**2 / parameters[names.ALPHA])

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:
        """Return alpha from E[(y / mu - 1)**2] = 1 / alpha."""
        return {names.ALPHA: 1.0 / max(float(np.mean((totals - mu) ** 2 / mu**2)), 1e-6)}

    def draw_totals(
        self, mu: FloatArray, parameters: Parameters, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y as mu times a Gamma(alpha, alpha) factor."""
        alpha = parameters[names.ALPHA]
        return np.asarray(mu * rng.standard_gamma(np.broadcast_to(alpha, mu.shape)) / alpha)

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


class GammaPair(Family):
    """Each pair has its own noise, with a common scale: z_eb ~ Gamma(shape mu_eb / phi, scale phi).

    The common scale is what makes the sum a Gamma again: y_b ~ Gamma(shape mu_b / phi, scale phi),
    variance phi mu_b, and the amounts given the total are y_b Dirichlet(mu_eb / phi).
    """

    name = "gamma"
    level = "pair"
    parameters = (names.PHI,)
    counts = False
    zeros_allowed = False

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:
        """Prior of phi, in the unit of the totals: median the mean amount m of a cell.

        A cell of mean size then has a CV around 1; 94% of the prior lies in (.06 m, 17 m).
        """
        centre = math.log(mean_cell_amount(data))
        return {names.PHI: PriorSpec(dist="LogNormal", mu=centre, sigma=1.5)}

    def total_law(self, mu: Any, parameters: Parameters) -> Any:
        """Return y ~ Gamma(shape mu / phi, scale phi)."""
        phi = parameters[names.PHI]
        return pm.Gamma.dist(alpha=mu / phi, beta=1.0 / phi)

    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the log density of Gamma(shape mu / phi, scale phi)."""
        phi = parameters[names.PHI]
        return _log_density(totals, mu / phi, phi)

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return (log(y / phi) - psi(mu / phi)) / phi."""
        phi = parameters[names.PHI]
        return np.asarray((np.log(totals / phi) - digamma(mu / phi)) / phi)

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return psi'(mu / phi) / phi**2."""
        phi = np.asarray(parameters[names.PHI])
        return np.asarray(polygamma(1, mu / phi) / phi**2)

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return phi mu."""
        return np.asarray(parameters[names.PHI] * mu)

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:
        """Return phi from E[(y - mu)**2 / mu] = phi."""
        return {names.PHI: max(float(np.mean((totals - mu) ** 2 / mu)), 1e-9 * float(np.mean(mu)))}

    def draw_totals(
        self, mu: FloatArray, parameters: Parameters, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y ~ Gamma(shape mu / phi, scale phi)."""
        phi = parameters[names.PHI]
        return np.asarray(rng.standard_gamma(mu / phi) * phi)

    def part_variance(
        self,
        totals: Any,
        part: Any,
        mu: Any,
        parameters: Parameters,
    ) -> Any:
        """Return y**2 P (1 - P) / (1 + c), of y times a beta variable, with c = mu / phi."""
        concentration = mu / parameters[names.PHI]
        return totals**2 * part * (1.0 - part) / (1.0 + concentration)

    def draw_amounts(self, cells: Cells, parameters: Draws, rng: np.random.Generator) -> FloatArray:
        """Draw z_b ~ y_b Dirichlet(mu_eb / phi)."""
        shares = dirichlet_shares(cells.indptr, cells.mu / parameters[names.PHI], rng)
        return cells.scaled_by_totals(shares)


def _log_density(totals: FloatArray, shape: FloatArray, scale: FloatArray) -> FloatArray:
    standard = xlogy(shape - 1.0, totals / scale) - totals / scale - gammaln(shape)
    return np.asarray(standard - np.log(scale))
