"""Sheets of amounts: by entity, by key and entity, by grouping level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution import grain_of
from bayes_attrib.inputs import Grouping
from bayes_attrib.report.workbook.amounts import Amounts
from bayes_attrib.report.workbook.book import Book
from bayes_attrib.report.workbook.ledger import Ledger
from bayes_attrib.report.workbook.sheet import Sheet
from bayes_attrib.report.workbook.table import Column, Placement


@dataclass(frozen=True)
class RollUp:
    """A grouping on the sheet of roll-ups: the cells of its booked amounts, and their sum."""

    level: str
    cells: str
    booked: float


def write_allocation(sheet: Sheet, book: Book, ledger: Ledger) -> Placement:
    """Write what every entity earned, largest amount first and the unattributed part last."""
    data, text = ledger.draws.data, book.language.text
    rows = _rows_of(ledger, names.ENTITY, data.entity_names)
    amounts = _amounts(ledger, rows, data.edge_entity)
    order = np.lexsort((data.entity_names.astype(str), -amounts.booked, ledger.is_unattributed))
    entities = _shown_names(book, ledger)[order]
    columns = [
        Column("name", data.entity_key, "text", entities),
        *(
            Column(f"group_{i}", column, "text", _levels(ledger, column)[order])
            for i, column in enumerate(data.groupings)
        ),
        *amounts.at(order).columns(ledger, book),
        *_rate_columns(rows.iloc[order], book, ledger),
    ]
    sheet.set_widths(book.widths(columns))
    sheet.title(text("Allocation by entity"))
    sheet.note(
        text(
            "Amounts are sums of cells that were rounded once, per aggregate and entity, so they "
            "add up exactly. Intervals do not add up: what several entities earn together is "
            "known better than the sum of their bounds says. See Roll-ups for intervals of groups."
        )
    )
    return sheet.table(columns, total=text("Total"), freeze=1)


def write_key(sheet: Sheet, book: Book, ledger: Ledger, key: str, amounts: Amounts) -> Placement:
    """Write the amounts by a key of the aggregates and entity, with intervals of their own."""
    data, text = ledger.draws.data, book.language.text
    grain = grain_of(data, [key, names.ENTITY])
    shown = dict(zip(data.entity_names.astype(str), _shown_names(book, ledger), strict=True))
    labels = [shown[name] for name in grain.labels[names.ENTITY]]
    columns = [
        Column("key", key, "text", grain.labels[key].tolist()),
        Column("name", data.entity_key, "text", labels),
        *amounts.columns(ledger, book),
    ]
    sheet.set_widths(book.widths(columns))
    sheet.title(text("Allocation by {key} and entity", key=key))
    sheet.note(
        text(
            "Intervals are those of each line, drawn for it. Neither over time nor over entities "
            "do they add up; the amounts do."
        )
    )
    return sheet.table(columns, total=text("Total"), freeze=2)


def write_rollups(sheet: Sheet, book: Book, ledger: Ledger) -> list[RollUp]:
    """Write every level of every grouping, with intervals from the draws of its sum."""
    data, text = ledger.draws.data, book.language.text
    if not data.groupings:
        sheet.set_widths([100.0])
        sheet.title(text("Roll-ups"))
        sheet.note(text("The spec groups entities by nothing, so there is nothing to roll up to."))
        return []
    parts = [_rollup(ledger, grouping) for grouping in data.groupings.values()]
    lines = [
        (column, level, size)
        for column, grouping in data.groupings.items()
        for level, size in zip(grouping.levels, _sizes(grouping), strict=True)
    ]
    columns = [
        Column("grouping", text("Grouping"), "text", [line[0] for line in lines]),
        Column("level", text("Level"), "text", [line[1] for line in lines]),
        Column("entities", text("Entities"), "count", [line[2] for line in lines]),
        *(replace(c, is_summed=False) for c in Amounts.joined(parts).columns(ledger, book)),
    ]
    sheet.set_widths(book.widths(columns))
    sheet.title(text("Roll-ups"))
    sheet.note(
        text(
            "Amounts of a level are the sums of its entities. Its interval is that of the sum, "
            "computed from the draws; it is not the sum of the entities' bounds. The "
            "levels of each grouping add up to the whole; the groupings overlap."
        )
    )
    return list(_blocks(sheet.table(columns, freeze=2), ledger, parts))


def _rollup(ledger: Ledger, grouping: Grouping) -> Amounts:
    rows = _rows_of(ledger, grouping.name, np.array(grouping.levels, dtype=object))
    return _amounts(ledger, rows, grouping.codes[ledger.draws.data.edge_entity])


def _sizes(grouping: Grouping) -> list[int]:
    return np.bincount(grouping.codes, minlength=len(grouping.levels)).tolist()


def _blocks(at: Placement, ledger: Ledger, parts: list[Amounts]) -> Iterator[RollUp]:
    start = 0
    for column, part in zip(ledger.draws.data.groupings, parts, strict=True):
        stop = start + len(part.booked)
        booked = float(ledger.units(part.booked.sum(keepdims=True))[0])
        yield RollUp(column, at.range_of("booked", start, stop), booked)
        start = stop


def _rows_of(ledger: Ledger, level: str, labels: np.ndarray) -> pd.DataFrame:
    """Rows of the run's table, one for each label; NaN where the run has none."""
    table = ledger.run.attribution
    return table[table["level"] == level].set_index("name").reindex(labels.astype(str))


def _amounts(ledger: Ledger, rows: pd.DataFrame, row: np.ndarray) -> Amounts:
    means, *bounds = (
        rows[f"amount_{end}"].to_numpy(dtype=np.float64) for end in ("mean", "lower", "upper")
    )
    return Amounts.of_rows(ledger, row, means, (bounds[0], bounds[1]))


def _shown_names(book: Book, ledger: Ledger) -> np.ndarray:
    """Names of entities; that of what no exposure explains is a word of ours."""
    shown = ledger.draws.data.entity_names.copy()
    shown[ledger.is_unattributed] = book.language.text("Unattributed: no exposure explains it")
    return shown


def _levels(ledger: Ledger, column: str) -> np.ndarray:
    grouping = ledger.draws.data.groupings[column]
    return np.array(grouping.levels, dtype=object)[grouping.codes]


def _rate_columns(rows: pd.DataFrame, book: Book, ledger: Ledger) -> list[Column]:
    text, columns = book.language.text, ledger.run.spec.columns

    def values(name: str) -> np.ndarray:
        return rows[name].to_numpy(dtype=np.float64)

    exposure = text("Exposure ({column})", column=columns.exposure)
    rate = text("Rate per unit of exposure")
    return [
        Column("exposure", exposure, "exposure", values("exposure"), is_summed=True),
        Column("aggregates", text("Aggregates"), "count", values("n_aggregates")),
        Column("rate", rate, "rate", values("rate_mean")),
    ]
