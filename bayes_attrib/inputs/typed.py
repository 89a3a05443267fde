"""From a file's cells to a typed table: columns by the spec's names, keys as text, numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import pandas as pd

from bayes_attrib.citing import counted, listed, nearest, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.keys import as_text
from bayes_attrib.inputs.layout import Layout
from bayes_attrib.inputs.numbers import NumberColumn, holds_names, parse_numbers
from bayes_attrib.inputs.table import Table
from bayes_attrib.inputs.table_file import TableFile


def type_table(file: TableFile, layout: Layout) -> tuple[Table, list[Finding]]:
    """Pick the columns of a layout and give them their types.

    Parameters
    ----------
    file : TableFile
        The file's own cells.
    layout : Layout
        Names and kinds of the columns that the spec asks for.

    Returns
    -------
    table : Table
        Every column that could be read.
    findings : list of Finding
        Columns that are missing, occur twice, or are stored as a type that does not fit.
    """
    wanted = dict.fromkeys((*layout.required, *layout.optional_numbers))
    usable = {c for c in wanted if file.columns.count(c) == 1}
    findings = [*_missing(file, layout), *_twice(file, wanted)]
    layout = _with_kinds(file, layout, usable)
    text, text_faults = _text_columns(file, [c for c in layout.text if c in usable])
    listed_numbers = dict.fromkeys((*layout.measured, *layout.number_covariates))
    numbers, number_faults = _number_columns(file, [c for c in listed_numbers if c in usable])
    values = {name: numbers[name].parsed for name in layout.measured if name in numbers}
    frame = pd.DataFrame({**text, **values}, index=pd.RangeIndex(file.cells.num_rows))
    dotted = frozenset(name for name, column in numbers.items() if column.looks_dotted)
    table = Table(file, layout, frame, numbers, dotted)
    return table, [*findings, *text_faults, *number_faults]


def _with_kinds(file: TableFile, layout: Layout, usable: Collection[str]) -> Layout:
    """Settle which of the covariates hold names, where no formula says what they hold."""
    settled = {*layout.categories, *layout.computed, *layout.measured}
    undecided = [c for c in layout.covariates if c in usable and c not in settled]
    named = tuple(column for column in undecided if _holds_names(file, column))
    return replace(layout, categories=(*layout.categories, *named))


def _holds_names(file: TableFile, column: str) -> bool:
    cells = file.cells.column(column)
    try:
        return holds_names(cells, parse_numbers(cells))
    except TypeError:  # stored as truth values or dates
        return True


def _missing(file: TableFile, layout: Layout) -> list[Finding]:
    missing = [column for column in layout.required if column not in file.columns]
    unclaimed = [column for column in file.columns if column not in layout.required]
    return [
        _missing_column(file, column, layout.spec_keys[column], nearest(column, unclaimed))
        for column in missing
    ]


def _missing_column(file: TableFile, column: str, spec_key: str, near: str | None) -> Finding:
    has = listed([quote(name) for name in file.columns])
    message = f"there is no column {quote(column)} ({spec_key} in the spec); the columns are {has}"
    remedy = (
        f"did you mean {quote(near)}? then write that name in the spec, or rename the column"
        if near
        else "add the column to the file, or correct its name in the spec"
    )
    return Finding("missing-column", "error", file.name, message, remedy)


def _twice(file: TableFile, wanted: Iterable[str]) -> list[Finding]:
    return [
        Finding(
            "duplicate-column",
            "error",
            file.name,
            f"{counted(file.columns.count(column), 'column')} are named {quote(column)}",
            "rename all but the one that is meant",
        )
        for column in wanted
        if file.columns.count(column) > 1
    ]


def _text_columns(
    file: TableFile, columns: Iterable[str]
) -> tuple[dict[str, pd.Series], list[Finding]]:
    found: dict[str, pd.Series] = {}
    findings = []
    for column in columns:
        try:
            found[column] = as_text(file.cells.column(column))
        except TypeError as error:
            message = f"{quote(column)} holds names, and names cannot be stored as {error}"
            remedy = "store it as text, so that every name has one spelling"
            findings.append(Finding("key-type", "error", file.name, message, remedy))
    return found, findings


def _number_columns(
    file: TableFile, columns: Iterable[str]
) -> tuple[dict[str, NumberColumn], list[Finding]]:
    found: dict[str, NumberColumn] = {}
    findings = []
    for column in columns:
        try:
            found[column] = parse_numbers(file.cells.column(column))
        except TypeError as error:
            message = f"{quote(column)} is stored as {error}, which is no number"
            remedy = "store it as whole numbers or floating point"
            findings.append(Finding("number-type", "error", file.name, message, remedy))
    return found, findings
