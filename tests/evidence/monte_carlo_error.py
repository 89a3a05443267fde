"""Comparisons of Markov chains with exact moments and with each other, in standard errors.

Means and variances are compared; standard errors come from ArviZ's effective sample sizes, which
are in the thousands here, so scores are judged as normal. Families of comparisons are judged by
Bonferroni's rule.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from arviz_stats.base import array_stats
from scipy import stats
from two_stage import smallest

Chains = Mapping[str, np.ndarray]
"""Draws by name, each of shape (n_chains, n_draws)."""


def standard_error(chains) -> float:
    """Monte-Carlo standard error of the mean of chains, shape (n_chains, n_draws)."""
    return float(array_stats.mcse(chains, method="mean", chain_axis=0, draw_axis=1))


def scores_against_exact(chains: Chains, moments: Mapping[str, tuple[float, float]]):
    """Standard scores of means and variances of chains against exact (mean, variance) by name."""
    scores = {}
    for name, draws in chains.items():
        mean, variance = moments[name]
        squares = (draws - mean) ** 2
        scores[name, "mean"] = (draws.mean() - mean) / standard_error(draws)
        scores[name, "variance"] = (squares.mean() - variance) / standard_error(squares)
    return scores


def scores_between(first: Chains, second: Chains):
    """Standard scores of the differences in means and variances of independent sets of chains."""
    if set(first) != set(second):
        raise ValueError(f"not the same quantities: {sorted(set(first) ^ set(second))}")
    scores = {}
    for name, draws in first.items():
        others = second[name]
        centre = (draws.mean() + others.mean()) / 2
        pairs = {
            "mean": (draws, others),
            "variance": ((draws - centre) ** 2, (others - centre) ** 2),
        }
        for what, (one, two) in pairs.items():
            error = np.hypot(standard_error(one), standard_error(two))
            scores[name, what] = (one.mean() - two.mean()) / error
    return scores


def p_value_of(scores: Mapping[tuple[str, str], float]) -> float:
    """Two-sided p-value of a family of standard scores; NaN scores are as bad as can be."""
    z = np.nan_to_num(np.abs(list(scores.values())), nan=np.inf)
    return smallest(2 * stats.norm.sf(z))
