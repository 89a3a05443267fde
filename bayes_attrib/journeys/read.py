"""The pass from the tables of touches and conversions to :class:`Events`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.citing import listed, nearest
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs.layout import Layout
from bayes_attrib.inputs.source import (
    CSV,
    EXTENSIONS,
    DataSource,
    SourceFile,
    folder_findings,
    locate,
)
from bayes_attrib.inputs.table import Table
from bayes_attrib.inputs.table_file import TableFile, read_table_file
from bayes_attrib.inputs.typed import type_table
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.journeys.event_checks import check_columns, check_times, check_zones
from bayes_attrib.journeys.events import CodeArray, Conversions, Events, Touches
from bayes_attrib.journeys.labels import LabelColumn, read_labels, unite
from bayes_attrib.journeys.times import TimeColumn, parse_times
from bayes_attrib.spec.journeys import JourneyColumns, JourneySpec

TOUCHES_TABLE: Final = "touches"
CONVERSIONS_TABLE: Final = "conversions"


@dataclass(frozen=True, eq=False)
class EventsRead:
    """What came of reading the two tables.

    Attributes
    ----------
    events : Events
        Touches and conversions.
    findings : tuple of Finding
        Warnings and notes; errors have been raised.
    sources : tuple of SourceFile
        The files, with their digests.
    """

    events: Events
    findings: tuple[Finding, ...]
    sources: tuple[SourceFile, ...]


@dataclass(frozen=True, eq=False)
class EventTable:
    """One table: its typed columns, and its times.

    Attributes
    ----------
    table : Table
        Keys, labels and numbers.
    times : TimeColumn
        Times of all rows.
    labels : mapping of str to LabelColumn
        Names as positions in lists.
    """

    table: Table
    times: TimeColumn
    labels: dict[str, LabelColumn]


def read_events(folder: Path, spec: JourneySpec) -> EventsRead:
    """Read the tables ``touches`` and ``conversions`` of a data folder.

    Parameters
    ----------
    folder : Path
        Holds both, as CSV or Parquet.
    spec : JourneySpec
        Names of the columns.

    Returns
    -------
    EventsRead
        Events with keys as text in Unicode's composed form, without white space around them.

    Raises
    ------
    DataError
        If anything in any of the tables is wrong; all faults are listed together.
    """
    findings = folder_findings(DataSource(folder))
    read: dict[str, EventTable] = {}
    if not findings:
        for stem, layout in _layouts(spec.columns).items():
            try:
                table, faults = _read(folder, stem, layout, spec.columns)
            except UnavailableError as error:
                findings += error.findings
            else:
                findings += faults
                if table is not None:
                    read[stem] = table
    if len(read) == 2:
        first, second = ((found.table, found.times) for found in read.values())
        findings += check_zones(first, second, spec.columns.time)
    _raise(findings)
    touches, conversions = read[TOUCHES_TABLE], read[CONVERSIONS_TABLE]
    sources = (touches.table.file.source, conversions.table.file.source)
    return EventsRead(_events(touches, conversions, spec.columns), tuple(findings), sources)


def _layouts(columns: JourneyColumns) -> dict[str, Layout]:
    keys = {columns.customer: "columns.customer"}
    geo = {} if columns.geo is None else {columns.geo: "columns.geo"}
    groups = dict.fromkeys(columns.groups, "columns.groups")
    labels = {columns.touchpoint: "columns.touchpoint", **groups, **geo}
    value = (columns.value,)
    return {
        TOUCHES_TABLE: Layout(keys=tuple(keys), labels=tuple(labels), spec_keys={**keys, **labels}),
        CONVERSIONS_TABLE: Layout(
            keys=tuple(keys),
            labels=tuple(geo),
            numbers=value if columns.value_required else (),
            optional_numbers=() if columns.value_required else value,
            spec_keys={**keys, **geo, columns.value: "columns.value"},
        ),
    }


def _read(
    folder: Path, stem: str, layout: Layout, columns: JourneyColumns
) -> tuple[EventTable | None, list[Finding]]:
    path = locate(DataSource(folder), stem)
    if path is None:
        raise UnavailableError(_missing_table(folder, stem, (*layout.required, columns.time)))
    file = read_table_file(path, stem)
    findings = list(file.findings)
    times, faults = _times(file, columns.time)
    table, typing_faults = type_table(file, layout)
    findings += [*faults, *typing_faults]
    if times is None or any(f.severity == "error" for f in findings):
        return None, findings
    labels = {column: read_labels(table[column]) for column in layout.text}
    found = EventTable(table, times, labels)
    findings += check_times(table, times, columns.time)
    findings += check_columns(table, labels, columns)
    return found, findings


def _times(file: TableFile, column: str) -> tuple[TimeColumn | None, list[Finding]]:
    if file.columns.count(column) != 1:
        layout = Layout(keys=(column,), spec_keys={column: "columns.time"})
        return None, type_table(file, layout)[1]
    try:
        return parse_times(file.cells.column(column)), []
    except TypeError as error:
        message = f"{column!r} is stored as {error}, which is no time"
        remedy = "store it as text in ISO's form, or as timestamps"
        return None, [Finding("time-type", "error", file.name, message, remedy)]


def _missing_table(folder: Path, stem: str, columns: Iterable[str]) -> Finding:
    held = sorted(p.name for p in folder.iterdir() if p.name.lower().endswith(EXTENSIONS))
    message = (
        f"there is no {stem}{CSV} (nor {listed(EXTENSIONS[1:])}); the data folder holds "
        f"{listed(held) if held else 'no tables'}"
    )
    meant = nearest(stem, held)
    hint = f"rename {meant} if it is meant, or " if meant else ""
    remedy = f"{hint}add the table with its columns {listed(list(columns))}"
    return Finding("missing-table", "error", stem, message, remedy)


def _raise(findings: list[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        count = "one fault" if len(errors) == 1 else f"{len(errors)} faults"
        raise DataError(f"the journeys have {count}:", errors)


def _events(touches: EventTable, conversions: EventTable, columns: JourneyColumns) -> Events:
    customer, converted, customers = unite(
        touches.labels[columns.customer], conversions.labels[columns.customer]
    )
    geo = converted_geo = None
    geos: tuple[str, ...] = ()
    if columns.geo is not None:
        geo, converted_geo, found = unite(
            touches.labels[columns.geo], conversions.labels[columns.geo]
        )
        geo, converted_geo, geos = _in_order(found, geo, converted_geo)
    points = touches.labels[columns.touchpoint]
    touchpoint, names = _one_in_order(points)
    table = conversions.table
    value = table[columns.value].to_numpy() if columns.value in table.frame else None
    return Events(
        touchpoints=names,
        n_customers=len(customers),
        touches=Touches(customer, touches.times.ticks, touchpoint, geo),
        conversions=Conversions(converted, conversions.times.ticks, value, converted_geo),
        geos=geos,
        groups={
            column: _groups(touchpoint, len(names), touches.labels[column])
            for column in columns.groups
        },
    )


def _in_order(
    names: pd.Index, first: CodeArray, second: CodeArray
) -> tuple[CodeArray, CodeArray, tuple[str, ...]]:
    order = np.argsort(names.to_numpy(dtype=object), kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[first], rank[second], tuple(map(str, names[order]))


def _one_in_order(column: LabelColumn) -> tuple[CodeArray, tuple[str, ...]]:
    codes, _, names = _in_order(column.names, column.codes, column.codes[:0])
    return codes, names


def _groups(touchpoint: CodeArray, n_points: int, column: LabelColumn) -> tuple[str, ...]:
    code = np.zeros(n_points, dtype=np.int64)
    code[touchpoint] = column.codes
    return tuple(map(str, column.names[code]))
