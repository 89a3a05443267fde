"""Each lift test beside what the model foretold of it, without it and from the other tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from bayes_attrib.inference.lift_moments import LiftMoments, increments_of
from bayes_attrib.inference.lift_reference import (
    LiftReference,
    effective_draws,
)
from bayes_attrib.inference.pareto import HIGHEST_PARETO_K, pareto_smoothed
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.inputs.lift_test import LiftTest

SMALL_P = 0.01
"""In a run whose model is right, the chance of any warning about a test; shared by its tests."""

_ROUNDING = 1e-9
_FEWEST_FOR_TAIL = 100.0
"""Effective draws that the mixture of a tail probability needs; each spreads by its own noise."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was foretold of a measured increment.

    Attributes
    ----------
    mean, sd, lower, upper : float
        Of the increment as it would be measured; the interval is equal-tailed.
    z : float
        Measured less foretold, in sds.
    tail : float
        Two-sided tail probability of what was measured; uniform where the model is right.
    """

    mean: float
    sd: float
    lower: float
    upper: float
    z: float
    tail: float


@dataclass(frozen=True, eq=False, slots=True)
class JudgedTest:
    """A lift test, what the model foretold of it, and what it says after it has seen the test.

    Attributes
    ----------
    test : LiftTest
        The test.
    by_model : Foretold or None
        Foretold by totals and priors, without any test.
    by_others : Foretold or None
        Foretold by totals, priors and the other tests; None where there are no others, or where no
        weights can tell.
    mean, sd : float
        Increment after the fit, without the error of its measurement.
    amount_sd : float
        Sd of the increment given totals and rates: noise of amounts, of which the test tells the
        fit nothing; 0 where the noise is common to an aggregate.
    """

    test: LiftTest
    by_model: Foretold | None
    by_others: Foretold | None
    mean: float
    sd: float
    amount_sd: float


def judge_tests(
    data: AggregateData, fitted: LiftMoments, reference: LiftReference, prob: float
) -> tuple[JudgedTest, ...]:
    """Hold every test against what was foretold of it.

    Parameters
    ----------
    data : AggregateData
        The tests.
    fitted : LiftMoments
        Laws of the increments in the draws of the fit, which knows all tests.
    reference : LiftReference
        The fit without tests.
    prob : float
        Probability of the intervals.

    Returns
    -------
    tuple of JudgedTest
        In the order of the tests.
    """
    known = reference.how != "none"
    judged = []
    for t, test in enumerate(data.lift_tests):
        by_model = (
            _foretold(reference.moments, reference.log_weights, t, test, prob) if known else None
        )
        by_others = _by_others(fitted, reference, data, t, prob)
        mean = fitted.mean[t]
        noise = float(np.mean(fitted.variance[t])) - test.standard_error**2
        own = math.sqrt(noise) if noise > _ROUNDING * test.standard_error**2 else 0.0
        judged.append(
            JudgedTest(test, by_model, by_others, float(mean.mean()), float(mean.std()), own)
        )
    return tuple(judged)


def _by_others(
    fitted: LiftMoments,
    reference: LiftReference,
    data: AggregateData,
    t: int,
    prob: float,
) -> Foretold | None:
    """Foretell a test from the others, by the weights with the lighter tail."""
    measured = increments_of(data)
    if len(measured) == 1:
        return None
    without = -fitted.log_density(measured)[t]
    candidates = [(fitted, *pareto_smoothed(without))]
    if reference.how != "none":
        others = np.delete(reference.moments.log_density(measured), t, axis=0).sum(axis=0)
        weights = reference.log_weights + others
        candidates.append((reference.moments, *pareto_smoothed(weights)))
    moments, log_weights, k = min(candidates, key=lambda candidate: candidate[2])
    if k > HIGHEST_PARETO_K or effective_draws(log_weights) < _FEWEST_FOR_TAIL:
        return None
    return _foretold(moments, log_weights, t, data.lift_tests[t], prob)


def _foretold(
    moments: LiftMoments, log_weights: FloatArray, t: int, test: LiftTest, prob: float
) -> Foretold:
    """Describe the mixture of normal laws that weighted draws are."""
    weights = np.exp(log_weights - logsumexp(log_weights))
    mean = float(weights @ moments.mean[t])
    second = float(weights @ (moments.variance[t] + (moments.mean[t] - mean) ** 2))
    sd = math.sqrt(second)
    tail = (1.0 - prob) / 2.0

    def below(value: float) -> float:
        return float(weights @ moments.below(t, value))

    reach = 1.0 + np.abs(moments.mean[t] - mean).max() / sd
    ends = [mean - 10 * sd * reach, mean + 10 * sd * reach]
    lower, upper = (
        float(brentq(lambda value, p=p: below(value) - p, *ends, xtol=1e-9 * sd))
        for p in (tail, 1.0 - tail)
    )
    at = below(test.increment)
    return Foretold(
        mean, sd, lower, upper, (test.increment - mean) / sd, min(1.0, 2.0 * min(at, 1.0 - at))
    )


def adjusted(tails: list[float]) -> list[float]:
    """Return tail probabilities times their number, at most 1 (Bonferroni)."""
    return [min(1.0, len(tails) * tail) for tail in tails]
