"""Densities of draws of quantities that are not negative."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray

_BINS: Final = 400


def density(draws: FloatArray, at: FloatArray, *, counts: bool) -> FloatArray:
    """Estimate the density of draws.

    A Gaussian kernel with Silverman's bandwidth (1986, Density Estimation, section 3.4), and what
    it would put below zero is reflected (ibid., section 2.10).

    Parameters
    ----------
    draws : ndarray, shape (n_draws,)
        Draws, not negative.
    at : ndarray, shape (n_points,)
        Where the density is wanted, ascending from zero or above.
    counts : bool
        Whether draws are whole numbers: the kernel then spans the gaps between them.

    Returns
    -------
    ndarray, shape (n_points,)
        Densities per unit of the draws. Draws that are all equal give a narrow peak.
    """
    spread = float(draws.std(ddof=1)) if len(draws) > 1 else 0.0
    quartiles = np.quantile(draws, [0.25, 0.75])
    robust = float(np.diff(quartiles)[0]) / 1.349
    sd = min(spread, robust) if robust > 0 else spread
    width = 0.9 * sd * len(draws) ** -0.2
    width = max(width, 0.45 if counts and spread > 0 else 0.0, 0.004 * float(at[-1] - at[0]))
    centres, weights = _binned(draws)
    above = _kernels(at, centres, weights, width)
    return above + _kernels(at, -centres, weights, width)


def _binned(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return values and their weights: few enough for a kernel each, near enough for no harm."""
    values, counts = np.unique(draws, return_counts=True)
    if len(values) > _BINS:
        counts, edges = np.histogram(draws, bins=_BINS)
        values = (edges[1:] + edges[:-1]) / 2
    return values, counts / len(draws)


def _kernels(at: FloatArray, centres: FloatArray, weights: FloatArray, width: float) -> FloatArray:
    """Sum of Gaussian kernels at each point."""
    scaled = (at[:, np.newaxis] - centres) / width
    return np.exp(-0.5 * scaled**2) @ weights / (width * math.sqrt(2 * math.pi))
