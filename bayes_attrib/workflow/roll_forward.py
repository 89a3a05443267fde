"""New totals, allocated by the fit of a finished run: the whole pass without a fit."""

from __future__ import annotations

import hashlib
import io
import json
import platform
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.attribution import AttributionResult, allocation_rng, attribute
from bayes_attrib.attribution.prediction import Source
from bayes_attrib.attribution.rolling import (
    DriftReport,
    Rolled,
    check_drift,
    roll,
    rolled_constants,
)
from bayes_attrib.baselines import fit_em
from bayes_attrib.errors import Finding, RunFolderError
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.inference.constant_data import FittedData
from bayes_attrib.inputs import DataSource, Repair
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.inputs.following_tables import FollowingTables, read_following_tables
from bayes_attrib.model.families import get_family
from bayes_attrib.report import RunFolder
from bayes_attrib.report.file_digests import output_digests, sha256_of
from bayes_attrib.report.rolled_run import rolled_baselines
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.workflow.manifest import data_facts, versions
from bayes_attrib.workflow.predict_run import known_names
from bayes_attrib.workflow.render import write_reports
from bayes_attrib.workflow.write import open_run_folder, write_draws, write_json, write_table

_ROLL_STREAM, _DRIFT_STREAM = 4, 5  # the allocation has the first


@dataclass(frozen=True, eq=False)
class RolledForward:
    """What came of rolling a run forward.

    Attributes
    ----------
    path : Path
        The new folder.
    drift : DriftReport
        Whether the fit still serves.
    result : AttributionResult
        Tables of the new aggregates.
    """

    path: Path
    drift: DriftReport
    result: AttributionResult


def roll_forward(
    run: RunFolder,
    source: DataSource,
    out: Path,
    *,
    repairs: Collection[Repair] = (),
    seed: int | None = None,
    overwrite: bool = False,
) -> RolledForward:
    """Allocate new totals by the fit of a finished run, and write them as a run folder.

    The new folder holds the draws of the fit for the entities in the new aggregates, so that
    reports, comparisons, downscaling, exports and verification work on it as on any run.

    Parameters
    ----------
    run : RunFolder
        A finished run of a model that a spec describes.
    source : DataSource
        New totals and exposures; entities where some are new.
    out : Path
        Folder to write.
    repairs : collection of Repair
        Opt-in repairs of the tables.
    seed : int, optional
        Seed of everything random; by default a digest of the run and the tables.
    overwrite : bool
        Whether a finished run in the folder may be replaced.

    Returns
    -------
    RolledForward
        What was written.

    Raises
    ------
    DataError
        If the tables are wrong; nothing is written then.
    RunFolderError
        If the run cannot be rolled forward, or the folder holds something else.
    """
    started = datetime.now(UTC)
    require_fit(run)
    _require_other_folder(run.path, out)
    draws = RunDraws.load(run)
    spec, constants = run.spec, draws.fit.tree["constant_data"].to_dataset()
    fitted = FittedData.of(constants, spec)
    seen = set(draws.data.aggregate_keys.astype(str).itertuples(index=False, name=None))
    tables = read_following_tables(spec, source, known_names(spec, fitted), seen, repairs=repairs)
    digest = sha256_of(run.path / names.MANIFEST_FILE)
    if seed is None:
        seed = _seed_of(digest, tables)
    source_fit = Source(draws.fit, spec, fitted)
    rolled = roll(
        source_fit,
        constants,
        tables.tables,
        np.random.default_rng([seed, _ROLL_STREAM]),
        total_draws=tables.total_draws,
        seed=seed,
    )
    rate = _em_rates(draws, rolled, fitted.reference_rate)
    result = attribute(
        rolled.mean,
        get_family(spec.likelihood),
        rolled.noise,
        baselines=rolled_baselines(rolled.data, rate),
        interval=spec.report.interval,
        rng=allocation_rng(seed),
        variance=spec.totals is not None,
    )
    drift = check_drift(
        rolled, spec, result.expected_amounts, np.random.default_rng([seed, _DRIFT_STREAM])
    )
    kept = rolled_constants(rolled, source_fit, rate)
    manifest = _manifest(run, tables, rolled, result, drift, seed=seed, started=started)
    manifest["rolled_forward"]["manifest_sha256"] = digest
    open_run_folder(out, overwrite=overwrite)
    groups = {name: node.to_dataset() for name, node in rolled.fit.tree.children.items()}
    tree = xr.DataTree.from_dict({**groups, "constant_data": kept})
    findings = [
        *_findings(manifest, drift, estimated=tables.total_draws is not None),
        *tables.findings,
    ]
    _write(RolledForward(out, drift, result), run, tree, manifest, findings=findings)
    return RolledForward(out, drift, result)


def require_fit(run: RunFolder) -> None:
    """Refuse a run that cannot be rolled forward.

    Parameters
    ----------
    run : RunFolder
        A finished run.

    Raises
    ------
    RunFolderError
        If it was itself rolled forward, or its model has what the new folder could not hold.
    """
    rolled, spec = run.manifest.rolled_forward, run.spec
    if rolled is not None:
        raise RunFolderError(
            f"{run.path} was itself rolled forward from {rolled.folder!r}; give the run that was "
            "fitted, with all weeks since"
        )
    if run.manifest.model is not None:
        raise RunFolderError(
            f"{run.path} holds a model of the user's own, of which only the rates are known; split "
            "new totals by the draws of `rate` in posterior.nc, or fit again"
        )
    formulas = {
        "rates.pair_covariates": spec.rates.pair_covariates,
        "likelihood.zero_covariates": spec.likelihood.zero_covariates,
    }
    for key, formula in formulas.items():
        if formula is not None:
            raise RunFolderError(
                f"{run.path}: the spec has {key}, which are standardised over the data that were "
                "fitted; `bayes-attrib predict RUN DATA --out OUT` splits new totals under such a "
                "model, without a run folder, or fit again"
            )


def _require_other_folder(run: Path, out: Path) -> None:
    a, b = run.resolve(), out.resolve()
    if a == b or a in b.parents or b in a.parents:
        raise RunFolderError(
            f"{out} is the folder of the run, or one holds the other; choose another --out folder"
        )


def _seed_of(digest: str, tables: FollowingTables) -> int:
    """Make a seed of the run and the tables, so that equal inputs give equal numbers."""
    text = digest + "".join(source.sha256 for source in tables.sources)
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def _em_rates(draws: RunDraws, rolled: Rolled, reference_rate: float) -> FloatArray:
    """Rates of EM on the data that were fitted; the rate of all of them for new entities."""
    rate = fit_em(draws.data).rate
    known = dict(zip(map(str, draws.data.entity_names), rate.tolist(), strict=True))
    found = [known.get(str(name), reference_rate) for name in rolled.data.entity_names]
    return np.nan_to_num(np.array(found), nan=reference_rate)


def _manifest(
    run: RunFolder,
    tables: FollowingTables,
    rolled: Rolled,
    result: AttributionResult,
    drift: DriftReport,
    *,
    seed: int,
    started: datetime,
) -> dict[str, Any]:
    """Return the manifest: that of the fit, with what is new in its place."""
    text = (run.path / names.MANIFEST_FILE).read_text(encoding="utf-8")
    fitted: dict[str, Any] = json.loads(text)
    fitted.pop("outputs", None)
    return {
        **fitted,
        "inputs": [asdict(source) for source in tables.sources],
        "seed": seed,
        "data": {**data_facts(rolled.data), "reference_rate": fitted["data"]["reference_rate"]},
        "repairs": [asdict(repair) | {"repair": str(repair.repair)} for repair in tables.repairs],
        "versions": versions(),
        "platform": {
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
        },
        "baselines": {},
        "largest_residual": result.largest_residual,
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "rolled_forward": {
            "folder": run.path.resolve().name,
            "name": fitted["name"],
            "spec_digest": fitted["spec_digest"],
            "inputs": fitted["inputs"],
            "seed": fitted["seed"],
            "versions": fitted["versions"],
            "fit_ended": fitted["ended"],
            "n_aggregates_fitted": fitted["data"]["n_aggregates"],
            "drift": drift.outcome,
            "reasons": [
                {"outcome": reason.outcome, "message": reason.message} for reason in drift.reasons
            ],
            "new_entities": int(rolled.is_new.sum()),
        },
    }


_REMEDY: Final = {
    "ok": "",
    "warn": "read the split with care, and look again when the next totals come",
    "refit": "fit again with the new totals and exposures beside the old ones",
}


def _findings(manifest: dict[str, Any], drift: DriftReport, *, estimated: bool) -> list[Finding]:
    """What a reader should know: that nothing was fitted, and whether the fit still serves."""
    origin = manifest["rolled_forward"]
    told = (
        f"allocated by the fit of {origin['name']!r} (folder {origin['folder']!r}, finished "
        f"{origin['fit_ended']}) without refitting; the rates have learned nothing from these "
        "totals"
    )
    found = [Finding("rolled-forward", "note", names.AGGREGATES_TABLE, told)]
    if estimated:
        paired = (
            "each draw of the fit splits a draw of the new totals, met by lot: what rates and new "
            "totals have in common is not known here"
        )
        found.append(Finding("rolled-totals-paired", "note", names.TOTAL_DRAWS_TABLE, paired))
    found += [
        Finding(
            f"drift-{reason.code}",
            "note" if reason.outcome == "ok" else "warning",
            names.AGGREGATES_TABLE,
            reason.message,
            _REMEDY[reason.outcome],
        )
        for reason in drift.reasons
    ]
    return found


def _write(
    rolled: RolledForward,
    run: RunFolder,
    tree: xr.DataTree,
    manifest: dict[str, Any],
    *,
    findings: list[Finding],
) -> None:
    """Write all files, the manifest after those that it speaks of."""
    out = rolled.path
    write_table(out, names.ATTRIBUTION_FILE, rolled.result.table)
    if rolled.result.variance is not None:
        write_table(out, names.VARIANCE_FILE, rolled.result.variance)
    cells = io.BytesIO()
    rolled.result.cells.to_parquet(cells, index=False)
    write_atomically(out / names.CELLS_FILE, cells.getvalue())
    write_draws(out, tree, manifest)
    checked = json.loads((run.path / names.DIAGNOSTICS_FILE).read_text(encoding="utf-8"))
    write_json(out / names.DIAGNOSTICS_FILE, {**checked, "findings": [asdict(f) for f in findings]})
    write_json(out / names.DRIFT_FILE, rolled.drift.as_dict())
    write_json(out / names.MANIFEST_FILE, {**manifest, "outputs": output_digests(out)})
    write_reports(out)
