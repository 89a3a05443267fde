"""Where the faults are: each function returns the rows that hold one, and says nothing about it.

Checks turn these rows into findings, repairs take them away; so a repair mends exactly what a
check would report. Rows are positions in the file.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.keys import is_blank
from bayes_attrib.inputs.numbers import CellStatus
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.unavailable import UnavailableError

_NONE: Final[IntArray] = np.zeros(0, dtype=np.int64)
_FIRST_INEXACT_COUNT: Final = 2.0**53


def missing_exposures(tables: Tables) -> IntArray:
    """Find exposure rows whose exposure cell is empty."""
    return tables.exposures.cells_with(tables.spec.columns.exposure, CellStatus.MISSING)


def negative_totals(tables: Tables) -> IntArray:
    """Find aggregates with a total below zero."""
    table = tables.aggregates
    return table.select(table[tables.spec.columns.total] < 0)


def fractional_counts(tables: Tables) -> IntArray:
    """Find aggregates whose total is not a whole number, under a family of counts."""
    table, column = tables.aggregates, tables.spec.columns.total
    if column in table.dotted:
        raise UnavailableError  # how to read the column has to be settled first
    if not tables.spec.likelihood.counts:
        return _NONE
    totals = table[column].to_numpy()
    return table.select(np.isfinite(totals) & (totals != np.rint(totals)))


def inexact_counts(tables: Tables) -> IntArray:
    """Find aggregates whose total is beyond the exact integers of floating point, under counts."""
    table = tables.aggregates
    if not tables.spec.likelihood.counts:
        return _NONE
    return table.select(table[tables.spec.columns.total] >= _FIRST_INEXACT_COUNT)


def duplicate_keys(table: Table) -> npt.NDArray[np.bool_]:
    """Mark the rows whose whole key occurs more than once, shape (n_rows,)."""
    repeated = table.keys.duplicated(keep=False).to_numpy()
    return repeated & ~blank_keys(table) if repeated.any() else repeated


def has_own_key(table: Table) -> npt.NDArray[np.bool_]:
    """Mark the rows whose key is whole and no other row's, shape (n_rows,)."""
    return ~duplicate_keys(table) & ~blank_keys(table)


def blank_keys(table: Table) -> npt.NDArray[np.bool_]:
    """Mark the rows with a blank cell in any key column, shape (n_rows,)."""
    return table.keys.apply(is_blank).any(axis=1).to_numpy(dtype=bool)


def valid_duplicate_exposures(tables: Tables) -> IntArray:
    """Find exposure rows of a repeated key whose numbers can be added up."""
    table = tables.exposures
    valid = duplicate_keys(table) & (table[tables.spec.columns.exposure] >= 0).to_numpy()
    for column in table.layout.optional_numbers:
        if column in table.frame:
            valid = valid & (table[column] >= 0).to_numpy()
    if table.layout.covariates:
        valid = valid & _agreeing_covariates(table)
    rows = table.select(valid)
    return rows[table.keys.loc[rows].duplicated(keep=False).to_numpy()]


def _agreeing_covariates(table: Table) -> npt.NDArray[np.bool_]:
    """Mark the rows whose covariates are those of all rows with the same key, shape (n_rows,)."""
    others = [c for c in table.layout.covariates if c not in table.layout.measured]
    if not others:
        return np.ones(len(table.frame), dtype=bool)
    keys = [table[column] for column in table.layout.keys]
    distinct = table.covariates[others].groupby(keys, sort=False).transform("nunique", dropna=False)
    return (distinct == 1).all(axis=1).to_numpy()


def copied_rows(table: Table) -> IntArray:
    """Find rows that repeat an earlier row in every column, used by the model or not."""
    cells = table.file.cells.take(table.rows).to_pandas()
    return table.select(cells.astype("str").duplicated())


def unknown_aggregates(tables: Tables) -> IntArray:
    """Find exposure rows whose aggregate is not among the aggregates.

    Delivery there is no fault where the spec says that it is carried over.
    """
    section = tables.spec.exposure
    if section is not None and section.outside == "carry_over":
        return _NONE
    return _unknown(tables.exposures, tables.aggregate_of_exposure)


def unknown_entities(tables: Tables) -> IntArray:
    """Find exposure rows whose entity is not among the entities."""
    return _unknown(tables.exposures, tables.entity_of_exposure)


def _unknown(exposures: Table, parent: IntArray) -> IntArray:
    lost = parent < 0
    return exposures.select(lost & ~blank_keys(exposures)) if lost.any() else _NONE


def unexplained_totals(tables: Tables) -> IntArray:
    """Find aggregates with a positive total in which nothing has exposure."""
    table, exposure = tables.aggregates, tables.exposures[tables.spec.columns.exposure]
    if not (exposure != 0).any():
        raise UnavailableError  # reported as one fault of the whole table
    explained = _exposed(tables, np.not_equal)  # an unreadable exposure may explain a total
    unexplained = (table[tables.spec.columns.total] > 0).to_numpy() & ~explained
    return table.select(unexplained & has_own_key(table))


def impossible_zero_totals(tables: Tables) -> IntArray:
    """Find aggregates with exposure and a total of zero, under a family that excludes zero."""
    table = tables.aggregates
    if tables.spec.likelihood.zeros_allowed:
        return _NONE
    zero = (table[tables.spec.columns.total] == 0).to_numpy()
    return table.select(zero & _exposed(tables, np.greater))


def empty_aggregates(tables: Tables) -> IntArray:
    """Find aggregates with a total of zero and no exposure."""
    table = tables.aggregates
    zero = (table[tables.spec.columns.total] == 0).to_numpy()
    return table.select(zero & ~_exposed(tables, np.greater))


def _exposed(tables: Tables, compare: np.ufunc) -> npt.NDArray[np.bool_]:
    """Mark the aggregates with an exposure that compares to zero, that of no entity included."""
    parent = tables.aggregate_of_exposure
    exposure = tables.exposures.whole()[tables.spec.columns.exposure].to_numpy()
    marked = parent[compare(exposure, 0) & (parent >= 0)]
    exposed = np.bincount(marked, minlength=len(tables.aggregates.frame)) > 0
    return np.asarray(exposed | compare(tables.unattributed_exposure, 0), dtype=bool)


def exposed_entities(tables: Tables) -> pd.DataFrame:
    """Return the rows of the entities that occur among the exposures, with their labels."""
    found = tables.entity_of_exposure
    used = np.bincount(found[found >= 0], minlength=len(tables.entities.frame)) > 0
    return tables.entities.frame[used]
