"""Checks of the table of lift tests: names, windows, numbers, rows that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayes_attrib import names
from bayes_attrib.citing import listed, nearest, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.keys import compose, is_blank, strip
from bayes_attrib.inputs.lift_layout import subject_columns
from bayes_attrib.inputs.lift_windows import Windows
from bayes_attrib.inputs.row_findings import keys_of, row_findings
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.timeline import ISO_FORMS

_NUMBERS = (names.INCREMENT, names.STANDARD_ERROR, names.INCREMENT_RATIO)


def check_lift_names(tables: Tables) -> Iterator[Finding]:
    """Yield entities, groups and keys that the other tables do not know."""
    table = tables.lift_tests
    for column in subject_columns(tables.spec):
        if column not in table.frame:
            continue
        parent = _parent(tables, column)
        known = set(compose(strip(parent.whole()[column])))
        given = compose(strip(table[column]))
        rows = table.select((given != "") & ~given.isin(known))
        yield from row_findings(
            "unknown-lift-test-name",
            table,
            rows,
            f"{quote(column)} is not in {parent.name}",
            f"correct the name, or leave the cell blank where the test has no limit in "
            f"{quote(column)}{_hint(table, column, rows, known)}",
            show=column,
        )


def _parent(tables: Tables, column: str) -> Table:
    """Return the table whose values a column may hold."""
    if column == tables.spec.columns.entity:
        return tables.exposures
    return tables.aggregates if column in tables.spec.columns.aggregate else tables.entities


def _hint(table: Table, column: str, rows: IntArray, known: set[str]) -> str:
    near = nearest(table.text_at(column, int(rows[0])), sorted(known)) if len(rows) else None
    return "" if near is None else f"; is {quote(near)} meant?"


def check_lift_subjects(tables: Tables) -> Iterator[Finding]:
    """Yield labels of a tree that stand under more than one parent, which is not named."""
    table, columns = tables.lift_tests, tables.spec.rates.nested
    if not columns or not set(columns) & set(table.frame.columns):
        return
    labels = tables.entities.whole().frame[list(columns)]
    found: dict[int, tuple[str, list[str]]] = {}
    for row in table.rows.tolist():
        filled = [c for c in columns if c in table.frame and table.text_at(c, row).strip()]
        deepest = columns.index(filled[-1]) if filled else 0
        if deepest == 0:  # the top of a tree has no parents
            continue
        chosen = labels
        for column in filled:
            chosen = chosen[chosen[column] == table.text_at(column, row)]
        above = chosen[list(columns[:deepest])].drop_duplicates()
        if len(above) > 1:
            found[row] = filled[-1], [" / ".join(path) for path in above.to_numpy()]
    for row, (column, paths) in found.items():
        yield Finding(
            "ambiguous-lift-test",
            "error",
            table.file.place(np.array([row])),
            f"{quote(column)} {quote(table.text_at(column, row))} stands under "
            f"{listed([quote(path) for path in paths])}",
            f"fill in {listed([quote(c) for c in columns[: columns.index(column)]])}, or write one "
            "row of the test for each of them",
        )


def check_lift_windows(tables: Tables) -> Iterator[Finding]:
    """Yield windows that are missing, unknown, or end before they begin."""
    table, windows = tables.lift_tests, Windows(tables)
    ends = (names.FIRST_PERIOD, names.LAST_PERIOD)
    key = windows.key
    if key is None:
        filled = [end for end in ends if not is_blank(windows.end(end)).all()]
        if filled:
            yield _no_time(table, filled)
        return
    if windows.timeline.unplaced:
        yield _unordered(tables, key, windows)
        return
    yield from _windows(table, windows, key)


def _windows(table: Table, windows: Windows, key: str) -> Iterator[Finding]:
    ends = (names.FIRST_PERIOD, names.LAST_PERIOD)
    labels = windows.timeline.labels
    span = f"periods are those of {quote(key)}, {quote(labels[0])} to {quote(labels[-1])}"
    for end in ends:
        blank = is_blank(windows.end(end))
        if end not in table.file.columns:
            yield Finding(
                "missing-column",
                "error",
                table.name,
                f"there is no column {quote(end)}, and without a window it is not known which "
                f"totals a test is about",
                f"add the column; {span}",
            )
            continue
        yield from row_findings(
            "missing-lift-test-window",
            table,
            table.select(blank),
            f"{quote(end)} is blank",
            f"fill it in; {span}",
        )
        yield from row_findings(
            "unknown-lift-test-period",
            table,
            table.select(~blank & (windows.positions[end] < 0)),
            f"{quote(end)} is none of the periods of the aggregates",
            f"write a period as the aggregates spell it; {span}",
            show=end,
        )
    first, last = (windows.positions[end] for end in ends)
    yield from row_findings(
        "reversed-lift-test-window",
        table,
        table.select((first >= 0) & (last >= 0) & (last < first)),
        "the window ends before it begins",
        f"swap {quote(ends[0])} and {quote(ends[1])}, if that is what happened",
        show=lambda row: (
            f"{quote(windows.end(ends[0])[row])} to {quote(windows.end(ends[1])[row])} "
            f"({keys_of(table, row)})"
        ),
    )


def _no_time(table: Table, filled: list[str]) -> Finding:
    return Finding(
        "lift-test-without-time",
        "error",
        table.name,
        f"{listed([quote(end) for end in filled])} cannot be placed: no key column of the "
        "aggregates tells the time",
        'name the column that does, as [lift_tests] period = "..." in the spec; or leave both '
        "columns out, for tests over all of the data",
    )


def _unordered(tables: Tables, key: str, windows: Windows) -> Finding:
    return Finding(
        "unordered-period",
        "error",
        f"{tables.aggregates.name}, column {quote(key)}",
        "the periods cannot be put in the order of time, which windows of lift tests need: "
        f"{listed([quote(label) for label in windows.timeline.unplaced])}",
        "write every period once, all as numbers or all in one form of ISO's: " + ISO_FORMS,
    )


def check_lift_numbers(tables: Tables) -> Iterator[Finding]:
    """Yield standard errors and ratios that are not positive."""
    table = tables.lift_tests
    for column, remedy in (
        (
            names.STANDARD_ERROR,
            (
                "write the standard error of the increment; where only an interval of 95% is "
                "known, it is the width over 3.92"
            ),
        ),
        (
            names.INCREMENT_RATIO,
            (
                "write the increment per unit of attributed amount, 1 where they are the same, or "
                "remove the column"
            ),
        ),
    ):
        if column in table.frame:
            yield from row_findings(
                "lift-test-not-positive",
                table,
                table.select(table[column] <= 0),
                f"{quote(column)} is not positive",
                remedy,
                show=column,
            )


def check_lift_repeats(tables: Tables) -> Iterator[Finding]:
    """Yield tests whose rows do not agree about what was measured."""
    table = tables.lift_tests
    columns = [c for c in (*_NUMBERS, names.FIRST_PERIOD, names.LAST_PERIOD) if c in table.frame]
    if not {names.LIFT_TEST_NAME, *_NUMBERS[:2]} <= set(table.frame.columns):
        raise UnavailableError
    named = table.frame[~is_blank(table[names.LIFT_TEST_NAME])]
    differs: list[int] = []
    for _, rows in named.groupby(names.LIFT_TEST_NAME, sort=False):
        if len(rows[columns].drop_duplicates()) > 1:
            differs.extend(rows.index.tolist())
    yield from row_findings(
        "duplicate-lift-test",
        table,
        np.array(differs, dtype=np.int64),
        "rows of one test differ in window, increment, standard error or ratio",
        "give every test a name of its own; rows of one name are parts of one test, such as its "
        "geos, and repeat what was measured over all of them",
        show=lambda row: f"{keys_of(table, row)}, increment {_cell(table, row)}",
    )
    subject = [c for c in subject_columns(tables.spec) if c in table.frame]
    copied = named.duplicated([names.LIFT_TEST_NAME, *subject], keep="first")
    copied &= ~named.index.isin(differs)
    yield from row_findings(
        "repeated-lift-test-row",
        table,
        named.index[copied].to_numpy(),
        "the row repeats what an earlier row of its test says",
        "remove it, or correct what should differ",
    )


def _cell(table: Table, row: int) -> str:
    return quote(table.file.cell(names.INCREMENT, row))
