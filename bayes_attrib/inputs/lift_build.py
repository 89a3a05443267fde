"""From checked tables to lift tests, and what a reader should know about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import AggregateData
from bayes_attrib.inputs.keys import compose, match_keys, strip
from bayes_attrib.inputs.lift_layout import subject_columns
from bayes_attrib.inputs.lift_test import IntArray, LiftTest
from bayes_attrib.inputs.lift_windows import Windows
from bayes_attrib.inputs.table import Table, Tables

_FAR = 3.0
"""An increment that exceeds all totals of its window by so many standard errors is warned about."""

Mask = npt.NDArray[np.bool_]


def with_lift_tests(data: AggregateData, tables: Tables) -> tuple[AggregateData, list[Finding]]:
    """Give data the lift tests of their tables, where there are any.

    Parameters
    ----------
    data : AggregateData
        Built from the same tables.
    tables : Tables
        Tables that hold no error.

    Returns
    -------
    data : AggregateData
        With its lift tests.
    findings : list of Finding
        Errors about tests that cover no exposure; warnings and notes about the others.
    """
    if names.LIFT_TESTS_TABLE not in tables.by_stem:
        return data, []
    table = tables.lift_tests
    windows, findings, tests = Windows(tables), [], []
    for name, rows in table.frame.groupby(names.LIFT_TEST_NAME, sort=False):
        edges = _edges(data, tables, windows, rows.index.to_numpy())
        if len(edges):
            tests.append(_test(str(name), edges, tables, windows, rows))
        else:
            findings.append(_covers_nothing(str(name), table, windows, rows))
    for test in tests:
        findings.extend(_noted(test, data, table))
    return replace(data, lift_tests=tuple(tests)), findings


def _edges(data: AggregateData, tables: Tables, windows: Windows, rows: IntArray) -> IntArray:
    """Positions of the exposures that the rows of a test cover; each counts once."""
    covered = np.zeros(data.n_edges, dtype=bool)
    for row in rows.tolist():
        aggregates = windows.covered(tables.aggregates, row)
        entities = np.ones(data.n_entities, dtype=bool)
        entities[data.n_attributable :] = False
        for column, label in _filled(tables, row):
            if column in tables.spec.columns.aggregate:
                aggregates &= _equal(data.aggregate_keys[column], label)
            else:
                entities[: data.n_attributable] &= _equal(_labels(data, tables, column), label)
        covered |= aggregates[data.edge_aggregate] & entities[data.edge_entity]
    return np.flatnonzero(covered).astype(np.int64)


def _filled(tables: Tables, row: int) -> Iterator[tuple[str, str]]:
    """Yield the columns that a row fills in to say what was switched off."""
    table = tables.lift_tests
    for column in subject_columns(tables.spec):
        if column in table.frame and table.text_at(column, row).strip():
            yield column, table.text_at(column, row)


def _labels(data: AggregateData, tables: Tables, column: str) -> pd.Series:
    """Label of every attributable entity in a column of its own."""
    entities = pd.Series(data.entity_names[: data.n_attributable], dtype="str")
    key = tables.spec.columns.entity
    if column == key:
        return entities
    rows = match_keys(tables.entities.frame, pd.DataFrame({key: entities}), (key,))
    return tables.entities[column].iloc[rows]


def _equal(texts: pd.Series, label: str) -> Mask:
    wanted = compose(strip(pd.Series([label], dtype="str"))).iloc[0]
    return np.asarray(compose(strip(texts)) == wanted)


def _test(
    name: str, edges: IntArray, tables: Tables, windows: Windows, rows: pd.DataFrame
) -> LiftTest:
    first = rows.index[0]
    ratio = names.INCREMENT_RATIO
    return LiftTest(
        name=name,
        subject="; ".join(_subject(tables, row) for row in rows.index),
        first=str(windows.end(names.FIRST_PERIOD)[first]) if windows.key else "",
        last=str(windows.end(names.LAST_PERIOD)[first]) if windows.key else "",
        increment=float(rows[names.INCREMENT].iloc[0]),
        standard_error=float(rows[names.STANDARD_ERROR].iloc[0]),
        ratio=float(rows[ratio].iloc[0]) if ratio in rows else 1.0,
        edges=edges,
    )


def _subject(tables: Tables, row: int) -> str:
    parts = [f"{column} {label}" for column, label in _filled(tables, row)]
    return ", ".join(parts) or "everything"


def _covers_nothing(name: str, table: Table, windows: Windows, rows: pd.DataFrame) -> Finding:
    first, last = (
        windows.end(end)[rows.index[0]] for end in (names.FIRST_PERIOD, names.LAST_PERIOD)
    )
    window = f" between {quote(first)} and {quote(last)}" if windows.key else ""
    return Finding(
        "lift-test-without-exposure",
        "error",
        table.file.place(rows.index.to_numpy()),
        f"nothing of what the test {quote(name)} switched off has exposure{window}",
        "correct the window or what was switched off, or remove the test: where there was no "
        "exposure, nothing can be split",
    )


def _noted(test: LiftTest, data: AggregateData, table: Table) -> Iterator[Finding]:
    """Yield what is unusual about a test, and may yet be right."""
    rows = table.frame.index[table[names.LIFT_TEST_NAME] == test.name].to_numpy()
    where = table.file.place(rows)
    if test.increment < 0:
        yield Finding(
            "negative-increment",
            "note",
            where,
            f"the test {quote(test.name)} measured {test.increment:g}; it counts as a measurement, "
            "and amounts stay positive",
        )
    aggregates = np.unique(data.edge_aggregate[test.edges])
    total = test.ratio * float(data.totals[aggregates].sum())
    if test.increment - _FAR * test.standard_error > total:
        times = "" if test.ratio == 1.0 else f" times the ratio {test.ratio:g}"
        yield Finding(
            "increment-above-totals",
            "warning",
            where,
            f"the test {quote(test.name)} measured {test.increment:g} with a standard error of "
            f"{test.standard_error:g}, and all totals of its window{times} are {total:g}",
            "check its unit, window and geos: no split of the totals can give so much",
        )
    if len(test.edges) == int(np.diff(data.exposure.indptr)[aggregates].sum()):
        yield Finding(
            "lift-test-of-whole-totals",
            "warning",
            where,
            f"the test {quote(test.name)} covers every exposure of its {len(aggregates)} "
            "aggregates: it is compared with their totals, and says nothing about the split",
            "name what was switched off among the entities, if it was less than all of them",
        )
