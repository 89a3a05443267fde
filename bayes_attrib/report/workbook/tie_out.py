"""The tie-out sheet: input equals attributed, unattributed and left out, per aggregate."""

from __future__ import annotations

import numpy as np

from bayes_attrib.attribution.rounding import to_minor_units
from bayes_attrib.report.records import RepairRecord
from bayes_attrib.report.workbook.book import Book
from bayes_attrib.report.workbook.ledger import BOOKED, Ledger
from bayes_attrib.report.workbook.sheet import Sheet
from bayes_attrib.report.workbook.table import Column, Placement


def write_tie_out(sheet: Sheet, book: Book, ledger: Ledger) -> Placement:
    """Write one line per aggregate, and one per repair that left totals out.

    Parameters
    ----------
    sheet : Sheet
        An empty sheet.
    book : Book
        Language and unit.
    ledger : Ledger
        Rounded cells and totals.

    Returns
    -------
    Placement
        Where the table stands; its keys are ``given``, ``rounding``, ``total``, ``attributed``,
        ``unattributed``, ``left_out`` and ``difference``.
    """
    columns = [*_key_columns(book, ledger), *_money_columns(book, ledger)]
    text = book.language.text
    sheet.set_widths(book.widths(columns))
    sheet.title(text("Tie-out"))
    sheet.note(
        text(
            "Input = attributed + unattributed + left out, line by line and in total. The column "
            "Difference is a formula, and so are the totals; a difference other than zero turns "
            "red. A total that is no whole minor unit is rounded half to even before it is split; "
            "the column Rounding says by how much."
        )
    )
    n_empty = ledger.run.manifest.data.aggregates_without_exposure
    if n_empty:
        sheet.note(
            book.language.plural(
                n_empty,
                "{n} aggregate without exposure and with a total of zero has no line.",
                "{n} aggregates without exposure and with totals of zero have no line.",
            )
        )
    placement = sheet.table(
        columns, total=text("Total"), freeze=len(ledger.run.spec.columns.aggregate)
    )
    letter = placement.letters["difference"]
    sheet.mark_wrong(f"{letter}{placement.first}:{letter}{placement.total}")
    return placement


def _key_columns(book: Book, ledger: Ledger) -> list[Column]:
    keys = ledger.draws.data.aggregate_keys
    repairs = [
        book.language.text("Left out by the repair {repair}", repair=repair.repair)
        for repair in _leaving_out(ledger)
    ]
    blank = [""] * len(repairs)
    return [
        Column(f"key_{i}", str(key), "text", keys[key].tolist() + (blank if i else repairs))
        for i, key in enumerate(keys)
    ]


def _money_columns(book: Book, ledger: Ledger) -> list[Column]:
    data, text, unit = ledger.draws.data, book.language.text, book.unit
    left_out = np.array([repair.total_excluded for repair in _leaving_out(ledger)], np.float64)
    none = np.zeros(len(left_out), np.int64)
    left_out_units = to_minor_units(left_out, ledger.decimals)
    given = np.concatenate([data.totals, left_out])
    total = np.concatenate([ledger.totals, left_out_units])
    unattributed = _unattributed(ledger)
    booked = ledger.sums(BOOKED, data.edge_aggregate, len(ledger.totals))
    attributed = np.concatenate([booked - unattributed, none])
    unattributed = np.concatenate([unattributed, none])
    excluded = np.concatenate([np.zeros_like(ledger.totals), left_out_units])
    units, places = ledger.units, ledger.decimals
    rounding = np.round(units(total) - given, places + 4) + 0.0
    difference = units(total - attributed - unattributed - excluded)
    return [
        Column("given", text("Input, as given"), "exact", given, is_summed=True),
        Column(
            "rounding",
            text("Rounding"),
            "exact",
            rounding,
            formula=f"ROUND({{total}}-{{given}},{places + 4})",
            is_summed=True,
        ),
        Column("total", text("Input ({unit})", unit=unit), "amount", units(total), is_summed=True),
        Column(
            "attributed",
            text("Attributed to entities"),
            "amount",
            units(attributed),
            is_summed=True,
        ),
        Column("unattributed", text("Unattributed"), "amount", units(unattributed), is_summed=True),
        Column("left_out", text("Left out by repairs"), "amount", units(excluded), is_summed=True),
        Column(
            "difference",
            text("Difference"),
            "amount",
            difference,
            formula=f"ROUND({{total}}-{{attributed}}-{{unattributed}}-{{left_out}},{places})",
            is_summed=True,
        ),
    ]


def _unattributed(ledger: Ledger) -> np.ndarray:
    data = ledger.draws.data
    is_unattributed = ledger.is_unattributed[data.edge_entity]
    found = np.zeros(len(ledger.totals), np.int64)
    cells = ledger.cells[BOOKED][is_unattributed]
    np.add.at(found, data.edge_aggregate[is_unattributed], cells)
    return found


def _leaving_out(ledger: Ledger) -> list[RepairRecord]:
    return [repair for repair in ledger.run.manifest.repairs if repair.total_excluded]
