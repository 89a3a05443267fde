"""What a split is judged by, from draws of what it would bring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Objective(ABC):
    """A figure of draws of contributions, to be made as large as possible.

    Attributes
    ----------
    name : str
        Name in :data:`OBJECTIVES`.
    needs_best : bool
        Whether it compares with the best split of each draw.
    prob : float
        Probability of a worse outcome than the figure, where that is a quantile.
    """

    name: ClassVar[str]
    needs_best: ClassVar[bool] = False

    prob: float = 0.1

    @abstractmethod
    def weights(self, contributions: FloatArray, best: FloatArray | None) -> FloatArray:
        """Return the weight of each draw in the figure, which is a weighted sum of draws.

        Weights depend on the order of draws alone, so they are also those of the gradient.

        Parameters
        ----------
        contributions : ndarray, shape (n_draws,)
            Of a split, in every draw of the rates.
        best : ndarray, shape (n_draws,), or None
            Of the split that would be best if a draw were the truth.
        """


@dataclass(frozen=True)
class Expected(Objective):
    """The mean; it also minimises the mean regret."""

    name = "expected"

    def weights(self, contributions: FloatArray, best: FloatArray | None) -> FloatArray:  # noqa: ARG002
        """Return equal weights."""
        return np.full(len(contributions), 1.0 / len(contributions))


@dataclass(frozen=True)
class LowerQuantile(Objective):
    """A low quantile: what the split brings unless luck is worse.

    The quantile is a sum of ordered draws with the weights of Harrell and Davis (1982, Biometrika
    69): smooth enough to be climbed, and as exact as a single order statistic.
    """

    name = "lower_quantile"

    def weights(self, contributions: FloatArray, best: FloatArray | None) -> FloatArray:  # noqa: ARG002
        """Return the weights of a quantile."""
        return _quantile_weights(contributions, self.prob)


@dataclass(frozen=True)
class Regret(Objective):
    """A high quantile of the regret, which is made small.

    Regret is what the best split of a draw would bring more than this one.
    """

    name = "regret"
    needs_best = True

    def weights(self, contributions: FloatArray, best: FloatArray | None) -> FloatArray:
        """Return the weights of a quantile of minus the regret."""
        if best is None:
            raise AssertionError("regret compares with the best split of each draw")
        return _quantile_weights(contributions - best, self.prob)


OBJECTIVES: Final = MappingProxyType(
    {objective.name: objective for objective in (Expected, LowerQuantile, Regret)}
)
"""Every objective by its name."""


def _quantile_weights(values: FloatArray, prob: float) -> FloatArray:
    n = len(values)
    edges = betainc((n + 1) * prob, (n + 1) * (1.0 - prob), np.arange(n + 1) / n)
    weights = np.empty(n)
    weights[np.argsort(values, kind="stable")] = np.diff(edges)
    return weights
