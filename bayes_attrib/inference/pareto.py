"""Pareto smoothing of importance weights."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.special import logsumexp

from bayes_attrib.inputs.aggregate_data import FloatArray

HIGHEST_PARETO_K: Final = 0.7
"""Beyond, importance weights are not to be relied on, however many draws there are."""


def pareto_smoothed(log_weights: FloatArray) -> tuple[FloatArray, float]:
    """Smooth the largest of some importance weights by a generalised Pareto law.

    Vehtari, Simpson, Gelman, Yao and Gabry (2024, JMLR 25).

    Parameters
    ----------
    log_weights : ndarray, shape (n,)
        Up to a constant.

    Returns
    -------
    log_weights : ndarray, shape (n,)
        Smoothed and normalised; only normalised where no tail fits.
    pareto_k : float
        Shape of the tail; infinite where none fits.
    """
    from arviz_stats.base.array import array_stats  # noqa: PLC0415, it takes a second

    with np.errstate(all="ignore"):  # the function takes log likelihoods, and weighs by 1 over them
        values, k = array_stats.psislw(-log_weights, axis=-1)
    if not (np.isfinite(k) and np.all(np.isfinite(values))):
        return log_weights - logsumexp(log_weights), math.inf
    return np.asarray(values - logsumexp(values)), float(k)
