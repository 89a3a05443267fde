"""Checks of single cells: blank keys and labels, wrong signs, counts that are none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs import faults
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.keys import is_blank
from bayes_attrib.inputs.repair import Repair, flag
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.unavailable import UnavailableError


def check_blank_keys(tables: Tables) -> Iterator[Finding]:
    """Yield the rows that name no aggregate or no entity."""
    for table in tables.by_stem.values():
        for column in table.layout.keys:
            if column in table.frame:
                yield from row_findings(
                    "missing-key",
                    table,
                    table.select(is_blank(table[column])),
                    f"{quote(column)} is blank",
                    "fill in the key, or remove the row",
                )


def check_blank_labels(tables: Tables) -> Iterator[Finding]:
    """Yield the aggregates, and the entities with exposure, whose group is not named."""
    for table, rows in _labelled_rows(tables):
        for column in table.layout.labels:
            if column in table.frame and column not in table.layout.keys:
                blank = is_blank(table[column].reindex(pd.Index(rows))).to_numpy()
                yield from row_findings(
                    "missing-label",
                    table,
                    rows[blank],
                    f"the group {quote(column)} is blank",
                    "fill it in; where it is not known, write a group of its own such as 'unknown'",
                )


def _labelled_rows(tables: Tables) -> Iterator[tuple[Table, IntArray]]:
    with suppress(UnavailableError):
        yield tables.aggregates, tables.aggregates.rows
    yield tables.entities, faults.exposed_entities(tables).index.to_numpy()


def check_negative_exposures(tables: Tables) -> Iterator[Finding]:
    """Yield exposures below zero."""
    columns = {names.EXPOSURES_TABLE: tables.spec.columns.exposure}
    if tables.spec.unattributed is not None and tables.spec.unattributed.exposure is not None:
        columns[names.AGGREGATES_TABLE] = tables.spec.unattributed.exposure
    for stem, column in columns.items():
        if stem in tables.by_stem and column in tables.by_stem[stem].frame:
            table = tables.by_stem[stem]
            yield from row_findings(
                "negative-exposure",
                table,
                table.select(table[column] < 0),
                f"{quote(column)} is negative",
                "an exposure is zero or more: correct the sign, or net corrections into their rows",
                show=column,
            )


def check_negative_amounts(tables: Tables) -> Iterator[Finding]:
    """Yield known amounts below zero."""
    table, column = tables.exposures, tables.spec.columns.amount
    yield from row_findings(
        "negative-amount",
        table,
        table.select(table[column] < 0),
        f"the known amount {quote(column)} is negative",
        "known amounts are for scoring only: correct them, or remove the column",
        show=column,
    )


def check_negative_totals(tables: Tables) -> Iterator[Finding]:
    """Yield totals that positive rates cannot add up to."""
    column = tables.spec.columns.total
    yield from row_findings(
        "negative-total",
        tables.aggregates,
        faults.negative_totals(tables),
        f"{quote(column)} is negative, which positive rates cannot add up to",
        "correct the totals (net returns into the period of their sale), or leave them out of the "
        f"attribution with {flag(Repair.DROP_NEGATIVE_TOTALS)}",
        show=column,
    )


def check_counts(tables: Tables) -> Iterator[Finding]:
    """Yield totals that are no exact counts, under a family of counts."""
    column, likelihood = tables.spec.columns.total, tables.spec.likelihood
    family, of_money = likelihood.family, "hurdle_gamma" if likelihood.excess_zeros else "gamma"
    yield from row_findings(
        "fractional-count",
        tables.aggregates,
        faults.fractional_counts(tables),
        f"{quote(column)} is not a whole number, and the family {quote(family)} is for counts",
        f"correct the totals, choose the family {quote(of_money)} if they are money, or round them "
        f"with {flag(Repair.ROUND_FRACTIONAL_COUNTS)}",
        show=column,
    )
    yield from row_findings(
        "count-too-large",
        tables.aggregates,
        faults.inexact_counts(tables),
        f"{quote(column)} reaches 2**53, where counts are no longer exact",
        "count in a larger unit, such as packs of a thousand, or choose the family "
        f"{quote(of_money)}",
        show=column,
    )
