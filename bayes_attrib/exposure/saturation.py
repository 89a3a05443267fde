"""Saturation: how response flattens as delivery grows.

Every saturation maps ``(delivery, parameters)`` to an array of the broadcast shape, element by
element, from 0 at no delivery towards 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from bayes_attrib.exposure.checks import require_delivery, require_parameter

FloatArray = npt.NDArray[np.float64]


def hill(
    delivery: npt.ArrayLike, half_saturation: npt.ArrayLike, slope: npt.ArrayLike
) -> FloatArray:
    """Hill curve x^slope / (x^slope + half_saturation^slope).

    Parameters
    ----------
    delivery : array_like
        Delivery x, adstocked or not, not negative.
    half_saturation : array_like, broadcastable with ``delivery``
        Delivery at which the curve reaches one half, in the unit of ``delivery``; positive.
    slope : array_like, broadcastable with ``delivery``
        Steepness; above 1 the curve is S-shaped. Positive.

    Returns
    -------
    ndarray of float
        Saturated delivery in [0, 1]; exactly 0 where nothing was delivered.

    Raises
    ------
    ValueError
        If delivery is negative or not finite, or a parameter is not positive.

    Notes
    -----
    Hill (1910), Journal of Physiology 40. Evaluated as the logistic function of
    ``slope * log(x / half_saturation)``, which neither overflows nor loses small values.
    """
    x = require_delivery(delivery, name="delivery")
    half = require_parameter(half_saturation, name="half_saturation")
    steepness = require_parameter(slope, name="slope")
    for name, value in (("half_saturation", half), ("slope", steepness)):
        if np.any(value <= 0):
            raise ValueError(f"{name} must be positive; got {value.min():g}")
    with np.errstate(divide="ignore"):  # log 0 = -inf, which the logistic function maps to 0
        return np.asarray(expit(steepness * (np.log(x) - np.log(half))))
