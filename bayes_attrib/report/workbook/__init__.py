"""A workbook for finance: amounts to the cent, tie-out, intervals, and where it all came from."""

from __future__ import annotations

from bayes_attrib import names
from bayes_attrib.attribution import grain_of
from bayes_attrib.report.language import Language
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.workbook.allocation import write_allocation, write_key, write_rollups
from bayes_attrib.report.workbook.amounts import Amounts
from bayes_attrib.report.workbook.book import Book
from bayes_attrib.report.workbook.checks import SheetTables
from bayes_attrib.report.workbook.ledger import Ledger
from bayes_attrib.report.workbook.provenance import (
    write_diagnostics,
    write_manifest,
    write_method,
    write_repairs,
)
from bayes_attrib.report.workbook.summary import write_summary
from bayes_attrib.report.workbook.tie_out import write_tie_out

__all__ = ["Ledger", "render_workbook"]


def render_workbook(run: RunFolder, language: Language) -> bytes:
    """Render the workbook of a run.

    Parameters
    ----------
    run : RunFolder
        A finished run; nothing is fitted, and its own draws are made again.
    language : Language
        Language and forms of numbers of the reader.

    Returns
    -------
    bytes
        A file in Office Open XML. Equal runs give equal bytes.

    Raises
    ------
    RunFolderError
        If the folder lacks something, or its files do not belong together.
    """
    ledger, book = Ledger.of(run), Book.open(run, language)
    keys = _keys(ledger)
    summary = book.sheet(language.text("Summary"))
    allocation = book.sheet(language.text("Allocation"))
    by_key = {key: book.sheet(_key_title(language, ledger, key)) for key in keys}
    rollups = book.sheet(language.text("Roll-ups"))
    tie_out = book.sheet(language.text("Tie-out"))
    amounts = _key_amounts(ledger, keys)
    tables = SheetTables(
        tie_out=write_tie_out(tie_out, book, ledger),
        allocation=write_allocation(allocation, book, ledger),
        by_key={
            key: write_key(sheet, book, ledger, key, amounts[key]) for key, sheet in by_key.items()
        },
        rollup_blocks=write_rollups(rollups, book, ledger),
    )
    write_summary(summary, book, ledger, tables)
    write_method(book.sheet(language.text("Method and limits")), book, ledger)
    write_diagnostics(book.sheet(language.text("Diagnostics")), book, ledger)
    write_manifest(book.sheet(language.text("Manifest")), book, ledger)
    write_repairs(book.sheet(language.text("Repairs")), book, ledger)
    return book.close()


def _keys(ledger: Ledger) -> list[str]:
    """Key columns of the aggregates, the one that tells the time first."""
    period, keys = ledger.draws.period, ledger.run.spec.columns.aggregate
    return sorted(keys, key=lambda key: key != period)


def _key_title(language: Language, ledger: Ledger, key: str) -> str:
    if key == ledger.draws.period:
        return language.text("By period")
    return language.text("By {key}", key=key)


def _key_amounts(ledger: Ledger, keys: list[str]) -> dict[str, Amounts]:
    """Draw the amounts by key and entity for all keys in one pass."""
    wanted = [(key, names.ENTITY) for key in keys]
    draws = ledger.draws.grains(wanted)
    return {
        key: Amounts.of_grain(ledger, grain_of(ledger.draws.data, by), drawn)
        for key, by, drawn in zip(keys, wanted, draws, strict=True)
    }
