"""Sheets on where the numbers come from: method, diagnostics, manifest, repairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bayes_attrib.report import narrative
from bayes_attrib.report.labels import describe_check_name
from bayes_attrib.report.language import message
from bayes_attrib.report.workbook.book import Book
from bayes_attrib.report.workbook.ledger import Ledger
from bayes_attrib.report.workbook.sheet import Sheet
from bayes_attrib.report.workbook.table import Column

_RESULTS = {"ok": message("passed"), "warn": message("warning"), "fail": message("failed")}
_SEVERITIES = {
    "note": message("note"),
    "warning": message("warning"),
    "error": message("error"),
}


def write_method(sheet: Sheet, book: Book, ledger: Ledger) -> None:
    """Write in plain words what the amounts are, and what they are not.

    Parameters
    ----------
    sheet : Sheet
        An empty sheet.
    book : Book
        Language.
    ledger : Ledger
        The run and its decimals.
    """
    text, run = book.language.text, ledger.run
    sheet.set_widths([120.0])
    sheet.title(text("Method and limits"))
    for head, paragraphs in (
        (text("What the amounts are"), list(_what_amounts_are(book, ledger))),
        (
            text("The model"),
            narrative.describe_model(
                run.spec, run.manifest.model_variables, language=book.language
            ),
        ),
        (text("How amounts are rounded"), list(_how_rounded(book, ledger))),
        (text("What the amounts are not"), list(_what_amounts_are_not(book))),
    ):
        sheet.section(head)
        for paragraph in paragraphs:
            sheet.note(paragraph, "wrapped")


def _what_amounts_are(book: Book, ledger: Ledger) -> Iterator[str]:
    text, run = book.language.text, ledger.run
    yield text(
        "The totals are facts of the input; how each is split is an estimate. A statistical model "
        "relates totals to exposures, and its mean split is what is booked. Nobody observed who "
        "earned which part."
    )
    yield text(
        "Intervals say how far the data leave an amount open. They are {intervals}: if the model "
        "is right, an amount lies inside with that probability.",
        intervals=narrative.interval_words(
            run.spec.report.interval, many=True, language=book.language
        ),
    )
    yield text(
        "Intervals do not add up. If one entity earned more than its mean, another earned less, "
        "for the total is fixed; so bounds are not reached together. The interval of a group, or "
        "of a longer time, is computed from the draws of its sum."
    )
    em = narrative.describe_em(
        run.manifest.baselines.em, run.manifest.data.n_entities, language=book.language
    )
    yield text(
        "EM and the proportional split stand beside as two simpler answers: the most likely rates "
        "without pooling, and a split by exposure alone. They have no intervals."
    ) + (f" {em}" if em else "")


def _how_rounded(book: Book, ledger: Ledger) -> Iterator[str]:
    text = book.language.text
    yield text(
        "Amounts are rounded once, per aggregate and entity, to {n} decimals: each is rounded "
        "down, and the units that are left of the total go, one each, to the largest remainders; "
        "of equal remainders to the larger amount, and of equal amounts to the name that comes "
        "first. All else in this workbook is a sum of these.",
        n=ledger.decimals,
    )
    yield text(
        "So each aggregate, each sheet and the whole add up to the unit. The price is that a sum "
        "of many cells can differ from its mean before rounding; the column Changed by rounding "
        "says by how much."
    )


def _what_amounts_are_not(book: Book) -> Iterator[str]:
    text = book.language.text
    yield text(
        "An amount is not what would be lost without the entity. It is the entity's part of what "
        "was earned, given its exposure; it is causal only as far as exposures were assigned at "
        "random, or the model knows all that moved both exposure and total."
    )
    yield text(
        "Where entities always appear together in the same proportions, the data cannot tell them "
        "apart, and the split between them is the assumption that their rates are similar. The "
        "sheet Diagnostics names such entities."
    )
    yield text(
        "A restated input changes amounts of all periods, because rates are estimated from all of "
        "them. Compare runs with `bayes-attrib diff` before booking a restatement."
    )


def write_diagnostics(sheet: Sheet, book: Book, ledger: Ledger) -> None:
    """Write the verdict, what was noticed, and every check."""
    text, run = book.language.text, ledger.run
    verdict = narrative.describe_verdict(run, language=book.language)
    checks = run.diagnostics.checks
    shown = [narrative.describe_check(check, language=book.language) for check in checks]
    columns = [
        Column(
            "check",
            text("Check"),
            "text",
            [describe_check_name(check.name, language=book.language)[0] for check in checks],
            width=52.0,
        ),
        Column("value", text("Value"), "text", [value for value, _ in shown], width=14.0),
        Column("required", text("Required"), "text", [side for _, side in shown], width=18.0),
        Column(
            "result",
            text("Result"),
            "text",
            [text(_RESULTS[check.status]) for check in checks],
            width=12.0,
        ),
        Column("detail", text("Detail"), "text", [check.detail for check in checks], width=60.0),
    ]
    sheet.set_widths(book.widths(columns))
    sheet.title(text("Diagnostics"))
    sheet.note(f"{verdict.headline} {verdict.explanation}", "strong_wrapped")
    for remedy in verdict.remedies:
        sheet.note(remedy)
    for finding in run.diagnostics.findings:
        words = (text(_SEVERITIES[finding.severity]), finding.where, finding.message)
        sheet.note(": ".join(word for word in words if word))
    sheet.table(columns)


def write_manifest(sheet: Sheet, book: Book, ledger: Ledger) -> None:
    """Write inputs with their SHA-256, digest, seed, settings and versions."""
    text, manifest = book.language.text, ledger.run.manifest
    lines: list[tuple[str, str, str]] = [
        (text("run"), text("name"), manifest.name),
        (text("run"), text("started"), manifest.started),
        (text("run"), text("ended"), manifest.ended),
        (text("run"), text("method"), manifest.method),
        (text("run"), text("seed"), str(manifest.seed)),
        (text("run"), text("spec, SHA-256"), manifest.spec_digest),
        *(
            (
                text("input"),
                f"{table.name} ({book.language.plural(table.rows, '{n} row', '{n} rows')})",
                table.sha256,
            )
            for table in manifest.inputs
        ),
        *((text("sampling"), key, value) for key, value in _leaves(manifest.sampling)),
        *((text("geometry"), key, value) for key, value in _leaves(manifest.geometry)),
        *((text("version"), key, value) for key, value in _leaves(manifest.versions)),
        *((text("platform"), key, value) for key, value in _leaves(manifest.platform)),
    ]
    heads = (text("Part"), text("What"), text("Value"))
    columns = [
        Column(str(i), head, "text", [line[i] for line in lines], width=width)
        for i, (head, width) in enumerate(zip(heads, (18.0, 38.0, 72.0), strict=True))
    ]
    sheet.set_widths(book.widths(columns))
    sheet.title(text("Manifest"))
    sheet.note(
        text(
            "What the amounts were computed from, and with what. A SHA-256 identifies a file to "
            "the last byte."
        )
    )
    sheet.table(columns)


def write_repairs(sheet: Sheet, book: Book, ledger: Ledger) -> None:
    """Write what was changed in the input before the fit, because somebody asked for it."""
    text, repairs = book.language.text, ledger.run.manifest.repairs
    columns = [
        Column("repair", text("Repair"), "text", [r.repair for r in repairs], width=30.0),
        Column("table", text("Table"), "text", [r.table for r in repairs], width=16.0),
        Column("rows", text("Rows"), "count", [r.rows for r in repairs], width=12.0),
        Column(
            "left_out",
            text("Left out ({unit})", unit=book.unit),
            "exact",
            [r.total_excluded for r in repairs],
            is_summed=True,
            width=20.0,
        ),
        Column("detail", text("What was done"), "text", [r.detail for r in repairs], width=80.0),
    ]
    sheet.set_widths(book.widths(columns))
    sheet.title(text("Repairs"))
    if repairs:
        sheet.table(columns, total=text("Total"))
    else:
        sheet.note(text("No repairs were asked for: the input was used as it is."))


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the leaves of nested records, such as ``("groups.specialty", "centered")``."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, f"{value:.6g}" if isinstance(value, float) else str(value)
