"""Weights of lags: how much one unit of delivery works in its own period and in those after it.

Every function takes parameters that broadcast against each other and returns an array of shape
(..., l_max), where entry l belongs to l periods after delivery. ``l_max`` counts periods, the
period of the delivery included, so the last lag is ``l_max - 1``. The formulas are those of
``pymc_marketing.mmm.transformers`` 1.3; ``normalised`` is its ``normalize=True``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure.checks import (
    require_fraction,
    require_lags,
    require_parameter,
    require_positive,
)

FloatArray = npt.NDArray[np.float64]


def geometric_weights(decay: npt.ArrayLike, *, l_max: int) -> FloatArray:
    """Weights that fall by the same factor from one period to the next: w_l = decay^l.

    Parameters
    ----------
    decay : array_like
        Retained fraction from one period to the next, in [0, 1].
    l_max : int
        Number of periods in which a unit works.

    Returns
    -------
    ndarray of float, shape (..., l_max)
        Weights, dimensionless; 1 in the period of the delivery.

    Raises
    ------
    ValueError
        If a parameter lies outside of its range.

    Notes
    -----
    Jin et al. (2017), Bayesian methods for media mix modeling with carryover and shape effects.
    """
    lags = np.arange(require_lags(l_max))
    return np.asarray(require_fraction(decay, name="decay")[..., np.newaxis] ** lags)


def binomial_weights(
    decay: npt.ArrayLike, *, l_max: int, horizon: float | None = None
) -> FloatArray:
    """Weights that reach zero in finite time: w_l = (1 - l / horizon)^(1 / decay - 1).

    Parameters
    ----------
    decay : array_like
        Shape in [0, 1]: .5 falls along a straight line, less falls faster at first.
    l_max : int
        Number of periods in which a unit works.
    horizon : float, optional
        Lag at which the weight is zero; ``l_max + 1`` by default, which is pymc-marketing's
        choice. Meridian's is ``l_max`` (its ``max_lag`` is ``l_max - 1``).

    Returns
    -------
    ndarray of float, shape (..., l_max)
        Weights, dimensionless; 1 in the period of the delivery.

    Raises
    ------
    ValueError
        If a parameter lies outside of its range, or the horizon before the last lag.
    """
    lags = np.arange(require_lags(l_max))
    end = float(require_parameter(l_max + 1 if horizon is None else horizon, name="horizon"))
    if end <= lags[-1]:
        raise ValueError(f"horizon must be more than l_max - 1 = {lags[-1]}; got {end:g}")
    shape = require_fraction(decay, name="decay")[..., np.newaxis]
    with np.errstate(divide="ignore", over="ignore"):  # decay 0: exponent inf, weights 1, 0, 0, ...
        return np.asarray((1.0 - lags / end) ** (1.0 / shape - 1.0))


def delayed_weights(decay: npt.ArrayLike, peak: npt.ArrayLike, *, l_max: int) -> FloatArray:
    """Weights that rise and fall like a bell: w_l = decay^((l - peak)^2).

    Parameters
    ----------
    decay : array_like
        Retained fraction one period away from the peak, in [0, 1].
    peak : array_like
        Lag at which a unit works most, in periods, in [0, ``l_max - 1``].
    l_max : int
        Number of periods in which a unit works.

    Returns
    -------
    ndarray of float, shape (..., l_max)
        Weights, dimensionless; 1 at the peak.

    Raises
    ------
    ValueError
        If a parameter lies outside of its range.

    Notes
    -----
    Jin et al. (2017), Bayesian methods for media mix modeling with carryover and shape effects.
    """
    lags = np.arange(require_lags(l_max))
    retained = require_fraction(decay, name="decay")[..., np.newaxis]
    centre = require_parameter(peak, name="peak")[..., np.newaxis]
    if np.any(centre < 0) or np.any(centre > lags[-1]):
        raise ValueError(f"peak must lie in [0, l_max - 1] = [0, {lags[-1]}]; got {peak!r}")
    return np.asarray(retained ** ((lags - centre) ** 2))


def weibull_pdf_weights(scale: npt.ArrayLike, shape: npt.ArrayLike, *, l_max: int) -> FloatArray:
    """Weights of a Weibull density at 1, ..., l_max, stretched so that they span 0 to 1.

    With f the density, w_l = (f(l + 1) - min f) / (max f - min f) over the lags.

    Parameters
    ----------
    scale : array_like
        Scale of the distribution, in periods; positive.
    shape : array_like
        Shape of the distribution; positive. Above 1 the largest weight comes after some periods.
    l_max : int
        Number of periods in which a unit works.

    Returns
    -------
    ndarray of float, shape (..., l_max)
        Weights, dimensionless. One of them is 1, and one is 0. Where all densities are equal, as
        with ``l_max`` of 1, they are 1, 0, 0, ... as in Robyn; pymc-marketing divides by zero.

    Raises
    ------
    ValueError
        If a parameter lies outside of its range.

    Notes
    -----
    Robyn's ``adstock_weibull(type = "PDF")`` and pymc-marketing's ``weibull_adstock(type="PDF")``,
    with ``scale`` in periods.
    """
    age = _age(scale, np.arange(1, require_lags(l_max) + 1))
    k = require_positive(shape, name="shape")[..., np.newaxis]
    with np.errstate(over="ignore"):  # exp(-inf) is the density far in the tail
        density = np.exp(np.log(k) + (k - 1.0) * np.log(age) - age**k)
    low = density.min(axis=-1, keepdims=True)
    span = density.max(axis=-1, keepdims=True) - low
    flat = np.eye(1, l_max)[0]
    return np.where(span > 0, (density - low) / np.where(span > 0, span, 1.0), flat)


def weibull_cdf_weights(scale: npt.ArrayLike, shape: npt.ArrayLike, *, l_max: int) -> FloatArray:
    """Weights that fall by a factor that changes with age: products of Weibull survival.

    With S the survival function, w_0 = 1 and w_l = S(1) S(2) ... S(l).

    Parameters
    ----------
    scale : array_like
        Scale of the distribution, in periods; positive.
    shape : array_like
        Shape of the distribution; positive.
    l_max : int
        Number of periods in which a unit works.

    Returns
    -------
    ndarray of float, shape (..., l_max)
        Weights, dimensionless; 1 in the period of the delivery.

    Raises
    ------
    ValueError
        If a parameter lies outside of its range.

    Notes
    -----
    Robyn's ``adstock_weibull(type = "CDF")`` and pymc-marketing's ``weibull_adstock(type="CDF")``,
    with ``scale`` in periods. The product is taken as a sum of logarithms, -(l / scale)^shape.
    """
    age = _age(scale, np.arange(require_lags(l_max)))
    k = require_positive(shape, name="shape")[..., np.newaxis]
    with np.errstate(over="ignore"):  # exp(-inf) is the survival far in the tail
        return np.exp(-np.cumsum(age**k, axis=-1))


def normalised(weights: FloatArray) -> FloatArray:
    """Divide weights by their sum, so that a unit of delivery is worth one unit in the long run.

    Parameters
    ----------
    weights : ndarray of float, shape (..., l_max)
        Weights of lags.

    Returns
    -------
    ndarray of float, shape (..., l_max)
        Weights that sum to 1.

    Raises
    ------
    ValueError
        If weights sum to zero: then no delivery works at any lag.
    """
    total = weights.sum(axis=-1, keepdims=True)
    if np.any(total <= 0):
        raise ValueError("all weights of lags are zero; a decay of 0 needs a peak on a whole lag")
    return np.asarray(weights / total)


def _age(scale: npt.ArrayLike, periods: npt.NDArray[np.int64]) -> FloatArray:
    """Return periods in units of the scale, shape (..., n_periods)."""
    return np.asarray(periods / require_positive(scale, name="scale")[..., np.newaxis])
