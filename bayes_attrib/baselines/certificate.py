r"""Proof of how near a vector of rates is to the maximum likelihood.

The problem, up to constants, is

.. math::

    \min_{\lambda \ge 0} F(\lambda)
    = \sum_b \bigl[ \mu_b - y_b \log \mu_b \bigr], \qquad \mu = W \lambda .

Give the constraint :math:`\mu = W\lambda` multipliers :math:`\nu` and minimise the Lagrangian
:math:`\mathbf 1' W \lambda - \sum_b y_b \log \mu_b + \nu'(\mu - W \lambda)`. Over
:math:`\lambda \ge 0` it is bounded below only if :math:`W'\nu \le W'\mathbf 1`; over :math:`\mu`
the minimum is at :math:`\mu_b = y_b / \nu_b`. The dual problem is therefore

.. math::

    \max_{\nu \ge 0} G(\nu) = \sum_b \bigl[ y_b - y_b \log y_b + y_b \log \nu_b \bigr]
    \quad \text{subject to} \quad W' \nu \le W' \mathbf 1 ,

with :math:`0 \log 0 = 0`, and :math:`G(\nu) \le \min F \le F(\lambda)` for every feasible pair
(weak duality: Boyd and Vandenberghe, *Convex Optimization*, 2004, section 5.2; Ben-Tal, Margalit
and Nemirovski, *SIAM Journal on Optimization* 12, 2001, on this problem in tomography).

Any rates give a feasible :math:`\nu`. With :math:`c_b = y_b / \mu_b`, the *score* of an entity is
the factor of its EM update (Shepp and Vardi, *IEEE Transactions on Medical Imaging* 1, 1982),

.. math:: s_e = \sum_b w_{eb} c_b \Big/ \sum_b w_{eb} ,

and :math:`\nu_b = c_b / m_b` with :math:`m_b = \max_{e : w_{eb} > 0} s_e`, the largest score
among the entities of the aggregate, satisfies the constraint: :math:`\sum_b w_{eb} c_b / m_b \le
\sum_b w_{eb} c_b / s_e = \sum_b w_{eb}`. Inserted, the logarithms of :math:`\mu` and :math:`y`
cancel, and the gap has a closed form that loses no digits to cancellation:

.. math:: F(\lambda) - G(c / m) = (M - Y) + \sum_b y_b \log m_b, \qquad
    M = \sum_b \mu_b , \quad Y = \sum_b y_b .

For rates on the data's scale, M = Y, it is the mean of :math:`\log m_b` weighted by the totals, and
a maximum over entities next to each other, not over all of them. Dividing c by the largest of all
scores instead gives :math:`Y \log \max_e s_e`, never smaller and, with many entities, a hundred
times as large: a single entity that is not settled would speak for all. (For mixture weights that
bound is known from the gradient function of Lindsay, *Annals of Statistics* 11, 1983.) At the
maximum every score is at most one, and equal to one where the rate is positive, so the gap closes
there, whether the totals are fitted perfectly or not.

Another feasible point is :math:`\nu = 1`, the multipliers of a perfect fit. Its gap is the
likelihood that is missing to expectations which equal the totals: the same form with
:math:`m_b = c_b`. Where entities outnumber aggregates, totals are often fitted almost perfectly.
That gap is then nearly what is missing in truth, of second order in the distance from the maximum,
while the bound by scores is of first order. The smaller of the two is the proof.

The gap is in nats and grows with the unit of the totals, just as the log-likelihood does: with
all totals and rates multiplied by k, both F (up to a constant) and the gap are multiplied by k.
Dividing by Y gives the scale-free *relative* gap. Neither depends on the unit of exposure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_attrib.baselines.free_rates import FreeRates, Iterate
from bayes_attrib.baselines.likelihood import poisson_log_likelihood
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray


@dataclass(frozen=True, slots=True)
class Certificate:
    """Duality gap of the Poisson likelihood with free rates.

    Attributes
    ----------
    log_likelihood : float
        Log-likelihood that is certified, in nats, with all constants.
    gap : float
        Nats by which no other rates can exceed it: an upper bound, proved by convex duality.
    relative_gap : float
        ``gap`` per unit of the grand total; free of the units of totals and exposures.
    max_score : float
        Largest factor by which an EM update would multiply a rate; one at the maximum.
    """

    log_likelihood: float
    gap: float
    relative_gap: float
    max_score: float

    @property
    def upper_bound(self) -> float:
        """Log-likelihood that no rates can exceed, in nats."""
        return self.log_likelihood + self.gap


def certify_rates(data: AggregateData, rate: FloatArray) -> Certificate:
    """Bound the distance of rates from the maximum of the Poisson likelihood.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures; aggregates without exposure are outside the likelihood.
    rate : ndarray of float, shape (n_entities,)
        Rates per unit of exposure. Those of entities without exposure are ignored.

    Returns
    -------
    Certificate
        The duality gap at these rates.

    Raises
    ------
    ValueError
        If a rate is negative or not finite, or if a positive total has an expected total of zero:
        the log-likelihood is minus infinity there.
    """
    problem = FreeRates(data)
    wrong = problem.is_exposed & ~(np.isfinite(rate) & (rate >= 0))
    if wrong.any():
        e = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"rates must be finite and not negative; {wrong.sum()} are not, first {rate[e]:g} for "
            f"{data.entity_names[e]!r}"
        )
    return certificate_of(problem, problem.evaluate(rate))


def certificate_of(problem: FreeRates, at: Iterate) -> Certificate:
    """Certify rates that are already evaluated; see :func:`certify_rates`.

    Parameters
    ----------
    problem : FreeRates
        The likelihood.
    at : Iterate
        Rates with their expected totals and scores.

    Returns
    -------
    Certificate
        The duality gap at these rates.
    """
    relative_gap = relative_duality_gap(problem, at)
    return Certificate(
        log_likelihood=poisson_log_likelihood(problem.data.totals, at.expected),
        gap=relative_gap * problem.data.grand_total,
        relative_gap=relative_gap,
        max_score=float(at.score.max(initial=0.0)),
    )


def relative_duality_gap(problem: FreeRates, at: Iterate) -> float:
    """Duality gap per unit of the grand total: the smaller of the two bounds.

    Parameters
    ----------
    problem : FreeRates
        The likelihood.
    at : Iterate
        Rates with their expected totals and scores.

    Returns
    -------
    float
        Relative gap; not negative.
    """
    return min(gap_by_scores(problem, at), gap_by_perfect_fit(problem, at))


def gap_by_scores(problem: FreeRates, at: Iterate) -> float:
    """Bound by the largest score of each aggregate's entities; see the module.

    Parameters
    ----------
    problem : FreeRates
        The likelihood.
    at : Iterate
        Rates with their expected totals and scores.

    Returns
    -------
    float
        Relative gap; not negative. It says about rates, too, how far they may still move.
    """
    if problem.data.grand_total == 0:
        return _gap_of_nothing(at)
    largest = problem.largest_over_entities(at.score)
    return _gap(problem, at, largest[problem.is_positive[problem.data.is_exposed]])


def gap_by_perfect_fit(problem: FreeRates, at: Iterate) -> float:
    """Bound by the likelihood of expectations that equal the totals; see the module.

    Parameters
    ----------
    problem : FreeRates
        The likelihood.
    at : Iterate
        Rates with their expected totals and scores.

    Returns
    -------
    float
        Relative gap; not negative. It costs nothing, and is exact where the totals can be fitted.
    """
    if problem.data.grand_total == 0:
        return _gap_of_nothing(at)
    return _gap(problem, at, at.ratio[problem.is_positive])


def _gap(problem: FreeRates, at: Iterate, divisor: FloatArray) -> float:
    """Gap per unit of the grand total with the multipliers c / divisor of the positive totals."""
    data = problem.data
    rise = float(data.totals[problem.is_positive] @ np.log(divisor))
    gap = (float(at.expected.sum()) - data.grand_total + rise) / data.grand_total
    return max(gap, 0.0)  # weak duality holds exactly; rounding may end a few ulp below


def _gap_of_nothing(at: Iterate) -> float:
    # Nothing was earned: any expectation is in vain, and none is perfect
    return np.inf if float(at.expected.sum()) > 0 else 0.0
