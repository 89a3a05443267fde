"""The pass over a run folder that recomputes all that its files claim."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from bayes_attrib import names
from bayes_attrib.errors import DataError, FitError, RunFolderError
from bayes_attrib.inference.draw_files import load_open_tree, without_large
from bayes_attrib.inputs import DataSource, Repair, read_tables
from bayes_attrib.report import RunFolder
from bayes_attrib.report.file_digests import sha256_of
from bayes_attrib.report.reconciliation import observed_totals
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.run_folder import FILES
from bayes_attrib.report.verification import Outcome, Verification, files, redraw, sums
from bayes_attrib.report.verification.outcome import identity, not_checked
from bayes_attrib.workflow.verify_diagnostics import check_diagnostics
from bayes_attrib.workflow.verify_inputs import check_tables_read

_UNREADABLE = (
    *(RunFolderError, FitError, pa.ArrowException),
    *(OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError),
)
"""What readers raise over files whose bytes were changed; h5py, for one, knows no better names."""


_TABLES_FIRST = (names.ATTRIBUTION_FILE, names.CELLS_FILE, names.POSTERIOR_FILE)


@dataclass
class _Pass:
    """What is known so far."""

    run: Path
    source: DataSource | None
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, found: Outcome | Iterable[Outcome]) -> None:
        """Keep outcomes."""
        self.outcomes += [found] if isinstance(found, Outcome) else list(found)

    def failed(self, name: str, file: str) -> bool:
        """Whether a check of a file has failed."""
        return any((o.name, o.file, o.status) == (name, file, "failed") for o in self.outcomes)

    def read[T](self, file: str, what: str, make: Callable[[], T]) -> T | None:
        """Return what ``make`` reads from a file; None where it cannot, which is a failure."""
        try:
            return make()
        except _UNREADABLE as error:
            reason = f"{type(error).__name__}: {error}"
            self.add(identity("readable", file, reason, what))
            return None


def verify_run(
    run: Path | str, source: DataSource | None = None, *, manifest_sha256: str | None = None
) -> Verification:
    """Check a run folder against itself, and against its input tables where they are given.

    Parameters
    ----------
    run : Path or str
        Folder of a finished run.
    source : DataSource, optional
        Input tables, whose digests and content are compared with the run's.
    manifest_sha256 : str, optional
        Digest of ``manifest.json`` that was noted elsewhere.

    Returns
    -------
    Verification
        One outcome per check. A file that cannot be read is a failed check, and so are all that
        contradict each other; what could not be made for want of something is told apart.

    Raises
    ------
    RunFolderError
        If there is no such folder, or it holds draws from a prior alone.
    """
    folder = Path(run)
    _require_run(folder)
    state = _Pass(folder, source)
    manifest_file = folder / names.MANIFEST_FILE
    digest = sha256_of(manifest_file) if manifest_file.is_file() else None
    _check_all(state, manifest_sha256)
    return Verification(folder, digest, tuple(state.outcomes))


def _require_run(folder: Path) -> None:
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is not a folder; give the folder of a finished run")
    if (folder / names.PRIOR_TABLE_FILE).is_file():
        raise RunFolderError(
            f"{folder} holds draws from the priors alone (fit --prior-only): there is no "
            "attribution to verify; give the folder of a finished run"
        )
    if not any((folder / name).is_file() for name in FILES):
        raise RunFolderError(
            f"{folder} holds none of the files of a run ({', '.join(FILES)}); give the folder of a "
            "finished run"
        )


def _check_all(state: _Pass, manifest_sha256: str | None) -> None:
    """Make the checks in the order in which later ones rely on earlier ones."""
    raw = _read_manifest(state)
    outputs = raw.get("outputs", {})
    recorded = outputs if isinstance(outputs, dict) else {}
    state.add(files.check_presence(state.run, recorded))
    state.add(files.check_digests(state.run, recorded))
    if not raw:
        return
    state.add(files.check_manifest_digest(state.run, manifest_sha256))
    state.add(files.check_spec_digest(raw))
    run = _load(state)
    if run is None:
        return
    if state.source is not None:
        state.add(files.check_inputs(run.manifest, state.source))
    state.add(files.check_verdict(run.diagnostics))
    state.add(sums.check_numbers(run.attribution, names.ATTRIBUTION_FILE))
    state.add(sums.check_shares(run))
    cells = state.read(names.CELLS_FILE, "reading the cells", lambda: _read_cells(run))
    if cells is not None:
        state.add(sums.check_numbers(cells, names.CELLS_FILE))
        state.add(sums.check_entity_sums(run, cells))
    if state.failed("sha256", names.POSTERIOR_FILE):
        state.add(_unmade("posterior.nc is not the file that the run wrote"))
    else:
        _check_posterior(state, run, raw, cells)


def _read_manifest(state: _Pass) -> dict[str, Any]:
    file = state.run / names.MANIFEST_FILE
    if not file.is_file():
        return {}
    raw = state.read(
        file.name, "reading the manifest", lambda: json.loads(file.read_text(encoding="utf-8"))
    )
    return raw if isinstance(raw, dict) else {}


def _load(state: _Pass) -> RunFolder | None:
    """Load the run; a complaint that an earlier check has made already is not made again."""
    cells = state.run / names.CELLS_FILE
    if cells.is_file():
        state.read(cells.name, "reading the cells", lambda: pq.read_metadata(cells))
    if state.failed("readable", cells.name):
        state.add(_unmade("the cells cannot be read"))
        return None
    try:
        return RunFolder.load(state.run)
    except _UNREADABLE as error:
        if all(outcome.status != "failed" for outcome in state.outcomes) or not _known(state):
            # A complaint about a table cites the manifest too, which is named only if alone.
            named = [name for name in (*_TABLES_FIRST, *FILES) if name in str(error)]
            file = named[0] if named else names.MANIFEST_FILE
            state.add(identity("readable", file, str(error), "reading tables and records"))
        state.add(_unmade("the run cannot be read as a whole"))
        return None


def _known(state: _Pass) -> bool:
    reasons = {"file_is_there", "spec_digest"}
    return any(o.status == "failed" and o.name in reasons for o in state.outcomes)


def _unmade(reason: str) -> Outcome:
    return not_checked("recomputed", names.ATTRIBUTION_FILE, f"nothing was recomputed: {reason}")


def _read_cells(run: RunFolder) -> pd.DataFrame:
    columns = run.spec.columns
    known = [names.TRUTH_AMOUNT] if run.has_truth else []
    keys = [*columns.aggregate, columns.entity, names.EXPOSURE]
    return run.read_cells([*keys, *sums.CELL_NUMBERS, *known])


def _check_posterior(
    state: _Pass, run: RunFolder, raw: dict[str, Any], cells: pd.DataFrame | None
) -> None:
    file, what = names.POSTERIOR_FILE, "reading the posterior"
    tree = state.read(file, what, lambda: _load_tree(run))
    if tree is None:
        return
    state.add(files.check_provenance(tree, raw, run.manifest))
    if cells is None:
        return
    keys = list(run.spec.columns.aggregate)
    order = cells.groupby(keys, sort=False, observed=True)[names.EXPOSURE].sum().index
    totals = state.read(file, what, lambda: observed_totals(run, order))
    state.add(sums.check_aggregate_sums(run, cells, totals))
    lacking = [group for group in ("posterior", "constant_data") if group not in tree]
    if lacking:
        state.add(sums.check_roll_ups(run, {}))
        state.add(_unmade(f"{file} lacks {' and '.join(lacking)}, as older versions wrote it"))
        return
    draws = state.read(file, "putting posterior and cells together", lambda: RunDraws.load(run))
    if draws is None:
        state.add(sums.check_roll_ups(run, {}))
        return
    state.add(sums.check_roll_ups(run, _groups(draws)))
    state.read(file, "making the tables again", lambda: _recompute(state, draws, cells))


def _load_tree(run: RunFolder) -> xr.DataTree:
    """Load all but large draws, which are read once, with the data that they belong to."""
    with run.open_posterior() as tree:
        return load_open_tree(without_large(tree))


def _groups(draws: RunDraws) -> dict[str, pd.Series]:
    entities = [str(name) for name in draws.data.entity_names]
    return {
        column: pd.Series([grouping.levels[code] for code in grouping.codes], index=entities)
        for column, grouping in draws.data.groupings.items()
    }


def _recompute(state: _Pass, draws: RunDraws, cells: pd.DataFrame) -> None:
    result = redraw.make_again(draws)
    state.add(redraw.check_tables(draws, result, cells))
    state.add(redraw.check_priors(draws))
    state.add(check_diagnostics(draws, result))
    errors = state.run / names.EM_ERRORS_FILE
    if errors.is_file():
        table = state.read(
            errors.name,
            "reading the errors of EM",
            lambda: pd.read_csv(errors, dtype=str, keep_default_na=False),
        )
        if table is not None:
            state.read(
                errors.name,
                "comparing the errors of EM",
                lambda: state.add(redraw.check_em_errors(draws, table)),
            )
    variance = state.run / names.VARIANCE_FILE
    if variance.is_file():
        state.read(
            variance.name,
            "comparing the split of variances",
            lambda: state.add(redraw.check_variance(result, pd.read_csv(variance))),
        )
    if state.source is not None:
        _check_given_tables(state, draws)


def _check_given_tables(state: _Pass, draws: RunDraws) -> None:
    """Read the tables as the fit did, where all of them are the ones that it read."""
    given = [outcome for outcome in state.outcomes if outcome.name.startswith("input.")]
    if state.source is None or any(outcome.status != "ok" for outcome in given):
        reason = "the tables were not read: not all of them are given and those of the run"
        state.add(not_checked("input_tables", names.CELLS_FILE, reason))
        return
    if draws.run.manifest.rolled_forward is not None:
        reason = "the tables were compared by their digests: reading them takes the run fitted"
        state.add(not_checked("input_tables", names.CELLS_FILE, reason))
        return
    repairs = tuple(Repair(record.repair) for record in draws.run.manifest.repairs)
    try:
        tables = read_tables(draws.run.spec, state.source, repairs=repairs)
    except DataError as error:
        what = "reading the input tables as the fit did"
        state.add(identity("input_tables", names.CELLS_FILE, str(error), what))
        return
    state.add(check_tables_read(draws, tables.data))
