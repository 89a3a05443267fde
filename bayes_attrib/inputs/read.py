"""The pass from files to :class:`AggregateData`: read, type, mend, check, build."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from bayes_attrib import names
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs.aggregate_data import AggregateData
from bayes_attrib.inputs.build import build_data
from bayes_attrib.inputs.checks import check_tables
from bayes_attrib.inputs.delivered import mend_and_deliver
from bayes_attrib.inputs.echo import echo_findings
from bayes_attrib.inputs.layout import Layout, layouts_of
from bayes_attrib.inputs.lift_build import with_lift_tests
from bayes_attrib.inputs.lift_layout import column_findings, lift_layout
from bayes_attrib.inputs.mend import note_unused_repairs
from bayes_attrib.inputs.repair import Repair, RepairRecord
from bayes_attrib.inputs.source import (
    DataSource,
    SourceFile,
    folder_findings,
    locate,
    missing_table,
)
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.table_file import read_table_file
from bayes_attrib.inputs.total_draws import read_total_draws
from bayes_attrib.inputs.typed import type_table
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True)
class TablesRead:
    """What came of reading the tables of one data set.

    Attributes
    ----------
    data : AggregateData
        The data, ready for a model.
    findings : tuple of Finding
        Warnings and notes; errors have been raised.
    repairs : tuple of RepairRecord
        What the repairs that were asked for have changed.
    sources : tuple of SourceFile
        The files, with their digests.
    """

    data: AggregateData
    findings: tuple[Finding, ...]
    repairs: tuple[RepairRecord, ...]
    sources: tuple[SourceFile, ...]


def read_tables(
    spec: ModelSpec, source: DataSource, *, repairs: Collection[Repair] = ()
) -> TablesRead:
    """Read the tables that a spec speaks of, strictly.

    Parameters
    ----------
    spec : ModelSpec
        Names of the columns, family of the totals, grouping columns.
    source : DataSource
        A data folder, or single files.
    repairs : collection of Repair
        Opt-in repairs; nothing is repaired that is not named here.

    Returns
    -------
    TablesRead
        The data, and what a reader should know about them.

    Raises
    ------
    DataError
        If anything in any of the tables is wrong; all faults of all files are listed together.
    """
    by_stem, findings = _read_files(spec, source)
    whole = Tables(spec, by_stem)
    tables, records, delivery = mend_and_deliver(whole, repairs)
    drawn = read_total_draws(tables, whole, source)
    findings = [*findings, *delivery, *check_tables(tables), *drawn.findings]
    findings += note_unused_repairs(repairs, records)
    _raise_errors(findings)
    sources = tuple(table.file.source for table in by_stem.values())
    if drawn.source is not None:
        sources = (*sources, drawn.source)
    data, about_tests = with_lift_tests(build_data(tables), tables)
    if drawn.draws is not None:
        data = replace(data, total_draws=drawn.draws)
    _raise_errors(about_tests)
    about_data = (*about_tests, *echo_findings(data, spec))
    return TablesRead(data, (*findings, *about_data), records, sources)


def _raise_errors(findings: Iterable[Finding]) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        count = "one fault" if len(errors) == 1 else f"{len(errors)} faults"
        raise DataError(f"the data have {count}:", errors)


def _read_files(spec: ModelSpec, source: DataSource) -> tuple[dict[str, Table], list[Finding]]:
    by_stem: dict[str, Table] = {}
    findings = [*folder_findings(source)]
    for stem, layout in layouts_of(spec).items():
        try:
            table, faults = _read_file(source, stem, layout)
        except UnavailableError as error:
            findings.extend(error.findings)
        else:
            by_stem[stem] = table
            findings.extend([*table.file.findings, *faults])
    findings.extend(_read_lift_tests(source, spec, by_stem))
    return by_stem, findings


def _read_lift_tests(
    source: DataSource, spec: ModelSpec, by_stem: dict[str, Table]
) -> list[Finding]:
    """Read the table of lift tests, where there is one, and return what is wrong with it."""
    stem = names.LIFT_TESTS_TABLE
    try:
        path = locate(source, stem)
        if path is None:
            return []
        file = read_table_file(path, stem)
    except UnavailableError as error:
        return list(error.findings)
    faults = column_findings(spec, file)
    if not faults:
        by_stem[stem], faults = type_table(file, lift_layout(spec, file.columns))
    return [*file.findings, *faults]


def _read_file(source: DataSource, stem: str, layout: Layout) -> tuple[Table, list[Finding]]:
    path = locate(source, stem)
    if path is not None:
        return type_table(read_table_file(path, stem), layout)
    needed = stem != names.ENTITIES_TABLE or layout.attributes
    folder_is_there = source.folder is None or source.folder.is_dir()
    if needed and folder_is_there:
        raise UnavailableError(missing_table(source, stem, layout))
    raise UnavailableError
