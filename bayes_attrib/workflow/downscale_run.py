"""From a finished run and a delivery profile to amounts of days, hours or other slots."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np

from bayes_attrib import names
from bayes_attrib.attribution import Grain
from bayes_attrib.attribution.downscaling import (
    Assigned,
    ProfileOptions,
    ProfileTable,
    RunCells,
    SplitLaw,
    assign_profiles,
    read_profile,
)
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.report import RunFolder
from bayes_attrib.report.exports import write_stream
from bayes_attrib.report.file_digests import sha256_of
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.workbook import Ledger
from bayes_attrib.workflow.downscaled_stream import DownscaledTable

_DISTRIBUTIONS: Final = ("bayes-attrib", "numpy", "pandas", "pyarrow", "tzdata")


@dataclass(frozen=True)
class DownscaleOptions:
    """What a user decides about a downscaling.

    Attributes
    ----------
    profile : ProfileOptions
        How the profile is read, and what fills its gaps.
    concentration : float or None
        Concentration of the Dirichlet law of every profile; None for profiles that are known.
    draws : int or None
        Number of draws to use, evenly spaced; all by default.
    seed : int or None
        Seed of everything random; that of the run by default.
    """

    profile: ProfileOptions = field(default_factory=ProfileOptions)
    concentration: float | None = None
    draws: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Downscaled:
    """What came of a downscaling.

    Attributes
    ----------
    file, manifest_file : Path
        The table, and the record beside it.
    manifest : dict
        Content of the record, as plain JSON types.
    """

    file: Path
    manifest_file: Path
    manifest: dict[str, Any]


def manifest_path(file: Path) -> Path:
    """Return the file of the record that lies beside a table."""
    return file.with_name(f"{file.name}.manifest.json")


def downscale_run(
    run: RunFolder,
    profile: Path,
    file: Path,
    *,
    form: str = "parquet",
    options: DownscaleOptions | None = None,
) -> Downscaled:
    """Split the amounts of all cells of a run over the slots of a delivery profile.

    Parameters
    ----------
    run : RunFolder
        A finished run; nothing is fitted.
    profile : Path
        CSV or Parquet with a row per slot, see
        :func:`bayes_attrib.attribution.downscaling.read_profile`.
    file : Path
        File to write or replace; its folder is made if it does not exist.
    form : {"parquet", "csv", "arrow"}
        Format of the file.
    options : DownscaleOptions, optional
        How; a known profile without stand-ins by default.

    Returns
    -------
    Downscaled
        Files and record. The table has a row per cell and slot: keys, entity, slot, moments and
        interval of the amount, the amount in whole minor units, the slot's share of the profile,
        and where the profile is from.

    Raises
    ------
    DataError
        If the profile is wrong, or cells with an amount have no delivery.
    RunFolderError
        If the files of the run contradict each other.
    """
    started, options = datetime.now(UTC), options or DownscaleOptions()
    ledger = Ledger.of(run)
    amounts = run.read_cells(["amount_mean"])["amount_mean"].to_numpy(dtype=np.float64)
    cells = RunCells(ledger.draws.data, amounts, ledger.draws.period)
    table = read_profile(profile, cells, options.profile)
    assigned = assign_profiles(table, cells, options.profile)
    draws = _cell_draws(ledger.draws, options.draws)
    seed = run.manifest.seed if options.seed is None else options.seed
    law = SplitLaw(run.spec.likelihood.counts, options.concentration, seed)
    options = replace(options, draws=draws.shape[1], seed=seed)
    downscaled = DownscaledTable(ledger, table, assigned, law, draws, form)
    written = write_stream(downscaled.stream(), file, form)
    manifest = {
        **_inputs(run, table, options),
        "result": {
            "file": file.name,
            "sha256": sha256_of(file),
            "rows": written.rows,
            **downscaled.facts(),
            **_profile_facts(assigned, cells, table),
        },
        "versions": {name: _version(name) for name in _DISTRIBUTIONS},
        "python": platform.python_version(),
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    record = manifest_path(file)
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(record, f"{text}\n".encode())
    return Downscaled(file, record, manifest)


def _cell_draws(draws: RunDraws, most: int | None) -> DrawMatrix:
    """Draw the amounts of all cells again, and keep some of the draws."""
    data = draws.data
    every = Grain(
        data.aggregate_keys.iloc[data.edge_aggregate].reset_index(drop=True),
        np.arange(data.n_edges, dtype=np.int64),
    )
    found = draws.grains([every])[0].amounts
    if most is None or most >= draws.n_draws:
        return found
    chosen = np.linspace(0, draws.n_draws - 1, most).round().astype(np.int64)
    kept = DrawMatrix(data.n_edges, most)
    for block, rows in found.blocks():
        kept.add(np.arange(data.n_edges)[block], rows[:, chosen])
    return kept


def _inputs(run: RunFolder, table: ProfileTable, options: DownscaleOptions) -> dict[str, Any]:
    source = table.source
    return {
        "schema_version": 1,
        "run": {
            "name": run.manifest.name,
            "folder": run.path.resolve().name,
            "manifest_sha256": sha256_of(run.path / names.MANIFEST_FILE),
            "spec_digest": run.manifest.spec_digest,
            "verdict": run.diagnostics.verdict,
        },
        "profile": {
            "file": source.name,
            "sha256": source.file.source.sha256,
            "rows": source.file.source.rows,
            "slot_column": source.slot,
            "delivery_column": source.delivery,
            "key_columns": list(source.keys),
            "unused_columns": list(source.unused),
        },
        "options": {
            **asdict(options.profile),
            "missing": list(options.profile.missing),
            "concentration": options.concentration,
            "draws": options.draws,
            "interval": run.spec.report.interval.model_dump(),
        },
        "seed": options.seed,
    }


def _profile_facts(assigned: Assigned, cells: RunCells, table: ProfileTable) -> dict[str, Any]:
    return {
        "slots": len(np.unique(assigned.profiles.slot)),
        "cells": len(assigned.profiles.cells),
        "cells_without_amount": int((cells.amount <= 0).sum()),
        "cells_by_profile": assigned.cells_by_source,
        "profile_rows_unused": assigned.n_unused,
        "rows_at_repeated_local_times": table.n_twice,
        "days_of_periods_checked": table.days_checked,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:  # tzdata may be the system's
        return None
