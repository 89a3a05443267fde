"""Checks of the columns that formulas read: every row that counts needs a value of one kind."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs import faults
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.keys import is_blank
from bayes_attrib.inputs.number_checks import number_findings
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.spec.formula_tree import Column


def check_entity_covariates(tables: Tables) -> Iterator[Finding]:
    """Yield faulty covariates of the entities with exposure."""
    if tables.spec.rates.covariates is not None:
        rows = faults.exposed_entities(tables).index.to_numpy()
        yield from covariate_findings(tables.entities, rows)


def check_pair_covariates(tables: Tables) -> Iterator[Finding]:
    """Yield faulty covariates of the pairs with positive exposure."""
    if tables.spec.rates.pair_covariates is not None:
        table = tables.exposures
        rows = table.select(table[tables.spec.columns.exposure] > 0)
        yield from covariate_findings(table, rows)


def check_aggregate_covariates(tables: Tables) -> Iterator[Finding]:
    """Yield faulty covariates of the aggregates."""
    if tables.spec.likelihood.zero_covariates is not None:
        yield from covariate_findings(tables.aggregates, tables.aggregates.rows)


def covariate_findings(table: Table, rows: IntArray) -> Iterator[Finding]:
    """Yield faulty cells; those of keys, labels and numbers are the business of other checks."""
    layout = table.layout
    for column in layout.covariates:
        if column in layout.categories:
            if column in table.frame and column not in layout.keys + layout.labels:
                yield from _blank_categories(table, column, rows)
        elif column in table.numbers and column not in layout.measured:
            yield from _faulty_numbers(table, column, rows)


def _faulty_numbers(table: Table, column: str, rows: IntArray) -> Iterator[Finding]:
    formula, category = table.layout.formula_key, f"C({Column(column).text})"
    computed = column in table.layout.computed
    yield from number_findings(
        table,
        column,
        rows,
        "missing-covariate",
        f"fill it in, or take {quote(column)} out of {formula} in the spec; no row is left out, "
        "and no value made up, in silence",
        hint=f"; if these are names of categories, write {category} in {formula}"
        + (", without the function that computes with them" if computed else ""),
    )


def _blank_categories(table: Table, column: str, rows: IntArray) -> Iterator[Finding]:
    yield from row_findings(
        "missing-covariate",
        table,
        rows[is_blank(table[column].reindex(pd.Index(rows))).to_numpy()],
        f"the category {quote(column)} is blank",
        f"fill it in, or take {quote(column)} out of {table.layout.formula_key} in the spec; where "
        "it is not known, write a category of its own such as 'unknown'",
    )
