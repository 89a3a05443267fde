"""Adstock: how delivery of one period goes on working in the periods after it.

Every adstock maps ``(delivery, parameters)`` to an array of the same shape, with time on the last
axis at regular steps; parameters broadcast against the leading axes, one value per series.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure.checks import require_parameter, require_series

FloatArray = npt.NDArray[np.float64]


def geometric_adstock(
    delivery: npt.ArrayLike, decay: npt.ArrayLike, *, normalise: bool = False
) -> FloatArray:
    """Carry delivery over with geometric decay: a_t = x_t + decay * a_(t-1), a_0 = x_0.

    Parameters
    ----------
    delivery : array_like, shape (..., n_periods)
        Impressions, GRPs or spend per period, not negative; nothing was delivered before the first.
    decay : array_like, broadcastable to the leading shape of ``delivery``
        Retained fraction from one period to the next, in [0, 1).
    normalise : bool
        Multiply by ``1 - decay``, so that one unit of delivery is worth one unit in the long run.

    Returns
    -------
    ndarray of float, shape (..., n_periods)
        Adstocked delivery, in the unit of ``delivery``.

    Raises
    ------
    ValueError
        If delivery is negative, not finite or without a time axis, or decay lies outside [0, 1).

    Notes
    -----
    Broadbent (1979), One way TV advertisements work, Journal of the Market Research Society 21.
    """
    series = require_series(delivery)
    retained = require_parameter(decay, name="decay")
    if np.any(retained < 0) or np.any(retained >= 1):
        raise ValueError(f"decay must lie in [0, 1); got {decay!r}")
    carried = np.array(series)
    retained = np.broadcast_to(retained, series.shape[:-1])
    for period in range(1, series.shape[-1]):
        carried[..., period] += retained * carried[..., period - 1]
    if normalise:
        carried *= (1.0 - retained)[..., np.newaxis]
    return carried


def carry_over(delivery: npt.ArrayLike, weights: npt.ArrayLike) -> FloatArray:
    """Carry delivery over with given weights of lags: a_t = sum_l w_l x_(t-l).

    Parameters
    ----------
    delivery : array_like, shape (..., n_periods)
        Impressions, GRPs or spend per period, not negative; nothing was delivered before the first.
    weights : array_like, shape (..., n_lags)
        Weights of lags; leading axes broadcast against those of ``delivery``.

    Returns
    -------
    ndarray of float, shape (..., n_periods)
        Adstocked delivery, in the unit of ``delivery``. Exactly zero where nothing is carried.

    Raises
    ------
    ValueError
        If delivery is negative, not finite or without a time axis, or a weight is not finite.

    Notes
    -----
    A sum over lags rather than a Fourier transform: cost grows with the number of lags, and zeros
    stay zeros.
    """
    series = require_series(delivery)
    lags = require_parameter(weights, name="weights")
    carried = np.array(series * lags[..., :1])
    for lag in range(1, min(lags.shape[-1], series.shape[-1])):
        carried[..., lag:] += lags[..., lag, np.newaxis] * series[..., :-lag]
    return carried
