"""The checks that a run reports; ``verify`` makes them again from its files."""

from __future__ import annotations

from typing import Final

import numpy as np

from bayes_attrib import names
from bayes_attrib.attribution import AttributionResult
from bayes_attrib.errors import Finding
from bayes_attrib.inference import (
    Check,
    PosteriorFit,
    enough_draws,
    entities_to_check,
    predictive_checks,
    total_draws,
)
from bayes_attrib.inference.lift_findings import lift_checks
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.learned_exposure import learned_of
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.methods import CheckedDraws, method_of
from bayes_attrib.workflow.own_model import own_parameters

_PREDICTIVE_STREAM = 2  # the allocation has the first

TOTALS_GIVEN: Final = Finding(
    "totals-given",
    "note",
    "likelihood.family",
    "totals are split and say nothing about rates; shares are told by exposures, priors, "
    "covariates and lift tests",
    "intervals are as wide as the priors where nothing else is known; a lift test narrows them",
)
"""What a fit with given totals says of itself."""


def computed_checks(
    data: AggregateData,
    spec: ModelSpec,
    posterior: PosteriorFit,
    result: AttributionResult,
    *,
    is_own: bool,
) -> tuple[tuple[Check, ...], tuple[Finding, ...]]:
    """Make the checks of the method and of prediction; the same fit gives the same values.

    Parameters
    ----------
    data : AggregateData
        The data that were fitted.
    spec : ModelSpec
        The model.
    posterior : PosteriorFit
        Draws.
    result : AttributionResult
        Gives the shares that are checked.
    is_own : bool
        Whether the model is one of the user's own.

    Returns
    -------
    checks : tuple of Check
        Every check.
    findings : tuple of Finding
        What predictive checks that warn mean, and what an approximation says of itself.
    """
    expected = result.expected_amounts
    mean_shares = np.concatenate([block.mean(axis=1) for _, block in expected.blocks()])
    chosen = entities_to_check(mean_shares)
    parameters = own_parameters(posterior) if is_own else hyperparameters(spec)
    shares = expected.rows(chosen) / data.grand_total
    drawn = CheckedDraws(posterior, parameters, chosen, shares)
    checks, notes = method_of(posterior).checks(drawn)
    lift, about_tests = lift_checks(posterior, data, spec)
    checks, notes = (*checks, *lift), (*about_tests, *notes)
    if not spec.likelihood.informs_rates:
        return checks, (TOTALS_GIVEN, *notes)
    rng = np.random.default_rng([spec.inference.seed, _PREDICTIVE_STREAM])
    totals = total_draws(posterior, data, spec, most=enough_draws(data.n_aggregates))
    predictive, findings = predictive_checks(totals, rng)
    return (*checks, *predictive), (*findings, *notes)


def hyperparameters(spec: ModelSpec) -> list[str]:
    """Return the variables above the entities: parameters, effects, spreads, transforms."""
    rates = spec.rates
    effects = map(names.effect_of, (*rates.groups, *rates.aggregate_effects))
    spreads = (
        [] if rates.heteroscedastic is None else [names.sigma_entity_of(rates.heteroscedastic)]
    )
    learned = [names.TRANSFORM] if learned_of(spec).parameters else []
    return [*spec.parameters, *effects, *spreads, *learned]
