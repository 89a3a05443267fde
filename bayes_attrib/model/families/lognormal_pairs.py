"""Money whose pairs each have a heavy-tailed noise of their own: an approximation, by name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import Draws, Family, Parameters
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.model.families.lognormal import (
    draw_lognormal,
    log_density_of_lognormal,
    score_of_lognormal,
    sigma_of_cv2,
)
from bayes_attrib.model.families.lognormal_splits import draw_lognormal_shares
from bayes_attrib.spec import PriorSpec


class LognormalPairApproximation(Family):
    """z_eb lognormal, independent, with mean mu_eb and log-sd sigma; their sum only nearly so.

    A sum of lognormals has no closed law. In its place stands the lognormal with the same mean and
    variance (Fenton 1960, IRE Transactions on Communications Systems 8): with H_b = sum_e p_eb**2,
    its log-sd is s_b, s_b**2 = log(1 + (exp(sigma**2) - 1) H_b). That is exact for an aggregate of
    one entity and poor in the lower tail where many amounts with a large sigma are summed. The
    amounts given their total are drawn from the law that independent lognormals have, to within the
    error of a short Markov chain (:mod:`bayes_attrib.model.families.lognormal_splits`).
    """

    name = "lognormal"
    level = "pair_approximation"
    parameters = (names.SIGMA_TOTAL,)
    counts = False
    zeros_allowed = False
    needs_herfindahl = True

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:  # noqa: ARG002
        """Prior of sigma_total: the CV of an amount has median 1, 94% in (.33, 9.6)."""
        centre = math.log(math.sqrt(math.log(2.0)))
        return {names.SIGMA_TOTAL: PriorSpec(dist="LogNormal", mu=centre, sigma=0.5)}

    def total_law(self, mu: Any, parameters: Parameters) -> Any:
        """Return log y ~ Normal(log mu - s**2 / 2, s)."""
        variance = pt.log1p(
            pt.expm1(parameters[names.SIGMA_TOTAL] ** 2) * parameters[names.HERFINDAHL]
        )
        return pm.LogNormal.dist(mu=pt.log(mu) - variance / 2, sigma=pt.sqrt(variance))

    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the log density of a lognormal total with mean mu and log-sd s."""
        return log_density_of_lognormal(totals, mu, np.sqrt(np.log1p(_cv2(parameters))))

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the score of a lognormal total with log-sd s."""
        return score_of_lognormal(totals, mu, np.sqrt(np.log1p(_cv2(parameters))))

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return 1 / (s mu)**2."""
        return np.asarray(1.0 / (np.log1p(_cv2(parameters)) * mu**2))

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:  # noqa: ARG002
        """Return mu."""
        return mu

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return mu**2 (exp(sigma**2) - 1) H, which is exact."""
        return np.asarray(mu**2 * _cv2(parameters))

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:
        """Return sigma_total as if each aggregate were one pair, with H = 1 to say so."""
        cv2 = float(np.mean((totals / mu - 1.0) ** 2))
        return {names.SIGMA_TOTAL: sigma_of_cv2(cv2), names.HERFINDAHL: 1.0}

    def draw_totals(
        self, mu: FloatArray, parameters: Parameters, rng: np.random.Generator
    ) -> FloatArray:
        """Draw y as mu times a lognormal factor of mean 1 and log-sd s."""
        return draw_lognormal(mu, np.sqrt(np.log1p(_cv2(parameters))), rng)

    def part_variance(
        self,
        totals: Any,  # noqa: ARG002
        part: Any,  # noqa: ARG002
        mu: Any,  # noqa: ARG002
        parameters: Parameters,  # noqa: ARG002
    ) -> Any:
        """Refuse: lognormal amounts given their sum have no moments in closed form."""
        raise FitError(
            "amounts of lognormal pairs have no variance in closed form given their total; choose "
            "level 'aggregate', or family 'gamma' with level 'pair'"
        )

    def draw_amounts(self, cells: Cells, parameters: Draws, rng: np.random.Generator) -> FloatArray:
        """Draw independent lognormals given their sum, nearly."""
        shares = draw_lognormal_shares(cells, parameters[names.SIGMA_TOTAL], rng)
        return cells.scaled_by_totals(shares)


def _cv2(parameters: Parameters) -> FloatArray:
    """Squared coefficient of variation of a total."""
    cv2_of_pair = np.expm1(np.asarray(parameters[names.SIGMA_TOTAL]) ** 2)
    return np.asarray(cv2_of_pair * parameters[names.HERFINDAHL])
