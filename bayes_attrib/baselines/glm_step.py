"""The M step with covariates: a ridge-penalised generalised linear model, fitted by glum.

glum minimises the mean deviance plus ``alpha / 2`` times the squared coefficients (its user guide,
"Background"). Here everything is in nats of the log-likelihood, so that the ridge is the precision
of a normal prior; :func:`fit_glm` holds the conversion.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from glum import GeneralizedLinearRegressor
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from bayes_attrib.inputs.aggregate_data import FloatArray

GRADIENT_TOLERANCE: Final = 1e-12
"""Where glum stops: gradient of its objective, for responses whose mean is one."""

MOST_STEPS: Final = 50
"""Steps of iteratively reweighted least squares per M step; warm starts need one to three."""


@dataclass(frozen=True, eq=False, slots=True)
class GlmProblem:
    """Complete data of an M step, one row per entity with exposure; the link is the logarithm.

    Attributes
    ----------
    family : {"poisson", "gamma"}
        Law of the responses.
    response : ndarray of float, shape (n_rows,)
        Responses; not negative, positive for gamma, and not all zero.
    weight : ndarray of float, shape (n_rows,)
        Nats per unit of half the unit deviance: 1 for a Poisson response.
    offset : ndarray of float, shape (n_rows,)
        Known part of the linear predictor.
    """

    family: Literal["poisson", "gamma"]
    response: FloatArray
    weight: FloatArray
    offset: FloatArray


def fit_glm(
    problem: GlmProblem, predictors: FloatArray, penalty: FloatArray, start: FloatArray
) -> FloatArray:
    """Maximise log-likelihood minus half of the penalty times the squared coefficients.

    The step need not be exact: who calls it judges convergence by the likelihood of the totals.

    Parameters
    ----------
    problem : GlmProblem
        Responses, weights and offsets.
    predictors : ndarray of float, shape (n_rows, n_columns)
        Covariates, with a column of ones for the intercept. (glum's own intercept cannot be
        started from a value beside a single covariate: 3.4.1 fails there under NumPy 2.)
    penalty : ndarray of float, shape (n_columns,)
        Precision of each coefficient's normal prior; zero for the intercept.
    start : ndarray of float, shape (n_columns,)
        Coefficients to start from.

    Returns
    -------
    ndarray of float, shape (n_columns,)
        Coefficients.
    """
    # Both families allow a change of unit: response and mean are divided by the mean response.
    unit = float(np.average(problem.response, weights=problem.weight))
    nats = float(problem.weight.sum()) * (unit if problem.family == "poisson" else 1.0)
    model = GeneralizedLinearRegressor(
        family=problem.family,
        link="log",
        alpha=1.0,
        P2=penalty / nats,
        l1_ratio=0.0,
        fit_intercept=False,
        solver="irls-ls",
        gradient_tol=GRADIENT_TOLERANCE,
        max_iter=MOST_STEPS,
        start_params=start,
    )
    # Problems are small: threads cost more than they bring, much more on a busy machine.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(
            predictors,
            problem.response / unit,
            sample_weight=problem.weight,
            offset=problem.offset - np.log(unit),
        )
    coefficients: FloatArray = model.coef_
    return coefficients
