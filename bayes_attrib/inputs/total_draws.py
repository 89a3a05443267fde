"""Draws of all totals, for specs that split totals which are estimates themselves.

A mix model's draw is a draw of all totals together: what makes channels and weeks alike or opposed
is in it. So rows are matched by key, never by place, and draws of one place belong together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bayes_attrib import names
from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.inputs.keys import compose, match_keys, strip
from bayes_attrib.inputs.layout import Layout
from bayes_attrib.inputs.row_findings import keys_of, row_findings
from bayes_attrib.inputs.source import PARQUET, DataSource, SourceFile, locate
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.table_file import TableFile, read_table_file
from bayes_attrib.inputs.total_sd import draws_from_sd, sd_faults, sd_of
from bayes_attrib.inputs.typed import type_table
from bayes_attrib.inputs.unavailable import UnavailableError

FEWEST_DRAWS: Final = 100
"""Fewer draws cannot tell the ends of an interval."""

STANDARD_ERRORS: Final = 6.0
"""A mean of draws may be so many of its standard errors away from the total."""

_RELATIVE: Final = 1e-6


@dataclass(frozen=True, eq=False)
class TotalDrawsRead:
    """What came of looking for draws of the totals.

    Attributes
    ----------
    draws : DrawnTotals or None
        One row per aggregate; None where the spec asks for none, or they are at fault.
    findings : tuple of Finding
        Faults, and what a reader should know.
    source : SourceFile or None
        The file, where one was read.
    """

    draws: DrawnTotals | None = None
    findings: tuple[Finding, ...] = ()
    source: SourceFile | None = None


def read_total_draws(tables: Tables, whole: Tables, source: DataSource) -> TotalDrawsRead:
    """Read the table of draws, or make draws from standard deviations, where the spec wants any.

    Parameters
    ----------
    tables : Tables
        Typed tables after repairs.
    whole : Tables
        The same before repairs: keys that a repair took away may have draws.
    source : DataSource
        Where tables are.

    Returns
    -------
    TotalDrawsRead
        Draws, or what is wrong.
    """
    if tables.spec.total_uncertainty == "plugin":
        return TotalDrawsRead()
    try:
        path = locate(source, names.TOTAL_DRAWS_TABLE)
        aggregates = tables.aggregates
        if path is None:
            return _from_sd(tables, aggregates)
        if not path.name.lower().endswith(PARQUET):
            return TotalDrawsRead(None, (_not_parquet(path.name),))
        file = read_table_file(path, names.TOTAL_DRAWS_TABLE)
        draws, findings = _match(file, tables, whole.aggregates)
    except UnavailableError as error:
        return TotalDrawsRead(None, tuple(error.findings))
    return TotalDrawsRead(draws, tuple(findings), file.source)


def _from_sd(tables: Tables, aggregates: Table) -> TotalDrawsRead:
    if names.TOTAL_SD not in aggregates.file.columns:
        raise UnavailableError(_no_draws(tables))
    totals, sd = aggregates[tables.spec.columns.total].to_numpy(), sd_of(aggregates)
    wrong = tuple(sd_faults(aggregates, totals, sd))
    if wrong:
        return TotalDrawsRead(None, wrong)
    draws = draws_from_sd(totals, sd, tables.spec.inference.seed)
    loud = Finding(
        "total-draws-from-sd",
        "warning",
        f"{aggregates.name}, column {quote(names.TOTAL_SD)}",
        "there are no draws of the totals, so they are made from their standard deviations, as "
        "Gamma variables that are independent between aggregates; what an estimate has in common "
        "over periods and channels is lost, and sums over many aggregates look too certain",
        f"add the table {names.TOTAL_DRAWS_TABLE}{PARQUET} with joint draws, as import-mmm writes "
        "it",
    )
    return TotalDrawsRead(draws, (loud,))


def _match(
    file: TableFile, tables: Tables, known: Table
) -> tuple[DrawnTotals | None, list[Finding]]:
    """Put draws in the order of the aggregates, and check them."""
    spec, aggregates = tables.spec, tables.aggregates
    keys = spec.columns.aggregate
    layout = Layout(keys=keys, spec_keys=dict.fromkeys(keys, "columns.aggregate"))
    table, faults = type_table(file, layout)
    columns = list(keys)
    if not set(columns) <= set(table.frame.columns):
        return None, faults
    values = _values_of(table)
    faults += row_findings(
        "total-draws-twice",
        table,
        table.select(table.keys.duplicated(keep=False)),
        "draws of an aggregate are given more than once",
        "keep one row per aggregate",
    )
    unknown = match_keys(_loose(known.keys), _loose(table.keys), columns) < 0
    faults += row_findings(
        "total-draws-of-unknown-aggregate",
        table,
        table.select(unknown),
        f"there is no such aggregate in {aggregates.name}",
        "make both tables from one mix model, with keys spelt alike",
    )
    row = match_keys(_loose(table.keys), _loose(aggregates.keys), columns)
    faults += row_findings(
        "no-total-draws-of-aggregate",
        aggregates,
        aggregates.select(row < 0),
        f"there are no draws of this total in {table.name}",
        "make both tables from one mix model, with keys spelt alike; or set totals.uncertainty to "
        '"plugin"',
        show=spec.columns.total,
    )
    faults += _value_faults(table, values)
    if faults:
        return None, faults
    drawn = values[row]
    found = [*_mean_faults(table, aggregates, drawn, spec.columns.total)]
    found += _too_few(table, tables, drawn.shape[1])
    found += _zeros(tables, drawn)
    is_wrong = any(finding.severity == "error" for finding in found)
    return (None if is_wrong else DrawnTotals(drawn)), found


def _loose(keys: pd.DataFrame) -> pd.DataFrame:
    return keys.apply(lambda text: strip(compose(text)))


def _values_of(table: Table) -> FloatArray:
    """Return the lists of draws as a matrix, shape (n_rows, n_draws)."""
    file = table.file
    if names.DRAWS not in file.columns:
        raise UnavailableError(
            Finding(
                "missing-column",
                "error",
                file.name,
                f"there is no column {quote(names.DRAWS)}",
                "add it: a list of numbers for each aggregate, equally long, with the draws of the "
                "mix model in one order",
            )
        )
    lists = file.cells.column(names.DRAWS).combine_chunks()
    kind = lists.type
    nested = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (nested or pa.types.is_fixed_size_list(kind)) or not _is_number(kind.value_type):
        raise UnavailableError(
            Finding(
                "total-draws-type",
                "error",
                file.name,
                f"{quote(names.DRAWS)} is stored as {kind}, and a list of numbers is needed",
                "store the draws of each aggregate as a list of floating-point numbers",
            )
        )
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    if len(np.unique(lengths)) > 1 or lengths[0] == 0:
        usual = int(np.bincount(lengths).argmax())
        rows = table.rows[(lengths != usual) | (lengths == 0)]
        found = row_findings(
            "total-draws-of-unequal-length",
            table,
            rows,
            f"most rows have {usual:,} draws, and these have others: a draw is one of all totals",
            "write the draws of the same chains and iterations for every aggregate",
            show=lambda row: f"{lengths[row]:,} draws ({keys_of(table, row)})",
        )
        raise UnavailableError(*found)
    flat = pc.fill_null(pc.list_flatten(lists).cast(pa.float64()), np.nan)
    return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(len(lengths), -1)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


def _value_faults(table: Table, values: FloatArray) -> Iterator[Finding]:
    finite = np.isfinite(values)
    yield from row_findings(
        "total-draws-not-finite",
        table,
        table.select(~finite.all(axis=1)),
        "draws are missing or infinite",
        "export the draws of the mix model again, without gaps",
    )
    negative = np.where(finite, values, 0.0) < 0
    lowest = np.where(finite, values, np.inf).min(axis=1)
    yield from row_findings(
        "negative-total-draws",
        table,
        table.select(negative.any(axis=1)),
        "draws are negative, and cannot be split by positive rates",
        "fit the mix model with effects that are not negative; or import with --negative clip, "
        "which sets them to zero and says so",
        show=lambda row: f"{lowest[row]:.6g} ({keys_of(table, row)})",
    )


def _mean_faults(
    table: Table, aggregates: Table, drawn: FloatArray, total: str
) -> Iterator[Finding]:
    """Yield totals that are not the mean of their draws, as those of other rows would not be."""
    wanted, mean = aggregates[total].to_numpy(), drawn.mean(axis=1)
    error = drawn.std(axis=1) / np.sqrt(drawn.shape[1])
    wrong = np.abs(mean - wanted) > STANDARD_ERRORS * error + _RELATIVE * wanted
    place = dict(zip(aggregates.rows.tolist(), range(len(wanted)), strict=True))
    yield from row_findings(
        "total-is-no-mean-of-its-draws",
        aggregates,
        aggregates.select(wrong),
        f"the total is not the mean of its draws in {table.name}, by more than "
        f"{STANDARD_ERRORS:g} standard errors",
        "take both from one mix model: the total is the mean over draws; check that rows were not "
        "moved between aggregates",
        show=lambda at: (
            f"total {wanted[place[at]]:.6g}, mean {mean[place[at]]:.6g} ({keys_of(aggregates, at)})"
        ),
    )


def _too_few(table: Table, tables: Tables, n_draws: int) -> Iterator[Finding]:
    totals = tables.spec.totals
    wanted = 0 if totals is None or totals.uncertainty != "cut" else totals.draws
    if n_draws < max(2, wanted):
        yield Finding(
            "too-few-total-draws",
            "error",
            table.name,
            f"there are {n_draws:,} draws of the totals, and totals.draws asks for {wanted:,}",
            f"set totals.draws to {n_draws:,} at most, or export more draws of the mix model",
        )
    elif n_draws < FEWEST_DRAWS:
        yield Finding(
            "few-total-draws",
            "warning",
            table.name,
            f"there are only {n_draws:,} draws of the totals, which leaves the ends of intervals "
            "to chance",
            f"export {FEWEST_DRAWS:,} draws or more of the mix model",
        )


def _zeros(tables: Tables, drawn: FloatArray) -> Iterator[Finding]:
    """Yield totals with draws of zero, where rates are to be inferred from each draw."""
    spec, table = tables.spec, tables.aggregates
    if spec.total_uncertainty != "cut" or spec.likelihood.zeros_allowed:
        return
    totals = table[spec.columns.total].to_numpy()
    zero = (drawn == 0).any(axis=1) & (totals > 0)
    yield from row_findings(
        "zero-total-draws",
        table,
        table.select(zero),
        f"draws of the total are zero, and family {spec.likelihood.family!r} has no zeros to infer "
        "rates from",
        f'choose family "hurdle_{spec.likelihood.family}", or set totals.uncertainty to "paired", '
        "which splits a total of zero into nothing",
        show=spec.columns.total,
    )


def _not_parquet(name: str) -> Finding:
    return Finding(
        "total-draws-format",
        "error",
        name,
        "draws of the totals are lists of numbers, which this format does not hold",
        f"save them as {names.TOTAL_DRAWS_TABLE}{PARQUET}: the key columns, and a column "
        f"{quote(names.DRAWS)} with a list for each aggregate",
    )


def _no_draws(tables: Tables) -> Finding:
    return Finding(
        "no-total-draws",
        "error",
        names.TOTAL_DRAWS_TABLE,
        f'the spec has totals.uncertainty = "{tables.spec.total_uncertainty}", and there is '
        f"neither {names.TOTAL_DRAWS_TABLE}{PARQUET} nor a column {quote(names.TOTAL_SD)} in "
        f"{tables.aggregates.name}",
        "add the draws, as import-mmm writes them; or set totals.uncertainty to "
        '"plugin", which takes the totals as known',
    )


def note_treatment(tables: Tables) -> Iterator[Finding]:
    """Yield what was decided about the uncertainty of the totals, where the spec decides it."""
    with suppress(UnavailableError):
        totals, informs = tables.spec.totals, tables.spec.likelihood.informs_rates
        if totals is not None:
            treatment = totals.uncertainty if informs else f"{totals.uncertainty} given"
            yield Finding(
                f"totals-{totals.uncertainty}",
                "note",
                "totals.uncertainty",
                _TREATMENTS[treatment].format(draws=totals.draws),
            )


_TREATMENTS: Final = {
    "plugin": "totals are taken as known: all intervals are conditional on them",
    "plugin given": "totals are taken as known: all intervals are conditional on them",
    "paired given": "each posterior draw splits a draw of all totals together, so intervals hold "
    "the uncertainty of totals and rates",
    "cut given": "increments of lift tests are held against each of {draws} draws of all totals, "
    "and each splits that draw, so intervals hold the uncertainty of totals and rates",
    "paired": "rates are inferred from the totals as they are; each posterior draw splits a draw "
    "of all totals together, so intervals hold the uncertainty of totals, rates and allocation",
    "cut": "rates are inferred anew from each of {draws} draws of all totals, and split that draw, "
    "so intervals hold the uncertainty of totals, rates and allocation",
}
