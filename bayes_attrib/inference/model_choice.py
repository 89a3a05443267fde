"""Which of several fitted models do the data support? Differences of elpd, weights, and a rule.

Two models are told apart where their elpd differ by at least two standard errors of the pointwise
differences, and by at least 4: below that the standard error itself cannot be trusted (Sivula,
Magnusson, Matamoros and Vehtari 2020, arXiv:2008.10296). Among those that cannot be told apart
from the best, a model that its own dispersion check tells off comes last, then fewer parameters
come first, then the higher elpd: where nothing else decides, the better guess is the one that the
data lean to, however slightly, and not the one that was written down first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayes_attrib.inference.loo import LooResult, sum_error
from bayes_attrib.inference.predictive import P_VALUE
from bayes_attrib.inputs.aggregate_data import FloatArray

SMALLEST_DIFFERENCE = 4.0
"""A smaller difference of elpd is none."""

TOLD_APART, CLEARLY = 2.0, 4.0
"""Standard errors from which two models are told apart, and clearly so."""

RULE = (
    f"families are told apart where elpd differs by at least {TOLD_APART:g} standard errors and by "
    f"at least {SMALLEST_DIFFERENCE:g}; among those that cannot be told apart from the best, one "
    "that fails its dispersion check comes last, then fewer parameters come first, then the higher "
    "elpd"
)

_REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one model foretells the totals better than another.

    Attributes
    ----------
    elpd : float
        Difference of the elpd; positive where the first model is better.
    se : float
        Standard error of the sum of pointwise differences.
    z : float
        Standard errors that the difference is worth. Where totals of the better model have a bad
        Pareto k, which flatters it, the smaller of ``elpd / se`` with them and without them.
    """

    elpd: float
    se: float
    z: float

    @property
    def told_apart(self) -> bool:
        """Whether the first model is better by more than chance would have it."""
        return self.elpd >= SMALLEST_DIFFERENCE and self.z >= TOLD_APART


@dataclass(frozen=True, slots=True)
class Contender:
    """What is known of one fitted model.

    Attributes
    ----------
    loo : LooResult
        How well it foretells each total.
    n_parameters : int
        Number of parameters of its noise.
    dispersion_p_value : float
        Posterior predictive p-value of the spread of the totals.
    converged : bool
        Whether its draws can be relied on.
    """

    loo: LooResult
    n_parameters: int
    dispersion_p_value: float
    converged: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Outcome of the rule.

    Attributes
    ----------
    best : int
        Position of the highest elpd among models that converged, or among all if none did.
    preferred : int or None
        Position of the model that the rule prefers; None if none converged.
    tied : tuple of int
        Positions of the models that cannot be told apart from the best, itself included.
    differences : tuple of Difference
        The best model against each.
    """

    best: int
    preferred: int | None
    tied: tuple[int, ...]
    differences: tuple[Difference, ...]


def elpd_difference(better: LooResult, other: LooResult) -> Difference:
    """Compare two models of the same totals.

    Parameters
    ----------
    better, other : LooResult
        Figures of the same aggregates, in the same order.

    Returns
    -------
    Difference
        Of ``better`` over ``other``; all zero where both are the same.

    Raises
    ------
    ValueError
        If the aggregates are not the same.
    """
    if not np.array_equal(better.labels, other.labels):
        raise ValueError("models can only be compared on the same aggregates")
    gain = better.pointwise - other.pointwise
    elpd, se = float(gain.sum()), sum_error(gain)
    z = _ratio(gain)
    if better.n_bad:
        z = min(z, _ratio(gain[~better.is_bad]))
    return Difference(elpd, se, z)


def _ratio(gain: FloatArray) -> float:
    se = sum_error(gain)
    return float(gain.sum()) / se if se > 0 else 0.0


def decide(contenders: Sequence[Contender]) -> Decision:
    """Choose among models by the rule of this module.

    Parameters
    ----------
    contenders : sequence of Contender
        Models of the same totals.

    Returns
    -------
    Decision
        The best, the preferred, and how far each is behind.
    """
    everyone = range(len(contenders))
    able = [i for i in everyone if contenders[i].converged]
    best = max(able or everyone, key=lambda i: contenders[i].loo.elpd)
    differences = tuple(elpd_difference(contenders[best].loo, c.loo) for c in contenders)
    tied = tuple(i for i in able or everyone if not differences[i].told_apart)
    preferred = min(tied, key=lambda i: _order(contenders[i])) if able else None
    return Decision(best, preferred, tied, differences)


def _order(contender: Contender) -> tuple[bool, int, float]:
    told_off = not contender.dispersion_p_value >= P_VALUE.ok
    return told_off, contender.n_parameters, -contender.loo.elpd


def bootstrap_weights(loos: Sequence[LooResult], rng: np.random.Generator) -> FloatArray:
    """Weights of models by pseudo-BMA+, which allows for how uncertain each elpd is.

    Exponentials of elpd, normalised, averaged over Bayesian bootstrap weights of the aggregates
    (Yao, Vehtari, Simpson and Gelman 2018, Bayesian Analysis 13).

    Parameters
    ----------
    loos : sequence of LooResult
        Models of the same aggregates.
    rng : numpy.random.Generator
        Source of the bootstrap.

    Returns
    -------
    ndarray, shape (n_models,)
        Weights that sum to one.
    """
    pointwise = np.stack([loo.pointwise for loo in loos], axis=1)
    n = len(pointwise)
    elpd = n * rng.dirichlet(np.ones(n), size=_REPLICATES) @ pointwise
    likelihood = np.exp(elpd - elpd.max(axis=1, keepdims=True))
    return np.asarray((likelihood / likelihood.sum(axis=1, keepdims=True)).mean(axis=0))


def strength(difference: Difference) -> str:
    """Return the strength of a preference in words."""
    if not difference.told_apart:
        return "cannot be told apart"
    return "clearly" if difference.z >= CLEARLY else "moderately"


__all__ = [
    "RULE",
    "Contender",
    "Decision",
    "Difference",
    "bootstrap_weights",
    "decide",
    "elpd_difference",
    "strength",
]
