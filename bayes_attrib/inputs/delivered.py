"""From a table of delivery to one of exposures, by the transforms of the spec."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.errors import Finding
from bayes_attrib.exposure import DeliveryColumns, build_exposures
from bayes_attrib.exposure.channel_transform import ChannelTransform, TransformKey
from bayes_attrib.exposure.curve_math import NUMPY
from bayes_attrib.exposure.lag_delivery import CellDelivery, LaggedCells, lag_delivery
from bayes_attrib.exposure.lagged import LaggedDelivery
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.inputs.delivery_axis import DeliveryAxis, read_delivery_axis
from bayes_attrib.inputs.delivery_checks import (
    delivery_findings,
    following_findings,
    is_sound,
    outside_findings,
    unmatched_findings,
)
from bayes_attrib.inputs.keys import match_keys
from bayes_attrib.inputs.mend import mend_tables
from bayes_attrib.inputs.repair import Repair, RepairRecord
from bayes_attrib.inputs.table import DeliveredCurve, Table, Tables
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.spec import ExposureSpec
from bayes_attrib.spec.learned import Learned

_CHANNEL, _GEO, _PERIOD, _ENTITY, _ROW = "channel", "geo", "period", "entity", "row"

_EXCLUDING = (
    Repair.DROP_NEGATIVE_TOTALS,
    Repair.DROP_ZERO_TOTALS,
    Repair.DROP_UNEXPLAINED_TOTALS,
)
"""Repairs that take aggregates away; what was delivered there still carries over."""


def mend_and_deliver(
    tables: Tables, repairs: Collection[Repair], *, follows: bool = False
) -> tuple[Tables, tuple[RepairRecord, ...], list[Finding]]:
    """Carry out repairs, and make exposures where the spec says how.

    Parameters
    ----------
    tables : Tables
        Typed tables, as read.
    repairs : collection of Repair
        What the user asked for.
    follows : bool
        Whether the aggregates follow those of a fit: delivery of earlier periods is then carried
        over into them.

    Returns
    -------
    tables : Tables
        After all repairs. With a section ``[exposure]``, and if nothing is wrong with delivery,
        the table of exposures holds exposures.
    records : tuple of RepairRecord
        One for each table that a repair has changed.
    findings : list of Finding
        About delivery.
    """
    section = tables.spec.exposure
    if section is None:
        return (*mend_tables(tables, repairs), [])
    tables, records = mend_tables(tables, [r for r in repairs if r not in _EXCLUDING])
    findings: list[Finding] = []
    with suppress(UnavailableError):
        tables, findings = _following(tables, section) if follows else _deliver(tables, section)
    tables, more = mend_tables(tables, [r for r in repairs if r in _EXCLUDING])
    return tables, (*records, *more), findings


def _following(tables: Tables, section: ExposureSpec) -> tuple[Tables, list[Finding]]:
    """Make exposures in new aggregates, into which earlier delivery is carried over."""
    missing = list(following_findings(tables))
    if missing:
        return tables, missing
    spec = tables.spec
    carrying = section.model_copy(update={"outside": "carry_over"})
    open_spec = spec.model_copy(update={"exposure": carrying})
    tables, findings = _deliver(replace(tables, spec=open_spec), carrying)
    return replace(tables, spec=spec), findings


def _deliver(tables: Tables, section: ExposureSpec) -> tuple[Tables, list[Finding]]:
    findings = list(delivery_findings(tables))
    if findings or not is_sound(tables):
        return tables, findings
    axis, findings = read_delivery_axis(tables, section.period)
    if axis is None:
        return tables, findings
    rows = _rows(tables, section, axis)
    cells = _exposures(rows, section, axis)
    learned = section.learned
    curves = _lag_learned(rows, section, learned, axis)
    if curves:
        known = ~_marked(cells, [key for t in learned.transforms for key in t.keys], section)
        made = [_learned_cells(rows, curve) for curve in curves]
        cells = pd.concat([cells[known], *made], ignore_index=True)
    aggregate = _aggregates_of(cells, rows, tables, axis)
    found = [*outside_findings(tables), *unmatched_findings(tables, cells, aggregate)]
    table = _table(tables, cells, aggregate)
    delivered = tuple(_located(curve, rows, tables, axis) for curve in curves)
    return replace(tables.replacing(table), delivered=delivered), found


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of delivery, with numbers for what names them.

    Attributes
    ----------
    frame : DataFrame, shape (n_rows, ...)
        Channel, geo, further keys, entity, step of the period, delivery, and row of the file.
    others : tuple of str
        Names here of the keys of an aggregate that are neither channel, geo nor period.
    keys : mapping of str to str
        Key columns of the aggregates by their names here.
    """

    frame: pd.DataFrame
    others: tuple[str, ...]
    keys: dict[str, str]

    @property
    def cell(self) -> list[str]:
        """Columns that tell a channel in an aggregate, but for the period."""
        return [_CHANNEL, *([_GEO] if _GEO in self.frame else []), *self.others]


def _rows(tables: Tables, section: ExposureSpec, axis: DeliveryAxis) -> _Rows:
    """Name the columns of delivery by their roles: nobody's own names can then collide."""
    spec, table = tables.spec, tables.exposures
    frame = pd.DataFrame(
        {
            _CHANNEL: _channels(tables, section).to_numpy(),
            _ENTITY: table[spec.columns.entity].to_numpy(),
            _PERIOD: axis.of(table[section.period]),
            names.DELIVERY: table[spec.delivery_column].to_numpy(dtype=np.float64),
            _ROW: table.rows,
        }
    )
    keys = {_PERIOD: section.period}
    if section.channel in spec.columns.aggregate:
        keys[_CHANNEL] = section.channel
    if section.geo is not None:
        keys[_GEO] = section.geo
    rest = [column for column in spec.columns.aggregate if column not in keys.values()]
    keys |= {f"key{number}": column for number, column in enumerate(rest)}
    for name, column in keys.items():
        if name not in frame:
            frame[name] = table[column].to_numpy()
    return _Rows(frame, tuple(name for name in keys if name.startswith("key")), keys)


def _channels(tables: Tables, section: ExposureSpec) -> pd.Series:
    """Return the channel of each row of delivery."""
    if section.channel in tables.spec.columns.aggregate:
        return tables.exposures[section.channel]
    return tables.entities[section.channel].iloc[tables.entity_of_exposure]


def _exposures(rows: _Rows, section: ExposureSpec, axis: DeliveryAxis) -> pd.DataFrame:
    first = min(int(rows.frame[_PERIOD].min()), 0)
    columns = DeliveryColumns(
        entity=_ENTITY,
        channel=_CHANNEL,
        period=_PERIOD,
        delivery=names.DELIVERY,
        geo=_GEO if _GEO in rows.frame else None,
        others=rows.others,
    )
    return build_exposures(
        rows.frame[rows.frame[_PERIOD] <= axis.last],
        section.transforms,
        columns=columns,
        periods=range(axis.last + 1),
        semantics=section.semantics,
        history=range(first, 0),
    )


@dataclass(frozen=True, eq=False)
class _LaggedCurve:
    """Exposures of one learned transform, at its fixed values, with what they are made of."""

    cells: LaggedCells
    cell_keys: pd.DataFrame
    entities: npt.NDArray[np.object_]
    exposure: FloatArray
    first: int


def _lag_learned(
    rows: _Rows, section: ExposureSpec, learned: Learned, axis: DeliveryAxis
) -> list[_LaggedCurve]:
    values = np.array([parameter.value for parameter in learned.parameters])
    transforms, first = section.transforms, min(int(rows.frame[_PERIOD].min()), 0)
    n_periods = axis.last - first + 1
    found = []
    for transform in learned.transforms:
        frame = rows.frame[_marked(rows.frame, transform.keys, section)]
        frame = frame[(frame[names.DELIVERY] > 0) & (frame[_PERIOD] <= axis.last)]
        cell, keys = pd.factorize(pd.MultiIndex.from_frame(frame[rows.cell].astype(str)))
        entity, entities = pd.factorize(frame[_ENTITY])
        scale = _scales(frame, transform.keys, section, transforms)
        n_lags = min(len(transform.curve.transform.adstock.weights()), n_periods)
        cells = lag_delivery(
            CellDelivery(
                cell.astype(np.int64),
                entity.astype(np.int64),
                frame[_PERIOD].to_numpy() - first,
                frame[names.DELIVERY].to_numpy() / scale,
            ),
            n_lags=n_lags,
            n_history=-first,
            n_periods=n_periods,
        )
        log_exposure = transform.curve.log_exposures(cells.delivery, values, NUMPY, n_lags=n_lags)
        index = pd.MultiIndex.from_tuples(list(keys), names=rows.cell)
        found.append(
            _LaggedCurve(
                cells,
                index.to_frame(index=False),
                np.asarray(entities, dtype=object),
                np.exp(log_exposure),
                first,
            )
        )
    return found


def _marked(
    frame: pd.DataFrame, keys: Collection[TransformKey], section: ExposureSpec
) -> npt.NDArray[np.bool_]:
    """Mark the rows whose transform is under one of some keys, shape (n_rows,)."""
    return np.isin(_transform_codes(frame, section), [_code(key) for key in keys])


def _scales(
    frame: pd.DataFrame,
    keys: Collection[TransformKey],
    section: ExposureSpec,
    transforms: dict[TransformKey, ChannelTransform],
) -> FloatArray:
    scale = {_code(key): transforms[key].scale for key in keys}
    return np.array([scale[code] for code in _transform_codes(frame, section)], dtype=np.float64)


def _code(key: TransformKey) -> str:
    return key if isinstance(key, str) else "\0".join(key)


def _transform_codes(frame: pd.DataFrame, section: ExposureSpec) -> npt.NDArray[np.object_]:
    """Return which transform each row has, as one text, shape (n_rows,)."""
    channel = frame[_CHANNEL].astype(str).to_numpy(dtype=object)
    if _GEO not in frame:
        return channel
    in_geo = channel + "\0" + frame[_GEO].astype(str).to_numpy(dtype=object)
    own = {_code(key) for key in section.transforms if not isinstance(key, str)}
    return np.where(np.isin(in_geo, list(own)), in_geo, channel)


def _learned_cells(rows: _Rows, curve: _LaggedCurve) -> pd.DataFrame:
    frame = curve.cell_keys.iloc[curve.cells.cell].reset_index(drop=True)
    frame[_PERIOD] = curve.cells.period + curve.first
    frame[_ENTITY] = curve.entities[curve.cells.entity]
    frame[names.EXPOSURE] = curve.exposure
    return frame[[*rows.cell, _PERIOD, _ENTITY, names.EXPOSURE]]


def _aggregates_of(
    cells: pd.DataFrame, rows: _Rows, tables: Tables, axis: DeliveryAxis
) -> IntArray:
    """Return the position of the aggregate of each cell, shape (n_cells,); -1 where it has none."""
    aggregates = pd.DataFrame(
        {
            name: axis.of(tables.aggregates[column])
            if name == _PERIOD
            else tables.aggregates[column].astype(str)
            for name, column in rows.keys.items()
        }
    )
    columns = list(rows.keys)
    index = pd.MultiIndex.from_frame(aggregates[columns])
    return index.get_indexer(pd.MultiIndex.from_frame(cells[columns])).astype(np.int64)


def _table(tables: Tables, cells: pd.DataFrame, aggregate: IntArray) -> Table:
    """Return the table of exposures: the rows of delivery, then pairs that only carry over."""
    spec, table = tables.spec, tables.exposures
    columns = spec.columns
    keys, entity = list(columns.aggregate), columns.entity
    in_aggregates = aggregate >= 0
    made = tables.aggregates.frame.iloc[aggregate[in_aggregates]][keys].reset_index(drop=True)
    made[entity] = cells.loc[in_aggregates, _ENTITY].to_numpy()
    made[columns.exposure] = cells.loc[in_aggregates, names.EXPOSURE].to_numpy()
    given = table.frame[tables.aggregate_of_exposure >= 0].drop(columns=spec.delivery_column)
    at = match_keys(made[[*keys, entity]], given[[*keys, entity]], (*keys, entity))
    exposure = np.where(at >= 0, made[columns.exposure].to_numpy()[at], 0.0)
    given = given.assign(**{columns.exposure: exposure})
    beyond = made.drop(index=pd.Index(at[at >= 0]))
    if columns.amount in given:
        beyond = beyond.assign(**{columns.amount: 0.0})
    first = table.file.cells.num_rows
    beyond.index = pd.RangeIndex(first, first + len(beyond))
    layout = replace(table.layout, numbers=(columns.exposure,))
    return replace(
        table, frame=pd.concat([given, beyond[given.columns]]), layout=layout, numbers={}
    )


def _located(
    curve: _LaggedCurve, rows: _Rows, tables: Tables, axis: DeliveryAxis
) -> DeliveredCurve:
    """Say in which aggregates, by their rows in the file, the exposures of a curve are."""
    cells = _learned_cells(rows, curve)
    aggregate = _aggregates_of(cells, rows, tables, axis)
    row = np.where(aggregate >= 0, tables.aggregates.rows[aggregate], -1)
    return DeliveredCurve(row, cells[_ENTITY].to_numpy(dtype=object), curve.cells.delivery)


def located_delivery(
    curve: DeliveredCurve,
    aggregate: IntArray,
    entity: IntArray,
    rows: IntArray,
    entities: npt.NDArray[np.object_],
) -> LaggedDelivery:
    """Say which stored exposures a curve made.

    Parameters
    ----------
    curve : DeliveredCurve
        Exposures by row of the aggregate and name of the entity.
    aggregate, entity : ndarray of int, shape (n_edges,)
        Row and column of the stored exposures, in that order.
    rows : ndarray of int, shape (n_aggregates,)
        Row in the file of every aggregate that is left.
    entities : ndarray of str (object), shape (n_entities,)
        Names of the entities, in the order of their positions.

    Returns
    -------
    LaggedDelivery
        Of those that are stored; places that are in none of them are left out.
    """
    row = pd.Index(rows).get_indexer(pd.Index(curve.aggregate_row))
    column = pd.Index(entities).get_indexer(pd.Index(curve.entity))
    width = len(entities)
    stored = pd.Index(aggregate * width + entity)
    edge = stored.get_indexer(pd.Index(row * width + column))
    edge = np.where((row >= 0) & (column >= 0), edge, -1)
    kept = np.flatnonzero(edge >= 0)
    kept = kept[np.argsort(edge[kept])]
    given = curve.delivery
    used, place = np.unique(given.place[kept], return_inverse=True)
    return LaggedDelivery(
        edge[kept].astype(np.int64),
        given.lags[kept],
        place.astype(np.int64),
        given.place_lags[used],
    )
