"""A split that is recommended, with how sure the gain is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from bayes_attrib.attribution.budget.limits import Limits
from bayes_attrib.attribution.budget.objectives import Objective
from bayes_attrib.attribution.budget.plan import Plan
from bayes_attrib.attribution.budget.response import Response, build_response
from bayes_attrib.attribution.budget.search import Problem, best_of_draws, best_split
from bayes_attrib.attribution.intervals import summarise
from bayes_attrib.citing import listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.spec import IntervalSpec

FloatArray = npt.NDArray[np.float64]

MOST_DRAWS: Final = 1000
"""Draws by which a split is chosen, and by which it is judged: as many of each at most."""

MOST_REGRETS: Final = 100
"""Draws whose own best splits are searched for."""

ROOM: Final = 0.05
"""Relative exposure beyond the largest seen that still counts as seen."""


@dataclass(frozen=True, eq=False)
class Recommendation:
    """A split and what it is expected to bring beside the plan.

    Attributes
    ----------
    table : DataFrame, shape (n_entities, ...)
        ``channel``, ``planned``, ``lower_limit``, ``upper_limit``, ``recommended``, ``change``;
        contributions ``planned_*`` and ``recommended_*``; ``marginal_*``, the contribution of one
        more unit of money at the plan and at the recommended split, carry-over included; and
        ``extrapolates``.
    gain : ndarray, shape (n_draws,)
        What the split brings more than the plan, in draws that it was not chosen by.
    planned, recommended : ndarray, shape (n_draws,)
        Contributions of both, in the same draws.
    objective : Objective
        What was made largest.
    interval : IntervalSpec
        Intervals of the table.
    findings : tuple of Finding
        Warnings about extrapolation, and about gains that are not sure.
    """

    table: pd.DataFrame
    gain: FloatArray
    planned: FloatArray
    recommended: FloatArray
    objective: Objective
    interval: IntervalSpec
    findings: tuple[Finding, ...]

    @property
    def probability(self) -> float:
        """Probability that the split brings more than the plan."""
        return float((self.gain > 0).mean())


def recommend(
    plan: Plan,
    rates: FloatArray,
    limits: Limits,
    objective: Objective,
    *,
    largest: pd.Series[float],
    interval: IntervalSpec,
    seed: int,
) -> Recommendation:
    """Find the split of a plan's money that makes an objective largest.

    Draws are parted at random: the split is chosen by one half and judged by the other, so that
    the gain is not flattered by the choice.

    Parameters
    ----------
    plan : Plan
        Delivery, costs and curves.
    rates : ndarray, shape (n_entities, n_draws)
        Posterior draws of the rates of the plan's entities, in its order.
    limits : Limits
        Bounds and sums.
    objective : Objective
        What is made largest.
    largest : Series, shape (n_known,)
        Largest exposure in a cell that the fit has seen, by entity; beyond it, curves are
        extrapolated.
    interval : IntervalSpec
        Kind and probability of intervals.
    seed : int
        Seed of the halves and of random starts.

    Returns
    -------
    Recommendation
        The split.
    """
    rng = np.random.default_rng([seed, 41])
    order = rng.permutation(rates.shape[1])
    half = min(MOST_DRAWS, len(order) // 2)
    chosen, judged = rates[:, order[:half]], rates[:, order[half : 2 * half]]
    if objective.needs_best:
        chosen = chosen[:, :MOST_REGRETS]
    response = build_response(plan)
    problem = Problem(response, plan.cost, limits, chosen)
    best = best_of_draws(problem, rng, start=plan.cost) if objective.needs_best else None
    spend = best_split(problem, objective, rng, start=plan.cost, best=best)
    other = Problem(response, plan.cost, limits, judged)
    planned, recommended = other.contributions(plan.cost), other.contributions(spend)
    beyond = _beyond(response, spend / plan.cost, plan, largest)
    table = _table(plan, limits, spend, other, interval).assign(extrapolates=beyond)
    gain = recommended - planned
    return Recommendation(
        table,
        gain,
        planned,
        recommended,
        objective,
        interval,
        tuple(_findings(plan.entities, beyond, gain)),
    )


def _beyond(
    response: Response, multiples: FloatArray, plan: Plan, largest: pd.Series[float]
) -> npt.NDArray[np.bool_]:
    """Whether an entity's exposure would exceed the largest that the fit has seen."""
    exposures = sp.csc_array(response.exposures(multiples))
    peak = np.asarray(exposures.max(axis=0).todense()).ravel()
    seen = largest.reindex(list(plan.entities)).fillna(0.0).to_numpy()
    return np.asarray(peak > seen * (1.0 + ROOM))


def _table(
    plan: Plan, limits: Limits, spend: FloatArray, problem: Problem, interval: IntervalSpec
) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "entity": list(plan.entities),
            "channel": plan.channel,
            "planned": plan.cost,
            "lower_limit": limits.lower,
            "upper_limit": limits.upper,
            "recommended": spend,
            "change": spend / plan.cost - 1.0,
        }
    )
    response, rates = problem.response, problem.rates
    for name, money in (("planned", plan.cost), ("recommended", spend)):
        multiples = money / plan.cost
        brought = response.totals(multiples)[:, np.newaxis] * rates
        marginal = response.gradient(multiples, rates) / plan.cost[:, np.newaxis]
        for what, draws in ((f"{name}_contribution", brought), (f"{name}_marginal", marginal)):
            found = summarise(draws, interval)
            table[f"{what}_mean"] = found.mean
            table[f"{what}_lower"], table[f"{what}_upper"] = found.lower, found.upper
    return table


def _findings(
    entities: Sequence[str], beyond: npt.NDArray[np.bool_], gain: FloatArray
) -> list[Finding]:
    found = []
    outside = [quote(name) for name, is_beyond in zip(entities, beyond, strict=True) if is_beyond]
    if outside:
        found.append(
            Finding(
                "extrapolation",
                "warning",
                "recommended split",
                f"{listed(outside)} would have more exposure in a cell than the fit has ever seen "
                "of them: there the curve is an assumption",
                "bound their spend with a maximum or --max-change, or raise it in steps and fit "
                "again",
            )
        )
    probability = float((gain > 0).mean())
    if probability < 0.9:
        found.append(
            Finding(
                "gain-not-sure",
                "warning",
                "recommended split",
                f"the probability that it brings more than the plan is {probability:.0%}",
                "keep the plan, or learn more about the rates first: a lift test on the entities "
                "whose spend would change most",
            )
        )
    return found
