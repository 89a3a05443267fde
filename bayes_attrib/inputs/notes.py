"""What a reader should know about sound tables: rows and columns that play no part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayes_attrib import names
from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs import faults
from bayes_attrib.inputs.row_findings import keys_of, row_findings
from bayes_attrib.inputs.table import Tables


def note_total_sd(tables: Tables) -> Iterator[Finding]:
    """Yield a warning about uncertainties of the totals that a spec says nothing about."""
    table = tables.aggregates
    if tables.spec.totals is None and names.TOTAL_SD in table.file.columns:
        yield Finding(
            "total-sd-not-used",
            "warning",
            f"{table.name}, column {quote(names.TOTAL_SD)}",
            "the uncertainty of the totals is not used; intervals are conditional on the totals",
            "read the intervals as those of the split of totals that are taken as known; or say in "
            "the spec how their uncertainty is treated, under [totals]",
        )


def note_zero_exposures(tables: Tables) -> Iterator[Finding]:
    """Yield the number of exposure rows that carry no credit."""
    table = tables.exposures
    rows = table.select(table[tables.spec.columns.exposure] == 0)
    yield from row_findings(
        "zero-exposure",
        table,
        rows,
        "the exposure is zero, and so is the credit",
        severity="note",
    )


def note_idle_entities(tables: Tables) -> Iterator[Finding]:
    """Yield entities that have exposure rows, all of them zero."""
    columns, table = tables.spec.columns, tables.exposures
    largest = table[columns.exposure].groupby(table[columns.entity], sort=False).transform("max")
    idle = (largest == 0) & ~table[columns.entity].duplicated()
    yield from row_findings(
        "idle-entity",
        table,
        table.select(idle),
        "all exposures of the entity are zero; its rate is told by its groups alone",
        severity="note",
        show=lambda row: keys_of(table, row, (columns.entity,)),
    )


def note_unused_entities(tables: Tables) -> Iterator[Finding]:
    """Yield entities that are described and have no exposure row."""
    table = tables.entities
    used = np.zeros(len(table.frame), dtype=bool)
    found = tables.entity_of_exposure
    used[found[found >= 0]] = True
    yield from row_findings(
        "unused-entity",
        table,
        table.select(~used),
        f"not in {tables.exposures.name}, and left out",
        severity="note",
    )


def note_empty_aggregates(tables: Tables) -> Iterator[Finding]:
    """Yield aggregates with a total of zero and no exposure."""
    yield from row_findings(
        "empty-aggregate",
        tables.aggregates,
        faults.empty_aggregates(tables),
        f"{quote(tables.spec.columns.total)} is zero and no entity has exposure: nothing to "
        "attribute",
        severity="note",
    )
