"""Checks of touches and conversions: cells that name nobody, times that are none, odd values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.number_checks import number_findings
from bayes_attrib.inputs.numbers import CellStatus
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table
from bayes_attrib.journeys.build import BoolArray
from bayes_attrib.journeys.labels import LabelColumn
from bayes_attrib.journeys.times import ISO_TIMES, TimeColumn
from bayes_attrib.spec.journeys import JourneyColumns

_FILL: Final = "fill it in, or remove the row"


def check_columns(
    table: Table, labels: Mapping[str, LabelColumn], columns: JourneyColumns
) -> Iterator[Finding]:
    """Yield what is wrong with names and values of a table.

    Parameters
    ----------
    table : Table
        Touches or conversions.
    labels : mapping of str to LabelColumn
        Its columns of names.
    columns : JourneyColumns
        What each column is for.

    Yields
    ------
    Finding
        Errors about rows, and warnings about names that may be one.
    """
    for column, found in labels.items():
        yield from _blank(table, column, found)
        if column != columns.customer:
            yield from _case_twins(table, column, found)
    if columns.touchpoint in labels:
        yield from _reserved(table, columns.touchpoint, labels[columns.touchpoint])
        for group in columns.groups:
            yield from _two_groups(table, columns.touchpoint, group, labels)
    if columns.value in table.numbers:
        yield from _values(table, columns.value)


def check_times(table: Table, times: TimeColumn, column: str) -> Iterator[Finding]:
    """Yield cells that hold no time.

    Parameters
    ----------
    table : Table
        Touches or conversions.
    times : TimeColumn
        Its times.
    column : str
        Name of the column.

    Yields
    ------
    Finding
        Empty cells, and those in another form.
    """
    yield from row_findings(
        "missing-time",
        table,
        np.flatnonzero(times.missing),
        f"{quote(column)} is empty",
        "write the time, or remove the row",
        show=column,
    )
    yield from row_findings(
        "not-a-time",
        table,
        np.flatnonzero(times.faulty),
        f"{quote(column)} is no date or time of the calendar in ISO's form",
        f"write it as {ISO_TIMES}",
        show=column,
    )


def check_zones(
    first: tuple[Table, TimeColumn], second: tuple[Table, TimeColumn], column: str
) -> Iterator[Finding]:
    """Yield the fault that some times tell their time zone and others do not.

    Parameters
    ----------
    first, second : tuple of Table and TimeColumn
        Touches, and conversions.
    column : str
        Name of the column of times.

    Yields
    ------
    Finding
        One error that cites an example of each.
    """
    cited: dict[bool, str] = {}
    for table, times in (first, second):
        sound = ~times.missing & ~times.faulty
        for zoned in (True, False):
            rows = np.flatnonzero(sound & (times.zoned == zoned))
            if len(rows):
                cell = quote(table.file.cell(column, int(rows[0])))
                cited.setdefault(zoned, f"{cell} ({table.file.place(rows[:1])})")
    if len(cited) == 2:
        yield Finding(
            "mixed-time-zones",
            "error",
            f"{first[0].name} and {second[0].name}, column {quote(column)}",
            f"some times tell their time zone and others do not: {cited[True]} and {cited[False]}",
            "write all times with their time zone, or all in one zone without telling it",
        )


def _rows_of(found: LabelColumn, marked: BoolArray) -> IntArray:
    return np.flatnonzero(marked[found.codes])


def _blank(table: Table, column: str, found: LabelColumn) -> Iterator[Finding]:
    blank = np.asarray(found.names == "")
    if blank.any():
        rows = _rows_of(found, blank)
        yield from row_findings("missing-key", table, rows, f"{quote(column)} is blank", _FILL)


def _case_twins(table: Table, column: str, found: LabelColumn) -> Iterator[Finding]:
    spelt = pd.Series(found.names, dtype="str")
    folded = spelt.str.casefold()
    twins = spelt[folded.duplicated(keep=False)]
    if len(twins):
        groups = [part for _, part in twins.groupby(folded[twins.index], sort=False)]
        shown = [" and ".join(map(quote, part)) for part in groups[:MAX_EXAMPLES]]
        yield Finding(
            "letter-case-twins",
            "warning",
            f"{table.name}, column {quote(column)}",
            f"{counted(len(groups), 'name')} in more than one letter case, taken for different "
            f"ones: {listed(shown, len(groups), separator='; ')}",
            "write each name in one way, unless they are different things",
        )


def _reserved(table: Table, column: str, found: LabelColumn) -> Iterator[Finding]:
    taken = np.asarray(found.names == names.UNATTRIBUTED)
    if taken.any():
        yield from row_findings(
            "reserved-name",
            table,
            _rows_of(found, taken),
            f"{quote(column)} is named {quote(names.UNATTRIBUTED)}, which stands for conversions "
            "without a touch",
            "give the touchpoint another name, or remove the row if it is no touch",
        )


def _two_groups(
    table: Table, touchpoint: str, group: str, labels: Mapping[str, LabelColumn]
) -> Iterator[Finding]:
    points, groups = labels[touchpoint], labels[group]
    pairs = np.unique(points.codes.astype(np.int64) * len(groups.names) + groups.codes)
    point, of = np.divmod(pairs, len(groups.names))
    several = np.flatnonzero(np.bincount(point) > 1)
    if len(several):
        shown = [
            f"{quote(points.names[p])} in "
            f"{listed([quote(groups.names[g]) for g in of[point == p]])}"
            for p in several[:MAX_EXAMPLES]
        ]
        yield Finding(
            "several-groups",
            "error",
            f"{table.name}, column {quote(group)}",
            f"a touchpoint belongs to one group of each kind, and "
            f"{counted(len(several), 'touchpoint')} to several: "
            f"{listed(shown, len(several), separator='; ')}",
            f"correct the groups, or leave {quote(group)} out of columns.groups in the spec",
        )


def _values(table: Table, column: str) -> Iterator[Finding]:
    plain = replace(table, dotted=frozenset())
    remedy = (
        f"write what the conversion is worth, 0 if nothing, or remove the column {quote(column)}"
    )
    yield from number_findings(plain, column, table.rows, "missing-value", remedy)
    numbers = table.numbers[column]
    if column in table.dotted:
        rows = np.flatnonzero(numbers.status == CellStatus.NUMBER)[:MAX_EXAMPLES]
        shown = listed([quote(table.file.cell(column, int(row))) for row in rows])
        yield Finding(
            "ambiguous-dots",
            "error",
            f"{table.name}, column {quote(column)}",
            f"the dots may be decimal or stand between thousands, for every number fits both: "
            f"{shown}",
            "write plain numbers without thousands separators, with two decimals as in 1234.50",
        )
    yield from row_findings(
        "negative-value",
        table,
        np.flatnonzero(numbers.parsed < 0),
        f"{quote(column)} is negative, and credit for a loss has no meaning here",
        "subtract refunds from the order that they belong to, or leave both out",
        show=column,
    )
