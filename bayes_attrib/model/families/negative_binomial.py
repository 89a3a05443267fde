"""Counts with more noise than counting, shared by an aggregate or each pair's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
from scipy.special import betaln, digamma

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import Draws, Family, Parameters
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.model.families.size_information import information_about_size
from bayes_attrib.model.families.splits import dirichlet_shares, multinomial_amounts
from bayes_attrib.spec import PriorSpec


class NegativeBinomialAggregate(Family):
    """One Gamma(alpha, alpha) factor per aggregate multiplies all of its expected amounts.

    y_b ~ NegBin(mean mu_b, size alpha). The factor cancels from the shares, so the amounts given
    the total stay multinomial.
    """

    name = "negative_binomial"
    level = "aggregate"
    parameters = (names.ALPHA,)
    counts = True
    zeros_allowed = True

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:  # noqa: ARG002
        """Prior of alpha: the factor's CV 1 / sqrt(alpha) has median .3, 94% in (.07, 1.2)."""
        return {names.ALPHA: PriorSpec(dist="LogNormal", mu=2.4, sigma=1.5)}

    def total_law(self, mu: Any, parameters: Parameters) -> Any:
        """Return y ~ NegBin(mean mu, size alpha)."""
        return pm.NegativeBinomial.dist(mu=mu, alpha=parameters[names.ALPHA])

    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the log mass of NegBin(mean mu, size alpha)."""
        return _log_mass(totals, mu, parameters[names.ALPHA])

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return y / mu - (y + alpha) / (mu + alpha)."""
        alpha = parameters[names.ALPHA]
        return np.asarray(totals / mu - (totals + alpha) / (mu + alpha))

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return 1 / (mu (1 + mu / alpha))."""
        return np.asarray(1.0 / (mu * (1.0 + mu / parameters[names.ALPHA])))

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return mu + mu**2 / alpha."""
        return np.asarray(mu + mu**2 / parameters[names.ALPHA])

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:
        """Return alpha from E[(y - mu)**2 - mu] = mu**2 / alpha."""
        most = float(np.sum(mu**2))
        return {names.ALPHA: most / max(float(np.sum((totals - mu) ** 2 - mu)), 1e-6 * most)}

    def draw_totals(
        self, mu: FloatArray, parameters: Parameters, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y as Poisson(g mu) with g ~ Gamma(alpha, alpha)."""
        alpha = parameters[names.ALPHA]
        factor = rng.gamma(np.broadcast_to(alpha, mu.shape)) / alpha
        return rng.poisson(factor * mu).astype(np.float64)

    def part_variance(
        self,
        totals: Any,
        part: Any,
        mu: Any,  # noqa: ARG002
        parameters: Parameters,  # noqa: ARG002
    ) -> Any:
        """Return y P (1 - P), of a binomial."""
        return totals * part * (1.0 - part)

    def draw_amounts(
        self,
        cells: Cells,
        parameters: Draws,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw z_b ~ Multinomial(y_b, p_b)."""
        return multinomial_amounts(cells, cells.shares, rng)


class NegativeBinomialPair(Family):
    """Each pair has its own extra noise: z_eb ~ NegBin(mean mu_eb, size mu_eb / phi).

    The sizes add up because the success probability 1 / (1 + phi) is common: y_b ~ NegBin(mean
    mu_b, size mu_b / phi), variance mu_b (1 + phi), and the amounts given the total are
    DirichletMultinomial(y_b, mu_eb / phi).
    """

    name = "negative_binomial"
    level = "pair"
    parameters = (names.PHI,)
    counts = True
    zeros_allowed = True

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:  # noqa: ARG002
        """Prior of phi, the excess of the variance over the mean: median 1, 94% in (.06, 17)."""
        return {names.PHI: PriorSpec(dist="LogNormal", mu=0.0, sigma=1.5)}

    def total_law(self, mu: Any, parameters: Parameters) -> Any:
        """Return y ~ NegBin(mean mu, size mu / phi)."""
        return pm.NegativeBinomial.dist(mu=mu, alpha=mu / parameters[names.PHI])

    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the log mass of NegBin(mean mu, size mu / phi)."""
        return _log_mass(totals, mu, mu / parameters[names.PHI])

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return (psi(y + r) - psi(r) - log(1 + phi)) / phi with the size r = mu / phi."""
        phi = parameters[names.PHI]
        size = mu / phi
        return np.asarray((digamma(totals + size) - digamma(size) - np.log1p(phi)) / phi)

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the information about the size mu / phi, over phi**2."""
        phi = np.asarray(parameters[names.PHI])
        return np.asarray(information_about_size(mu / phi, phi / (1.0 + phi)) / phi**2)

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return mu (1 + phi)."""
        return np.asarray(mu * (1.0 + parameters[names.PHI]))

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:
        """Return phi from E[(y - mu)**2 / mu] = 1 + phi."""
        return {names.PHI: max(float(np.mean((totals - mu) ** 2 / mu)) - 1.0, 1e-6)}

    def draw_totals(
        self, mu: FloatArray, parameters: Parameters, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y as Poisson of a Gamma(shape mu / phi, scale phi) variable."""
        phi = parameters[names.PHI]
        return rng.poisson(rng.standard_gamma(mu / phi) * phi).astype(np.float64)

    def part_variance(
        self,
        totals: Any,
        part: Any,
        mu: Any,
        parameters: Parameters,
    ) -> Any:
        """Return y P (1 - P) (y + c) / (1 + c), of a beta-binomial, with c = mu / phi."""
        concentration = mu / parameters[names.PHI]
        spread = (totals + concentration) / (1.0 + concentration)
        return totals * part * (1.0 - part) * spread

    def draw_amounts(self, cells: Cells, parameters: Draws, rng: np.random.Generator) -> FloatArray:
        """Draw z_b ~ DirichletMultinomial(y_b, mu_eb / phi)."""
        shares = dirichlet_shares(cells.indptr, cells.mu / parameters[names.PHI], rng)
        return multinomial_amounts(cells, shares, rng)


def _log_mass(totals: FloatArray, mu: FloatArray, size: FloatArray) -> FloatArray:
    """Log mass of NegBin(mean mu, size); the Beta function keeps it exact for huge sizes."""
    log_choose = -np.log(totals + size) - betaln(size, totals + 1.0)
    log_failure = np.log(mu) - np.log(size + mu)
    return np.asarray(log_choose - size * np.log1p(mu / size) + totals * log_failure)
