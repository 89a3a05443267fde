"""Fisher information about the size of a negative binomial law."""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np

from bayes_attrib.inputs.aggregate_data import FloatArray

_ENDS: Final = (0.0, 0.25, 1.0, 3.0, 8.0, 18.0, 40.0)
"""Ends of the intervals of integration; exp(-40) is nothing."""

_NODES_EACH: Final = 12


def information_about_size(size: FloatArray, q: Any) -> FloatArray:
    """Fisher information of a negative binomial total about its size, its q being known.

    For a mass proportional to Gamma(y + r) / Gamma(r) q**y (1 - q)**r / y!, the information about r
    is the sum over j >= 1 of q**j / j B(j, r) (Fisher 1941, Annals of Eugenics 11). With the Beta
    function as an integral, the sum becomes (1 / r) times the integral over s > 0 of
    exp(-s) h(exp(-s / r)), where h(t) = -log(1 - q (1 - t)) / (1 - t): smooth and bounded, so
    Gauss-Legendre rules on a few intervals serve all r and q.

    Parameters
    ----------
    size : ndarray, any shape
        The size r, positive.
    q : float or ndarray that broadcasts against ``size``
        Variance excess over one plus itself: phi / (1 + phi), between 0 and 1.

    Returns
    -------
    ndarray, shape of the broadcast arguments
        Per squared unit of the size.
    """
    size, q = np.broadcast_arrays(np.asarray(size, dtype=np.float64), np.asarray(q))
    total = np.zeros(size.shape)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES_EACH)
    for lower, upper in itertools.pairwise(_ENDS):
        half = (upper - lower) / 2
        for node, weight in zip(nodes, weights, strict=True):
            s = lower + half * (node + 1.0)
            gap = -np.expm1(-s / size)
            total += weight * half * np.exp(-s) * -np.log1p(-q * gap) / gap
    return np.asarray(total / size)
