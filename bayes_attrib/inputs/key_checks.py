"""Checks of keys: spellings that look alike, keys that occur twice, rows without a parent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, quote
from bayes_attrib.errors import Finding, Severity
from bayes_attrib.inputs import faults
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.keys import compose, match_keys, strip
from bayes_attrib.inputs.repair import Repair, flag
from bayes_attrib.inputs.row_findings import keys_of
from bayes_attrib.inputs.table import Table, Tables

_COPIES: Final = (
    f"where rows are copies of each other, {flag(Repair.DROP_DUPLICATE_ROWS)} keeps the first"
)
_DUPLICATES: Final = {
    names.AGGREGATES_TABLE: (
        "duplicate-aggregate",
        "key",
        (
            "keep one row per aggregate, or add the column that tells them apart to "
            f"columns.aggregate in the spec; {_COPIES}"
        ),
    ),
    names.EXPOSURES_TABLE: (
        "duplicate-exposure",
        "pair",
        (
            "where each row is a part of the exposure, add them up with "
            f"{flag(Repair.SUM_DUPLICATE_EXPOSURES)}; {_COPIES}"
        ),
    ),
    names.ENTITIES_TABLE: (
        "duplicate-entity",
        "key",
        f"keep one row per entity; {_COPIES}",
    ),
}
"""Code, noun and remedy of a key that occurs twice, by table."""


def check_unicode_twins(tables: Tables) -> Iterator[Finding]:
    """Yield names that look the same and are stored in different Unicode forms."""
    for column, spellings in _spellings(tables).items():
        yield from _twins(
            "unicode-twins",
            tables,
            column,
            spellings.assign(form=compose(spellings["text"])),
            show=ascii,
            remedy="write each name in one form, or bring all names to Unicode's composed form "
            f"with {flag(Repair.NORMALISE_UNICODE)}",
        )


def check_whitespace_twins(tables: Tables) -> Iterator[Finding]:
    """Yield names that differ only by white space around them."""
    for column, spellings in _spellings(tables).items():
        composed = spellings.assign(text=compose(spellings["text"])).drop_duplicates("text")
        yield from _twins(
            "whitespace-twins",
            tables,
            column,
            composed.assign(form=strip(composed["text"])),
            show=repr,
            remedy="remove the white space around names in your file, or let "
            f"{flag(Repair.STRIP_KEY_WHITESPACE)} do so",
        )


def _spellings(tables: Tables) -> dict[str, pd.DataFrame]:
    """Collect the distinct texts of every key and grouping column, with their first places."""
    found: dict[str, list[pd.DataFrame]] = {}
    for stem, table in tables.by_stem.items():
        for column in table.layout.text:
            if column in table.frame:
                text = table[column].drop_duplicates()
                spelling = {"text": text.array, "stem": stem, "row": text.index}
                found.setdefault(column, []).append(pd.DataFrame(spelling))
    return {
        column: pd.concat(parts, ignore_index=True).drop_duplicates("text")
        for column, parts in found.items()
    }


def _twins(
    code: str,
    tables: Tables,
    column: str,
    spellings: pd.DataFrame,
    *,
    show: Callable[[str], str],
    remedy: str,
) -> Iterator[Finding]:
    """Yield the texts that share a form with another; blank ones are another check's business."""
    shared = spellings["form"].duplicated(keep=False) & (spellings["form"] != "")
    if not shared.any():
        return

    def cite(text: str, stem: str, row: int) -> str:
        return f"{show(text)} ({tables.by_stem[stem].file.place(np.array([row]))})"

    groups = [group for _, group in spellings[shared].groupby("form", sort=False)]
    examples = [
        " and ".join(map(cite, group["text"], group["stem"], group["row"]))
        for group in groups[:MAX_EXAMPLES]
    ]
    files = [tables.by_stem[stem].name for stem in spellings.loc[shared, "stem"].unique()]
    where = f"{' and '.join(files)}, column {quote(column)}"
    message = (
        f"{counted(len(groups), 'name')} in more than one spelling: "
        f"{listed(examples, len(groups), separator='; ')}"
    )
    yield Finding(code, "error", where, message, remedy)


def check_duplicate_keys(tables: Tables) -> Iterator[Finding]:
    """Yield aggregates, entities or (aggregate, entity) pairs that occur more than once."""
    for stem, table in tables.by_stem.items():
        if stem in _DUPLICATES and set(table.layout.keys) <= set(table.frame.columns):
            yield from _duplicates(stem, table)


def _duplicates(stem: str, table: Table) -> Iterator[Finding]:
    repeated = table.keys[faults.duplicate_keys(table)]
    if repeated.empty:
        return
    distinct = repeated.drop_duplicates()
    group = match_keys(distinct, repeated, table.layout.keys)
    rows = repeated.index.to_numpy()
    examples = [
        f"{keys_of(table, int(first))} ({_lines(table, rows[group == position])})"
        for position, first in enumerate(distinct.index[:MAX_EXAMPLES])
    ]
    code, noun, remedy = _DUPLICATES[stem]
    message = (
        f"{counted(len(distinct), noun)} in more than one row ({counted(len(rows), 'row')}): "
        f"{listed(examples, len(distinct))}"
    )
    yield Finding(code, "error", table.file.place(rows), message, remedy)


def _lines(table: Table, rows: IntArray) -> str:
    return table.file.place(rows).removeprefix(f"{table.name}, ")


def check_unknown_aggregates(tables: Tables) -> Iterator[Finding]:
    """Yield exposure rows of aggregates that have no total."""
    remedy = "correct the keys, add these aggregates with their totals, or leave the rows out "
    if tables.spec.exposure is not None:
        remedy = (
            "correct the keys, add these aggregates with their totals, or write outside = "
            '"carry_over" in [exposure] of the spec, which carries what was delivered there over '
            "into later aggregates; or leave the rows out "
        )
    yield from _orphans(
        "unknown-aggregate",
        tables,
        faults.unknown_aggregates(tables),
        tables.aggregates,
        remedy=f"{remedy}with {flag(Repair.DROP_ORPHAN_EXPOSURES)}",
    )


def check_unknown_entities(tables: Tables) -> Iterator[Finding]:
    """Yield exposure rows of entities that are not described: an error if the model needs that."""
    needed = bool(tables.entities.layout.attributes)
    remedy = (
        f"correct the keys, add these entities to {tables.entities.name}, or leave the rows out "
        f"with {flag(Repair.DROP_ORPHAN_EXPOSURES)}, which leaves their credit to the others"
        if needed
        else "the spec uses nothing from that table, so the fit goes on; complete it when it does"
    )
    yield from _orphans(
        "unknown-entity",
        tables,
        faults.unknown_entities(tables),
        tables.entities,
        remedy=remedy,
        severity="error" if needed else "warning",
    )


def _orphans(
    code: str,
    tables: Tables,
    rows: IntArray,
    parent: Table,
    *,
    remedy: str,
    severity: Severity = "error",
) -> Iterator[Finding]:
    if not len(rows):
        return
    child, columns = tables.exposures, parent.layout.keys
    distinct = child.frame.loc[rows, list(columns)].drop_duplicates().index
    known = _loosely_known(parent)

    def show(row: int) -> str:
        texts = {column: child.text_at(column, row) for column in columns}
        near = [
            f"{column} {quote(hint)}"
            for column, text in texts.items()
            if (hint := known[column].get(text, known[column].get(_loosened(text), text))) != text
        ]
        hint = f" (is {listed(near)} meant?)" if near else ""
        return keys_of(child, row, columns) + hint

    examples = [show(row) for row in distinct[:MAX_EXAMPLES]]
    message = (
        f"not in {parent.name} ({counted(len(distinct), 'key')}, {counted(len(rows), 'row')}): "
        f"{listed(examples, len(distinct))}"
    )
    yield Finding(code, severity, child.file.place(rows), message, remedy)


def _loosely_known(parent: Table) -> dict[str, dict[str, str]]:
    """Map the parent's own spellings, and loosened ones, to its spellings, by column."""
    known = {column: parent[column].unique().tolist() for column in parent.layout.keys}
    return {
        column: {_loosened(text): text for text in texts} | {text: text for text in texts}
        for column, texts in known.items()
    }


def _loosened(text: str) -> str:
    """Undo what spreadsheets do to keys: leading zeros, a decimal zero, letter case."""
    return text.strip().casefold().removesuffix(".0").lstrip("0")
