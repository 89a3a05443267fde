"""Checks of grouping columns: effects that the data cannot tell from other parameters."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs import faults
from bayes_attrib.inputs.nesting import path_codes
from bayes_attrib.inputs.table import Tables


def check_crossed_groups(tables: Tables) -> Iterator[Finding]:
    """Yield crossed columns with one group, or with one entity per group."""
    table = tables.entities.whole()
    exposed = faults.exposed_entities(tables)
    for column in tables.spec.rates.pooling:
        if column in exposed and len(exposed):
            where = f"{table.name}, column {quote(column)}"
            n_levels = exposed[column].nunique()
            if n_levels == 1:
                yield _single(where, exposed[column], "rates.pooling")
            elif n_levels == len(exposed):
                yield _one_per_entity(where, column, len(exposed), "rates.pooling")


def check_nested_groups(tables: Tables) -> Iterator[Finding]:
    """Yield levels of a tree with one group, one child per parent, or one entity per group."""
    columns = tables.spec.rates.nested
    if not columns:
        return
    table = tables.entities.whole()
    exposed = faults.exposed_entities(tables)
    if not (set(columns) <= set(exposed) and len(exposed)):
        return
    counts = [int(code.max()) + 1 for code in path_codes(exposed, columns)]
    for depth, column in enumerate(columns):
        where = f"{table.name}, column {quote(column)}"
        if depth == 0 and counts[0] == 1:
            yield _single(where, exposed[column], "rates.nested")
        elif counts[depth] == len(exposed):
            yield _one_per_entity(where, column, len(exposed), "rates.nested")
        elif depth > 0 and counts[depth] == counts[depth - 1]:
            yield _one_child(where, columns[depth - 1], column, counts[depth])


def check_aggregate_groups(tables: Tables) -> Iterator[Finding]:
    """Yield columns of aggregates with one group in all."""
    table = tables.aggregates.whole()
    for column in tables.spec.rates.aggregate_effects:
        if column in table.frame and len(table[column].drop_duplicates()) == 1:
            where = f"{table.name}, column {quote(column)}"
            level = quote(str(table[column].iloc[0]))
            message = (
                f"{level} is the only group of the {len(table.frame):,} aggregates; its effect "
                "cannot be told from the intercept"
            )
            remedy = (
                f"remove {quote(column)} from rates.aggregate_effects in the spec, or group the "
                "aggregates more finely"
            )
            yield Finding("single-group", "error", where, message, remedy)


def _single(where: str, labels: pd.Series, spec_key: str) -> Finding:
    message = (
        f"{quote(str(labels.iloc[0]))} is the only group of the {len(labels):,} entities with "
        "exposure; its effect cannot be told from the intercept"
    )
    remedy = (
        f"remove {quote(str(labels.name))} from {spec_key} in the spec, or group the entities "
        "more finely"
    )
    return Finding("single-group", "error", where, message, remedy)


def _one_per_entity(where: str, column: str, n_entities: int, spec_key: str) -> Finding:
    message = (
        f"each of the {n_entities:,} entities with exposure is a group of its own; its effect "
        "cannot be told from the entity's own"
    )
    remedy = (
        f"remove {quote(column)} from {spec_key} in the spec, or group the entities more coarsely"
    )
    return Finding("group-per-entity", "error", where, message, remedy)


def _one_child(where: str, parent: str, column: str, n_groups: int) -> Finding:
    message = (
        f"each of the {n_groups:,} groups of {quote(parent)} has one child at this level; the "
        f"spread {names.sigma_of(column)} cannot be told from {names.sigma_of(parent)} of the "
        "level above"
    )
    remedy = (
        f"remove {quote(column)}, or {quote(parent)}, from rates.nested in the spec, or divide "
        f"at least one group of {quote(parent)} at this level"
    )
    return Finding("one-child-level", "error", where, message, remedy)
