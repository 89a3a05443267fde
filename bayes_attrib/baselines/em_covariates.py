"""EM with covariates: log rates that are linear in what is known about the entities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from bayes_attrib import names
from bayes_attrib.baselines.covariate_inputs import (
    TotalsFamily,
    check_options,
    check_rank,
    check_totals,
    columns_of,
    marginal_of,
)
from bayes_attrib.baselines.free_rates import FreeRates
from bayes_attrib.baselines.linear_rates import LinearRates
from bayes_attrib.baselines.marginals import GammaMarginal
from bayes_attrib.baselines.point_fit import PointFit, Stopped
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray

PLAIN_FIRST: Final = 10
"""EM iterations before the first accelerated one: they settle which local maximum is found."""


@dataclass(frozen=True, eq=False)
class CovariateFit(PointFit):
    """Rates that follow covariates; ``log_likelihood`` is that of the family below.

    Attributes
    ----------
    intercept : float
        Log rate where all covariates are zero.
    coefficients : ndarray of float, shape (n_covariates,)
        Additions to the log rate per unit of each (standardised) covariate.
    covariates : tuple of str
        Their names; the last is ``"unattributed"`` where the data have such an entity.
    ridge : float
        Precision of the normal prior of each coefficient.
    family : {"poisson", "gamma"}
        Law of the totals.
    alpha : float or None
        Shape of the gamma law.
    penalised_log_likelihood : ndarray of float, shape (iterations + 1,)
        What is maximised, in nats, at the start and after each iteration; it never falls.
    predicted_gain : float
        Nats by which one more Fisher scoring step would raise it, to second order.
    """

    _arrays: ClassVar[tuple[str, ...]] = (
        *PointFit._arrays,  # noqa: SLF001, a subclass's own
        "coefficients",
        "penalised_log_likelihood",
    )

    intercept: float
    coefficients: FloatArray
    covariates: tuple[str, ...]
    ridge: float
    family: TotalsFamily
    alpha: float | None
    penalised_log_likelihood: FloatArray
    predicted_gain: float


def fit_em_covariates(
    data: AggregateData,
    matrix: FloatArray,
    covariates: Sequence[str],
    *,
    ridge: float,
    family: TotalsFamily = "poisson",
    alpha: float | None = None,
    tolerance: float = 1e-12,
    max_iterations: int = 200,
    accelerate: bool = True,
) -> CovariateFit:
    r"""Fit rates lambda_e = exp(intercept + x_e' beta) to totals by EM.

    The E step splits every total in proportion to the expected amounts. The M step is a GLM with
    logarithmic link and a ridge, see :mod:`bayes_attrib.baselines.marginals` for its exact form
    and :mod:`bayes_attrib.baselines.glm_step` for the fit. What is maximised is the penalised
    likelihood of the *totals*,

    .. math:: \ell(\mu) - \tfrac{r}{2} \sum_j \beta_j^2 ,

    the posterior mode under a flat prior on the intercept and
    :math:`\beta_j \sim \mathrm{Normal}(0, 1 / \sqrt r)` on each coefficient: ``ridge=4`` says that
    one standard deviation of a covariate multiplies a rate by between 1/e and e with probability
    .95. An entity has no deviation of its own from its covariates here, so entities
    with equal covariates get equal rates.

    It ends when the gain that Fisher scoring predicts for one more step, :math:`g' I^{-1} g / 2`
    with gradient g and expected information I of the penalised likelihood, is below ``tolerance``
    nats. That does not depend on units, and an error of q nats is one of about sqrt(2 q) standard
    errors. Neither likelihood is concave in the coefficients: what is found is stationary, and
    other local maxima may exist.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures. Aggregates and entities without exposure are outside the likelihood.
    matrix : ndarray of float, shape (n_attributable, n_covariates)
        Covariates of the entities, standardised, without a column of ones. The unattributed
        entity, where there is one, has no row; it gets a free rate of its own.
    covariates : sequence of str
        Names of the columns.
    ridge : float
        Precision of the coefficients' normal prior, one over its squared sd; not negative.
    family : {"poisson", "gamma"}
        Law of the totals. A Poisson law of money claims a noise that depends on the currency, and
        next to it any ridge vanishes.
    alpha : float, optional
        Shape of the gamma law; estimated by maximum likelihood, in turn with the M step, where it
        is not given.
    tolerance : float
        Predicted gain, in nats, at which to stop.
    max_iterations : int
        Iterations after which to give up; ``converged`` is then false. Accelerated fits need
        tens.
    accelerate : bool
        Whether to try Fisher scoring, with the same likelihood, after the first iterations; EM
        alone may need hundreds.

    Returns
    -------
    CovariateFit
        Coefficients, rates, amounts, and the trace of the penalised log-likelihood.

    Raises
    ------
    ValueError
        If covariates do not fit the data, a gamma total is zero, all totals are zero, or
        coefficients are not determined and there is no ridge.
    """
    marginal = marginal_of(family, alpha)
    check_options(ridge, tolerance, max_iterations)
    check_totals(data, family)
    labels, columns = columns_of(data, matrix, covariates)
    penalty = np.where(np.array(labels) == names.UNATTRIBUTED, 0.0, ridge)
    model = LinearRates(FreeRates(data), columns, penalty)
    if ridge == 0:
        check_rank(model)

    stage = model.start(marginal)
    stages = [(stage.log_likelihood, stage.objective)]
    stopped: Stopped = "iterations"
    while (gain := model.predicted_gain(stage)) > tolerance and len(stages) <= max_iterations:
        late = len(stages) > PLAIN_FIRST
        following = model.advance(stage, accelerate=accelerate and late)
        if following is None:
            stopped = "stalled"
            break
        stage = following
        stages.append((stage.log_likelihood, stage.objective))
    if gain <= tolerance:
        stopped = "stationary"
    rate = model.rate(stage.parameters)
    amount = data.split_totals(rate)
    return CovariateFit(
        method="em_covariates",
        rate=rate,
        amount=amount,
        entity_amount=data.sum_to_entities(amount),
        log_likelihood=np.array([log_likelihood for log_likelihood, _ in stages]),
        iterations=len(stages) - 1,
        certificate=None,
        stopped=stopped,
        intercept=float(stage.parameters[0]),
        coefficients=stage.parameters[1:],
        covariates=labels,
        ridge=ridge,
        family=family,
        alpha=stage.marginal.alpha if isinstance(stage.marginal, GammaMarginal) else None,
        penalised_log_likelihood=np.array([objective for _, objective in stages]),
        predicted_gain=gain,
    )
