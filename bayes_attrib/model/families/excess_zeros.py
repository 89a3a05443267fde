"""More zeros than a family has of its own: zero-inflated counts, and hurdles before money."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families.base import Draws, Family, Parameters
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.spec import PriorSpec

_ITERATIONS = 20
_MOST_SPARED = 0.99


class ExcessZeros(Family):
    """A total is zero with probability pi, and else follows a base family.

    Before money, which has no zeros of its own, this is a hurdle. A count can be zero for either
    reason, and its zeros are called inflated. Zero is decided for all entities of an aggregate at
    once, so a positive total was not spared and splits by the base's law, whatever pi; a total of
    zero leaves nothing to split.

    Parameters
    ----------
    base : Family
        Law of the totals that are not spared.
    """

    zeros_allowed = True

    def __init__(self, base: Family) -> None:
        self.base = base
        self.name = ("zero_inflated_" if base.counts else "hurdle_") + base.name
        self.level = base.level
        self.parameters = (*base.parameters, names.PI)
        self.counts = base.counts
        self.needs_herfindahl = base.needs_herfindahl

    def default_priors(self, data: AggregateData) -> dict[str, PriorSpec]:
        """Priors of the base, and a uniform one of pi, which weighs as much as two aggregates."""
        uniform = PriorSpec(dist="Beta", alpha=1.0, beta=1.0)
        return {**self.base.default_priors(data), names.PI: uniform}

    def total_law(self, mu: Any, parameters: Parameters) -> Any:
        """Return the mixture of zero, with weight pi, and the base's law."""
        keys = tuple(parameters)

        def draw(mu: Any, *values: Any) -> Any:
            """Draw totals: zeros with probability pi, else from the base."""
            given = dict(zip(keys, values[:-1], strict=True))
            spared = pm.Bernoulli.dist(p=given[names.PI] + pt.zeros_like(mu))
            return pt.switch(spared, 0, self.base.total_law(mu, given))

        def logp(totals: Any, mu: Any, *values: Any) -> Any:
            """Log density of totals, all parameters in order."""
            given = dict(zip(keys, values, strict=True))
            return self._graph_log_density(totals, mu, given)

        return pm.CustomDist.dist(mu, *parameters.values(), dist=draw, logp=logp)

    def _graph_log_density(self, totals: Any, mu: Any, parameters: Parameters) -> Any:
        is_zero, pi = pt.eq(totals, 0), parameters[names.PI]
        legal = totals if self.counts else pt.switch(is_zero, 1.0, totals)
        from_base = pt.log1p(-pi) + pm.logp(self.base.total_law(mu, parameters), legal)
        zero = pm.math.logaddexp(pt.log(pi), from_base) if self.counts else pt.log(pi)
        return pt.switch(is_zero, zero, from_base)

    def log_density(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the log mass of a zero, else log(1 - pi) plus the base's log density."""
        is_zero, pi = totals == 0, parameters[names.PI]
        legal = totals if self.counts else np.where(is_zero, 1.0, totals)
        from_base = np.log1p(-pi) + self.base.log_density(legal, mu, parameters)
        zero = np.logaddexp(np.log(pi), from_base) if self.counts else np.log(pi)
        return np.where(is_zero, zero, from_base)

    def score(self, totals: FloatArray, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return the base's score, times the chance that a zero is one of the base."""
        is_zero = totals == 0
        legal = totals if self.counts else np.where(is_zero, 1.0, totals)
        of_base = self.base.score(legal, mu, parameters)
        return np.where(is_zero, self._zero_is_of_base(mu, parameters) * of_base, of_base)

    def information(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return (1 - pi) (i - f0 s0**2 (1 - q)).

        With i the information of the base, f0 its mass of zero, s0 its score there, and q the
        chance that a zero is one of the base.
        """
        unspared = 1.0 - np.asarray(parameters[names.PI])
        of_base = self.base.information(mu, parameters)
        if not self.counts:
            return np.asarray(unspared * of_base)
        zero = np.zeros_like(mu)
        lost = self._zeros_of_base(mu, parameters) * self.base.score(zero, mu, parameters) ** 2
        return np.asarray(
            unspared * (of_base - lost * (1.0 - self._zero_is_of_base(mu, parameters)))
        )

    def _zero_is_of_base(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Probability that a total of zero was not spared."""
        pi = np.asarray(parameters[names.PI])
        own = (1.0 - pi) * self._zeros_of_base(mu, parameters)
        return np.asarray(own / (pi + own))

    def mean(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return (1 - pi) mu."""
        return np.asarray((1.0 - parameters[names.PI]) * self.base.mean(mu, parameters))

    def variance(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Return (1 - pi) (v + pi mu**2), with v the variance of the base."""
        pi = parameters[names.PI]
        spread = pi * self.base.mean(mu, parameters) ** 2
        return np.asarray((1.0 - pi) * (self.base.variance(mu, parameters) + spread))

    def moment_parameters(self, totals: FloatArray, mu: FloatArray) -> dict[str, float]:
        """Moment estimates of the base from what was not spared, and pi from the zeros it lacks.

        Which zeros were spared is guessed, the likeliest first, from the estimates before; at first
        all of them. ``mu`` is the expectation of totals that were not spared.
        """
        zero = totals == 0
        spared = zero
        for _ in range(_ITERATIONS):
            parameters = self.base.moment_parameters(totals[~spared], mu[~spared])
            own = self._zeros_of_base(mu, parameters)
            pi = float(
                np.clip((np.mean(zero) - own.mean()) / (1.0 - own.mean()), 0.0, _MOST_SPARED)
            )
            likelihood = np.where(zero, pi / (pi + (1.0 - pi) * own), 0.0) if pi else 0.0 * own
            spared = zero & _is_among_largest(likelihood, round(float(likelihood.sum())))
        return {**parameters, names.PI: pi}

    def _zeros_of_base(self, mu: FloatArray, parameters: Parameters) -> FloatArray:
        """Probability that the base's total is zero."""
        if not self.counts:
            return np.zeros_like(mu)
        return np.exp(self.base.log_density(np.zeros_like(mu), mu, parameters))

    def draw_totals(
        self, mu: FloatArray, parameters: Parameters, rng: np.random.Generator
    ) -> FloatArray:
        """Draw zero with probability pi, else from the base."""
        spared = rng.random(mu.shape) < parameters[names.PI]
        return np.where(spared, 0.0, self.base.draw_totals(mu, parameters, rng))

    def part_variance(self, totals: Any, part: Any, mu: Any, parameters: Parameters) -> Any:
        """Return the base's variance, which is 0 where the total is."""
        return self.base.part_variance(totals, part, mu, parameters)

    def draw_amounts(self, cells: Cells, parameters: Draws, rng: np.random.Generator) -> FloatArray:
        """Draw from the base's law of the amounts given their total."""
        return self.base.draw_amounts(cells, parameters, rng)


def _is_among_largest(values: FloatArray, n: int) -> npt.NDArray[np.bool_]:
    chosen = np.zeros(len(values), dtype=bool)
    chosen[np.argsort(-values, kind="stable")[:n]] = True
    return chosen
