"""Findings about single rows: what is wrong, in how many, and the first few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, quote
from bayes_attrib.errors import Finding, Severity
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.table import Table


def row_findings(
    code: str,
    table: Table,
    rows: IntArray,
    statement: str,
    remedy: str = "",
    *,
    severity: Severity = "error",
    show: Callable[[int], str] | str = "",
) -> Iterator[Finding]:
    """Yield one finding about some rows, or nothing where there are none.

    Parameters
    ----------
    code : str
        Stable name of the fault.
    table : Table
        Table that holds the rows.
    rows : ndarray of int, shape (n,)
        Positions in the file; those that come first serve as examples.
    statement : str
        What holds for each of the rows.
    remedy : str
        What the reader can do; may be empty for notes.
    severity : {"error", "warning", "note"}
        How bad it is.
    show : str or function of a row
        Column whose cell is shown beside the row's keys, or a function that words an example.

    Yields
    ------
    Finding
        With file, lines, values and remedy.
    """
    if not len(rows):
        return
    word = show if callable(show) else lambda row: _cell_with_keys(table, show, row)
    examples = [word(row) for row in rows[:MAX_EXAMPLES].tolist()]
    message = f"{statement} ({counted(len(rows), 'row')}): {listed(examples, len(rows))}"
    yield Finding(code, severity, table.file.place(rows), message, remedy)


def keys_of(table: Table, row: int, columns: tuple[str, ...] | None = None) -> str:
    """Return the keys of a row, such as ``"brick_id 'B1', hcp_id 'H2'"``."""
    known = [c for c in columns or table.layout.keys if c in table.frame]
    return ", ".join(f"{column} {quote(table.text_at(column, row))}" for column in known)


def _cell_with_keys(table: Table, column: str, row: int) -> str:
    keys = keys_of(table, row)
    if not column:
        return keys
    cell = quote(table.file.cell(column, row))
    return f"{cell} ({keys})" if keys else cell
