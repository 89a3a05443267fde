r"""Newton's method on the fixed point of EM, for the same maximum in tens of steps.

EM maps the rates to :math:`\lambda_e s_e(\lambda)` and stops moving where
:math:`\lambda_e (s_e - 1) = 0`. In amounts :math:`\pi_e = \lambda_e w_e` (with :math:`w_e` the
summed exposure) Newton's method for that equation, with the relative step
:math:`d\pi_e = \pi_e u_e`, solves

.. math:: \bigl[ \Pi H \Pi + \Pi (I - S) \bigr] u = \Pi (s - 1), \qquad
    (\Pi H \Pi)_{ef} = \sum_b \frac{y_b}{\mu_b^2}\, \lambda_e w_{eb}\, \lambda_f w_{fb} .

H is the observed information, so curvature is exact. This is the affine-scaling Newton step for
bound constraints of Coleman and Li (*SIAM Journal on Optimization* 6, 1996): a rate whose score
stays below one goes to zero quadratically, where plain EM is slower than geometric as its score
nears one. Two changes keep the matrix positive definite, hence the step one of ascent: the
diagonal of I - S is cut at zero, and a ridge is added that vanishes with the residual. The ridge
also settles what the data do not: where several rates fit equally well, the step is close to the
one of least relative change, as it would be for EM.

Conjugate gradients solve it with products of W and its transpose only, preconditioned by the
diagonal, and only to one digit (Dembo, Eisenstat and Steihaug, *SIAM Journal on Numerical Analysis*
19, 1982): each step then gains about a digit for 10 to 40 products at any size, where accurate
solutions need hundreds of products for each of few steps.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bayes_attrib.baselines.conjugate_gradients import by_diagonal, conjugate_gradients
from bayes_attrib.baselines.free_rates import FreeRates, Iterate
from bayes_attrib.inputs.aggregate_data import FloatArray

RIDGE: Final = 0.1
"""Ridge relative to the residual of the fixed point."""

SMALLEST_RIDGE: Final = 1e-8
"""Ridge at which rounding errors along directions that the data leave open stay small."""

SOLVE: Final = 0.1
"""Relative accuracy to which a Newton system is solved."""

MOST_SHRINKING: Final = 0.01
"""Smallest factor by which one step multiplies a rate: a rate at zero could never come back."""

MAX_HALVINGS: Final = 8


def newton_step(problem: FreeRates, at: Iterate) -> FloatArray | None:
    """Propose better rates by a safeguarded Newton step.

    Parameters
    ----------
    problem : FreeRates
        The likelihood.
    at : Iterate
        Where to start from, on the scale of the data.

    Returns
    -------
    ndarray of float, shape (n_entities,), or None
        Rates at which the log-likelihood is not lower; None if no length of step gave that.
    """
    direction = newton_direction(problem, at)
    length = 1.0
    for _ in range(MAX_HALVINGS):
        factor = np.maximum(1.0 + length * direction, MOST_SHRINKING)
        rate = problem.on_scale(at.rate * factor)
        if problem.gain(at, rate) >= 0:
            return rate
        length /= 2
    return None


def newton_direction(problem: FreeRates, at: Iterate) -> FloatArray:
    """Solve the Newton system for the relative step of every rate.

    Parameters
    ----------
    problem : FreeRates
        The likelihood.
    at : Iterate
        Where to linearise.

    Returns
    -------
    ndarray of float, shape (n_entities,)
        Relative steps u; the undamped update is ``rate * (1 + u)``.
    """
    amount = at.rate * problem.entity_exposure
    residual = np.sqrt(float(amount @ (at.score - 1.0) ** 2) / problem.data.grand_total)
    curvature = problem.curvature(at)
    ridge = float(np.clip(RIDGE * residual, SMALLEST_RIDGE, RIDGE))
    slack = amount * (np.maximum(1.0 - at.score, 0.0) + ridge)

    def product(step: FloatArray) -> FloatArray:
        """Multiply the damped Hessian with a step, by products with the exposures only."""
        changed = problem.expected_totals(at.rate * step)
        return at.rate * problem.sum_over_aggregates(curvature * changed) + slack * step

    step, _ = conjugate_gradients(
        product,
        right_side=amount * (at.score - 1.0),
        precondition=by_diagonal(problem.information(at) + slack),
        tolerance=SOLVE,
    )
    return step
