"""Checks of the known amounts, which serve for scoring only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.row_findings import keys_of, row_findings
from bayes_attrib.inputs.table import Tables

_RELATIVE_TOLERANCE: Final = 1e-4
_ABSOLUTE_TOLERANCE: Final = 1e-6


def check_amounts_are_there(tables: Tables) -> Iterator[Finding]:
    """Yield a note where the spec names a column of known amounts and the table has none."""
    columns, table = tables.spec.columns, tables.exposures
    if "amount" in columns.model_fields_set and columns.amount not in table.file.columns:
        message = f"there is no column {quote(columns.amount)}; nothing is scored against a truth"
        yield Finding("no-known-amounts", "note", table.name, message)


def check_amounts_sum_to_totals(tables: Tables) -> Iterator[Finding]:
    """Yield aggregates whose known amounts do not add up to the total.

    Where the spec leaves an amount unattributed, they may add up to less.
    """
    columns, table = tables.spec.columns, tables.aggregates
    amounts = tables.exposures.whole()[columns.amount].to_numpy()
    totals = table[columns.total].to_numpy()
    parent = tables.aggregate_of_exposure
    known = parent >= 0
    sums = np.bincount(parent[known], weights=amounts[known], minlength=len(totals))
    tolerance = _RELATIVE_TOLERANCE * np.abs(totals) + _ABSOLUTE_TOLERANCE
    below = (sums < totals - tolerance) & ~(tables.unattributed_exposure > 0)
    off = below | (sums > totals + tolerance)
    rows = table.select(off)
    wording = {
        row: f"{amount:.10g} of {total:.10g}"
        for row, amount, total in zip(rows.tolist(), sums[off], totals[off], strict=True)
    }
    yield from row_findings(
        "amounts-off-total",
        table,
        rows,
        f"the known amounts {quote(columns.amount)} do not add up to {quote(columns.total)}",
        "scores compare with amounts that cannot be reached: check which of the two is right",
        # A mix model's totals are estimates, so nothing is amiss where the truth differs.
        severity="warning" if tables.spec.likelihood.informs_rates else "note",
        show=lambda row: f"{wording[row]} ({keys_of(table, row)})",
    )


def check_amounts_have_exposure(tables: Tables) -> Iterator[Finding]:
    """Yield known amounts that the model must put at zero."""
    columns, table = tables.spec.columns, tables.exposures
    unreachable = (table[columns.amount] > 0) & (table[columns.exposure] == 0)
    yield from row_findings(
        "amount-without-exposure",
        table,
        table.select(unreachable),
        f"the known amount {quote(columns.amount)} is positive, and the exposure is zero",
        "such amounts are not scored: check the exposure",
        severity="warning",
        show=columns.amount,
    )
