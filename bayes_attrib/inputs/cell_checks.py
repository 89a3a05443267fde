"""Checks of single cells: blank keys and labels, numbers that are none, wrong signs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bayes_attrib import names
from bayes_attrib.errors import Finding
from bayes_attrib.inputs import faults
from bayes_attrib.inputs.citing import listed, quote
from bayes_attrib.inputs.keys import is_blank
from bayes_attrib.inputs.numbers import CellStatus
from bayes_attrib.inputs.repair import Repair, flag
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table, Tables

_PLAIN_NUMBERS: Final = (
    "write plain numbers such as 1234.5: a dot for decimals, nothing between thousands, no units"
)


def check_blank_keys(tables: Tables) -> Iterator[Finding]:
    """Yield the rows that name no aggregate or no entity."""
    for table in tables.by_stem.values():
        for column in table.layout.keys:
            if column in table.frame:
                yield from row_findings(
                    "missing-key",
                    table,
                    table.select(is_blank(table[column])),
                    f"{quote(column)} is blank",
                    "fill in the key, or remove the row",
                )


def check_blank_labels(tables: Tables) -> Iterator[Finding]:
    """Yield the entities with exposure whose group is not named."""
    exposed = faults.exposed_entities(tables)
    table = tables.entities
    for column in table.layout.labels:
        if column in table.frame:
            rows = exposed.index.to_numpy()[is_blank(exposed[column]).to_numpy()]
            yield from row_findings(
                "missing-label",
                table,
                rows,
                f"the group {quote(column)} is blank",
                "fill it in; where it is not known, write a group of its own such as 'unknown'",
            )


def check_number_cells(tables: Tables) -> Iterator[Finding]:
    """Yield the cells of number columns that hold no number."""
    for table in tables.by_stem.values():
        for column in table.numbers:
            yield from _number_cells(tables, table, column)


def _number_cells(tables: Tables, table: Table, column: str) -> Iterator[Finding]:
    role = _role(tables, column)
    yield from row_findings(
        f"missing-{role}",
        table,
        table.cells_with(column, CellStatus.MISSING),
        f"{quote(column)} is empty",
        _remedy_for_missing(role),
        show=column,
    )
    yield from row_findings(
        "not-finite",
        table,
        table.cells_with(column, CellStatus.NOT_FINITE),
        f"{quote(column)} is not a finite number",
        "find out why it could not be computed, and write the number",
        show=column,
    )
    yield from row_findings(
        "not-a-number",
        table,
        table.cells_with(column, CellStatus.NOT_A_NUMBER),
        f"{quote(column)} is not a plain number",
        _PLAIN_NUMBERS,
        show=column,
    )
    if column in table.dotted:
        yield _dotted(table, column)


def _role(tables: Tables, column: str) -> str:
    columns = tables.spec.columns
    return {columns.total: names.TOTAL, columns.exposure: names.EXPOSURE}.get(column, names.AMOUNT)


def _remedy_for_missing(role: str) -> str:
    return {
        names.TOTAL: "write the total; where there was nothing, write 0",
        names.EXPOSURE: "write the exposure, 0 where there was none, or leave the rows out with "
        f"{flag(Repair.DROP_MISSING_EXPOSURES)}",
        names.AMOUNT: "known amounts are for scoring only: fill them all in, or remove the column",
    }[role]


def _dotted(table: Table, column: str) -> Finding:
    rows = table.cells_with(column, CellStatus.NUMBER)
    shown = [row for row in rows[:1000] if "." in table.file.cell(column, row)]
    return Finding(
        "ambiguous-dots",
        "error",
        f"{table.name}, column {quote(column)}",
        "the dots may be decimal or stand between thousands, for every number fits both: "
        f"{listed([quote(table.file.cell(column, row)) for row in shown])}",
        "write plain numbers without thousands separators; if the dots are decimal, say so with "
        f"{flag(Repair.ACCEPT_DOT_DECIMALS)}",
    )


def check_negative_exposures(tables: Tables) -> Iterator[Finding]:
    """Yield exposures below zero."""
    table, column = tables.exposures, tables.spec.columns.exposure
    yield from row_findings(
        "negative-exposure",
        table,
        table.select(table[column] < 0),
        f"{quote(column)} is negative",
        "an exposure is zero or more: correct the sign, or net corrections into their rows",
        show=column,
    )


def check_negative_amounts(tables: Tables) -> Iterator[Finding]:
    """Yield known amounts below zero."""
    table, column = tables.exposures, tables.spec.columns.amount
    yield from row_findings(
        "negative-amount",
        table,
        table.select(table[column] < 0),
        f"the known amount {quote(column)} is negative",
        "known amounts are for scoring only: correct them, or remove the column",
        show=column,
    )


def check_negative_totals(tables: Tables) -> Iterator[Finding]:
    """Yield totals that positive rates cannot add up to."""
    column = tables.spec.columns.total
    yield from row_findings(
        "negative-total",
        tables.aggregates,
        faults.negative_totals(tables),
        f"{quote(column)} is negative, which positive rates cannot add up to",
        "correct the totals (net returns into the period of their sale), or leave them out of the "
        f"attribution with {flag(Repair.DROP_NEGATIVE_TOTALS)}",
        show=column,
    )


def check_counts(tables: Tables) -> Iterator[Finding]:
    """Yield totals that are no exact counts, under a family of counts."""
    column, family = tables.spec.columns.total, tables.spec.likelihood.family
    yield from row_findings(
        "fractional-count",
        tables.aggregates,
        faults.fractional_counts(tables),
        f"{quote(column)} is not a whole number, and the family {quote(family)} is for counts",
        "correct the totals, choose the family 'gamma' if they are money, or round them with "
        f"{flag(Repair.ROUND_FRACTIONAL_COUNTS)}",
        show=column,
    )
    yield from row_findings(
        "count-too-large",
        tables.aggregates,
        faults.inexact_counts(tables),
        f"{quote(column)} reaches 2**53, where counts are no longer exact",
        "count in a larger unit, such as packs of a thousand, or choose the family 'gamma'",
        show=column,
    )
