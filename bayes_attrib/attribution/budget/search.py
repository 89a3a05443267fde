"""The search for the split that makes an objective largest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import LinearConstraint, linprog, minimize

from bayes_attrib.attribution.budget.limits import Limits
from bayes_attrib.attribution.budget.objectives import Expected, Objective
from bayes_attrib.attribution.budget.response import Response

FloatArray = npt.NDArray[np.float64]

N_RANDOM_STARTS: Final = 4
_TOLERANCE: Final = 1e-10


@dataclass(frozen=True, eq=False)
class Problem:
    """What a split brings, and the limits that it keeps.

    Attributes
    ----------
    response : Response
        Exposure of entities by the multiples of their plan.
    cost : ndarray, shape (n_entities,)
        Money that the plan costs.
    limits : Limits
        Bounds and sums.
    rates : ndarray, shape (n_entities, n_draws)
        Draws of the rates.
    """

    response: Response
    cost: FloatArray
    limits: Limits
    rates: FloatArray

    def contributions(self, spend: FloatArray) -> FloatArray:
        """Return what a spend of shape (n_entities,) brings in every draw, shape (n_draws,)."""
        return np.asarray(self.response.totals(spend / self.cost) @ self.rates)

    def gradient(self, spend: FloatArray, weights: FloatArray) -> FloatArray:
        """Return the derivatives by the spend of a weighted sum of draws."""
        multiples = spend / self.cost
        return self.response.gradient(multiples, self.rates @ weights) / self.cost


def best_split(
    problem: Problem,
    objective: Objective,
    rng: np.random.Generator,
    *,
    start: FloatArray,
    best: FloatArray | None = None,
    n_random: int = N_RANDOM_STARTS,
) -> FloatArray:
    """Find the spend of each entity that makes an objective largest.

    Sequential quadratic programming (SciPy's SLSQP) with exact gradients, from the plan, from the
    corner that its gradient points to, and from random splits within the limits, since S-shaped
    curves and curves of whole channels have several local optima.

    Parameters
    ----------
    problem : Problem
        What a split brings.
    objective : Objective
        What it is judged by.
    rng : numpy.random.Generator
        Source of the random starts.
    start : ndarray, shape (n_entities,)
        The plan's spend.
    best : ndarray, shape (n_draws,), optional
        Contributions of the best split of each draw, where the objective needs them.
    n_random : int
        Number of random starts.

    Returns
    -------
    ndarray, shape (n_entities,)
        Spend within the limits.
    """
    scale = float(problem.cost.sum())
    first = problem.limits.nearest(start)
    value = abs(float(problem.contributions(first).mean())) or 1.0

    def loss(x: FloatArray) -> tuple[float, FloatArray]:
        """Return minus the objective at a spend of x times the plan's, and its gradient."""
        brought = problem.contributions(x * scale)
        weights = objective.weights(brought, best)
        compared = brought if best is None or not objective.needs_best else brought - best
        slope = problem.gradient(x * scale, weights) * scale
        return -float(weights @ compared) / value, -slope / value

    found = [(loss(first / scale)[0], first)]
    for begin in _starts(problem, first, rng, n_random):
        result = minimize(
            loss,
            begin / scale,
            jac=True,
            method="SLSQP",
            bounds=np.column_stack([problem.limits.lower, problem.limits.upper]) / scale,
            constraints=_sums(problem.limits, scale),
            options={"maxiter": 500, "ftol": _TOLERANCE},
        )
        spend = problem.limits.nearest(np.asarray(result.x) * scale)
        found.append((loss(spend / scale)[0], spend))
    return min(found, key=lambda pair: pair[0])[1]


def best_of_draws(problem: Problem, rng: np.random.Generator, *, start: FloatArray) -> FloatArray:
    """Return what the best split of each draw would bring in it, shape (n_draws,)."""
    brought = np.empty(problem.rates.shape[1])
    for draw in range(problem.rates.shape[1]):
        alone = Problem(
            problem.response, problem.cost, problem.limits, problem.rates[:, draw : draw + 1]
        )
        spend = best_split(alone, Expected(), rng, start=start, n_random=0)
        brought[draw] = alone.contributions(spend)[0]
    return brought


def _starts(
    problem: Problem, first: FloatArray, rng: np.random.Generator, n_random: int
) -> Iterator[FloatArray]:
    yield first
    limits, n = problem.limits, problem.rates.shape[1]
    slope = problem.gradient(first, np.full(n, 1.0 / n))
    corner = linprog(
        -slope,
        A_eq=_membership(limits),
        b_eq=limits.total,
        bounds=np.column_stack([limits.lower, limits.upper]),
    )
    if corner.x is not None:
        yield limits.nearest(0.5 * (first + np.asarray(corner.x)))
    for _ in range(n_random):
        yield limits.nearest(limits.total[limits.group] * rng.dirichlet(np.ones(len(first))))


def _membership(limits: Limits) -> FloatArray:
    member = limits.group == np.arange(len(limits.total))[:, np.newaxis]
    return member.astype(np.float64)


def _sums(limits: Limits, scale: float) -> LinearConstraint:
    total = limits.total / scale
    return LinearConstraint(_membership(limits), total, total)
