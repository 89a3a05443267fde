"""Carry out the repairs that were asked for, and record what each has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs import faults
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.keys import compose, strip
from bayes_attrib.inputs.repair import Repair, RepairRecord, flag
from bayes_attrib.inputs.row_findings import keys_of
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.unavailable import UnavailableError

Change = tuple[Table, RepairRecord]
"""A table after a repair, and what has been done to it."""


def mend_tables(
    tables: Tables, repairs: Collection[Repair]
) -> tuple[Tables, tuple[RepairRecord, ...]]:
    """Carry out repairs in their fixed order.

    Parameters
    ----------
    tables : Tables
        Typed tables, as read.
    repairs : collection of Repair
        What the user asked for; nothing else is changed.

    Returns
    -------
    tables : Tables
        The tables after all repairs.
    records : tuple of RepairRecord
        One record for each table that a repair has changed.
    """
    records: list[RepairRecord] = []
    for repair in Repair:
        if repair in repairs:
            tables = _apply(repair, tables, records)
    return tables, tuple(records)


def note_unused_repairs(
    repairs: Collection[Repair], records: Collection[RepairRecord]
) -> Iterator[Finding]:
    """Yield a note for every repair that was asked for and found nothing to do."""
    used = {record.repair for record in records}
    for repair in Repair:
        if repair in repairs and repair not in used:
            message = "this repair found nothing to repair"
            yield Finding("unused-repair", "note", flag(repair), message)


def _apply(repair: Repair, tables: Tables, records: list[RepairRecord]) -> Tables:
    """Apply one repair table by table: each change is seen by the next."""
    for step in _STEPS[repair]:
        with suppress(UnavailableError):
            for table, record in step(tables):
                tables = tables.replacing(table)
                records.append(record)
    return tables


def _rewrite_text(
    tables: Tables, *, repair: Repair, form: Callable[[pd.Series], pd.Series]
) -> Iterator[Change]:
    for stem, table in tables.by_stem.items():
        texts = {column: table[column] for column in table.layout.text if column in table.frame}
        formed = {column: form(text) for column, text in texts.items()}
        changed = np.zeros(len(table.frame), dtype=bool)
        for column, text in texts.items():
            changed |= (formed[column] != text).to_numpy()
        rows = table.select(changed)
        if len(rows):
            frame = table.frame.assign(**formed)
            detail = f"rewrote the names in {_cited(table, rows)}"
            yield replace(table, frame=frame), RepairRecord(repair, stem, len(rows), detail)


def _accept_dots(tables: Tables) -> Iterator[Change]:
    for stem, table in tables.by_stem.items():
        if table.dotted:
            columns = listed([quote(column) for column in sorted(table.dotted)])
            detail = f"took the dots in {columns} for decimal dots"
            yield (
                replace(table, dotted=frozenset()),
                RepairRecord(Repair.ACCEPT_DOT_DECIMALS, stem, len(table.frame), detail),
            )


def _drop_copies(tables: Tables) -> Iterator[Change]:
    for table in tables.by_stem.values():
        yield from _dropped(Repair.DROP_DUPLICATE_ROWS, table, faults.copied_rows(table))


def _drop_missing(tables: Tables) -> Iterator[Change]:
    rows = faults.missing_exposures(tables)
    yield from _dropped(Repair.DROP_MISSING_EXPOSURES, tables.exposures, rows)


def _round_counts(tables: Tables) -> Iterator[Change]:
    table, column = tables.aggregates, tables.spec.columns.total
    rows = faults.fractional_counts(tables)
    if len(rows):
        rounded = table[column].round()
        shift = float((rounded - table[column]).sum())
        detail = (
            f"rounded {quote(column)} in {_cited(table, rows)}; the sum changed by {shift:+.6g}"
        )
        mended = replace(table, frame=table.frame.assign(**{column: rounded}))
        yield (
            mended,
            RepairRecord(
                Repair.ROUND_FRACTIONAL_COUNTS, table.file.source.table, len(rows), detail
            ),
        )


def _sum_duplicates(tables: Tables) -> Iterator[Change]:
    table = tables.exposures
    rows = faults.valid_duplicate_exposures(tables)
    if len(rows):
        keys = list(table.layout.keys)
        columns = [c for c in table.layout.measured if c in table.frame]
        repeated = table.frame.loc[rows]
        sums = repeated.groupby(keys, sort=False)[columns].transform("sum")
        frame = table.frame.copy()
        frame.loc[rows, columns] = sums
        later = rows[repeated.duplicated(keys).to_numpy()]
        pairs = counted(len(rows) - len(later), "pair")
        detail = f"added up {listed([quote(c) for c in columns])} of {pairs}: {_cited(table, rows)}"
        yield (
            replace(table, frame=frame.drop(index=later)),
            RepairRecord(
                Repair.SUM_DUPLICATE_EXPOSURES, table.file.source.table, len(rows), detail
            ),
        )


def _drop_orphans_of_aggregates(tables: Tables) -> Iterator[Change]:
    rows = faults.unknown_aggregates(tables)
    yield from _dropped(Repair.DROP_ORPHAN_EXPOSURES, tables.exposures, rows)


def _drop_orphans_of_entities(tables: Tables) -> Iterator[Change]:
    if tables.entities.layout.attributes:
        rows = faults.unknown_entities(tables)
        yield from _dropped(Repair.DROP_ORPHAN_EXPOSURES, tables.exposures, rows)


def _exclude_totals(
    tables: Tables, *, repair: Repair, find: Callable[[Tables], IntArray]
) -> Iterator[Change]:
    """Drop aggregates with their exposures; where keys are faulty, that is to be mended first."""
    table = tables.aggregates
    gone = np.isin(table.rows, find(tables)) & faults.has_own_key(table)
    rows = table.select(gone)
    if not len(rows):
        return
    parent = tables.aggregate_of_exposure
    orphaned = tables.exposures.select((parent >= 0) & gone[parent])
    excluded = float(table[tables.spec.columns.total][gone].sum())
    detail = (
        f"left out {_cited(table, rows)}, with totals that sum to {excluded:.10g} and "
        f"{counted(len(orphaned), 'exposure row')}"
    )
    record = RepairRecord(repair, table.file.source.table, len(rows), detail, excluded)
    yield table.without(rows), record
    yield from _dropped(repair, tables.exposures, orphaned)


def _dropped(repair: Repair, table: Table, rows: IntArray) -> Iterator[Change]:
    if len(rows):
        detail = f"dropped {_cited(table, rows)}"
        record = RepairRecord(repair, table.file.source.table, len(rows), detail)
        yield table.without(rows), record


def _cited(table: Table, rows: IntArray) -> str:
    examples = [keys_of(table, row) for row in rows[:MAX_EXAMPLES].tolist()]
    return f"{counted(len(rows), 'row')} ({listed(examples, len(rows), separator='; ')})"


_Step = Callable[[Tables], Iterator[Change]]

_STEPS: Final[Mapping[Repair, tuple[_Step, ...]]] = MappingProxyType(
    {
        Repair.NORMALISE_UNICODE: (
            partial(_rewrite_text, repair=Repair.NORMALISE_UNICODE, form=compose),
        ),
        Repair.STRIP_KEY_WHITESPACE: (
            partial(_rewrite_text, repair=Repair.STRIP_KEY_WHITESPACE, form=strip),
        ),
        Repair.ACCEPT_DOT_DECIMALS: (_accept_dots,),
        Repair.DROP_DUPLICATE_ROWS: (_drop_copies,),
        Repair.DROP_MISSING_EXPOSURES: (_drop_missing,),
        Repair.ROUND_FRACTIONAL_COUNTS: (_round_counts,),
        Repair.DROP_NEGATIVE_TOTALS: (
            partial(
                _exclude_totals, repair=Repair.DROP_NEGATIVE_TOTALS, find=faults.negative_totals
            ),
        ),
        Repair.SUM_DUPLICATE_EXPOSURES: (_sum_duplicates,),
        Repair.DROP_ORPHAN_EXPOSURES: (_drop_orphans_of_aggregates, _drop_orphans_of_entities),
        Repair.DROP_ZERO_TOTALS: (
            partial(
                _exclude_totals,
                repair=Repair.DROP_ZERO_TOTALS,
                find=faults.impossible_zero_totals,
            ),
        ),
        Repair.DROP_UNEXPLAINED_TOTALS: (
            partial(
                _exclude_totals,
                repair=Repair.DROP_UNEXPLAINED_TOTALS,
                find=faults.unexplained_totals,
            ),
        ),
    }
)
