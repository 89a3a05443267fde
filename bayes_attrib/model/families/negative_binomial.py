"""Counts with more noise than counting, shared by an aggregate or each pair's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import (
    Cells,
    Draws,
    Family,
    dirichlet_shares,
    multinomial_amounts,
)
from bayes_attrib.spec import PriorSpec


class NegativeBinomialAggregate(Family):
    """One Gamma(alpha, alpha) factor per aggregate multiplies all of its expected amounts.

    y_b ~ NegBin(mean mu_b, size alpha). The factor cancels from the shares, so the amounts given
    the total stay multinomial.
    """

    name = "negative_binomial"
    level = "aggregate"
    dispersion = names.ALPHA

    def default_prior(self, data: AggregateData) -> PriorSpec:  # noqa: ARG002
        """Prior of alpha: the factor's coefficient of variation 1 / sqrt(alpha) has median .3."""
        return PriorSpec(dist="LogNormal", mu=2.4, sigma=1.5)

    def add_total(self, mu: Any, totals: FloatArray, dispersion: Any, **kwargs: Any) -> None:
        """Add y ~ NegBin(mean mu, size alpha)."""
        observed = totals.astype(np.int64)
        pm.NegativeBinomial(names.TOTAL, mu=mu, alpha=dispersion, observed=observed, **kwargs)

    def variance(self, mu: FloatArray, dispersion: FloatArray | float) -> FloatArray:
        """Return mu + mu**2 / alpha."""
        return mu + mu**2 / dispersion

    def moment_dispersion(self, totals: FloatArray, mu: FloatArray) -> float:
        """Return alpha from E[(y - mu)**2 - mu] = mu**2 / alpha."""
        excess = float(np.sum((totals - mu) ** 2 - mu))
        return float(np.sum(mu**2)) / max(excess, 1e-6 * float(np.sum(mu**2)))

    def draw_totals(
        self, mu: FloatArray, dispersion: Draws, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y as Poisson(g mu) with g ~ Gamma(alpha, alpha)."""
        alpha = dispersion[names.ALPHA]
        factor = rng.gamma(np.broadcast_to(alpha, mu.shape)) / alpha
        return rng.poisson(factor * mu).astype(np.float64)

    def draw_amounts(
        self,
        cells: Cells,
        dispersion: Draws,  # noqa: ARG002
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
    dispersion = names.PHI

    def default_prior(self, data: AggregateData) -> PriorSpec:  # noqa: ARG002
        """Prior of phi, the excess of the variance over the mean: median 1, 94% in (.06, 17)."""
        return PriorSpec(dist="LogNormal", mu=0.0, sigma=1.5)

    def add_total(self, mu: Any, totals: FloatArray, dispersion: Any, **kwargs: Any) -> None:
        """Add y ~ NegBin(mean mu, size mu / phi)."""
        observed = totals.astype(np.int64)
        pm.NegativeBinomial(names.TOTAL, mu=mu, alpha=mu / dispersion, observed=observed, **kwargs)

    def variance(self, mu: FloatArray, dispersion: FloatArray | float) -> FloatArray:
        """Return mu (1 + phi)."""
        return mu * (1.0 + dispersion)

    def moment_dispersion(self, totals: FloatArray, mu: FloatArray) -> float:
        """Return phi from E[(y - mu)**2 / mu] = 1 + phi."""
        return max(float(np.mean((totals - mu) ** 2 / mu)) - 1.0, 0.0)

    def draw_totals(
        self, mu: FloatArray, dispersion: Draws, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y as Poisson of a Gamma(shape mu / phi, scale phi) variable."""
        phi = dispersion[names.PHI]
        return rng.poisson(rng.standard_gamma(mu / phi) * phi).astype(np.float64)

    def draw_amounts(
        self,
        cells: Cells,
        dispersion: Draws,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw z_b ~ DirichletMultinomial(y_b, mu_eb / phi)."""
        shares = dirichlet_shares(cells.indptr, cells.mu / dispersion[names.PHI], rng)
        return multinomial_amounts(cells, shares, rng)
