"""Counts whose noise is that of counting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import Cells, Draws, Family, multinomial_amounts


class Poisson(Family):
    """z_eb ~ Poisson(mu_eb): y_b ~ Poisson(mu_b), and z_b given y_b ~ Multinomial(y_b, p_b)."""

    name = "poisson"
    level = None
    dispersion = None

    def default_prior(self, data: AggregateData) -> None:  # noqa: ARG002
        """Return None: the variance is the mean."""
        return

    def add_total(self, mu: Any, totals: FloatArray, dispersion: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Add y ~ Poisson(mu)."""
        pm.Poisson(names.TOTAL, mu=mu, observed=totals.astype(np.int64), **kwargs)

    def variance(self, mu: FloatArray, dispersion: FloatArray | float) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def moment_dispersion(self, totals: FloatArray, mu: FloatArray) -> float:  # noqa: ARG002
        """Return 0: there is no dispersion to estimate."""
        return 0.0

    def draw_totals(
        self,
        mu: FloatArray,
        dispersion: Draws,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw y ~ Poisson(mu)."""
        return rng.poisson(mu).astype(np.float64)

    def draw_amounts(
        self,
        cells: Cells,
        dispersion: Draws,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw z_b ~ Multinomial(y_b, p_b)."""
        return multinomial_amounts(cells, cells.shares, rng)
