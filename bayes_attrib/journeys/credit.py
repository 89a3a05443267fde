"""Credit of touchpoints by every heuristic: sums that are equal to what was to be credited."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.journeys.build import Journeys
from bayes_attrib.journeys.coalitions import find_coalitions
from bayes_attrib.journeys.markov import TooManyStatesError, build_chain, removal_effects
from bayes_attrib.journeys.position_rules import RULES
from bayes_attrib.journeys.shapley import ShapleyValues, shapley_of_rates, shapley_of_totals
from bayes_attrib.spec.journeys import HeuristicsSpec


@dataclass(frozen=True, eq=False)
class Credit:
    """What one method gives each touchpoint of one outcome.

    Attributes
    ----------
    method : str
        Name of the method, such as ``"time_decay"`` or ``"markov_2"``.
    outcome : {"conversions", "value"}
        What is credited.
    amounts : ndarray of float, shape (n_touchpoints,)
        In conversions, or in the unit of values.
    unattributed : float
        What conversions without a touch yielded; amounts and this add up to ``total``.
    total : float
        Sum of the outcome over all conversions.
    standard_errors : ndarray of float, shape (n_touchpoints,), or None
        Of sampled orders, for a Shapley value that was not computed exactly.
    """

    method: str
    outcome: str
    amounts: FloatArray
    unattributed: float
    total: float
    standard_errors: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Credited:
    """Credit by every method.

    Attributes
    ----------
    credits : tuple of Credit
        One for each method and outcome.
    findings : tuple of Finding
        Methods that could not be used, and why.
    """

    credits: tuple[Credit, ...]
    findings: tuple[Finding, ...] = ()


def credit_journeys(journeys: Journeys, parameters: HeuristicsSpec) -> Credited:
    """Credit touchpoints by every heuristic.

    Parameters
    ----------
    journeys : Journeys
        Journeys, null journeys among them.
    parameters : HeuristicsSpec
        Parameters of the heuristics.

    Returns
    -------
    Credited
        Conversions, and values where they are known. Conversions without a touch are credited to
        nobody, by any method.

    Raises
    ------
    DataError
        If no conversion has a touch.
    """
    touched = journeys.lengths > 0
    converting = journeys.select(touched & journeys.converts)
    if not len(converting):
        raise DataError("there is nothing to credit:", [_nothing(journeys)])
    outcomes = ("conversions",) if journeys.value is None else ("conversions", "value")
    findings: list[Finding] = []
    found = [*_by_position(converting, outcomes, parameters)]
    paths = journeys.select(touched)
    ended = np.column_stack([paths.outcome(outcome) for outcome in outcomes])
    found += _by_shapley(paths, ended, parameters, findings)
    found += _by_markov(paths, ended, parameters, findings)
    credits_ = tuple(
        _settled(journeys, method, outcome, amounts, errors)
        for method, columns, deviations in found
        for outcome, amounts, errors in zip(outcomes, columns.T, deviations, strict=True)
    )
    return Credited(credits_, tuple(findings))


_Found = tuple[str, FloatArray, list[FloatArray | None]]
"""Method, parts of outcomes of any scale (n_touchpoints, n_outcomes), standard errors of each."""


def _nothing(journeys: Journeys) -> Finding:
    message = (
        f"none of {int(journeys.conversions.sum()):,} conversions has a touch in the "
        "window before it"
    )
    remedy = (
        "check that customers are spelt alike in both tables, that times are in one time zone, and "
        "journeys.look_back_days of the spec"
    )
    return Finding("no-touched-conversion", "error", "touches and conversions", message, remedy)


def _by_position(
    journeys: Journeys, outcomes: tuple[str, ...], parameters: HeuristicsSpec
) -> Iterator[_Found]:
    lengths, n_points = journeys.lengths, len(journeys.touchpoints)
    worth = [np.repeat(journeys.outcome(outcome), lengths) for outcome in outcomes]
    for method, rule in RULES.items():
        part = rule(journeys, parameters)
        columns = [np.bincount(journeys.touch, part * w, minlength=n_points) for w in worth]
        yield method, np.column_stack(columns), [None] * len(outcomes)


def _by_shapley(
    paths: Journeys, ended: FloatArray, parameters: HeuristicsSpec, findings: list[Finding]
) -> Iterator[_Found]:
    coalitions = find_coalitions(paths, ended)
    yield "shapley", shapley_of_totals(coalitions).values, [None] * ended.shape[1]
    if paths.converts.all():
        findings.append(
            Finding(
                "no-null-journeys",
                "note",
                "touches",
                "every touched journey converts, so shapley_rate, which compares rates of "
                "conversion, is left out, and Markov chains see no journey fail",
                "export the touches of customers who did not convert as well",
            )
        )
        return
    rates = shapley_of_rates(coalitions, parameters.permutations, parameters.seed)
    yield "shapley_rate", rates.values, _columns(rates)


def _columns(values: ShapleyValues) -> list[FloatArray | None]:
    if values.standard_errors is None:
        return [None] * values.values.shape[1]
    return list(values.standard_errors.T)


def _by_markov(
    paths: Journeys, ended: FloatArray, parameters: HeuristicsSpec, findings: list[Finding]
) -> Iterator[_Found]:
    n_points = len(paths.touchpoints)
    for order in parameters.markov_orders:
        try:
            _, effects = removal_effects(build_chain(paths, order, ended), n_points)
        except TooManyStatesError as error:
            findings.append(
                Finding(
                    "too-many-states",
                    "warning",
                    f"markov_{order}",
                    f"the chain is too large to be solved exactly: {error}",
                    "credit channels instead of campaigns, or leave the order out of "
                    "heuristics.markov_orders",
                )
            )
        else:
            yield f"markov_{order}", np.nan_to_num(effects), [None] * ended.shape[1]


def _settled(
    journeys: Journeys,
    method: str,
    outcome: str,
    amounts: FloatArray,
    errors: FloatArray | None,
) -> Credit:
    """Scale amounts to what was touched, so that the sum is the total to the last bit."""
    total, unattributed = journeys.total(outcome), journeys.unattributed(outcome)
    scale = (total - unattributed) / amounts.sum() if amounts.sum() else 0.0
    exact = settle(amounts * scale, unattributed, total)
    deviations = None if errors is None else errors * scale
    return Credit(method, outcome, exact, unattributed, total, deviations)


def settle(amounts: FloatArray, unattributed: float, total: float) -> FloatArray:
    """Take rounding errors out of amounts, at the largest of them.

    Parameters
    ----------
    amounts : ndarray of float, shape (n,)
        Amounts whose sum misses the total by no more than rounding.
    unattributed : float
        Another part of the total.
    total : float
        What all have to add up to.

    Returns
    -------
    ndarray of float, shape (n,)
        Their exact sum with ``unattributed``, rounded once, equals ``total``.
    """
    exact = amounts.copy()
    for position in np.argsort(-np.abs(exact), kind="stable").tolist():
        parts = [*exact.tolist(), unattributed]
        if math.fsum(parts) == total:
            break
        # The next amount is smaller, so it can hold what rounding left of this correction.
        exact[position] += math.fsum([total, *(-part for part in parts)])
    return exact
