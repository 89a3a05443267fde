"""What spend brings: the whole chain of carry-over and saturation, and its derivative.

All is made from draws of parameters in NumPy, by the formulas of :mod:`bayes_attrib.exposure`,
which tests hold to pymc-marketing's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from bayes_attrib.exposure import carry_over, normalised
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm.pymc_curves import PYMC_ADSTOCKS, PYMC_SATURATIONS
from bayes_attrib.mmm_fit.build import ADSTOCK_CLASSES, SATURATION_CLASSES
from bayes_attrib.mmm_fit.fit import MmmFit
from bayes_attrib.mmm_fit.parameters import ADSTOCK_PARAMETERS, SATURATION_PARAMETERS
from bayes_attrib.mmm_fit.schema import AdstockKind, SaturationKind

Values = Mapping[str, FloatArray]

_MOST_ELEMENTS: Final = 20_000_000


def _hill_slope(x: FloatArray, p: Values) -> FloatArray:
    """d/dx of beta x^s / (x^s + k^s) = beta s f (1 - f) / x, with its limit at zero."""
    f = PYMC_SATURATIONS["HillSaturation"].curve(x, {**p, "beta": np.ones(1)})
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = p["slope"] * f * (1.0 - f) / x
        at_zero = np.where(p["slope"] == 1.0, 1.0 / p["kappa"], np.where(p["slope"] > 1, 0, np.inf))
    return np.asarray(p["beta"] * np.where(x > 0, slope, at_zero))


SLOPES: Final[Mapping[SaturationKind, Callable[[FloatArray, Values], FloatArray]]] = (
    MappingProxyType(
        {
            "hill": _hill_slope,
            "logistic": lambda x, p: p["beta"] * 0.5 * p["lam"] / np.cosh(0.5 * p["lam"] * x) ** 2,
            "michaelis_menten": lambda x, p: p["alpha"] * p["lam"] / (p["lam"] + x) ** 2,
            "tanh": lambda x, p: 1.0 / (p["c"] * np.cosh(x / (p["b"] * p["c"])) ** 2),
            "none": lambda x, p: p["beta"] + 0.0 * x,
        }
    )
)
"""Derivatives of the saturations of pymc-marketing with respect to adstocked, scaled spend."""


@dataclass(frozen=True, eq=False)
class Response:
    """Draws of what spend brings, in the unit of the target.

    Attributes
    ----------
    adstock, saturation : str
        Kinds.
    l_max : int
        Number of periods in which a unit works.
    weights : ndarray, shape (n_draws, n_geos, n_channels, l_max)
        Of lags; they sum to one.
    curve : mapping of str to ndarray, shape (n_draws, n_geos, n_channels, 1)
        Parameters of the saturation, by their short names.
    channel_scale : ndarray, shape (n_geos, n_channels)
        What spends were divided by; positive.
    target_scale : ndarray, shape (n_geos,)
        What the target was divided by.
    """

    adstock: AdstockKind
    saturation: SaturationKind
    l_max: int
    weights: FloatArray
    curve: Values
    channel_scale: FloatArray
    target_scale: FloatArray

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return len(self.weights)

    def contributions(self, spend: FloatArray, *, beyond: int = 0) -> FloatArray:
        """Return what spend brings in each period.

        Parameters
        ----------
        spend : ndarray, shape (n_periods, n_geos, n_channels)
            From the first period on; what was before carries nothing over.
        beyond : int
            Number of periods after the last, without spend, that are still counted.

        Returns
        -------
        ndarray, shape (n_draws, n_periods + beyond, n_geos, n_channels)
            In the unit of the target.
        """
        found = PYMC_SATURATIONS[SATURATION_CLASSES[self.saturation]].curve(
            self._carried(spend, beyond), self.curve
        )
        return np.moveaxis(found, -1, 1) * self.target_scale[:, np.newaxis]

    def marginal(self, spend: FloatArray) -> FloatArray:
        """Return what one more unit of spend in a period brings, in that period and in all later.

        The derivative of the sum of all contributions, those after the last period included:
        ``sum_k w_k f'(a_{t+k}) * target_scale / channel_scale``, where a is adstocked spend.

        Parameters
        ----------
        spend : ndarray, shape (n_periods, n_geos, n_channels)
            Spend at which the derivative is taken; none after the last period.

        Returns
        -------
        ndarray, shape (n_draws, n_periods, n_geos, n_channels)
            Units of the target per unit of spend. Infinite where nothing was carried and the curve
            rises infinitely steep from zero (Hill with a slope below 1).
        """
        n_periods, tail = len(spend), self.weights.shape[-1] - 1
        slope = SLOPES[self.saturation](self._carried(spend, tail), self.curve)
        found = np.zeros((*slope.shape[:-1], n_periods))
        for lag in range(tail + 1):
            found += self.weights[..., lag, np.newaxis] * slope[..., lag : lag + n_periods]
        unit = self.target_scale[:, np.newaxis] / self.channel_scale
        return np.moveaxis(found, -1, 1) * unit

    def _carried(self, spend: FloatArray, beyond: int) -> FloatArray:
        """Return adstocked, scaled spend, shape (n_draws, n_geos, n_channels, n_periods)."""
        scaled = np.concatenate([spend, np.zeros((beyond, *spend.shape[1:]))]) / self.channel_scale
        series = np.moveaxis(scaled, 0, -1)
        return carry_over(
            np.broadcast_to(series, (*self.weights.shape[:-1], series.shape[-1])), self.weights
        )


def response_of(fit: MmmFit, most: int | None = None) -> Response:
    """Return the response of a fit, at all of its draws or at an even choice of them.

    Parameters
    ----------
    fit : MmmFit
        The fit.
    most : int, optional
        Largest number of draws; by default as many as keep draws of contributions in memory.

    Returns
    -------
    Response
        Draws in the order of the fit.
    """
    spec = fit.spec
    n_draws = fit.posterior.sizes["chain"] * fit.posterior.sizes["draw"]
    most = _MOST_ELEMENTS // fit.series.spend.size if most is None else most
    chosen = np.unique(np.linspace(0, n_draws - 1, max(min(most, n_draws), 1)).astype(np.int64))

    def _short(names: tuple[str, ...], prefix: str) -> dict[str, FloatArray]:
        return {
            name.removeprefix(prefix): fit.draws(name, own=("channel",))[chosen] for name in names
        }

    lags = _short(ADSTOCK_PARAMETERS[spec.adstock.kind], "adstock_")
    curve = _short(SATURATION_PARAMETERS[spec.saturation.kind], "saturation_")
    weights = PYMC_ADSTOCKS[ADSTOCK_CLASSES[spec.adstock.kind]].weights(lags, spec.adstock.l_max)
    shape = (len(chosen), len(fit.series.geos), len(fit.series.channels), weights.shape[-1])
    scale = fit.channel_scale
    return Response(
        adstock=spec.adstock.kind,
        saturation=spec.saturation.kind,
        l_max=spec.adstock.l_max,
        weights=np.broadcast_to(normalised(weights), shape),
        curve={name: values[..., np.newaxis] for name, values in curve.items()},
        channel_scale=np.where(scale > 0, scale, 1.0),
        target_scale=fit.target_scale,
    )
