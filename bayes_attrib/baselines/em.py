"""Maximum likelihood with one free rate per entity, by expectation maximisation."""

from __future__ import annotations

from typing import Final

import numpy as np

from bayes_attrib.baselines.acceleration import newton_step
from bayes_attrib.baselines.certificate import (
    certificate_of,
    gap_by_perfect_fit,
    gap_by_scores,
)
from bayes_attrib.baselines.free_rates import FreeRates, Iterate
from bayes_attrib.baselines.likelihood import poisson_log_likelihood
from bayes_attrib.baselines.point_fit import PointFit
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray

PLAIN_FIRST: Final = 20
"""Plain iterations before the first accelerated one.

Where many rates reach the same maximum, they settle which of them is found: close to the one that
plain iterations from the same start would end at.
"""

NEAR: Final = 10.0
"""Bound by a perfect fit over tolerance up to which plain iterations go on for as many again.

A Newton step costs as much as some thirty of them.
"""

SETTLED: Final = 1e3
"""Bound by scores over tolerance at which rates count as settled where totals are fitted well.

That bound is of first order in the distance and the likelihood of second: without it, a proof of
1e-10 by a perfect fit would leave rates that are wrong in the fifth digit.
"""

NEVER: Final = 10.0
"""Root of the gain of a plain iteration, over tolerance, above which scores prove nothing."""


def fit_em(
    data: AggregateData,
    *,
    tolerance: float = 1e-10,
    max_iterations: int = 200,
    accelerate: bool = True,
    stop_after: int | None = None,
    start: FloatArray | None = None,
) -> PointFit:
    r"""Fit free rates to Poisson totals by expectation maximisation.

    One plain iteration splits every total in proportion to the expected amounts (E step), and
    divides what each entity got by its exposure (M step):

    .. math:: \lambda_e \leftarrow \lambda_e \,
        \frac{\sum_b w_{eb}\, y_b / \mu_b}{\sum_b w_{eb}} .

    That is Richardson-Lucy deconvolution (Richardson, *Journal of the Optical Society of America*
    62, 1972; Lucy, *Astronomical Journal* 79, 1974) and ML-EM of emission tomography (Shepp and
    Vardi, *IEEE Transactions on Medical Imaging* 1, 1982). Accelerated iterations are Newton
    steps on its fixed point, see :mod:`bayes_attrib.baselines.acceleration`; a step that would
    lower the log-likelihood is shortened, and replaced by a plain iteration if need be. It ends
    when the duality gap of :mod:`bayes_attrib.baselines.certificate` proves the maximum and the
    scores have settled to match.

    What is certified is the likelihood. Where entities outnumber aggregates, or never vary
    separately, many rates reach the same maximum: the expected totals are unique, the rates are
    not, and those found are one choice among them that depends on the start. Rates on their way to
    zero are set to zero, so that they can be counted, if the certificate still holds.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures. Aggregates without exposure are outside the likelihood.
    tolerance : float
        Relative gap at which to stop, per unit of the grand total.
    max_iterations : int
        Iterations after which to give up: ``stopped`` is then ``"iterations"`` and ``converged``
        is false. Accelerated fits need tens.
    accelerate : bool
        Whether to accelerate; plain iterations alone may need hundreds of thousands.
    stop_after : int, optional
        Run exactly this many plain iterations and stop early, as textbooks do, whatever the
        certificate says. The amounts are then those of the last E step, the rates those of the
        M step that follows it.
    start : ndarray of float, shape (n_entities,), optional
        Rates to start from, up to a common factor, positive where there is exposure; equal rates
        by default.

    Returns
    -------
    PointFit
        Rates, amounts, the trace of the log-likelihood and the certificate.

    Raises
    ------
    ValueError
        If an option is out of range, or ``start`` is not one positive rate per exposed entity.
    """
    _check_options(tolerance, max_iterations, stop_after)
    problem = FreeRates(data)
    early = stop_after is not None
    limit = max_iterations if stop_after is None else stop_after
    plain_iterations = PLAIN_FIRST if accelerate and not early else limit

    at = before = problem.evaluate(problem.on_scale(_checked_start(problem, start)))
    trace = [poisson_log_likelihood(data.totals, at.expected)]
    proved = not early and _is_proved(problem, at, tolerance)
    while not proved and len(trace) <= limit:
        before = at
        accelerated = len(trace) > plain_iterations and not (
            len(trace) <= 2 * PLAIN_FIRST and gap_by_perfect_fit(problem, at) < NEAR * tolerance
        )
        at, gain = _next(problem, before, accelerate=accelerated)
        trace.append(trace[-1] + gain)
        proved = not early and _is_proved(problem, at, tolerance, 0.0 if accelerated else gain)
    if proved and (settled := _without_vanishing(problem, at, tolerance)) is not None:
        trace[-1] += problem.gain(at, settled)
        at = problem.evaluate(settled)

    amount = data.split_totals(before.rate if early else at.rate)
    return PointFit(
        method="em",
        rate=np.where(problem.is_exposed, at.rate, np.nan),
        amount=amount,
        entity_amount=data.sum_to_entities(amount),
        log_likelihood=np.array(trace),
        iterations=len(trace) - 1,
        certificate=certificate_of(problem, at),
        stopped="certificate" if proved else "early" if early else "iterations",
    )


def _next(problem: FreeRates, at: Iterate, *, accelerate: bool) -> tuple[Iterate, float]:
    """Return where one iteration goes, and the rise of the log-likelihood, which does not fall."""
    if accelerate:
        rate = newton_step(problem, at)
        if rate is not None:
            return problem.evaluate(rate), problem.gain(at, rate)
    after = problem.evaluate(at.rate * at.score)
    return after, problem.gain_of_update(at, after)


def _is_proved(problem: FreeRates, at: Iterate, tolerance: float, gain: float = 0.0) -> bool:
    """Whether the maximum is proved and the rates are settled to the same measure.

    ``gain`` is what the plain iteration before gained. The bound by scores is about its root, so it
    is not looked at, which takes a pass over the edges, before it can be small enough.
    """
    gain_per_unit = gain / max(problem.data.grand_total, np.finfo(np.float64).tiny)
    if gain_per_unit > tolerance:  # so much is missing still
        return False
    perfect = gap_by_perfect_fit(problem, at)
    if perfect > tolerance and gain_per_unit > (NEVER * tolerance) ** 2:
        return False
    scores = gap_by_scores(problem, at)
    return scores <= tolerance or (perfect <= tolerance and scores <= SETTLED * tolerance)


def _without_vanishing(problem: FreeRates, at: Iterate, tolerance: float) -> FloatArray | None:
    """Set rates on their way to zero to zero and resettle the others, if that is proved as well.

    At a maximum, an entity has either an amount or a score below one. Whichever is the larger, as
    fractions of the grand total and of one, tells which is on its way to zero.
    """
    amount = at.rate * problem.entity_exposure
    vanishing = amount < (1.0 - at.score) * problem.data.grand_total
    if not vanishing.any():
        return None
    rate = problem.on_scale(np.where(vanishing, 0.0, at.rate))
    if problem.gain(at, rate) == -np.inf:
        return None
    settled = newton_step(problem, problem.evaluate(rate))
    rate = rate if settled is None else settled
    if problem.gain(at, rate) < 0:
        return None
    return rate if _is_proved(problem, problem.evaluate(rate), tolerance) else None


def _check_options(tolerance: float, max_iterations: int, stop_after: int | None) -> None:
    if not tolerance > 0:
        raise ValueError(f"tolerance must be positive; got {tolerance:g}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1; got {max_iterations}")
    if stop_after is not None and stop_after < 1:
        raise ValueError(f"stop_after must be at least 1; got {stop_after}")


def _checked_start(problem: FreeRates, start: FloatArray | None) -> FloatArray:
    if start is None:  # up to a factor; nobody earns where nothing was earned
        return np.full(problem.data.n_entities, float(problem.data.grand_total > 0))
    start = np.asarray(start, dtype=np.float64)
    if start.shape != problem.is_exposed.shape:
        raise ValueError(
            f"start must hold one rate per entity, shape {problem.is_exposed.shape}; got shape "
            f"{start.shape}"
        )
    wrong = problem.is_exposed & ~(np.isfinite(start) & (start > 0))
    if wrong.any():
        e = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"start must be positive and finite where there is exposure; {wrong.sum()} rate(s) "
            f"are not, first {start[e]:g} for {problem.data.entity_names[e]!r}"
        )
    return start
