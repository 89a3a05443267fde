"""What classical fits share: scaled series, the linear baseline, and transformed spends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.exposure import carry_over, geometric_weights, hill, normalised
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries

_DAYS_IN_YEAR: Final = 365.25
SHAPES: Final = ("decay", "half_saturation", "slope")
"""Parameters of a transform: geometric adstock with weights that sum to one, then Hill."""


@dataclass(frozen=True, eq=False)
class ClassicalFit:
    """A point fit of a mix model; it has no interval, on purpose.

    Attributes
    ----------
    method : str
        How it was fitted.
    contributions : ndarray, shape (n_periods, n_geos, n_channels)
        Fitted function at the spend minus the fitted function at no spend, in the unit of the
        target; negative where a coefficient is.
    fitted : ndarray, shape (n_periods, n_geos)
        Fitted targets.
    shapes : DataFrame
        ``channel`` and its ``decay``, ``half_saturation`` (unit of spend), ``slope``, and
        ``ceiling`` (unit of the target): what a channel brings per period at most.
    facts : dict
        How the search went, as plain JSON types.
    """

    method: str
    contributions: FloatArray
    fitted: FloatArray
    shapes: pd.DataFrame
    facts: dict[str, float | int | str]

    def rmse(self, target: FloatArray) -> float:
        """Return the root mean square of residuals, in the unit of the target."""
        return float(np.sqrt(((target - self.fitted) ** 2).mean()))


@dataclass(frozen=True, eq=False)
class Design:
    """Series divided by their largest values, geo after geo, and the baseline's columns.

    Attributes
    ----------
    spend : ndarray, shape (n_geos, n_channels, n_periods)
        Spend over the channel's largest in the geo.
    target : ndarray, shape (n_geos * n_periods,)
        Target over the geo's largest.
    baseline : ndarray, shape (n_geos * n_periods, n_columns)
        An intercept for each geo, controls, and seasons.
    l_max : int
        Number of periods in which a unit works.
    target_scale : ndarray, shape (n_geos,)
        What targets were divided by.
    channel_scale : ndarray, shape (n_geos, n_channels)
        What spends were divided by.
    """

    spend: FloatArray
    target: FloatArray
    baseline: FloatArray
    l_max: int
    target_scale: FloatArray
    channel_scale: FloatArray

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.spend.shape[1]

    def transformed(self, shapes: FloatArray) -> FloatArray:
        """Return adstocked and saturated spends.

        Parameters
        ----------
        shapes : ndarray, shape (n_channels, 3)
            Decay, half-saturation (in parts of the largest spend) and slope.

        Returns
        -------
        ndarray, shape (n_geos * n_periods, n_channels)
            Between 0 and 1.
        """
        weights = normalised(geometric_weights(shapes[:, 0], l_max=self.l_max))
        carried = carry_over(
            self.spend, np.broadcast_to(weights, (*self.spend.shape[:2], self.l_max))
        )
        curve = hill(carried, shapes[:, 1, np.newaxis], shapes[:, 2, np.newaxis])
        return np.moveaxis(curve, 1, -1).reshape(-1, self.n_channels)

    def in_units(self, values: FloatArray) -> FloatArray:
        """Return stacked, scaled values as (n_periods, n_geos, ...) in the unit of the target."""
        shape = (len(self.spend), -1, *values.shape[1:])
        by_geo = np.moveaxis(values.reshape(shape), 0, 1)
        return by_geo * self.target_scale.reshape(-1, *[1] * (values.ndim - 1))


def design_of(spec: MmmSpec, series: MmmSeries) -> Design:
    """Lay out series for a classical fit.

    Parameters
    ----------
    spec : MmmSpec
        Controls, seasons and length of the carry-over.
    series : MmmSeries
        The data.

    Returns
    -------
    Design
        Scaled; coefficients are common to all geos but for the intercepts.
    """
    n_periods, n_geos = series.target.shape
    own = series.spend.max(axis=0)
    channel_scale = np.where(own > 0, own, 1.0)
    largest = np.abs(series.target).max(axis=0)
    target_scale = np.where(largest > 0, largest, 1.0)
    intercepts = np.kron(np.eye(n_geos), np.ones((n_periods, 1)))
    controls = np.moveaxis(series.control, 0, 1).reshape(n_geos * n_periods, -1)
    angle = 2.0 * np.pi * series.dates.day_of_year.to_numpy() / _DAYS_IN_YEAR
    orders = np.arange(1, spec.baseline.yearly_seasonality + 1)
    waves = np.concatenate(
        [np.sin(np.outer(angle, orders)), np.cos(np.outer(angle, orders))], axis=1
    )
    return Design(
        spend=np.moveaxis(series.spend / channel_scale, 0, -1),
        target=(series.target / target_scale).T.ravel(),
        baseline=np.concatenate([intercepts, controls, np.tile(waves, (n_geos, 1))], axis=1),
        l_max=spec.adstock.l_max,
        target_scale=target_scale,
        channel_scale=channel_scale,
    )


@dataclass(frozen=True, eq=False)
class ScaledFit:
    """What a search found, on the scale of a :class:`Design`.

    Attributes
    ----------
    shapes : ndarray, shape (n_channels, 3)
        As :meth:`Design.transformed` takes them.
    ceilings : ndarray, shape (n_channels,)
        Coefficients of transformed spends.
    fitted : ndarray, shape (n_geos * n_periods,)
        Fitted targets.
    """

    shapes: FloatArray
    ceilings: FloatArray
    fitted: FloatArray


def fit_of(
    method: str,
    series: MmmSeries,
    design: Design,
    found: ScaledFit,
    facts: dict[str, float | int | str],
) -> ClassicalFit:
    """Put a classical fit together.

    Parameters
    ----------
    method : str
        How it was fitted.
    series : MmmSeries
        The data.
    design : Design
        The same, scaled.
    found : ScaledFit
        What the search found.
    facts : dict
        How the search went.

    Returns
    -------
    ClassicalFit
        In the unit of the target.
    """
    table = pd.DataFrame(
        {"channel": series.channels, **dict(zip(SHAPES, found.shapes.T, strict=True))}
    )
    table["half_saturation"] *= design.channel_scale.mean(axis=0)
    table["ceiling"] = found.ceilings * design.target_scale.mean()
    parts = design.transformed(found.shapes) * found.ceilings
    return ClassicalFit(method, design.in_units(parts), design.in_units(found.fitted), table, facts)
