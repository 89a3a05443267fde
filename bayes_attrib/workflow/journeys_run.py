"""From touches and conversions to credit by every heuristic, and to totals that a fit splits."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import counted
from bayes_attrib.errors import Finding, UnknownNameError
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.journeys import Events, Journeys, build_journeys, credit_journeys
from bayes_attrib.journeys.read import EventsRead, read_events
from bayes_attrib.journeys.spec_text import spec_text
from bayes_attrib.journeys.tables import count_presence, tabulate_credit, widen_credit
from bayes_attrib.journeys.total_tables import TotalTables, tabulate_totals
from bayes_attrib.report.file_digests import sha256_of
from bayes_attrib.spec import load_spec
from bayes_attrib.spec.journeys import JourneySpec

DATA_FOLDER: Final = "data"
SPEC_FILE: Final = "model.toml"
_DATA_FILES: Final = (
    f"{names.AGGREGATES_TABLE}.csv",
    f"{names.EXPOSURES_TABLE}.csv",
    f"{names.ENTITIES_TABLE}.csv",
    SPEC_FILE,
)
_TABLES: Final = (names.JOURNEYS_FILE, names.ATTRIBUTION_FILE)
WRITTEN: Final = frozenset({*_TABLES, names.JOURNEYS_RECORD_FILE, DATA_FOLDER})
CAUSAL_STATUS: Final = (
    "Heuristics share out conversions by rules about touches. None is causal: a touch that follows "
    "the wish to buy gets credit as if it had made it."
)


@dataclass(frozen=True, eq=False)
class JourneyRun:
    """What came of crediting journeys.

    Attributes
    ----------
    folder : Path
        The run folder.
    credit : DataFrame
        Content of ``journeys.csv``.
    findings : tuple of Finding
        Warnings and notes.
    record : dict
        Content of ``journeys.json``, as plain JSON types.
    """

    folder: Path
    credit: pd.DataFrame
    findings: tuple[Finding, ...]
    record: dict[str, Any]


def run_journeys(
    data: Path, out: Path, spec: JourneySpec, *, overwrite: bool = False
) -> JourneyRun:
    """Credit touchpoints by every heuristic, and write totals that a fit can split.

    Parameters
    ----------
    data : Path
        Folder with the tables ``touches`` and ``conversions``.
    out : Path
        Run folder to write.
    spec : JourneySpec
        Columns, windows, parameters, totals.
    overwrite : bool
        Replace an earlier run of journeys in that folder.

    Returns
    -------
    JourneyRun
        Credit and record.

    Raises
    ------
    DataError
        If a table is wrong; nothing is written then.
    UnknownNameError
        If the folder holds something else, or a run that may not be replaced.
    """
    _check_folder(out, overwrite=overwrite)
    read = read_events(data, spec)
    journeys = build_journeys(read.events, spec.journeys)
    credited = credit_journeys(journeys, spec.heuristics)
    totals = tabulate_totals(read.events, spec)
    table = tabulate_credit(
        credited.credits,
        count_presence(read.events, journeys),
        read.events.touchpoints,
        read.events.groups or {},
    )
    counts = _counts(read.events, journeys)
    findings = (*read.findings, *_about(counts, spec), *credited.findings)
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        _write_tables(staged, table, totals, spec)
        record = _record(staged, read, counts, findings, spec)
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        (staged / names.JOURNEYS_RECORD_FILE).write_text(f"{text}\n", encoding="utf-8")
        _publish(staged, out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return JourneyRun(out, table, findings, record)


def _check_folder(out: Path, *, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise UnknownNameError(f"{out} is a file; give --out a folder that does not exist yet")
    found = {file.name for file in out.iterdir()} if out.exists() else set()
    foreign = sorted(found - WRITTEN)
    if foreign:
        raise UnknownNameError(
            f"{out} holds {', '.join(foreign[:3])}, which no run of journeys writes; choose "
            "another --out folder"
        )
    if found and not overwrite:
        raise UnknownNameError(
            f"{out} holds a run of journeys; choose another --out folder, or add --overwrite"
        )


def _counts(events: Events, journeys: Journeys) -> dict[str, Any]:
    lengths, converts = journeys.lengths, journeys.converts
    touched = lengths > 0
    return {
        "touches": len(events.touches),
        "touches_outside_windows": journeys.n_outside,
        "touches_repeated": journeys.n_repeated,
        "touches_at_one_time": journeys.n_ties,
        "customers": events.n_customers,
        "touchpoints": len(events.touchpoints),
        "conversions": int(journeys.conversions.sum()),
        "conversions_of_one_customer_and_time": int((journeys.conversions[converts] - 1).sum()),
        "conversions_without_touch": int(journeys.unattributed("conversions")),
        "value": None if journeys.value is None else journeys.total("value"),
        "converting_journeys": int(np.count_nonzero(converts & touched)),
        "null_journeys": int(np.count_nonzero(~converts)),
        "converting_journeys_of_one_touch": int(np.count_nonzero(converts & (lengths == 1))),
    }


def _about(counts: dict[str, Any], spec: JourneySpec) -> list[Finding]:
    """Return notes about what is easily overlooked."""
    days = f"{spec.journeys.look_back_days:g} days"
    found = []
    if counts["conversions_without_touch"]:
        message = (
            f"{counted(counts['conversions_without_touch'], 'conversion')} of "
            f"{counts['conversions']:,} have no touch in the {days} before; every method leaves "
            f"them to '{names.UNATTRIBUTED}'"
        )
        found.append(Finding("conversions-without-touch", "note", "conversions", message))
    if counts["touches_outside_windows"]:
        touches, outside = counts["touches"], counts["touches_outside_windows"]
        message = (
            f"{outside:,} of {touches:,} touches lie more than {days} before the end of their "
            "journey, and get no credit"
        )
        found.append(Finding("touches-outside-windows", "note", "touches", message))
    if counts["touches_repeated"]:
        message = (
            f"{counts['touches_repeated']:,} touches repeat another one of the same customer, "
            "time and touchpoint"
        )
        remedy = "if rows were exported twice, remove the copies: they move credit"
        found.append(Finding("repeated-touches", "warning", "touches", message, remedy))
    if counts["touches_at_one_time"]:
        message = (
            f"{counts['touches_at_one_time']:,} touches have the time of an earlier one of the "
            "same customer; they stay in the order of the table, which first, last, position and "
            "Markov chains depend on"
        )
        remedy = "export times to the second instead of dates"
        found.append(Finding("touches-at-one-time", "note", "touches", message, remedy))
    return found


def _write_tables(
    folder: Path, credit: pd.DataFrame, totals: TotalTables, spec: JourneySpec
) -> None:
    wide = widen_credit(credit, spec.totals.outcome)
    for name, frame in zip(_TABLES, (credit, wide), strict=True):
        _write_csv(folder / name, frame)
    data = folder / DATA_FOLDER
    data.mkdir()
    frames = (totals.aggregates, totals.exposures, totals.entities)
    for name, frame in zip(_DATA_FILES, frames, strict=False):
        _write_csv(data / name, frame)
    text = spec_text(
        spec,
        spec.columns.groups,
        some_totals_are_zero=bool((totals.aggregates[names.TOTAL] == 0).any()),
    )
    (data / SPEC_FILE).write_text(text, encoding="utf-8")
    read_tables(load_spec(data / SPEC_FILE), DataSource(data))  # as `validate` reads it


def _write_csv(file: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(file, index=False, lineterminator="\n", encoding="utf-8")


def _record(
    folder: Path,
    read: EventsRead,
    counts: dict[str, Any],
    findings: tuple[Finding, ...],
    spec: JourneySpec,
) -> dict[str, Any]:
    outputs = [*_TABLES, *(f"{DATA_FOLDER}/{name}" for name in _DATA_FILES)]
    packages = ("bayes-attrib", "numpy", "pandas", "pyarrow", "scipy")
    return {
        "inputs": [
            {"table": file.table, "name": file.name, "sha256": file.sha256, "rows": file.rows}
            for file in read.sources
        ],
        "spec": spec.model_dump(mode="json"),
        "spec_digest": spec.digest,
        "counts": counts,
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "where": finding.where,
                "message": finding.message,
                "remedy": finding.remedy,
            }
            for finding in findings
        ],
        "causal_status": CAUSAL_STATUS,
        "outputs": {name: sha256_of(folder / name) for name in outputs},
        "versions": {
            **{package: version(package) for package in packages},
            "python": platform.python_version(),
        },
    }


def _publish(staged: Path, out: Path) -> None:
    out.mkdir(exist_ok=True)
    shutil.rmtree(out / DATA_FOLDER, ignore_errors=True)
    for file in staged.iterdir():
        file.replace(out / file.name)
