"""Weights and curves as functions of parameters that vary: one text for NumPy and for graphs.

The formulas are those of :mod:`bayes_attrib.exposure.weights` and
:mod:`bayes_attrib.exposure.saturation`, which tests hold them to. They are written in logarithms,
so that neither values nor gradients are lost where an exposure is tiny, and against a namespace of
functions, so that a sampler's graph and the draws that tables are made from cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure.adstock_kinds import (
    BinomialAdstock,
    DelayedAdstock,
    GeometricAdstock,
    WeibullCdfAdstock,
    WeibullPdfAdstock,
)

FloatArray = npt.NDArray[np.float64]
Parameters = Mapping[str, Any]
LearnableAdstock = (
    GeometricAdstock | BinomialAdstock | DelayedAdstock | WeibullPdfAdstock | WeibullCdfAdstock
)

LEAST_WEIGHT: Final = 1e-12
"""A lag works at least so much of a unit, so that no exposure vanishes as parameters vary."""


@dataclass(frozen=True)
class Functions:
    """Functions of arrays that weights and curves are written in; NumPy's or PyTensor's.

    Attributes
    ----------
    exp, log, tanh : callable
        As their names say.
    softplus : callable
        log(1 + exp(x)) without overflow.
    maximum : callable
        Elementwise maximum of an array and a number.
    cumsum : callable
        Cumulative sum along the first axis.
    prepend_ones : callable
        Put a row of ones before the first.
    carried : callable
        Sum of lags, shape (n, n_lags), times their weights, shape (n_lags,) or (n_lags, n_draws).
    """

    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    softplus: Callable[[Any], Any]
    maximum: Callable[[Any, float], Any]
    cumsum: Callable[[Any], Any]
    prepend_ones: Callable[[Any], Any]
    carried: Callable[[Any, Any], Any]


def _carried(lags: FloatArray, weights: FloatArray) -> FloatArray:
    """Add lag by lag, so that the result of a row does not depend on the rows beside it."""
    columns = lags.T.reshape(*lags.T.shape, *[1] * (weights.ndim - 1))
    total = columns[0] * weights[0]
    for lag in range(1, len(weights)):
        total = total + columns[lag] * weights[lag]
    return np.asarray(total)


NUMPY: Final = Functions(
    exp=np.exp,
    log=np.log,
    tanh=np.tanh,
    softplus=lambda x: np.logaddexp(0.0, x),
    maximum=np.maximum,
    cumsum=lambda x: np.cumsum(x, axis=0),
    prepend_ones=lambda x: np.concatenate([np.ones((1, *x.shape[1:])), x]),
    carried=_carried,
)


def learned_weights(
    adstock: LearnableAdstock,
    parameters: Parameters,
    functions: Functions,
    *,
    n_draw_axes: int,
) -> Any:
    """Return weights of lags for parameters that may differ from an adstock's own.

    Parameters
    ----------
    adstock : Adstock
        Gives the kind, the number of lags and whether weights are normalised; its ``l_max`` is at
        least 2.
    parameters : mapping of str to scalar or ndarray of shape (n_draws,)
        All parameters of the kind.
    functions : Functions
        What to compute with.
    n_draw_axes : {0, 1}
        Number of axes of the parameters.

    Returns
    -------
    array, shape (l_max,) or (l_max, n_draws)
        None is less than :data:`LEAST_WEIGHT`.
    """
    if adstock.l_max is None:
        raise AssertionError("a spec demands l_max of an adstock that is learned")
    lags = np.arange(adstock.l_max, dtype=np.float64).reshape(-1, *[1] * n_draw_axes)
    if isinstance(adstock, BinomialAdstock):
        horizon = adstock.l_max + 1 if adstock.horizon is None else adstock.horizon
        weights = _binomial(lags / horizon, parameters, functions)
    else:
        weights = _WEIGHTS[adstock.kind](lags, parameters, functions)
    if adstock.normalise:
        weights = weights / weights.sum(axis=0)
    return functions.maximum(weights, LEAST_WEIGHT)


def _geometric(lags: FloatArray, p: Parameters, f: Functions) -> Any:
    return f.exp(lags * f.log(p["decay"]))


def _binomial(relative: FloatArray, p: Parameters, f: Functions) -> Any:
    return f.exp((1.0 / p["decay"] - 1.0) * np.log1p(-relative))


def _delayed(lags: FloatArray, p: Parameters, f: Functions) -> Any:
    return f.exp((lags - p["peak"]) ** 2 * f.log(p["decay"]))


def _weibull_pdf(lags: FloatArray, p: Parameters, f: Functions) -> Any:
    log_age = np.log(lags + 1.0) - f.log(p["scale"])
    shape = p["shape"]
    density = f.exp(f.log(shape) + (shape - 1.0) * log_age - f.exp(shape * log_age))
    low = density.min(axis=0)
    return (density - low) / (density.max(axis=0) - low)


def _weibull_cdf(lags: FloatArray, p: Parameters, f: Functions) -> Any:
    log_age = np.log(lags[1:]) - f.log(p["scale"])
    return f.prepend_ones(f.exp(-f.cumsum(f.exp(p["shape"] * log_age))))


_WEIGHTS: Final[Mapping[str, Callable[[FloatArray, Parameters, Functions], Any]]] = (
    MappingProxyType(
        {
            "geometric": _geometric,
            "delayed": _delayed,
            "weibull_pdf": _weibull_pdf,
            "weibull_cdf": _weibull_cdf,
        }
    )
)


def log_curve(kind: str, delivery: Any, parameters: Parameters, functions: Functions) -> Any:
    """Return the logarithm of a saturation curve.

    Parameters
    ----------
    kind : str
        Kind of saturation.
    delivery : array
        Scaled delivery; positive.
    parameters : mapping of str to scalar or array
        All parameters of the kind; they broadcast against the last axis of ``delivery``.
    functions : Functions
        What to compute with.

    Returns
    -------
    array
        Of the shape to which delivery and parameters broadcast.
    """
    return _CURVES[kind](delivery, parameters, functions)


def _hill(x: Any, p: Parameters, f: Functions) -> Any:
    return -f.softplus(p["slope"] * (f.log(p["half_saturation"]) - f.log(x)))


def _logistic(x: Any, p: Parameters, f: Functions) -> Any:
    return f.log(f.tanh(p["steepness"] * x / 2.0))


def _tanh(x: Any, p: Parameters, f: Functions) -> Any:
    return f.log(p["ceiling"]) + f.log(f.tanh(x / (p["ceiling"] * p["cost"])))


def _michaelis_menten(x: Any, p: Parameters, f: Functions) -> Any:
    return f.log(p["ceiling"]) + f.log(x) - f.log(p["half_saturation"] + x)


def _root(x: Any, p: Parameters, f: Functions) -> Any:
    return p["exponent"] * f.log(x)


def _none(x: Any, _: Parameters, f: Functions) -> Any:
    return f.log(x)


_CURVES: Final[Mapping[str, Callable[[Any, Parameters, Functions], Any]]] = MappingProxyType(
    {
        "hill": _hill,
        "logistic": _logistic,
        "tanh": _tanh,
        "michaelis_menten": _michaelis_menten,
        "root": _root,
        "none": _none,
    }
)
