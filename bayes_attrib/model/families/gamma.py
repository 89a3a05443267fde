"""Money: positive, continuous totals whose noise grows with their size."""

from __future__ import annotations

import math
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
    mean_cell_amount,
)
from bayes_attrib.spec import PriorSpec


class GammaAggregate(Family):
    """One Gamma(alpha, alpha) factor per aggregate multiplies all of its expected amounts.

    y_b ~ Gamma(alpha, rate alpha / mu_b), with coefficient of variation 1 / sqrt(alpha). Given the
    total, the amounts are y_b p_b: the factor is common, so allocation adds no noise.
    """

    name = "gamma"
    level = "aggregate"
    dispersion = names.ALPHA

    def default_prior(self, data: AggregateData) -> PriorSpec:  # noqa: ARG002
        """Prior of alpha: 1 / sqrt(alpha), the coefficient of variation, has median 0.3."""
        return PriorSpec(dist="LogNormal", mu=2.4, sigma=1.5)

    def add_total(self, mu: Any, totals: FloatArray, dispersion: Any, **kwargs: Any) -> None:
        """Add y ~ Gamma(alpha, rate alpha / mu)."""
        pm.Gamma(names.TOTAL, alpha=dispersion, beta=dispersion / mu, observed=totals, **kwargs)

    def variance(self, mu: FloatArray, dispersion: FloatArray | float) -> FloatArray:
        """Return mu**2 / alpha."""
        return mu**2 / dispersion

    def moment_dispersion(self, totals: FloatArray, mu: FloatArray) -> float:
        """Return alpha from E[(y / mu - 1)**2] = 1 / alpha."""
        return 1.0 / max(float(np.mean((totals / mu - 1.0) ** 2)), 1e-6)

    def draw_totals(
        self, mu: FloatArray, dispersion: Draws, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y as mu times a Gamma(alpha, alpha) factor."""
        alpha = dispersion[names.ALPHA]
        return mu * rng.standard_gamma(np.broadcast_to(alpha, mu.shape)) / alpha

    def draw_amounts(
        self,
        cells: Cells,
        dispersion: Draws,  # noqa: ARG002
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
    dispersion = names.PHI

    def default_prior(self, data: AggregateData) -> PriorSpec:
        """Prior of phi, in the unit of the totals, around the mean amount of a cell."""
        return PriorSpec(dist="LogNormal", mu=math.log(mean_cell_amount(data)), sigma=1.5)

    def add_total(self, mu: Any, totals: FloatArray, dispersion: Any, **kwargs: Any) -> None:
        """Add y ~ Gamma(shape mu / phi, scale phi)."""
        pm.Gamma(
            names.TOTAL, alpha=mu / dispersion, beta=1.0 / dispersion, observed=totals, **kwargs
        )

    def variance(self, mu: FloatArray, dispersion: FloatArray | float) -> FloatArray:
        """Return phi mu."""
        return dispersion * mu

    def moment_dispersion(self, totals: FloatArray, mu: FloatArray) -> float:
        """Return phi from E[(y - mu)**2 / mu] = phi."""
        return max(float(np.mean((totals - mu) ** 2 / mu)), 1e-9 * float(np.mean(mu)))

    def draw_totals(
        self, mu: FloatArray, dispersion: Draws, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y ~ Gamma(shape mu / phi, scale phi)."""
        phi = dispersion[names.PHI]
        return rng.standard_gamma(mu / phi) * phi

    def draw_amounts(
        self,
        cells: Cells,
        dispersion: Draws,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw z_b ~ y_b Dirichlet(mu_eb / phi)."""
        shares = dirichlet_shares(cells.indptr, cells.mu / dispersion[names.PHI], rng)
        return cells.scaled_by_totals(shares)
