"""The penalised likelihood of totals under log-linear rates, and one safeguarded EM step on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bayes_attrib.baselines.free_rates import FreeRates
from bayes_attrib.baselines.glm_step import fit_glm
from bayes_attrib.baselines.marginals import Marginal
from bayes_attrib.inputs.aggregate_data import FloatArray

MOST_HALVINGS: Final = 30


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """Parameters on the way, and what the likelihood says about them.

    Attributes
    ----------
    parameters : ndarray of float, shape (1 + n_covariates,)
        Intercept and coefficients.
    marginal : Marginal
        Law of the totals, with its own parameter.
    expected : ndarray of float, shape (n_exposed_aggregates,)
        Expected totals.
    log_likelihood : float
        Log-likelihood of the totals, in nats.
    objective : float
        The same minus the penalty.
    """

    parameters: FloatArray
    marginal: Marginal
    expected: FloatArray
    log_likelihood: float
    objective: float


class LinearRates:
    """The penalised likelihood as a function of intercept and coefficients.

    Parameters
    ----------
    problem : FreeRates
        Totals and exposures.
    columns : ndarray of float, shape (n_entities, n_covariates)
        Covariates.
    penalty : ndarray of float, shape (n_covariates,)
        Precision of each coefficient's prior.
    """

    def __init__(self, problem: FreeRates, columns: FloatArray, penalty: FloatArray) -> None:
        self.problem = problem
        self.is_exposed = problem.data.is_exposed
        """Whether each aggregate has exposure, shape (n_aggregates,)."""
        self.totals = problem.data.totals[self.is_exposed]
        """Totals of the exposed aggregates, shape (n_exposed_aggregates,)."""
        self.predictors = np.column_stack([np.ones(len(columns)), columns])
        """Covariates after a column of ones, shape (n_entities, 1 + n_covariates)."""
        self._precision = np.concatenate([[0.0], penalty])

    def rate(self, parameters: FloatArray) -> FloatArray:
        """Rates per unit of exposure, shape (n_entities,)."""
        return np.exp(self.predictors @ parameters)

    def start(self, marginal: Marginal) -> Stage:
        """Equal rates, at which expected and observed totals have the same sum."""
        parameters = np.zeros(self.predictors.shape[1])
        parameters[0] = np.log(self.problem.data.reference_rate)
        expected = self._expected(self.rate(parameters))
        marginal = marginal.refit(self.totals, expected)
        log_likelihood = marginal.log_likelihood(self.totals, expected)
        return Stage(parameters, marginal, expected, log_likelihood, log_likelihood)

    def predicted_gain(self, at: Stage) -> float:
        """Nats that one step of Fisher scoring would gain, to second order: g' I^-1 g / 2."""
        return 0.5 * float(self.gradient(at) @ self._scoring_step(at))

    def gradient(self, at: Stage) -> FloatArray:
        """Gradient of the penalised log-likelihood, shape (1 + n_covariates,)."""
        slope = at.marginal.slope(self.totals, at.expected)
        return self._sensitivity(at).T @ slope - self._precision * at.parameters

    def information(self, at: Stage) -> FloatArray:
        """Expected information plus the prior's precision, square over 1 + n_covariates."""
        sensitivity = self._sensitivity(at)
        weighted = sensitivity * at.marginal.information(at.expected)[:, np.newaxis]
        return sensitivity.T @ weighted + np.diag(self._precision)

    def advance(self, at: Stage, *, accelerate: bool) -> Stage | None:
        """Do one iteration, and re-estimate the family's own parameter.

        Parameters
        ----------
        at : Stage
            Where to start from.
        accelerate : bool
            Whether to try a step of Fisher scoring before a step of EM.

        Returns
        -------
        Stage or None
            A stage whose objective is higher; None where no length of either step gave that.
        """
        following = self._along(at, self._scoring_step(at)) if accelerate else None
        return following or self._along(at, self._m_step(at) - at.parameters)

    def _along(self, at: Stage, direction: FloatArray) -> Stage | None:
        """Go as far along a direction of ascent as the objective rises, halving if need be."""
        for halvings in range(MOST_HALVINGS):
            parameters = at.parameters + direction / 2**halvings
            gain = self._gain(at, parameters)
            if gain > 0:
                return self._refit(at, parameters, gain)
        return None

    def _scoring_step(self, at: Stage) -> FloatArray:
        step, *_ = np.linalg.lstsq(self.information(at), self.gradient(at))
        return np.asarray(step, dtype=np.float64)

    def _m_step(self, at: Stage) -> FloatArray:
        every = np.zeros(len(self.is_exposed))  # nothing comes from aggregates without exposure
        totals, expected = every.copy(), every + 1.0
        totals[self.is_exposed], expected[self.is_exposed] = self.totals, at.expected
        rate = np.where(self.problem.is_exposed, self.rate(at.parameters), 0.0)
        complete = at.marginal.m_step(self.problem, rate, expected, totals)
        rows = self.problem.is_exposed
        return fit_glm(complete, self.predictors[rows], self._precision, at.parameters)

    def _gain(self, at: Stage, parameters: FloatArray) -> float:
        """Rise of the objective, computed from the changes so that no digits cancel."""
        step = parameters - at.parameters
        growth = self.rate(at.parameters) * np.expm1(self.predictors @ step)
        gain = at.marginal.gain(self.totals, at.expected, self._expected(growth))
        both = at.parameters + parameters
        return gain - 0.5 * float(self._precision @ (step * both))

    def _refit(self, at: Stage, parameters: FloatArray, gain: float) -> Stage:
        expected = self._expected(self.rate(parameters))
        marginal = at.marginal.refit(self.totals, expected)
        objective = at.objective + gain
        if marginal is not at.marginal:
            before, after = (
                law.log_likelihood(self.totals, expected) for law in (at.marginal, marginal)
            )
            if after > before:
                objective += after - before
            else:  # rounding has taken over
                marginal = at.marginal
        penalty = 0.5 * float(self._precision @ parameters**2)
        return Stage(parameters, marginal, expected, objective + penalty, objective)

    def _sensitivity(self, at: Stage) -> FloatArray:
        """Derivatives of the expected totals, shape (n_exposed_aggregates, 1 + n_covariates)."""
        rate = self.rate(at.parameters)
        return self._expected(rate[:, np.newaxis] * self.predictors)

    def _expected(self, rate: FloatArray) -> FloatArray:
        return self.problem.data.expected_totals(rate)[self.is_exposed]
