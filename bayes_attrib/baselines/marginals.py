r"""Families of totals for EM with covariates: marginal law, and the M step that belongs to it.

With :math:`\mu_b = \sum_e \lambda_e w_{eb}`, shares :math:`p_{eb} = \lambda_e w_{eb} / \mu_b` at
the current rates and the split totals :math:`z_{eb} = y_b p_{eb}`:

- **Poisson.** Complete data are independent Poisson amounts, and :math:`z_{eb}` is their
  expectation given the totals. The M step is a Poisson GLM of :math:`z_e = \sum_b z_{eb}` with
  offset :math:`\log \sum_b w_{eb}`: exact EM (Dempster, Laird and Rubin, *Journal of the Royal
  Statistical Society B* 39, 1977), so the likelihood of the totals cannot fall.
- **Gamma, one factor per aggregate:** :math:`y_b = g_b \mu_b` with
  :math:`g_b \sim \mathrm{Gamma}(\alpha, \alpha)`. EM proper does not exist here. Given the total
  the amounts are :math:`y_b p_{eb}` without any noise, so complete data pin the ratios of rates to
  their current values and no M step could move them. What works is a gamma GLM of the
  :math:`z_{eb}` with the *shares as weights*,

  .. math:: \max_\beta\; -\alpha \sum_{b,e} p_{eb}
      \Bigl[ \log \mu_{eb} + \frac{z_{eb}}{\mu_{eb}} \Bigr] ,

  which for rates per entity is a GLM of :math:`t_e = \sum_b p_{eb} z_{eb} / w_{eb} / P_e` with
  weights :math:`\alpha P_e`, :math:`P_e = \sum_b p_{eb}`. By Jensen's inequality the terms
  :math:`y_b / \mu_b` are majorised; the logarithm is not, but its gradient in the log rates
  agrees, :math:`\alpha \sum_b p_{eb} (y_b / \mu_b - 1)`. So its fixed points are exactly the
  stationary points of the marginal gamma likelihood, its step is a direction of ascent, and with
  the step halved where it overshoots the likelihood of the totals cannot fall. With free rates it
  is the multiplicative update for the Itakura-Saito divergence (Févotte, Bertin and Durrieu,
  *Neural Computation* 21, 2009; Févotte and Idier, *Neural Computation* 23, 2011).

  The gamma GLM that comes to mind first, with every split total weighted alike, maximises
  neither: it stops where :math:`\sum_b (y_b / \mu_b - 1) \sum_{e \in b} x_e = 0`, an unbiased
  estimating equation in which an entity counts whatever its share.

With noise per pair, gamma amounts have a digamma term in their E step and no GLM as M step, so
that family is not offered here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, gammaln

from bayes_attrib.baselines.free_rates import FreeRates
from bayes_attrib.baselines.glm_step import GlmProblem
from bayes_attrib.baselines.likelihood import poisson_log_likelihood
from bayes_attrib.inputs.aggregate_data import FloatArray

SMALLEST_SPREAD: Final = 1e-10
"""Mean unit deviance, halved, below which totals count as fitted exactly."""


class Marginal(ABC):
    """Law of the totals given their expectations, over the exposed aggregates."""

    @abstractmethod
    def log_likelihood(self, totals: FloatArray, expected: FloatArray) -> float:
        """Log-likelihood in nats, with all constants."""

    @abstractmethod
    def gain(self, totals: FloatArray, expected: FloatArray, change: FloatArray) -> float:
        """Rise of the log-likelihood when the expected totals change, without cancellation."""

    @abstractmethod
    def slope(self, totals: FloatArray, expected: FloatArray) -> FloatArray:
        """Derivative of the log-likelihood by each expected total."""

    @abstractmethod
    def information(self, expected: FloatArray) -> FloatArray:
        """Fisher information about each expected total: one over the variance of the total."""

    @abstractmethod
    def m_step(
        self, problem: FreeRates, rate: FloatArray, expected: FloatArray, totals: FloatArray
    ) -> GlmProblem:
        """Complete data of the M step at the current rates, for the exposed entities."""

    @abstractmethod
    def refit(self, totals: FloatArray, expected: FloatArray) -> Self:
        """Return the family with its own parameter re-estimated, if it has a free one."""


class PoissonMarginal(Marginal):
    """Totals y_b ~ Poisson(mu_b)."""

    def log_likelihood(self, totals: FloatArray, expected: FloatArray) -> float:
        """Sum of y log mu - mu - log Gamma(y + 1)."""
        return poisson_log_likelihood(totals, expected)

    def gain(self, totals: FloatArray, expected: FloatArray, change: FloatArray) -> float:
        """Sum of y log(1 + change / mu) - change."""
        return float(totals @ np.log1p(change / expected) - change.sum())

    def slope(self, totals: FloatArray, expected: FloatArray) -> FloatArray:
        """Return y / mu - 1."""
        return totals / expected - 1.0

    def information(self, expected: FloatArray) -> FloatArray:
        """Return 1 / mu."""
        return 1.0 / expected

    def m_step(
        self, problem: FreeRates, rate: FloatArray, expected: FloatArray, totals: FloatArray
    ) -> GlmProblem:
        """Poisson GLM of what each entity got, with the logarithm of its exposure as offset."""
        exposed = problem.is_exposed
        got = rate * problem.sum_over_aggregates(totals / expected)
        return GlmProblem(
            family="poisson",
            response=got[exposed],
            weight=np.ones(int(exposed.sum())),
            offset=np.log(problem.entity_exposure[exposed]),
        )

    def refit(self, totals: FloatArray, expected: FloatArray) -> Self:  # noqa: ARG002
        """Return the family as it is."""
        return self


@dataclass(frozen=True, slots=True)
class GammaMarginal(Marginal):
    """Totals y_b ~ Gamma(shape alpha, rate alpha / mu_b).

    Attributes
    ----------
    alpha : float
        Shape; the coefficient of variation of a total is 1 / sqrt(alpha).
    is_free : bool
        Whether alpha is estimated by maximum likelihood.
    """

    alpha: float
    is_free: bool

    def log_likelihood(self, totals: FloatArray, expected: FloatArray) -> float:
        """Sum of the log densities."""
        a = self.alpha
        constant = len(totals) * (a * np.log(a) - gammaln(a)) - np.log(totals).sum()
        relative = totals / expected
        return float(constant + a * np.sum(np.log(relative) - relative))

    def gain(self, totals: FloatArray, expected: FloatArray, change: FloatArray) -> float:
        """Sum of alpha (y / mu r / (1 + r) - log(1 + r)), with r = change / mu."""
        relative = change / expected
        per_total = totals / expected * relative / (1.0 + relative) - np.log1p(relative)
        return self.alpha * float(per_total.sum())

    def slope(self, totals: FloatArray, expected: FloatArray) -> FloatArray:
        """Return alpha (y / mu - 1) / mu."""
        return self.alpha * (totals / expected - 1.0) / expected

    def information(self, expected: FloatArray) -> FloatArray:
        """Return alpha / mu^2."""
        return self.alpha / expected**2

    def m_step(
        self, problem: FreeRates, rate: FloatArray, expected: FloatArray, totals: FloatArray
    ) -> GlmProblem:
        """Gamma GLM of the split totals per exposure, with shares as weights."""
        exposed = problem.is_exposed
        shares = rate * problem.sum_over_aggregates(1.0 / expected)
        responses = rate**2 * problem.sum_over_aggregates(totals / expected**2)
        return GlmProblem(
            family="gamma",
            response=responses[exposed] / shares[exposed],
            weight=self.alpha * shares[exposed],
            offset=np.zeros(int(exposed.sum())),
        )

    def refit(self, totals: FloatArray, expected: FloatArray) -> Self:
        """Return the family with the maximum-likelihood alpha at these expectations.

        It solves log(alpha) - digamma(alpha) = mean(y / mu - 1 - log(y / mu)).

        Raises
        ------
        ValueError
            If the totals are fitted exactly: the likelihood then rises with alpha without bound.
        """
        if not self.is_free:
            return self
        relative = totals / expected - 1.0
        spread = float(np.mean(relative - np.log1p(relative)))
        if spread < SMALLEST_SPREAD:
            raise ValueError(
                f"the covariates fit all {len(totals)} totals exactly, so alpha has no finite "
                "estimate; give alpha, or fewer covariates"
            )
        # 1 / (2 alpha) < log(alpha) - digamma(alpha) < 1 / alpha brackets the root.
        alpha = brentq(
            lambda a: np.log(a) - digamma(a) - spread, 0.5 / spread, 1.0 / spread, xtol=1e-14
        )
        return replace(self, alpha=float(alpha))
