"""Whether the checks that a run reports are those that its draws give."""

from __future__ import annotations

import math

from bayes_attrib import names
from bayes_attrib.attribution import AttributionResult
from bayes_attrib.inference import Check
from bayes_attrib.report.records import Check as StoredCheck
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.verification import Outcome
from bayes_attrib.report.verification.outcome import (
    RELATIVE_TOLERANCE,
    identity,
    not_checked,
)
from bayes_attrib.workflow.checks import computed_checks
from bayes_attrib.workflow.compare_sampling import CHECK_PREFIX

_TOLERANCE = 1e-6
"""Relative; effective sample sizes come from Fourier transforms that differ between machines."""


_P = "_p_value"


def check_diagnostics(draws: RunDraws, result: AttributionResult) -> list[Outcome]:
    """Compute the checks of a run again and compare value and status.

    Parameters
    ----------
    draws : RunDraws
        Posterior and data of the run.
    result : AttributionResult
        Its tables, made again.

    Returns
    -------
    list of Outcome
        One for all checks. Predictive p-values are told apart where aggregates had no exposure:
        the run does not keep these, and they move the random numbers.
    """
    manifest = draws.run.manifest
    if manifest.rolled_forward is not None:
        reason = "the checks are those of the run that was rolled forward, which verifies them"
        return [not_checked("recomputed.checks", names.DIAGNOSTICS_FILE, reason)]
    checks, _ = computed_checks(
        draws.data, manifest.spec, draws.fit, result, is_own=manifest.model is not None
    )
    partly = bool(manifest.data.aggregates_without_exposure)
    beside = [c.name for c in draws.run.diagnostics.checks if c.name.startswith(CHECK_PREFIX)]
    stored = {
        c.name: c
        for c in draws.run.diagnostics.checks
        if c.name not in beside and not (partly and _P in c.name)
    }
    again = {c.name: c for c in checks if not (partly and _P in c.name)}
    wrong = [f"{key} is missing" for key in again if key not in stored]
    wrong += [f"{key} is not a check of this run" for key in stored if key not in again]
    wrong += [
        f"{key} is {stored[key].value} ({stored[key].status}), and {check.value} "
        f"({check.status}) when computed again"
        for key, check in again.items()
        if key in stored and not _same(stored[key], check)
    ]
    what = f"value, threshold and status of every check, from {names.POSTERIOR_FILE}"
    file = names.DIAGNOSTICS_FILE
    value = f"{len(again)} checks"
    found = [identity("recomputed.checks", file, "; ".join(wrong), what, value=value)]
    if partly:
        reason = "predictive checks need the aggregates without exposure, which a run does not keep"
        found.append(not_checked("recomputed.predictive_checks", file, reason))
    if beside:
        reason = "the comparison with sampling needs a fit of its own, and nothing is fitted here"
        found.append(not_checked("recomputed.comparison_with_sampling", file, reason))
    return found


def _same(stored: StoredCheck, again: Check) -> bool:
    if (stored.status, stored.comparison) != (again.status, again.comparison):
        return False
    pairs = ((stored.value, again.value), (stored.threshold, again.threshold))
    return all(
        (a is None and b is None)
        or (
            a is not None
            and b is not None
            and math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=RELATIVE_TOLERANCE)
        )
        for a, b in pairs
    )
