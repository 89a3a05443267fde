"""The series that a mix model is fitted to: one row per period and geo, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.inputs.source import SourceFile
from bayes_attrib.mmm_fit.schema import MmmSpec

NATIONAL = ""
"""Label of the only place of a national model."""


@dataclass(frozen=True, eq=False)
class MmmSeries:
    """Spend, controls and target, as rectangular arrays.

    Attributes
    ----------
    dates : DatetimeIndex, shape (n_periods,)
        First days of the periods, at regular steps.
    geos : tuple of str
        Places in the order of the file; one empty name for a national model.
    channels, controls : tuple of str
        Names of the last axes.
    spend : ndarray, shape (n_periods, n_geos, n_channels)
        Spend, or other delivery; not negative.
    control : ndarray, shape (n_periods, n_geos, n_controls)
        Columns of the table, then events, then trend.
    target : ndarray, shape (n_periods, n_geos)
        What is to be explained; NaN in a table of the future.
    source : SourceFile
        The file.
    """

    dates: pd.DatetimeIndex
    geos: tuple[str, ...]
    channels: tuple[str, ...]
    controls: tuple[str, ...]
    spend: FloatArray
    control: FloatArray
    target: FloatArray
    source: SourceFile

    @property
    def n_periods(self) -> int:
        """Number of periods."""
        return len(self.dates)

    def frame(self, spec: MmmSpec) -> pd.DataFrame:
        """Return the table that pymc-marketing takes: date, geo, channels and controls.

        Parameters
        ----------
        spec : MmmSpec
            Names of the columns.

        Returns
        -------
        DataFrame, shape (n_periods * n_geos, ...)
            Periods in order, geos within periods.
        """
        columns = spec.columns
        n_geos = len(self.geos)
        table = pd.DataFrame({columns.date: self.dates.repeat(n_geos)})
        if columns.geo is not None:
            table[columns.geo] = list(self.geos) * self.n_periods
        for names, values in ((self.channels, self.spend), (self.controls, self.control)):
            for i, name in enumerate(names):
                table[name] = values[:, :, i].ravel()
        return table

    def response(self, spec: MmmSpec) -> pd.Series:
        """Return the target in the order of :meth:`frame`."""
        return pd.Series(self.target.ravel(), name=spec.columns.target)

    def window(self, start: int, stop: int) -> MmmSeries:
        """Return some of the periods.

        Parameters
        ----------
        start, stop : int
            Positions, the last one excluded.

        Returns
        -------
        MmmSeries
            The same geos, channels and controls.
        """
        part = slice(start, stop)
        return MmmSeries(
            self.dates[part],
            self.geos,
            self.channels,
            self.controls,
            self.spend[part],
            self.control[part],
            self.target[part],
            self.source,
        )


def event_columns(
    spec: MmmSpec, dates: pd.DatetimeIndex, step: pd.Timedelta
) -> npt.NDArray[np.float64]:
    """Return the columns that events become.

    Parameters
    ----------
    spec : MmmSpec
        Events with their first and last days.
    dates : DatetimeIndex, shape (n_periods,)
        First days of periods.
    step : Timedelta
        Length of a period.

    Returns
    -------
    ndarray, shape (n_periods, n_events)
        Part of the period that the event covers: 1 for all of a week, 2/7 for two of its days.
    """
    columns = np.zeros((len(dates), len(spec.events)))
    for i, event in enumerate(spec.events):
        first, after = pd.Timestamp(event.first), pd.Timestamp(event.last) + pd.Timedelta(days=1)
        begins = np.maximum(dates.to_numpy(), first.to_datetime64())
        ends = np.minimum((dates + step).to_numpy(), after.to_datetime64())
        overlap = (ends - begins) / step.to_timedelta64()
        columns[:, i] = np.clip(overlap.astype(np.float64), 0.0, 1.0)
    return columns


def trend_columns(
    spec: MmmSpec, dates: pd.DatetimeIndex, first: pd.Timestamp, last: pd.Timestamp
) -> npt.NDArray[np.float64]:
    """Return the columns of the trend: time from 0 to 1, and one hinge for each bend.

    Parameters
    ----------
    spec : MmmSpec
        Kind of the trend.
    dates : DatetimeIndex, shape (n_periods,)
        First days of periods; they may lie after the last one that was fitted.
    first, last : Timestamp
        First and last period of the fit, which are 0 and 1.

    Returns
    -------
    ndarray, shape (n_periods, n_columns)
        The straight line, then ``max(0, time - bend)`` at even distances. After the last period
        the last slope goes on.
    """
    if spec.baseline.trend == "none":
        return np.zeros((len(dates), 0))
    span = max((last - first) / pd.Timedelta(days=1), 1.0)
    time = np.asarray((dates - first) / pd.Timedelta(days=1), dtype=np.float64) / span
    n_bends = len(spec.trend_names) - 1
    bends = np.arange(1, n_bends + 1) / (n_bends + 1)
    hinges = np.maximum(0.0, time[:, np.newaxis] - bends)
    return np.column_stack([time, hinges])
