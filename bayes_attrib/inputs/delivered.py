"""From a table of delivery to one of exposures, by the transforms of the spec."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import counted, quote
from bayes_attrib.errors import Finding
from bayes_attrib.exposure import DeliveryColumns, build_exposures
from bayes_attrib.exposure.channel_transform import ChannelTransform
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.delivered_curves import LaggedCurve, lag_learned, learned_cells
from bayes_attrib.inputs.delivery_axis import DeliveryAxis, read_delivery_axis
from bayes_attrib.inputs.delivery_checks import (
    delivery_findings,
    following_findings,
    is_sound,
    outside_findings,
    unmatched_findings,
)
from bayes_attrib.inputs.delivery_rows import (
    CHANNEL,
    ENTITY,
    GEO,
    PERIOD,
    DeliveryRows,
    delivery_rows,
    marked,
)
from bayes_attrib.inputs.keys import match_keys
from bayes_attrib.inputs.mend import mend_tables
from bayes_attrib.inputs.repair import Repair, RepairRecord
from bayes_attrib.inputs.table import DeliveredCurve, Table, Tables
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.spec import ExposureSpec

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
    delivered, findings = _deliver(replace(tables, spec=open_spec), carrying)
    if not findings or all(finding.severity != "error" for finding in findings):
        findings = [*findings, *_history_findings(tables, section)]
    return replace(delivered, spec=spec), findings


def _history_findings(tables: Tables, section: ExposureSpec) -> Iterator[Finding]:
    """Yield an error where delivery begins too late for what is still carried over."""
    axis, _ = read_delivery_axis(tables, section.period)
    if axis is None:
        return
    first = int(axis.of(tables.exposures[section.period]).min())
    needed = max(_lags_that_matter(t) for t in section.transforms.values()) - 1
    if first > -needed:
        label = tables.exposures[section.period].iloc[
            int(np.argmin(axis.of(tables.exposures[section.period])))
        ]
        yield Finding(
            "missing-history",
            "error",
            f"{tables.exposures.name}, column {quote(section.period)}",
            f"delivery begins in {quote(label)}, and up to {counted(needed, 'period')} before the "
            "first new aggregate still work in it",
            "add the delivery of these periods; where nothing was delivered, write a row of 0 in "
            "the first of them",
        )


def _lags_that_matter(transform: ChannelTransform) -> int:
    """Return the number of lags that have 99% of the weight."""
    weights = transform.adstock.weights()
    return int(np.searchsorted(np.cumsum(weights), 0.99 * weights.sum())) + 1


def _deliver(tables: Tables, section: ExposureSpec) -> tuple[Tables, list[Finding]]:
    findings = list(delivery_findings(tables))
    if findings or not is_sound(tables):
        return tables, findings
    axis, findings = read_delivery_axis(tables, section.period)
    if axis is None:
        return tables, findings
    rows = delivery_rows(tables, section, axis)
    cells = _exposures(rows, section, axis)
    learned = section.learned
    curves = lag_learned(rows, section, learned, axis)
    if curves:
        known = ~marked(cells, [key for t in learned.transforms for key in t.keys], section)
        made = [learned_cells(rows, curve) for curve in curves]
        cells = pd.concat([cells[known], *made], ignore_index=True)
    aggregate = _aggregates_of(cells, rows, tables, axis)
    found = [*outside_findings(tables), *unmatched_findings(tables, cells, aggregate)]
    table = _table(tables, cells, aggregate)
    delivered = tuple(_located(curve, rows, tables, axis) for curve in curves)
    return replace(tables.replacing(table), delivered=delivered), found


def _exposures(rows: DeliveryRows, section: ExposureSpec, axis: DeliveryAxis) -> pd.DataFrame:
    first = min(int(rows.frame[PERIOD].min()), 0)
    columns = DeliveryColumns(
        entity=ENTITY,
        channel=CHANNEL,
        period=PERIOD,
        delivery=names.DELIVERY,
        geo=GEO if GEO in rows.frame else None,
        others=rows.others,
    )
    return build_exposures(
        rows.frame[rows.frame[PERIOD] <= axis.last],
        section.transforms,
        columns=columns,
        periods=range(axis.last + 1),
        semantics=section.semantics,
        history=range(first, 0),
    )


def _aggregates_of(
    cells: pd.DataFrame, rows: DeliveryRows, tables: Tables, axis: DeliveryAxis
) -> IntArray:
    """Return the position of the aggregate of each cell, shape (n_cells,); -1 where it has none."""
    aggregates = pd.DataFrame(
        {
            name: axis.of(tables.aggregates[column])
            if name == PERIOD
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
    made[entity] = cells.loc[in_aggregates, ENTITY].to_numpy()
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
    curve: LaggedCurve, rows: DeliveryRows, tables: Tables, axis: DeliveryAxis
) -> DeliveredCurve:
    """Say in which aggregates, by their rows in the file, the exposures of a curve are."""
    cells = learned_cells(rows, curve)
    aggregate = _aggregates_of(cells, rows, tables, axis)
    row = np.where(aggregate >= 0, tables.aggregates.rows[aggregate], -1)
    return DeliveredCurve(row, cells[ENTITY].to_numpy(dtype=object), curve.cells.delivery)
