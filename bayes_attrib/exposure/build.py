"""Delivery of entities in, their effective exposure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.exposure.adstock import carry_over
from bayes_attrib.exposure.channel_transform import ChannelTransform, TransformKey, transform_for
from bayes_attrib.exposure.coded_delivery import CodedDelivery, code_delivery
from bayes_attrib.exposure.columns import DeliveryColumns
from bayes_attrib.exposure.delivery_checks import (
    column_faults,
    row_faults,
    transform_faults,
    transform_keys,
)
from bayes_attrib.exposure.period_axis import PeriodAxis, read_axis
from bayes_attrib.exposure.series import Series, lay_out

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

Semantics = Literal["own_curve", "channel_curve"]
SEMANTICS: Final[tuple[Semantics, ...]] = ("own_curve", "channel_curve")


def build_exposures(
    delivery: pd.DataFrame,
    transforms: Mapping[TransformKey, ChannelTransform],
    *,
    columns: DeliveryColumns,
    periods: Sequence[Any],
    semantics: Semantics,
    history: Sequence[Any] = (),
) -> pd.DataFrame:
    """Turn delivery into effective exposure.

    Parameters
    ----------
    delivery : DataFrame
        One row per entity, aggregate and period, in any order. A row that is not there is worth
        the same as one with a delivery of zero.
    transforms : mapping
        Scale, adstock and saturation by channel, or by (channel, geo) where a geo has its own.
        Keys are compared with the table as text.
    columns : DeliveryColumns
        Names of the columns.
    periods : sequence
        Periods of the aggregates: distinct, in the order of time, at regular steps. Exposures exist
        for these periods.
    semantics : {"own_curve", "channel_curve"}
        With a for the adstocked delivery of an entity, A for its sum over the entities of the
        channel in an aggregate, and f for the channel's curve: ``"own_curve"`` gives an entity
        f(a), ``"channel_curve"`` its part of the channel's, f(A) a / A.
    history : sequence
        Periods just before the first of ``periods``. Delivery in them is carried over, and no
        exposures are made for them.

    Returns
    -------
    DataFrame
        One row per entity, aggregate and period with a positive exposure or a positive delivery:
        the columns of the cell, period and entity, delivery (0 where only carry-over works), and
        ``exposure``. Ordered by transform, cell, entity and period.

    Raises
    ------
    DataError
        If periods are irregular, a column is missing, a key is blank or repeated, delivery is
        negative or no number, a period is none of the given ones, or a channel or a geo has no
        transform. All faults are listed, with rows, values and remedies.
    ValueError
        If the semantics are unknown.

    See Also
    --------
    parse_transforms : Transforms from plain tables.

    Notes
    -----
    Where ``saturation_first`` is set, a and A are scaled delivery itself, and the result is carried
    over. Under ``"channel_curve"`` the exposures of a channel in an aggregate sum to f(A).
    """
    if semantics not in SEMANTICS:
        raise ValueError(f"semantics must be one of {', '.join(SEMANTICS)}; got {semantics!r}")
    axis = read_axis(periods, history)
    coded = _checked(delivery, transforms, columns, axis)
    keys = transform_keys(coded, columns)
    chosen = [transform_for(transforms, channel, geo) for channel, geo in keys]
    group, distinct = pd.factorize(np.array([*chosen, None], dtype=object)[:-1])
    lags = [_trimmed(transform.adstock.weights(), len(axis.labels)) for transform in distinct]
    n_lags = np.array([len(weights) for weights in lags], dtype=np.int64)
    series = lay_out(coded, group.astype(np.int64), n_lags, len(axis.labels))
    exposure = _exposure(series, group, list(zip(distinct, lags, strict=True)), semantics)
    return _table(series, exposure, coded, columns, axis)


def _checked(
    delivery: pd.DataFrame,
    transforms: Mapping[TransformKey, ChannelTransform],
    columns: DeliveryColumns,
    axis: PeriodAxis,
) -> CodedDelivery:
    _raise(list(column_faults(delivery, columns)))
    coded = code_delivery(delivery, columns, axis)
    _raise(
        [
            *row_faults(delivery, columns, coded, axis),
            *transform_faults(delivery, columns, coded, transforms),
        ]
    )
    return coded


def _raise(findings: list[Finding]) -> None:
    if findings:
        count = "one fault" if len(findings) == 1 else f"{len(findings)} faults"
        raise DataError(f"the delivery table has {count}:", findings)


def _trimmed(weights: FloatArray, n_periods: int) -> FloatArray:
    """Leave out lags that carry nothing, and those longer than the axis of periods."""
    works = np.flatnonzero(weights[:n_periods])
    return weights[: works[-1] + 1] if len(works) else weights[:1]


def _exposure(
    series: Series,
    group: IntArray,
    transforms: list[tuple[ChannelTransform, FloatArray]],
    semantics: Semantics,
) -> FloatArray:
    """Return the exposure of every point, shape (n_points,)."""
    exposure = np.empty(len(series.delivery))
    bounds = np.searchsorted(
        series.of_points(group[series.cell]), np.arange(len(transforms) + 1)
    ).tolist()
    width = int(series.period.max(initial=0)) + 1
    place = series.of_points(_numbered(series.cell)) * width + series.period
    for number, (transform, weights) in enumerate(transforms):
        points = slice(bounds[number], bounds[number + 1])
        values = series.delivery[points] / transform.scale
        total = place[points] if semantics == "channel_curve" else None
        if transform.saturation_first:
            exposure[points] = carry_over(_saturated(values, transform, total), weights)
        else:
            exposure[points] = _saturated(carry_over(values, weights), transform, total)
    return exposure


def _numbered(cell: IntArray) -> IntArray:
    """Number cells in the order in which they stand, so that those of a transform are adjacent."""
    return np.cumsum(np.diff(cell, prepend=cell[:1]) != 0)


def _saturated(
    values: FloatArray, transform: ChannelTransform, total: IntArray | None
) -> FloatArray:
    """Saturate values, or give each its part of the saturated sum over those of one place."""
    if total is None or not len(values):
        return transform.saturation.of(values)
    first = total.min()
    sums = np.bincount(total - first, weights=values)
    curve = transform.saturation.of(sums)
    ratio = np.divide(curve, sums, out=np.zeros_like(sums), where=sums > 0)
    return values * ratio[total - first]


def _table(
    series: Series,
    exposure: FloatArray,
    coded: CodedDelivery,
    columns: DeliveryColumns,
    axis: PeriodAxis,
) -> pd.DataFrame:
    """Return the points on the axis that deliver or work, with their keys."""
    within = (series.period >= axis.n_history) & (series.period < len(axis.labels))
    kept = np.flatnonzero(within & ((exposure > 0) | (series.delivery > 0)))
    cells = coded.cells.iloc[series.of_points(series.cell)[kept]].reset_index(drop=True)
    cells[columns.period] = axis.periods.take(series.period[kept])
    cells[columns.entity] = coded.entities.take(series.of_points(series.entity)[kept])
    cells[columns.delivery] = series.delivery[kept]
    cells[names.EXPOSURE] = exposure[kept]
    return cells
