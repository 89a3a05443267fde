"""Counts whose noise is that of counting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
from scipy.special import gammaln, xlogy

from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import Draws, Family, Parameters
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.model.families.splits import multinomial_amounts
from bayes_attrib.spec import PriorSpec


class Poisson(Family):
    """z_eb ~ Poisson(mu_eb): y_b ~ Poisson(mu_b), and z_b given y_b ~ Multinomial(y_b, p_b)."""

    name = "poisson"
    level = None
    parameters = ()
    counts = True
    zeros_allowed = True

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:  # noqa: ARG002
        """Return nothing: the variance is the mean."""
        return {}

    def total_law(self, mu: Any, parameters: Parameters) -> Any:  # noqa: ARG002
        """Return y ~ Poisson(mu)."""
        return pm.Poisson.dist(mu=mu)

    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return log of mu**y exp(-mu) / y!."""
        return np.asarray(xlogy(totals, mu) - mu - gammaln(totals + 1.0))

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return y / mu - 1."""
        return np.asarray(totals / mu - 1.0)

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return 1 / mu."""
        return np.asarray(1.0 / mu)

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:  # noqa: ARG002
        """Return nothing: there is no parameter to estimate."""
        return {}

    def draw_totals(
        self,
        mu: FloatArray,
        parameters: Parameters,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw y ~ Poisson(mu)."""
        return rng.poisson(mu).astype(np.float64)

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
