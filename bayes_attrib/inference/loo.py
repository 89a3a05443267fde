"""Leave-one-out cross-validation of totals, from the draws of one fit.

How well would a model have foretold each total, had it not seen it? Pareto-smoothed importance
sampling answers without refitting (Vehtari, Gelman and Gabry 2017, Statistics and Computing 27;
Vehtari, Simpson, Gelman, Yao and Gabry 2024, JMLR 25). Where one total moves the posterior too far
for that, as it may where an entity has no other data, its Pareto k is high; its elpd then tends to
be too good, and it is named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from bayes_attrib.errors import FitError
from bayes_attrib.inference.diagnostics import Bounds, Check, make_check
from bayes_attrib.inference.pareto import HIGHEST_PARETO_K
from bayes_attrib.inference.total_draws import TotalDraws
from bayes_attrib.inputs.aggregate_data import FloatArray

NONE_BAD = Bounds("<=", 0, math.inf)
"""A warning, never a failure: it is the comparison that suffers, not the fit."""

_MOST_NAMED = 5


@dataclass(frozen=True, eq=False, slots=True)
class LooResult:
    """Expected log predictive density of every total, each left out in turn.

    Attributes
    ----------
    pointwise : ndarray, shape (n_exposed,)
        Log predictive density (log mass, for counts) of each total given all others.
    pareto_k : ndarray, shape (n_exposed,)
        Shape of the tail of the importance weights; NaN where it cannot be fitted.
    effective_parameters : ndarray, shape (n_exposed,)
        How much better each total is foretold when it is seen.
    labels : ndarray of str (object), shape (n_exposed,)
        Names of the aggregates.
    n_draws : int
        Number of posterior draws.
    """

    pointwise: FloatArray
    pareto_k: FloatArray
    effective_parameters: FloatArray
    labels: npt.NDArray[np.object_]
    n_draws: int

    @property
    def elpd(self) -> float:
        """Sum of the log predictive densities; larger is better."""
        return float(self.pointwise.sum())

    @property
    def se(self) -> float:
        """Standard error of ``elpd``, from the spread between aggregates."""
        return sum_error(self.pointwise)

    @property
    def p_loo(self) -> float:
        """Effective number of parameters."""
        return float(self.effective_parameters.sum())

    @property
    def threshold(self) -> float:
        """Largest Pareto k that so many draws can cope with: min(.7, 1 - 1 / log10(n_draws))."""
        return min(HIGHEST_PARETO_K, 1.0 - 1.0 / math.log10(max(self.n_draws, 11)))

    @property
    def is_bad(self) -> npt.NDArray[np.bool_]:
        """Whether each total has a Pareto k above the threshold, shape (n_exposed,)."""
        return np.asarray(~(self.pareto_k <= self.threshold))

    @property
    def n_bad(self) -> int:
        """Number of totals with a Pareto k above the threshold."""
        return int(self.is_bad.sum())

    @property
    def bad_labels(self) -> tuple[str, ...]:
        """Names of the aggregates with a Pareto k above the threshold, the worst first."""
        known = np.where(np.isnan(self.pareto_k), np.inf, self.pareto_k)
        worst_first = np.argsort(-known, kind="stable")[: self.n_bad]
        return tuple(str(label) for label in self.labels[worst_first])

    @property
    def worst_k(self) -> float:
        """Largest Pareto k."""
        return float(self.pareto_k.max())

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON types; a Pareto k that is not a number becomes None."""
        return {
            "elpd": self.elpd,
            "elpd_se": self.se,
            "p_loo": self.p_loo,
            "worst_pareto_k": self.worst_k if math.isfinite(self.worst_k) else None,
            "n_bad_pareto_k": self.n_bad,
            "bad_pareto_k": list(self.bad_labels),
        }

    def check(self) -> Check:
        """Return the number of bad Pareto k as a check that names the worst aggregates."""
        named = ", ".join(self.bad_labels[:_MOST_NAMED])
        detail = (
            f"k above {self.threshold:.2f}: {named}" if named else f"worst k {self.worst_k:.2f}"
        )
        return make_check("loo_bad_pareto_k", self.n_bad, NONE_BAD, detail)


def psis_loo(draws: TotalDraws) -> LooResult:
    """Leave out each exposed aggregate in turn, by importance sampling.

    Parameters
    ----------
    draws : TotalDraws
        Totals, and what their law depends on in every posterior draw.

    Returns
    -------
    LooResult
        Pointwise figures; their sums are its properties.

    Raises
    ------
    FitError
        If a total is impossible under some draw; the aggregates are named.
    """
    labels = draws.data.aggregate_labels[draws.data.is_exposed]
    return loo_of(draws.log_density(), labels)


def loo_of(log_density: FloatArray, labels: npt.NDArray[np.object_]) -> LooResult:
    """Leave out each of several observations in turn, by importance sampling.

    Draws count as independent: what they depend on each other changes the length of the smoothed
    tail, and little else.

    Parameters
    ----------
    log_density : ndarray, shape (n_exposed, n_draws)
        Log density of each observation in each posterior draw.
    labels : ndarray of str (object), shape (n_exposed,)
        Names of the observations.

    Returns
    -------
    LooResult
        Pointwise figures; their sums are its properties.

    Raises
    ------
    FitError
        If a density is not finite; the observations are named.
    """
    broken = ~np.isfinite(log_density).all(axis=1)
    if broken.any():
        named = ", ".join(map(str, labels[broken][:_MOST_NAMED]))
        raise FitError(
            f"{int(broken.sum())} of {len(labels)} totals have no finite log density under some "
            f"draws: {named}; such a total is impossible for the family"
        )
    elpd, pareto_k, effective = np.transpose([_leave_out(row) for row in log_density])
    return LooResult(elpd, pareto_k, effective, labels, log_density.shape[1])


def _leave_out(row: FloatArray) -> tuple[float, float, float]:
    """Return elpd, Pareto k and effective number of parameters of one observation."""
    from arviz_stats.base.array import array_stats  # noqa: PLC0415, it takes a second

    if np.ptp(row) == 0.0:  # no tail to be fitted, and none needed
        return float(row[0]), -math.inf, 0.0
    try:
        elpd, pareto_k, effective = array_stats.loo(row, chain_axis=None, draw_axis=-1)
    except ValueError:  # a chain is stuck where the weights are largest: no tail can be fitted
        seen = logsumexp(row) - math.log(len(row))
        plain = math.log(len(row)) - logsumexp(-row)
        return plain, math.nan, seen - plain
    return float(elpd), float(pareto_k), float(effective)


def sum_error(pointwise: FloatArray) -> float:
    """Return the standard error of a sum over aggregates, sqrt(n var), of shape (n,) values."""
    n = len(pointwise)
    return math.sqrt(n * float(np.var(pointwise, ddof=1))) if n > 1 else math.nan
