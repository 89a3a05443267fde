"""Stochastic ascent of the evidence bound: a search until it stops rising, then a settling.

Steps are those of Adam (Kingma and Ba 2015, ICLR). The search has steps of constant length and ends
when the bound over its last steps is no longer higher than over those before, within two standard
errors: from there on the law only wanders about its best. Settling starts where the bound was
highest, shortens the steps a hundredfold and averages the law over its second half, which takes
most of the wandering out (Dhaka and others 2020, NeurIPS 33).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bayes_attrib.errors import FitError
from bayes_attrib.inference.variational.normal_laws import NormalLaw
from bayes_attrib.inference.variational.target import Target
from bayes_attrib.inputs.aggregate_data import FloatArray

BATCH = 50
"""Steps whose bound is averaged to one value: neighbouring steps are not independent."""

WINDOW = 10
"""Batches that are compared with as many before them."""

MOST_STANDARD_ERRORS = 2.0
"""The bound is called level where it rose by at most so many standard errors."""

FEWEST_STEPS = 2 * WINDOW * BATCH
"""Steps before a first judgement."""

_DECAY, _DECAY_SQUARES, _TINY = 0.9, 0.999, 1e-8
_SHORTENED = 0.01


@dataclass(frozen=True, eq=False)
class Ascent:
    """What an ascent found.

    Attributes
    ----------
    law : NormalLaw
        The law that it ended with.
    bounds : ndarray, shape (n_batches,)
        Mean evidence bound over every ``BATCH`` steps of search and settling.
    n_search : int
        Batches of them that belong to the search.
    """

    law: NormalLaw
    bounds: FloatArray
    n_search: int

    @property
    def best(self) -> tuple[float, float]:
        """Highest mean bound over ``WINDOW`` batches, and its standard error."""
        n_windows = max(1, len(self.bounds) // WINDOW)
        windows = np.array_split(self.bounds, n_windows)
        highest = max(windows, key=np.mean)
        return float(highest.mean()), float(highest.std() / np.sqrt(len(highest)))

    @property
    def rise(self) -> float:
        """Rise of the bound over the end of the search, in standard errors."""
        return rise_in_standard_errors(self.bounds[: self.n_search])


def rise_in_standard_errors(bounds: FloatArray) -> float:
    """Compare the last ``WINDOW`` batch means with those before them; infinite if there are few."""
    if len(bounds) < 2 * WINDOW:
        return np.inf
    last, before = bounds[-WINDOW:], bounds[-2 * WINDOW : -WINDOW]
    error = np.sqrt((last.var(ddof=1) + before.var(ddof=1)) / WINDOW)
    rise = last.mean() - before.mean()
    return float(rise / error) if error > 0 else float(np.sign(rise) * np.inf)


def ascend(
    target: Target,
    law: NormalLaw,
    *,
    pace: float,
    most_steps: int,
    least_steps: int = FEWEST_STEPS,
    rngs: tuple[np.random.Generator, np.random.Generator],
    tell: Callable[[int], None],
) -> Ascent:
    """Fit a law to a target.

    Parameters
    ----------
    target : Target
        Log density.
    law : NormalLaw
        Where to start; it is changed.
    pace : float
        Length of a step of the search, in each unconstrained parameter.
    most_steps : int
        Steps after which the search ends even if the bound still rises.
    least_steps : int
        Steps that settling takes at least.
    rngs : pair of numpy.random.Generator
        Noise of search and settling.
    tell : callable
        Told how many more steps were made.

    Returns
    -------
    Ascent
        The law, averaged, and the history of the bound.

    Raises
    ------
    FitError
        If the bound is not a number.
    """
    climb = _Climb(target, law)
    bounds: list[float] = []
    highest, kept = -np.inf, [values.copy() for values in law.parameters]
    while len(bounds) < max(1, most_steps // BATCH):
        bounds.append(climb.batch(rngs[0], [pace] * BATCH))
        tell(BATCH)
        # Looked at once per window, or the least of many noisy figures would end the search.
        if len(bounds) % WINDOW == 0:
            level = float(np.mean(bounds[-WINDOW:]))
            if level > highest:
                highest, kept = level, [values.copy() for values in law.parameters]
            if rise_in_standard_errors(np.array(bounds)) <= MOST_STANDARD_ERRORS:
                break
    if np.isfinite(highest):
        for values, best in zip(law.parameters, kept, strict=True):
            values[...] = best
    n_search = len(bounds)
    n_settling = max(n_search, least_steps // BATCH)
    paces = pace * np.geomspace(1.0, _SHORTENED, n_settling * BATCH).reshape(n_settling, BATCH)
    sums = [np.zeros_like(p) for p in law.parameters]
    for i, batch_paces in enumerate(paces):
        to_average = sums if i >= n_settling // 2 else None
        bounds.append(climb.batch(rngs[1], list(batch_paces), to_average))
        tell(BATCH)
    n_averaged = (n_settling - n_settling // 2) * BATCH
    averaged = law.with_parameters([total / n_averaged for total in sums])
    return Ascent(averaged, np.array(bounds), n_search)


class _Climb:
    """Steps of Adam over the parameters of a law, in place."""

    def __init__(self, target: Target, law: NormalLaw) -> None:
        self._target, self._law = target, law
        self._movers = [
            _Mover(values, part) for values, part in zip(law.parameters, law.paces, strict=True)
        ]
        self._n_steps = 0

    def batch(
        self, rng: np.random.Generator, paces: list[float], sums: list[FloatArray] | None = None
    ) -> float:
        """Make steps, add the laws after each to sums, and return the mean bound."""
        bound = 0.0
        for pace in paces:
            bound += self._step(rng.standard_normal(self._target.n_elements), pace)
            if sums is not None:
                for total, values in zip(sums, self._law.parameters, strict=True):
                    np.add(total, values, out=total)
        return bound / len(paces)

    def _step(self, eps: FloatArray, pace: float) -> float:
        self._n_steps += 1
        log_density, slope = self._target(self._law.draw(eps))
        bound = log_density - self._law.log_density(eps)
        if not np.isfinite(bound):
            raise FitError(
                f"the evidence bound of ADVI is {bound} at step {self._n_steps}: the law has "
                "strayed to where the model has no density; lower the learning rate, or choose "
                "method 'nuts'"
            )
        gradients = self._law.gradient(eps, slope)
        shrink = np.sqrt(1 - _DECAY_SQUARES**self._n_steps) / (1 - _DECAY**self._n_steps)
        for mover, gradient in zip(self._movers, gradients, strict=True):
            mover.move(gradient, pace * shrink)
        return bound


class _Mover:
    """Moves one array of parameters along its averaged gradient, per root of the mean square."""

    def __init__(self, values: FloatArray, part: float) -> None:
        self._values, self._part = values, part
        self._mean, self._square = np.zeros_like(values), np.zeros_like(values)

    def move(self, gradient: FloatArray, pace: float) -> None:
        self._mean *= _DECAY
        self._mean += (1 - _DECAY) * gradient
        self._square *= _DECAY_SQUARES
        self._square += (1 - _DECAY_SQUARES) * gradient**2
        self._values += pace * self._part * self._mean / (np.sqrt(self._square) + _TINY)
