"""Tables that a finished fit is asked to predict for: entities, exposures, aggregates."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from bayes_attrib import names
from bayes_attrib.citing import listed
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs import cell_checks, key_checks, number_checks, unattributed_checks
from bayes_attrib.inputs.covariate_checks import covariate_findings
from bayes_attrib.inputs.delivered import mend_and_deliver
from bayes_attrib.inputs.keys import compose, is_blank, strip
from bayes_attrib.inputs.layout import Layout, layouts_of
from bayes_attrib.inputs.repair import Repair
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.source import DataSource, SourceFile, folder_findings, locate
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.table_file import TableFile, read_table_file
from bayes_attrib.inputs.typed import type_table
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.spec import ModelSpec

GivenTable = pd.DataFrame | Path | str

_STEMS = (names.ENTITIES_TABLE, names.EXPOSURES_TABLE, names.AGGREGATES_TABLE)

_CHECKS = (
    cell_checks.check_blank_keys,
    number_checks.check_number_cells,
    cell_checks.check_negative_exposures,
    cell_checks.check_negative_totals,
    cell_checks.check_counts,
    key_checks.check_unicode_twins,
    key_checks.check_whitespace_twins,
    key_checks.check_duplicate_keys,
    key_checks.check_unknown_aggregates,
    unattributed_checks.check_reserved_names,
)


@dataclass(frozen=True, eq=False)
class KnownNames:
    """What a fit knows, for checks of what is said about it.

    Attributes
    ----------
    entities : mapping of str to mapping of str to str
        Names of the entities that were fitted, each with its label of every crossed column.
    categories : mapping of str to collection of str
        Covariates that held names where the model was fitted, by the stem of their table.
    """

    entities: Mapping[str, Mapping[str, str]]
    categories: Mapping[str, Collection[str]]


def locate_new_tables(source: DataSource) -> dict[str, Path]:
    """Find the files of the tables to predict for, by stem; none of them has to be there.

    Parameters
    ----------
    source : DataSource
        A folder, or single files.

    Returns
    -------
    dict of str to Path
        The files that were found.

    Raises
    ------
    DataError
        If the folder or a named file is not there, or a table is there in two formats.
    """
    found: dict[str, Path] = {}
    findings = folder_findings(source)
    for stem in _STEMS:
        try:
            path = locate(source, stem)
        except UnavailableError as error:
            findings += error.findings
        else:
            found |= {} if path is None else {stem: path}
    _raise(findings)
    return found


def read_new_tables(
    spec: ModelSpec,
    given: Mapping[str, GivenTable],
    known: KnownNames,
    *,
    repairs: Collection[Repair] = (),
) -> Tables:
    """Read the tables that a prediction is about, as strictly as those of a fit.

    Parameters
    ----------
    spec : ModelSpec
        The model that was fitted: names of columns, family of the totals.
    given : mapping of str to DataFrame or Path
        Tables, or files that hold them, by stem. Totals may be missing from the aggregates.
    known : KnownNames
        What the fit knows.
    repairs : collection of Repair
        Opt-in repairs.

    Returns
    -------
    Tables
        Typed and checked.

    Raises
    ------
    DataError
        If anything in any of the tables is wrong; all faults are listed together.
    """
    by_stem: dict[str, Table] = {}
    findings: list[Finding] = list(_missing_tables(spec, given))
    for stem, layout in _layouts(spec, known).items():
        if stem in given:
            try:
                table, faults = type_table(_table_file(given[stem], stem), layout)
            except UnavailableError as error:
                findings += error.findings
            else:
                by_stem[stem] = table
                findings += [*table.file.findings, *faults]
    tables, _, delivery = mend_and_deliver(Tables(spec, by_stem), repairs, follows=True)
    findings += delivery
    findings += check_new_tables(tables, known)
    _raise(findings)
    return tables


def check_new_tables(tables: Tables, known: KnownNames) -> Iterator[Finding]:
    """Yield everything that is wrong with typed tables that a finished fit is asked about.

    Parameters
    ----------
    tables : Tables
        Typed tables, after repairs.
    known : KnownNames
        What the fit knows.

    Yields
    ------
    Finding
        Errors; a check that needs what could not be read is skipped.
    """
    for check in (*_CHECKS, _check_labels, _check_covariates):
        with suppress(UnavailableError):
            yield from check(tables)
    for check_known in (_check_described, _check_spelling, _check_groups):
        with suppress(UnavailableError):
            yield from check_known(tables, known)
    with suppress(UnavailableError):
        yield from _check_exposed(tables)


def _raise(findings: list[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        count = "one fault" if len(errors) == 1 else f"{len(errors)} faults"
        raise DataError(f"the tables to predict for have {count}:", errors)


def _missing_tables(spec: ModelSpec, given: Collection[str]) -> Iterator[Finding]:
    """Yield tables without which nothing can be predicted."""
    entities, exposures, aggregates = _STEMS
    if not {entities, exposures} & set(given):
        message = "there is neither a table of entities nor one of exposures"
        remedy = "give entities to predict their rates, and exposures to predict totals and amounts"
        yield Finding("missing-table", "error", exposures, message, remedy)
    if aggregates in given and exposures not in given:
        message = "there are aggregates, and no exposures in them"
        remedy = "add the table of exposures, or leave out the aggregates"
        yield Finding("missing-table", "error", exposures, message, remedy)
    layout = layouts_of(spec)[aggregates]
    beyond = set(layout.required) - {*layout.keys, spec.columns.total}
    if exposures in given and aggregates not in given and beyond:
        message = f"the model reads {listed(sorted(beyond))} of every aggregate"
        remedy = "add the table of aggregates with these columns; it needs no totals"
        yield Finding("missing-table", "error", aggregates, message, remedy)


def _layouts(spec: ModelSpec, known: KnownNames) -> dict[str, Layout]:
    layouts = {
        stem: replace(
            layout,
            optional_numbers=(),
            categories=tuple({*layout.categories, *known.categories.get(stem, ())}),
        )
        for stem, layout in layouts_of(spec).items()
    }
    aggregates, total = layouts[names.AGGREGATES_TABLE], spec.columns.total
    layouts[names.AGGREGATES_TABLE] = replace(
        aggregates,
        numbers=tuple(column for column in aggregates.numbers if column != total),
        optional_numbers=(total,),
    )
    return layouts


def _table_file(given: GivenTable, stem: str) -> TableFile:
    if not isinstance(given, pd.DataFrame):
        return read_table_file(Path(given), stem)
    cells = pa.Table.from_pandas(given, preserve_index=False)
    if not cells.num_rows:
        message = f"there are no rows; the columns are {', '.join(map(str, given.columns))}"
        raise UnavailableError(Finding("no-rows", "error", stem, message, "give the rows"))
    source = SourceFile(stem, stem, "", cells.num_rows)  # a table in memory has no file to digest
    return TableFile(source, cells, np.arange(1, cells.num_rows + 1), "row")


def _check_labels(tables: Tables) -> Iterator[Finding]:
    for stem in (names.ENTITIES_TABLE, names.AGGREGATES_TABLE):
        table = tables.by_stem.get(stem)
        for column in table.layout.labels if table else ():
            if table and column in table.frame and column not in table.layout.keys:
                yield from row_findings(
                    "missing-label",
                    table,
                    table.select(is_blank(table[column])),
                    f"the group {column!r} is blank",
                    "fill it in; a group that the fit does not know is drawn anew",
                )


def _check_covariates(tables: Tables) -> Iterator[Finding]:
    for table in tables.by_stem.values():
        yield from covariate_findings(table, table.rows)


def _check_described(tables: Tables, known: KnownNames) -> Iterator[Finding]:
    """Yield exposures of new entities whose groups or covariates are not told."""
    if not layouts_of(tables.spec)[names.ENTITIES_TABLE].attributes:
        return
    table, column = tables.exposures, tables.spec.columns.entity
    described = set(known.entities)
    if names.ENTITIES_TABLE in tables.by_stem:
        described |= set(tables.entities[column])
    yield from row_findings(
        "unknown-entity",
        table,
        table.select(~table[column].isin(described)),
        "the entity is neither among those that were fitted nor in the table of entities",
        "correct the key, or add the entity with its groups and covariates to the entities",
    )


def _check_spelling(tables: Tables, known: KnownNames) -> Iterator[Finding]:
    """Yield new entities that differ from a fitted one by white space or Unicode form alone."""
    column = tables.spec.columns.entity
    fitted = pd.Series(list(known.entities), dtype="str")
    loose = set(strip(compose(fitted)))
    for stem in (names.ENTITIES_TABLE, names.EXPOSURES_TABLE):
        if stem in tables.by_stem:
            table = tables.by_stem[stem]
            text = table[column]
            twins = strip(compose(text)).isin(loose) & ~text.isin(fitted)
            yield from row_findings(
                "twin-of-known",
                table,
                table.select(twins),
                "the entity is spelt like one that was fitted, but for white space or Unicode form",
                "write the name as it was fitted, or one that differs visibly if it is new",
            )


def _check_groups(tables: Tables, known: KnownNames) -> Iterator[Finding]:
    """Yield known entities that are said to be of other groups than where they were fitted."""
    table, key = tables.entities, tables.spec.columns.entity
    for column in tables.spec.rates.pooling:
        fitted = table[key].map({name: groups[column] for name, groups in known.entities.items()})
        yield from row_findings(
            "other-group",
            table,
            table.select(fitted.notna() & (fitted != table[column])),
            f"the entity was fitted as a member of another group of {column!r}",
            "write the group of the fit, or a new name to have it predicted as a new entity",
            show=column,
        )


def _check_exposed(tables: Tables) -> Iterator[Finding]:
    """Yield aggregates in which nothing has exposure, so that nothing can be predicted."""
    table, exposures = tables.aggregates, tables.exposures.whole()
    positive = (exposures[tables.spec.columns.exposure] > 0).to_numpy()
    found = tables.aggregate_of_exposure[positive]
    exposed = np.bincount(found[found >= 0], minlength=len(table.frame)) > 0
    yield from row_findings(
        "no-exposure",
        table,
        table.select(~exposed & (tables.unattributed_exposure <= 0)),
        "no entity has exposure in the aggregate",
        "add its exposures, or remove the row",
    )
