"""Checks of the whole workbook: every sheet comes to the same total."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bayes_attrib.report.workbook.allocation import RollUp
from bayes_attrib.report.workbook.book import Book
from bayes_attrib.report.workbook.table import Placement


@dataclass(frozen=True)
class SheetTables:
    """Where the tables stand that are held against each other.

    Attributes
    ----------
    tie_out, allocation : Placement
        Their sheets.
    by_key : mapping of str to Placement
        Sheets by key and entity, by key.
    rollup_blocks : sequence of RollUp
        Each grouping on the sheet of roll-ups.
    """

    tie_out: Placement
    allocation: Placement
    by_key: Mapping[str, Placement]
    rollup_blocks: Sequence[RollUp]


@dataclass(frozen=True)
class CheckLine:
    """Two numbers that must be equal: what they are, their formulas without ``=``, and values.

    ``kind`` is their number format.
    """

    what: str
    left: str
    right: str
    left_value: float
    right_value: float
    kind: str = "amount"


def check_lines(tables: SheetTables, book: Book) -> Iterator[CheckLine]:
    """Yield every check, the tie-out first.

    Parameters
    ----------
    tables : SheetTables
        Where the numbers stand.
    book : Book
        Language.

    Yields
    ------
    CheckLine
        One check.
    """
    text, tie_out = book.language.text, tables.tie_out
    booked = _total(tables.allocation, "booked")
    yield _line(
        text("Input = attributed + unattributed + left out"),
        _total(tie_out, "total"),
        _total(tie_out, "attributed", "unattributed", "left_out"),
    )
    yield _line(
        text("Attributed + unattributed = sum over entities"),
        _total(tie_out, "attributed", "unattributed"),
        booked,
    )
    for key, placement in tables.by_key.items():
        what = text("Sum by {key} and entity = sum over entities", key=key)
        yield _line(what, _total(placement, "booked"), booked)
    for block in tables.rollup_blocks:
        what = text("Sum over levels of {grouping} = sum over entities", grouping=block.level)
        yield _line(what, (f"SUM({block.cells})", block.booked), booked)
    for method, name in (("em", text("EM")), ("proportional", text("Proportional split"))):
        what = text("{method} = sum over entities", method=name)
        yield _line(what, _total(tables.allocation, method), booked)
    differences = f"SUMPRODUCT(--({tie_out.range_of('difference')}<>0))"
    what = text("Lines of the tie-out with a difference = 0")
    yield CheckLine(what, differences, "0", 0.0, 0.0, kind="count")


def _total(placement: Placement, *keys: str) -> tuple[str, float]:
    """Formula and value of the sum of totals of a table."""
    return (
        "+".join(map(placement.total_of, keys)),
        sum(placement.totals[key] for key in keys),
    )


def _line(what: str, left: tuple[str, float], right: tuple[str, float]) -> CheckLine:
    return CheckLine(what, left[0], right[0], left[1], right[1])
