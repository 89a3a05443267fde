"""Tables of the weeks that follow a fit: totals and exposures that it has not seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from bayes_attrib import names
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs import cell_checks, model_checks, truth_checks
from bayes_attrib.inputs.delivered import mend_and_deliver
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.inputs.layout import layouts_of
from bayes_attrib.inputs.mend import note_unused_repairs
from bayes_attrib.inputs.new_tables import KnownNames, check_new_tables
from bayes_attrib.inputs.repair import Repair, RepairRecord
from bayes_attrib.inputs.row_findings import row_findings
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

_TRUTH_CHECKS = (
    cell_checks.check_negative_amounts,
    truth_checks.check_amounts_sum_to_totals,
    truth_checks.check_amounts_have_exposure,
)


@dataclass(frozen=True, eq=False)
class FollowingTables:
    """What came of reading the tables of new aggregates.

    Attributes
    ----------
    tables : Tables
        Typed and checked; exposures of zero are left out.
    findings : tuple of Finding
        Warnings and notes; errors have been raised.
    repairs : tuple of RepairRecord
        What the repairs that were asked for have changed.
    sources : tuple of SourceFile
        The files, with their digests.
    total_draws : DrawnTotals or None
        Draws of the new totals, where the spec treats totals as estimates.
    """

    tables: Tables
    findings: tuple[Finding, ...]
    repairs: tuple[RepairRecord, ...]
    sources: tuple[SourceFile, ...]
    total_draws: DrawnTotals | None = None


def read_following_tables(
    spec: ModelSpec,
    source: DataSource,
    known: KnownNames,
    seen: Collection[tuple[str, ...]],
    *,
    repairs: Collection[Repair] = (),
) -> FollowingTables:
    """Read new totals and exposures as strictly as those of a fit.

    Entities that the fit knows need no row in the table of entities; groups may be as few as they
    happen to be in the new weeks.

    Parameters
    ----------
    spec : ModelSpec
        The model that was fitted.
    source : DataSource
        Folder, or single files.
    known : KnownNames
        What the fit knows.
    seen : collection of tuple of str
        Keys of the aggregates that were fitted.
    repairs : collection of Repair
        Opt-in repairs.

    Returns
    -------
    FollowingTables
        Typed and checked.

    Raises
    ------
    DataError
        If anything in any of the tables is wrong; all faults are listed together.
    """
    by_stem: dict[str, Table] = {}
    findings = folder_findings(source)
    layouts = layouts_of(spec)
    for stem in (names.AGGREGATES_TABLE, names.EXPOSURES_TABLE, names.ENTITIES_TABLE):
        layout = layouts[stem]
        categories = tuple({*layout.categories, *known.categories.get(stem, ())})
        try:
            path = locate(source, stem)
            if path is None:
                if stem != names.ENTITIES_TABLE and not folder_findings(source):
                    findings.append(missing_table(source, stem, layout))
                continue
            typed, faults = type_table(
                read_table_file(path, stem), replace(layout, categories=categories)
            )
        except UnavailableError as error:
            findings += error.findings
        else:
            by_stem[stem] = typed
            findings += [*typed.file.findings, *faults]
    whole = Tables(spec, by_stem)
    tables, records, delivery = mend_and_deliver(whole, repairs, follows=True)
    drawn = read_total_draws(tables, whole, source)
    findings += [*delivery, *check_new_tables(tables, known), *_check_rows(tables, set(seen))]
    findings += drawn.findings
    findings += note_unused_repairs(repairs, records)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        count = "one fault" if len(errors) == 1 else f"{len(errors)} faults"
        raise DataError(f"the tables to roll forward to have {count}:", errors)
    sources = tuple(table.file.source for table in by_stem.values())
    if drawn.source is not None:
        sources = (*sources, drawn.source)
    return FollowingTables(
        _without_idle_rows(tables), tuple(findings), records, sources, drawn.draws
    )


def _check_rows(tables: Tables, seen: set[tuple[str, ...]]) -> Iterator[Finding]:
    """Yield what only matters where totals are known, and are to be split."""
    with suppress(UnavailableError):
        yield from _check_repeated(tables, seen)
    checks = (model_checks.check_anything_to_attribute, model_checks.check_zero_totals)
    for check in checks:
        with suppress(UnavailableError):
            yield from check(tables)
    for check in _TRUTH_CHECKS:
        with suppress(UnavailableError):
            yield from check(tables)


def _check_repeated(tables: Tables, seen: set[tuple[str, ...]]) -> Iterator[Finding]:
    table = tables.aggregates
    keys = [tuple(row) for row in table.keys.astype(str).itertuples(index=False, name=None)]
    yield from row_findings(
        "aggregate-already-fitted",
        table,
        table.select([key in seen for key in keys]),
        "the fit has seen this aggregate, and its run holds the attribution",
        "remove the rows here and from the exposures; if a total has changed since, fit again",
        show=tables.spec.columns.total,
    )


def _without_idle_rows(tables: Tables) -> Tables:
    """Leave out exposures of zero: they have no part in the split."""
    table = tables.exposures
    idle = table.select(table[tables.spec.columns.exposure] == 0)
    return tables.replacing(table.without(idle)) if len(idle) else tables
