"""Checks and findings about lift tests: conflicts, and whose split an experiment informs."""

from __future__ import annotations

import math

import numpy as np

from bayes_attrib.errors import Finding
from bayes_attrib.inference.diagnostics import Bounds, Check, make_check
from bayes_attrib.inference.expected_draws import expected_draws, noise_draws
from bayes_attrib.inference.lift_moments import lift_moments
from bayes_attrib.inference.lift_reference import LiftReference
from bayes_attrib.inference.lift_summary import (
    SMALL_P,
    Foretold,
    JudgedTest,
    adjusted,
    judge_tests,
)
from bayes_attrib.inference.mixing import rhat
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.spec import ModelSpec

INFORMED = 0.1
"""Part of the sd of a share that tests have to take away for its split to be called informed.

Of a thousand independent draws each, the ratio of two sds has a Monte-Carlo error of .03.
"""

CONFLICT = Bounds(">=", SMALL_P, 0.0)
_RHAT = Bounds("<=", 1.05, math.inf)
_MOST_NAMED = 5


def judged_tests(fit: PosteriorFit, data: AggregateData, spec: ModelSpec) -> tuple[JudgedTest, ...]:
    """Hold every test of a fit against what was foretold of it.

    Parameters
    ----------
    fit : PosteriorFit
        Draws, with what is kept of the fit without tests.
    data : AggregateData
        The data that were fitted.
    spec : ModelSpec
        The model.

    Returns
    -------
    tuple of JudgedTest
        Empty where there are no tests, or the fit did not take them in.
    """
    reference = LiftReference.of(fit)
    if reference is None or not data.lift_tests:
        return ()
    moments = lift_moments(expected_draws(fit, data, spec), spec, noise_draws(fit, data, spec))
    return judge_tests(data, moments, reference, spec.report.interval.prob)


def lift_checks(
    fit: PosteriorFit, data: AggregateData, spec: ModelSpec
) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
    """Judge the lift tests of a fit.

    Parameters
    ----------
    fit : PosteriorFit
        Draws, with what is kept of the fit without tests.
    data : AggregateData
        The data that were fitted.
    spec : ModelSpec
        The model.

    Returns
    -------
    checks : tuple of Check
        Smallest tail probability against the model and among the tests, times their number; below
        :data:`SMALL_P` a warning. With a second fit, whether its chains agree.
    findings : tuple of Finding
        Conflicts by name, with values; whose split is informed.
    """
    reference, judged = LiftReference.of(fit), judged_tests(fit, data, spec)
    if reference is None or not judged:
        return (), ()
    findings = [_noisy_amounts(j) for j in judged if j.amount_sd > j.test.standard_error]
    checks: list[Check] = []
    for name, pairs, describe in (
        ("lift_conflict_p_value", [(j, j.by_model) for j in judged], _against_model),
        ("lift_agreement_p_value", [(j, j.by_others) for j in judged], _against_others),
    ):
        known = [(j, foretold) for j, foretold in pairs if foretold is not None]
        if known:
            tails = adjusted([foretold.tail for _, foretold in known])
            worst = int(np.argmin(tails))
            detail = f"worst: {known[worst][0].test.name}, {known[worst][1].z:+.1f} sd"
            checks.append(make_check(name, tails[worst], CONFLICT, detail))
            findings += [
                describe(j, foretold)
                for (j, foretold), tail in zip(known, tails, strict=True)
                if tail < SMALL_P
            ]
    if reference.how == "refit" and reference.n_chains > 1:
        checks += _agreement_of_chains(reference)
    if reference.how == "none":
        findings.append(_not_judged(reference))
    else:
        findings.append(_informed(data, reference))
    return tuple(checks), tuple(findings)


def _agreement_of_chains(reference: LiftReference) -> list[Check]:
    """Ask whether the chains of the second fit agree about the tests whose increment varies."""
    means = reference.moments.mean[np.ptp(reference.moments.mean, axis=1) > 0]
    if not len(means):
        return []
    worst = float(np.max(rhat(means.reshape(len(means), reference.n_chains, -1))))
    return [make_check("max_rhat_without_lift_tests", worst, _RHAT)]


def _against_model(judged: JudgedTest, foretold: Foretold) -> Finding:
    return Finding(
        "lift-test-conflict",
        "warning",
        "lift_tests",
        f"the experiment contradicts the totals and priors: the test {judged.test.name!r} "
        f"({_about(judged)}) measured {_measured(judged)}, where {foretold.mean:,.4g} with a sd of "
        f"{foretold.sd:,.3g} was expected without it ({foretold.z:+.1f} sd, tail probability "
        f"{foretold.tail:.2g})",
        "check unit, window, geos, what was switched off and increment_ratio of the test; if they "
        "are right, do not trust the split that the model makes without it",
    )


def _against_others(judged: JudgedTest, foretold: Foretold) -> Finding:
    return Finding(
        "lift-tests-disagree",
        "warning",
        "lift_tests",
        f"the test {judged.test.name!r} ({_about(judged)}) contradicts the other tests, given the "
        f"totals: it measured {_measured(judged)}, where they let {foretold.mean:,.4g} with a sd "
        f"of {foretold.sd:,.3g} be expected ({foretold.z:+.1f} sd, tail probability "
        f"{foretold.tail:.2g})",
        "look for what differed between the tests; leave out those that measured something else",
    )


def _noisy_amounts(judged: JudgedTest) -> Finding:
    return Finding(
        "amounts-do-not-know-lift-test",
        "warning",
        "lift_tests",
        f"rates know the test {judged.test.name!r}, and amounts do not: given rates and totals, "
        f"the increment varies by {judged.amount_sd:,.3g} (sd), more than the standard error of "
        f"the test, {judged.test.standard_error:,.3g}",
        "read expected amounts, shares and rates of what was tested rather than its amounts; or "
        'choose a family whose noise is common to an aggregate, such as "gamma" at level '
        '"aggregate"',
    )


def _about(judged: JudgedTest) -> str:
    return ", ".join(filter(None, (judged.test.subject, judged.test.window)))


def _measured(judged: JudgedTest) -> str:
    return (
        f"{judged.test.increment:,.4g} with a standard error of {judged.test.standard_error:,.3g}"
    )


def _not_judged(reference: LiftReference) -> Finding:
    return Finding(
        "lift-tests-not-judged",
        "note",
        "lift_tests",
        "what the fit would have been without the tests is not known: weights of its draws cannot "
        f"tell (Pareto k {reference.pareto_k:.2f}), and the spec asks for no second fit",
        "set lift_tests.refit to true for a conflict check and for whose split is informed",
    )


def _informed(data: AggregateData, reference: LiftReference) -> Finding:
    found = informed_entities(data, reference.informed)
    how = "weights of the draws" if reference.how == "weights" else "a second fit without the tests"
    if not found:
        return Finding(
            "lift-tests-inform-little",
            "note",
            "lift_tests",
            f"no entity's share became more certain by {INFORMED:.0%} or more through the lift "
            f"tests (by {how})",
            "their standard errors are large beside what totals and groups say already",
        )
    named = ", ".join(f"{name} {part:.0%}" for name, part in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    n = len(found)
    entities = "1 entity" if n == 1 else f"{n} entities"
    return Finding(
        "informed-by-lift-tests",
        "note",
        "lift_tests",
        f"an experiment informs the split of {entities}: lift tests took away this part of the sd "
        f"of the share: {named}{more} (by {how})",
    )


def informed_entities(data: AggregateData, informed: FloatArray) -> list[tuple[str, float]]:
    """Return entities whose split is informed, with the part of the sd taken away, most first."""
    order = np.argsort(-informed, kind="stable")
    return [
        (str(data.entity_names[e]), float(informed[e])) for e in order if informed[e] >= INFORMED
    ]
