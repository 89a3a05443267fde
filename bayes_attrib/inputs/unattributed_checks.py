"""Checks of the entity that stands for what no exposure explains."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_attrib import names
from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table, Tables


def check_any_unattributed_exposure(tables: Tables) -> Iterator[Finding]:
    """Yield an exposure of what no entity explains that is zero everywhere."""
    table, unattributed = tables.aggregates.whole(), tables.spec.unattributed
    if unattributed is None or unattributed.exposure is None:
        return
    if (tables.unattributed_exposure == 0).all():
        column = quote(unattributed.exposure)
        message = f"all {len(table.frame):,} exposures in {column} are zero"
        remedy = (
            "nothing can be left unattributed: check the column, or remove the section "
            "[unattributed] from the spec"
        )
        yield Finding("no-exposure", "error", table.name, message, remedy)


def check_reserved_names(tables: Tables) -> Iterator[Finding]:
    """Yield entities and groups that bear the name of what no entity explains."""
    if tables.spec.unattributed is None:
        return
    entity = tables.spec.columns.entity
    places = {
        names.EXPOSURES_TABLE: (entity,),
        names.ENTITIES_TABLE: (entity, *tables.spec.rates.groups),
    }
    for stem, columns in places.items():
        if stem in tables.by_stem:
            for column in columns:
                yield from _bearers(tables.by_stem[stem], column)


def _bearers(table: Table, column: str) -> Iterator[Finding]:
    if column not in table.frame:
        return
    yield from row_findings(
        "reserved-name",
        table,
        table.select(table[column] == names.UNATTRIBUTED),
        f"{quote(column)} is {quote(names.UNATTRIBUTED)}, the name of what no exposure explains",
        "give it another name in your files, or remove the section [unattributed] from the spec",
    )
