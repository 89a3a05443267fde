"""Parameters of a mix model: their names in pymc-marketing, where they live, their priors."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bayes_attrib.spec.prior import PriorSpec, Support

INTERCEPT: Final = "intercept"
CONTROL_EFFECT: Final = "gamma_control"
SEASON_EFFECT: Final = "gamma_fourier"
NOISE: Final = "y_sigma"

ADSTOCK_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "geometric": ("adstock_alpha",),
        "delayed": ("adstock_alpha", "adstock_theta"),
        "weibull_pdf": ("adstock_lam", "adstock_k"),
        "weibull_cdf": ("adstock_lam", "adstock_k"),
        "none": (),
    }
)
"""Parameters of each adstock, all by channel."""

SATURATION_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "hill": ("saturation_slope", "saturation_kappa", "saturation_beta"),
        "logistic": ("saturation_lam", "saturation_beta"),
        "michaelis_menten": ("saturation_alpha", "saturation_lam"),
        "tanh": ("saturation_b", "saturation_c"),
        "none": ("saturation_beta",),
    }
)
"""Parameters of each saturation, all by channel."""

DEFAULT_PRIORS: Final[Mapping[str, PriorSpec]] = MappingProxyType(
    {
        name: PriorSpec.model_validate({"dist": dist, **values})
        for name, dist, values in (
            (INTERCEPT, "Normal", {"mu": 0.5, "sigma": 0.5}),
            ("adstock_alpha", "Beta", {"alpha": 1.0, "beta": 3.0}),
            ("adstock_theta", "HalfNormal", {"sigma": 1.0}),
            ("adstock_lam", "Gamma", {"alpha": 4.0, "beta": 2.0}),
            ("adstock_k", "Gamma", {"alpha": 4.0, "beta": 2.0}),
            ("saturation_slope", "Gamma", {"alpha": 4.0, "beta": 2.0}),
            ("saturation_kappa", "Beta", {"alpha": 2.0, "beta": 2.0}),
            ("saturation_beta", "HalfNormal", {"sigma": 0.5}),
            ("saturation_lam", "Gamma", {"alpha": 3.0, "beta": 1.0}),
            ("saturation_alpha", "HalfNormal", {"sigma": 0.5}),
            ("saturation_b", "HalfNormal", {"sigma": 0.5}),
            ("saturation_c", "HalfNormal", {"sigma": 1.0}),
            (CONTROL_EFFECT, "Normal", {"mu": 0.0, "sigma": 0.5}),
            (SEASON_EFFECT, "Normal", {"mu": 0.0, "sigma": 0.2}),
            (NOISE, "HalfNormal", {"sigma": 0.5}),
        )
    }
)
"""Priors where a spec gives none, on the scale of spend and target divided by their largest."""

DEFAULT_SPREADS: Final[Mapping[Support, PriorSpec]] = MappingProxyType(
    {
        "real": PriorSpec.model_validate({"dist": "HalfNormal", "sigma": 0.2}),
        "positive": PriorSpec.model_validate({"dist": "Exponential", "lam": 10.0}),
        "unit": PriorSpec.model_validate({"dist": "HalfNormal", "sigma": 0.5}),
    }
)
"""Priors of the standard deviation between geos, where a spec gives none."""

_REAL: Final = frozenset({INTERCEPT, CONTROL_EFFECT, SEASON_EFFECT})


def support_of(parameter: str) -> Support:
    """Return where a parameter lives.

    Parameters
    ----------
    parameter : str
        Its name.

    Returns
    -------
    {"real", "positive", "unit"}
        ``saturation_kappa`` may exceed 1: half of the ceiling need not be reached by what was
        ever spent.
    """
    if parameter in _REAL:
        return "real"
    return "unit" if parameter == "adstock_alpha" else "positive"
