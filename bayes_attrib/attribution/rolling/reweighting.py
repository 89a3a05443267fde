"""What the fit would say had it seen the new totals too: its draws, weighted anew."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from bayes_attrib.inference.pareto import HIGHEST_PARETO_K, pareto_smoothed
from bayes_attrib.inputs.aggregate_data import FloatArray

_SMALLEST_SD = 1e-9
_IMPOSSIBLE = 1e3  # in nats: no weight is left


@dataclass(frozen=True, eq=False)
class Reweighted:
    """Posterior draws with weights proportional to the likelihood of the new totals.

    Attributes
    ----------
    weights : ndarray, shape (n_draws,)
        Pareto-smoothed; their sum is 1.
    pareto_k : float
        Shape of the tail of the weights; infinite where none fits.
    """

    weights: FloatArray
    pareto_k: float

    @property
    def threshold(self) -> float:
        """Largest Pareto k that so many draws can cope with: min(.7, 1 - 1 / log10(n_draws))."""
        return min(HIGHEST_PARETO_K, 1.0 - 1.0 / math.log10(max(len(self.weights), 11)))

    @property
    def is_reliable(self) -> bool:
        """Whether weighted draws can stand for those of a fit to old and new totals together."""
        return self.pareto_k <= self.threshold

    @property
    def effective_draws(self) -> float:
        """Number of draws of equal weight that would be as good: 1 / sum of squared weights."""
        return 1.0 / float(np.sum(self.weights**2))

    def mean(self, draws: FloatArray) -> FloatArray:
        """Return the weighted mean of each row of draws, shape (n_rows,)."""
        return np.asarray(draws @ self.weights)

    def sd(self, draws: FloatArray) -> FloatArray:
        """Return the weighted standard deviation of each row of draws, shape (n_rows,)."""
        centred = draws - self.mean(draws)[:, np.newaxis]
        return np.sqrt(centred**2 @ self.weights)


def reweight(log_density: FloatArray) -> Reweighted:
    """Weigh posterior draws by the density of new totals.

    Pareto-smoothed importance sampling (Vehtari, Simpson, Gelman, Yao and Gabry 2024, JMLR 25)
    from the posterior to the posterior given the new totals as well.

    Parameters
    ----------
    log_density : ndarray, shape (n_aggregates, n_draws)
        Log density of every new total in every draw.

    Returns
    -------
    Reweighted
        Weights and their Pareto k.
    """
    joint = log_density.sum(axis=0)
    equal = np.full(len(joint), 1.0 / len(joint))
    possible = np.isfinite(joint)
    if not possible.any():
        return Reweighted(equal, math.inf)
    if not possible.all():  # a total is impossible under some draws
        joint = np.where(possible, joint, joint[possible].min() - _IMPOSSIBLE)
    if np.ptp(joint) == 0.0:
        return Reweighted(equal, -math.inf)
    joint = joint - joint.max()
    try:
        log_weights, pareto_k = pareto_smoothed(joint)
    except ValueError:  # a chain is stuck where the weights are largest: no tail can be fitted
        log_weights, pareto_k = joint - logsumexp(joint), math.inf
    return Reweighted(np.exp(log_weights), pareto_k)


def shifts(draws: FloatArray, reweighted: Reweighted) -> npt.NDArray[np.float64]:
    """Return how far the mean of each row would move, in its posterior standard deviations.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Posterior draws, such as those of shares.
    reweighted : Reweighted
        Weights.

    Returns
    -------
    ndarray, shape (n_rows,)
        Signed; zero for a row that hardly varies, as the share of an entity that is alone.
    """
    mean, sd = draws.mean(axis=1), draws.std(axis=1)
    moved = reweighted.mean(draws) - mean
    varies = sd > _SMALLEST_SD * np.maximum(np.abs(mean), 1.0)
    return np.divide(moved, sd, out=np.zeros_like(moved), where=varies)
