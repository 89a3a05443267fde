"""The adstocks and saturations of PyMC-Marketing, from their parameters.

Formulas are those of ``pymc_marketing.mmm.transformers`` 1.3, which
:mod:`bayes_attrib.exposure` holds; here they get the names that a saved fit uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bayes_attrib import exposure as ex

FloatArray = npt.NDArray[np.float64]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class AdstockOf:
    """An adstock of PyMC-Marketing.

    Attributes
    ----------
    parameters : tuple of str
        Names of its parameters, without prefix.
    weights : callable
        From parameters and ``l_max`` to weights of shape (..., l_max), before normalisation.
    made : callable
        From single parameters, ``l_max`` and ``normalise`` to the same as an adstock of ours.
    """

    parameters: tuple[str, ...]
    weights: Callable[[Values, int], FloatArray]
    made: Callable[[Values, int, bool], ex.Adstock]


@dataclass(frozen=True)
class SaturationOf:
    """A saturation of PyMC-Marketing.

    Attributes
    ----------
    parameters : tuple of str
        Names of its parameters, without prefix.
    curve : callable
        From delivery and parameters that broadcast to the curve, coefficient included.
    made : callable
        From single parameters to the same as a saturation of ours, up to a factor.
    """

    parameters: tuple[str, ...]
    curve: Callable[[FloatArray, Values], FloatArray]
    made: Callable[[Values], ex.Saturation]


_LOG3: Final = float(np.log(3.0))


def _baselined(p: Values) -> tuple[Any, Any]:
    """Return ceiling and cost of the tanh curve through (x0, gain x0) with overspend ratio r."""
    return p["gain"] * p["x0"] / p["r"], p["r"] / (p["gain"] * np.arctanh(p["r"]))


PYMC_ADSTOCKS: Final = MappingProxyType(
    {
        "GeometricAdstock": AdstockOf(
            ("alpha",),
            lambda p, n: ex.geometric_weights(p["alpha"], l_max=n),
            lambda p, n, norm: ex.GeometricAdstock(p["alpha"], n, norm),
        ),
        "BinomialAdstock": AdstockOf(
            ("alpha",),
            lambda p, n: ex.binomial_weights(p["alpha"], l_max=n),
            lambda p, n, norm: ex.BinomialAdstock(p["alpha"], n, norm),
        ),
        "DelayedAdstock": AdstockOf(
            ("alpha", "theta"),
            lambda p, n: ex.delayed_weights(p["alpha"], p["theta"], l_max=n),
            lambda p, n, norm: ex.DelayedAdstock(p["alpha"], p["theta"], n, norm),
        ),
        "WeibullPDFAdstock": AdstockOf(
            ("lam", "k"),
            lambda p, n: ex.weibull_pdf_weights(p["lam"], p["k"], l_max=n),
            lambda p, n, norm: ex.WeibullPdfAdstock(p["lam"], p["k"], n, norm),
        ),
        "WeibullCDFAdstock": AdstockOf(
            ("lam", "k"),
            lambda p, n: ex.weibull_cdf_weights(p["lam"], p["k"], l_max=n),
            lambda p, n, norm: ex.WeibullCdfAdstock(p["lam"], p["k"], n, norm),
        ),
        "NoAdstock": AdstockOf((), lambda _p, _n: np.ones(1), lambda _p, _n, _norm: ex.NoAdstock()),
    }
)

PYMC_SATURATIONS: Final = MappingProxyType(
    {
        "LogisticSaturation": SaturationOf(
            ("lam", "beta"),
            lambda x, p: p["beta"] * ex.logistic(x, p["lam"]),
            lambda p: ex.LogisticSaturation(p["lam"]),
        ),
        "InverseScaledLogisticSaturation": SaturationOf(
            ("lam", "beta"),
            lambda x, p: p["beta"] * ex.logistic(x, _LOG3 / p["lam"]),
            lambda p: ex.LogisticSaturation(_LOG3 / p["lam"]),
        ),
        "TanhSaturation": SaturationOf(
            ("b", "c"),
            lambda x, p: ex.tanh(x, p["b"], p["c"]),
            lambda p: ex.TanhSaturation(p["b"], p["c"]),
        ),
        "TanhSaturationBaselined": SaturationOf(
            ("x0", "gain", "r", "beta"),
            lambda x, p: p["beta"] * ex.tanh(x, *_baselined(p)),
            lambda p: ex.TanhSaturation(*map(float, _baselined(p))),
        ),
        "MichaelisMentenSaturation": SaturationOf(
            ("alpha", "lam"),
            lambda x, p: ex.michaelis_menten(x, p["lam"], p["alpha"]),
            lambda p: ex.MichaelisMentenSaturation(p["lam"]),
        ),
        "HillSaturation": SaturationOf(
            ("slope", "kappa", "beta"),
            lambda x, p: p["beta"] * ex.hill(x, p["kappa"], p["slope"]),
            lambda p: ex.HillSaturation(p["kappa"], p["slope"]),
        ),
        "RootSaturation": SaturationOf(
            ("alpha", "beta"),
            lambda x, p: p["beta"] * ex.root(x, p["alpha"]),
            lambda p: ex.RootSaturation(p["alpha"]),
        ),
        "NoSaturation": SaturationOf(
            ("beta",), lambda x, p: p["beta"] * x, lambda _: ex.NoSaturation()
        ),
    }
)

# What older releases call the same, under the key ``lookup_name``.
OLDER_NAMES: Final = MappingProxyType(
    {
        "geometric": "GeometricAdstock",
        "binomial": "BinomialAdstock",
        "delayed": "DelayedAdstock",
        "weibull_pdf": "WeibullPDFAdstock",
        "weibull_cdf": "WeibullCDFAdstock",
        "no_adstock": "NoAdstock",
        "logistic": "LogisticSaturation",
        "inverse_scaled_logistic": "InverseScaledLogisticSaturation",
        "tanh": "TanhSaturation",
        "tanh_baselined": "TanhSaturationBaselined",
        "michaelis_menten": "MichaelisMentenSaturation",
        "hill": "HillSaturation",
        "root": "RootSaturation",
        "no_saturation": "NoSaturation",
    }
)
