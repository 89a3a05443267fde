"""The first sheet: what was attributed, whether it ties out, and who answers for it."""

from __future__ import annotations

from typing import Final

import numpy as np

from bayes_attrib.report.narrative import describe_verdict, interval_short
from bayes_attrib.report.rolled_text import describe_rolled
from bayes_attrib.report.workbook.book import Book
from bayes_attrib.report.workbook.checks import SheetTables, check_lines
from bayes_attrib.report.workbook.ledger import BOOKED, Ledger
from bayes_attrib.report.workbook.sheet import Sheet

_N_LARGEST: Final = 10
_VERDICT_STYLES: Final = {"ok": "note", "warn": "caution", "not_converged": "alarm"}


def write_summary(sheet: Sheet, book: Book, ledger: Ledger, tables: SheetTables) -> None:
    """Write the summary; it is filled in last, for it refers to all other sheets.

    Parameters
    ----------
    sheet : Sheet
        An empty sheet.
    book : Book
        Title, language and unit.
    ledger : Ledger
        Rounded amounts.
    tables : SheetTables
        Where the numbers stand.
    """
    text, run = book.language.text, ledger.run
    sheet.set_widths([54.0, 22.0, 22.0, 18.0, 14.0])
    sheet.title(book.title)
    sheet.note(
        text(
            "Attribution of {total} by {entity}, from the run {name} of {end}. Amounts in {unit}.",
            total=run.spec.columns.total,
            entity=run.spec.columns.entity,
            name=run.manifest.name,
            end=book.language.moment(run.manifest.ended),
            unit=book.unit,
        )
    )
    verdict = describe_verdict(run, language=book.language)
    style = _VERDICT_STYLES[run.diagnostics.verdict]
    sheet.note(f"{verdict.headline} {verdict.explanation}", style)
    rolled = describe_rolled(run, book.language)
    if rolled is not None:
        sheet.note(f"{rolled.origin} {rolled.headline}", _VERDICT_STYLES[rolled.style])
    _statement(sheet, book, tables)
    _checks(sheet, book, ledger, tables)
    _largest(sheet, book, ledger)
    _signatures(sheet, book)


def _statement(sheet: Sheet, book: Book, tables: SheetTables) -> None:
    text, tie_out = book.language.text, tables.tie_out
    sheet.section(text("From input to attribution"))
    sheet.cells({0: ("head", ""), 1: ("head_number", text("Amount ({unit})", unit=book.unit))})
    for what, key in (
        (text("Input, as given"), "given"),
        (text("Rounding of totals to whole minor units"), "rounding"),
        (text("Input"), "total"),
        (text("Attributed to entities"), "attributed"),
        (text("Unattributed: no exposure explains it"), "unattributed"),
        (text("Left out by repairs that were asked for"), "left_out"),
        (text("Difference"), "difference"),
    ):
        amount = (f"={tie_out.total_of(key)}", tie_out.totals[key])
        kind = "exact" if key in {"given", "rounding"} else "amount"
        sheet.cells({0: ("text", what), 1: (kind, amount)})


def _checks(sheet: Sheet, book: Book, ledger: Ledger, tables: SheetTables) -> None:
    text = book.language.text
    sheet.section(text("Checks"))
    heads = (text("Difference"), text("Holds"))
    sheet.cells(
        {
            0: ("head", text("What must be equal")),
            1: ("head_number", text("First")),
            2: ("head_number", text("Second")),
            3: ("head_number", heads[0]),
            4: ("head_check", heads[1]),
        }
    )
    first = sheet.row + 1
    holds = []
    for check in check_lines(tables, book):
        row = sheet.row + 1
        difference = round(check.left_value - check.right_value, ledger.decimals) + 0.0
        holds.append(difference == 0.0)
        sheet.cells(
            {
                0: ("wrapped", check.what),
                1: (check.kind, (f"={check.left}", check.left_value)),
                2: (check.kind, (f"={check.right}", check.right_value)),
                3: (check.kind, (f"=ROUND(B{row}-C{row},{ledger.decimals})", difference)),
                4: ("check", (f"=D{row}=0", difference == 0.0)),
            }
        )
    last = sheet.row
    sheet.mark_wrong(f"D{first}:D{last}")
    sheet.mark_wrong(f"E{first}:E{last + 1}", value="TRUE")
    sheet.cells(
        {
            0: ("total_text", text("All checks hold")),
            1: ("total_text", ""),
            2: ("total_text", ""),
            3: ("total_text", ""),
            4: ("total_check", (f"=AND(E{first}:E{last})", all(holds))),
        }
    )


def _largest(sheet: Sheet, book: Book, ledger: Ledger) -> None:
    text, run = book.language.text, ledger.run
    rows = run.entities.head(_N_LARGEST)
    booked = dict(
        zip(
            ledger.draws.data.entity_names.astype(str),
            ledger.units(ledger.by_entity(BOOKED)).tolist(),
            strict=True,
        )
    )
    short = interval_short(run.spec.report.interval, language=book.language)
    sheet.section(text("Largest amounts"))
    sheet.cells(
        {
            0: ("head", run.spec.columns.entity),
            1: ("head_number", text("Amount ({unit})", unit=book.unit)),
            2: ("head_number", text("{interval}, lower", interval=short)),
            3: ("head_number", text("{interval}, upper", interval=short)),
            4: ("head_number", text("Share of total")),
        }
    )
    whole = sum(booked.values()) or 1.0
    bounds = rows[["amount_lower", "amount_upper"]].to_numpy(dtype=np.float64).tolist()
    for name, (lower, upper) in zip(rows["name"].astype(str), bounds, strict=True):
        amount = booked[name]
        sheet.cells(
            {
                0: ("text", name),
                1: ("amount", amount),
                2: ("amount", lower),
                3: ("amount", upper),
                4: ("share", amount / whole),
            }
        )
    sheet.note(
        text(
            "The bounds are those of each line. They do not add up, and a sum of bounds is no "
            "bound of a sum."
        )
    )


def _signatures(sheet: Sheet, book: Book) -> None:
    text = book.language.text
    sheet.section(text("Prepared and approved"))
    sheet.note(
        text("Whoever approves is another person than who prepares. Fill in by hand or here.")
    )
    heads = ("", text("Name"), text("Date"), text("Signature"))
    sheet.cells({column: ("field_name", head) for column, head in enumerate(heads)})
    for who in (text("Prepared by"), text("Approved by")):
        blank = dict.fromkeys(range(1, len(heads)), ("field", ""))
        sheet.cells({0: ("field_name", who), **blank}, height=28.0)
    sheet.print_on_one_page()
