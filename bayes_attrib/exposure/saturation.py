"""Saturation: how response flattens as delivery grows.

Every saturation maps ``(delivery, parameters)`` to an array of the broadcast shape, element by
element, and nothing delivered is worth nothing. The formulas are those of
``pymc_marketing.mmm.transformers`` 1.3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from bayes_attrib.exposure.checks import require_delivery, require_positive

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
    half = require_positive(half_saturation, name="half_saturation")
    steepness = require_positive(slope, name="slope")
    with np.errstate(divide="ignore"):  # log 0 = -inf, which the logistic function maps to 0
        return np.asarray(expit(steepness * (np.log(x) - np.log(half))))


def logistic(delivery: npt.ArrayLike, steepness: npt.ArrayLike) -> FloatArray:
    """Logistic curve (1 - exp(-steepness x)) / (1 + exp(-steepness x)).

    Parameters
    ----------
    delivery : array_like
        Delivery x, adstocked or not, not negative.
    steepness : array_like, broadcastable with ``delivery``
        Speed of saturation, per unit of ``delivery``; positive. One half is reached at
        log(3) / steepness.

    Returns
    -------
    ndarray of float
        Saturated delivery in [0, 1].

    Raises
    ------
    ValueError
        If delivery is negative or not finite, or the steepness is not positive.

    Notes
    -----
    pymc-marketing's ``logistic_saturation``. Evaluated as tanh(steepness x / 2), which is the same.
    """
    x = require_delivery(delivery, name="delivery")
    return np.tanh(0.5 * require_positive(steepness, name="steepness") * x)


def tanh(delivery: npt.ArrayLike, ceiling: npt.ArrayLike, cost: npt.ArrayLike) -> FloatArray:
    """Hyperbolic tangent ceiling * tanh(x / (ceiling * cost)).

    Parameters
    ----------
    delivery : array_like
        Delivery x, adstocked or not, not negative.
    ceiling : array_like, broadcastable with ``delivery``
        Value that is never exceeded; positive.
    cost : array_like, broadcastable with ``delivery``
        Delivery per unit of response where delivery is small; positive.

    Returns
    -------
    ndarray of float
        Saturated delivery in [0, ceiling].

    Raises
    ------
    ValueError
        If delivery is negative or not finite, or a parameter is not positive.

    Notes
    -----
    Shen et al. (2018); pymc-marketing's ``tanh_saturation``, whose b is the ceiling and c the cost.
    """
    x = require_delivery(delivery, name="delivery")
    most = require_positive(ceiling, name="ceiling")
    return np.asarray(most * np.tanh(x / (most * require_positive(cost, name="cost"))))


def michaelis_menten(
    delivery: npt.ArrayLike, half_saturation: npt.ArrayLike, ceiling: npt.ArrayLike = 1.0
) -> FloatArray:
    """Michaelis-Menten curve ceiling * x / (half_saturation + x).

    Parameters
    ----------
    delivery : array_like
        Delivery x, adstocked or not, not negative.
    half_saturation : array_like, broadcastable with ``delivery``
        Delivery at which half of the ceiling is reached, in the unit of ``delivery``; positive.
    ceiling : array_like, broadcastable with ``delivery``
        Value that is never exceeded; positive.

    Returns
    -------
    ndarray of float
        Saturated delivery in [0, ceiling].

    Raises
    ------
    ValueError
        If delivery is negative or not finite, or a parameter is not positive.

    Notes
    -----
    Michaelis and Menten (1913), Biochemische Zeitschrift 49: the Hill curve of slope 1.
    """
    x = require_delivery(delivery, name="delivery")
    half = require_positive(half_saturation, name="half_saturation")
    return np.asarray(require_positive(ceiling, name="ceiling") * (x / (half + x)))


def root(delivery: npt.ArrayLike, exponent: npt.ArrayLike) -> FloatArray:
    """Power x^exponent, which flattens without a ceiling where the exponent is below 1.

    Parameters
    ----------
    delivery : array_like
        Delivery x, adstocked or not, not negative.
    exponent : array_like, broadcastable with ``delivery``
        Positive; .5 is the square root, 1 leaves delivery as it is.

    Returns
    -------
    ndarray of float
        Saturated delivery.

    Raises
    ------
    ValueError
        If delivery is negative or not finite, or the exponent is not positive.

    Notes
    -----
    pymc-marketing's ``root_saturation``.
    """
    x = require_delivery(delivery, name="delivery")
    return np.asarray(x ** require_positive(exponent, name="exponent"))
