"""Checks of columns of numbers: cells that hold none, and dots that can mean two things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bayes_attrib import names
from bayes_attrib.citing import listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.numbers import CellStatus
from bayes_attrib.inputs.repair import Repair, flag
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table, Tables

_PLAIN_NUMBERS: Final = (
    "write plain numbers such as 1234.5: a dot for decimals, nothing between thousands, no units"
)


def check_number_cells(tables: Tables) -> Iterator[Finding]:
    """Yield the cells of number columns, but covariates, that hold no number."""
    for stem, table in tables.by_stem.items():
        for column in table.layout.measured:
            if column in table.numbers:
                role = _role(tables, stem, column)
                yield from number_findings(
                    table, column, table.rows, f"missing-{role.name}", role.remedy_for_missing
                )


def number_findings(
    table: Table, column: str, rows: IntArray, code: str, remedy: str, *, hint: str = ""
) -> Iterator[Finding]:
    """Yield those cells of a column of numbers that hold none.

    Parameters
    ----------
    table : Table
        Table that holds the column.
    column : str
        One of its columns of numbers.
    rows : ndarray of int, shape (n,)
        Positions in the file of the rows that count.
    code : str
        Stable name of the fault that a cell is empty.
    remedy : str
        What to do about an empty cell.
    hint : str
        What else to say about cells that are no numbers.

    Yields
    ------
    Finding
        Empty cells, those that are not finite, those that are not plain numbers, and dots that
        may stand between thousands.
    """
    faulty = {
        CellStatus.MISSING: (code, "is empty", remedy),
        CellStatus.NOT_FINITE: (
            "not-finite",
            "is not a finite number",
            "find out why it could not be computed, and write the number",
        ),
        CellStatus.NOT_A_NUMBER: (
            "not-a-number", "is not a plain number", f"{_PLAIN_NUMBERS}{hint}"
        ),
    }  # fmt: skip
    for status, (found, statement, mend) in faulty.items():
        yield from row_findings(
            found,
            table,
            rows[table.numbers[column].status[rows] == status],
            f"{quote(column)} {statement}",
            mend,
            show=column,
        )
    if column in table.dotted:
        yield _dotted(table, column)


@dataclass(frozen=True)
class _Role:
    """What a column of numbers is for, and what to do where it is empty."""

    name: str
    remedy_for_missing: str


_TOTAL: Final = _Role(names.TOTAL, "write the total; where there was nothing, write 0")
_EXPOSURE: Final = _Role(
    names.EXPOSURE,
    "write the exposure, 0 where there was none, or leave the rows out with "
    f"{flag(Repair.DROP_MISSING_EXPOSURES)}",
)
_AMOUNT: Final = _Role(
    names.AMOUNT, "known amounts are for scoring only: fill them all in, or remove the column"
)
_DELIVERY: Final = _Role(
    names.DELIVERY,
    "write what was delivered, 0 where it was nothing; or leave out the row, which means the same",
)
_UNATTRIBUTED: Final = _Role(
    names.EXPOSURE, "write the exposure of what no entity explains, 0 where there is no such thing"
)

_LIFT_TEST: Final = _Role(
    "lift-test-number",
    "write what was measured; a test without an increment and a standard error says nothing, so "
    "remove its rows",
)


def _role(tables: Tables, stem: str, column: str) -> _Role:
    columns = tables.spec.columns
    if stem == names.LIFT_TESTS_TABLE:
        return _LIFT_TEST
    if stem == names.AGGREGATES_TABLE:
        return _TOTAL if column == columns.total else _UNATTRIBUTED
    if tables.spec.exposure is not None and column == tables.spec.delivery_column:
        return _DELIVERY
    return _EXPOSURE if column == columns.exposure else _AMOUNT


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
