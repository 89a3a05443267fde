"""Checks of the tables against the model: what it cannot explain, and what it cannot tell apart."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs import faults
from bayes_attrib.inputs.repair import Repair, flag
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Tables


def check_anything_to_attribute(tables: Tables) -> Iterator[Finding]:
    """Yield totals that are all zero."""
    table, column = tables.aggregates.whole(), tables.spec.columns.total
    totals = table[column]
    if (totals == 0).all():
        what = f"all {len(totals):,} totals in {quote(column)} are zero"
        message = what if len(totals) else "no aggregate is left after the repairs"
        remedy = "there is nothing to attribute: check the column, and the period of the export"
        yield Finding("nothing-to-attribute", "error", table.name, message, remedy)


def check_any_exposure(tables: Tables) -> Iterator[Finding]:
    """Yield exposures that are all zero."""
    table, column = tables.exposures.whole(), tables.spec.columns.exposure
    if (table[column] == 0).all():
        what = f"all {len(table.frame):,} exposures in {quote(column)} are zero"
        message = what if len(table.frame) else "no exposure row is left after the repairs"
        remedy = "nobody can be given credit: check the column, and the period of the export"
        yield Finding("no-exposure", "error", table.name, message, remedy)


def check_unexplained_totals(tables: Tables) -> Iterator[Finding]:
    """Yield positive totals that nobody's exposure explains."""
    column, unattributed = tables.spec.columns.total, tables.spec.unattributed
    nobody = "no entity has exposure there"
    remedy = "add the section [unattributed] to the spec (an entity for what no exposure explains)"
    if unattributed is not None:
        nobody += f", nor is there any {quote(unattributed.exposure or '')}"
        remedy = f"give them a positive {quote(unattributed.exposure or '')}"
    yield from row_findings(
        "unexplained-total",
        tables.aggregates,
        faults.unexplained_totals(tables),
        f"{quote(column)} is positive, and {nobody}",
        f"add the exposures that are missing from {tables.exposures.name}, {remedy}, or leave "
        f"these totals out of the attribution with {flag(Repair.DROP_UNEXPLAINED_TOTALS)} (the "
        "run records how much)",
        show=column,
    )


def check_zero_totals(tables: Tables) -> Iterator[Finding]:
    """Yield totals of zero under a family in which they are impossible."""
    column, family = tables.spec.columns.total, tables.spec.likelihood.family
    yield from row_findings(
        "impossible-zero",
        tables.aggregates,
        faults.impossible_zero_totals(tables),
        f"{quote(column)} is zero where entities have exposure, and a total of the family "
        f"{quote(family)} is always positive",
        f"choose a family for counts if these are counts, choose {quote(f'hurdle_{family}')} "
        "where an aggregate may sell nothing at all, or leave the zeros out with "
        f"{flag(Repair.DROP_ZERO_TOTALS)} (rates are then those of the aggregates that sold)",
        show=column,
    )
