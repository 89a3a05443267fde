"""Importance weights of draws: what they say of an approximation, and when they are used."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from bayes_attrib.inference.pareto import HIGHEST_PARETO_K, pareto_smoothed
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray

LEAST_EFFECTIVE = 0.1
"""Weights of field and hyperparameters are used if so large a fraction of the draws stays in use.

With less, they trade a small bias for a larger noise; and where the field is far from normal, they
miss what no draw comes near, which their tail does not show.
"""


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of draws, and what they say.

    Attributes
    ----------
    log_weights : ndarray, shape (n_draws,)
        Normalised logarithms of the weights that apply.
    corrects_field : bool
        Whether the weights correct the field as well as the hyperparameters.
    pareto_k : float
        Shape of the tail of the weights of field and hyperparameters together.
    pareto_k_hyper : float
        Shape of the tail of the weights of the hyperparameters alone.
    effective_draws, effective_points : float
        Effective fraction of the draws under the weights of field and hyperparameters, and of the
        points of the hyperparameters under theirs.
    log_marginal_likelihood : float
        Logarithm of the density of all totals under the model.
    """

    log_weights: FloatArray
    corrects_field: bool
    pareto_k: float
    pareto_k_hyper: float
    effective_draws: float
    effective_points: float
    log_marginal_likelihood: float


def weigh(log_points: FloatArray, log_joint: FloatArray) -> Weights:
    """Weigh draws by the joint density where their weights behave, else by the hyperparameters'.

    Parameters
    ----------
    log_points : ndarray, shape (n_points,)
        Log weight of each point of the hyperparameters.
    log_joint : ndarray, shape (n_points, n_each)
        Log weight of each draw.

    Returns
    -------
    Weights
        For the draws in the order of ``log_joint``, flattened.
    """
    n_each = log_joint.shape[1]
    plain = log_points - logsumexp(log_points)
    smooth_points, k_points = pareto_smoothed(log_points)
    smooth_joint, k_joint = pareto_smoothed(log_joint.ravel())
    points = math.exp(-float(logsumexp(2 * plain))) / len(plain)
    draws = math.exp(-float(logsumexp(2 * smooth_joint))) / len(smooth_joint)
    if k_joint < HIGHEST_PARETO_K and draws >= LEAST_EFFECTIVE:
        marginal = float(logsumexp(log_joint)) - math.log(log_joint.size)
        return Weights(smooth_joint, True, k_joint, k_points, draws, points, marginal)
    marginal = float(logsumexp(log_points)) - math.log(len(log_points))
    spread = np.repeat(smooth_points, n_each) - math.log(n_each)
    return Weights(spread, False, k_joint, k_points, draws, points, marginal)


def resample(log_weights: FloatArray, n_draws: int, rng: np.random.Generator) -> IntArray:
    """Choose draws in proportion to their weights, systematically, in random order.

    Parameters
    ----------
    log_weights : ndarray, shape (n,)
        Normalised.
    n_draws : int
        How many are chosen; a draw with a large weight is chosen more than once.
    rng : numpy.random.Generator
        Source of randomness.
    """
    order = rng.permutation(len(log_weights))
    ends = np.cumsum(np.exp(log_weights[order]))
    marks = (np.arange(n_draws) + rng.random()) / n_draws * ends[-1]
    chosen = order[np.minimum(np.searchsorted(ends, marks), len(order) - 1)]
    return np.asarray(rng.permutation(chosen), dtype=np.int64)
