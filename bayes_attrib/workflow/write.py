"""Run folders: refusing to overwrite, and writing each file whole."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayes_attrib import names
from bayes_attrib.attribution import AttributionResult
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference import Diagnostics, PosteriorFit, save_tree
from bayes_attrib.inference.chain_store import write_atomically
from bayes_attrib.inference.constant_data import constant_data
from bayes_attrib.report.file_digests import output_digests
from bayes_attrib.workflow.manifest import RunRecord, manifest_of
from bayes_attrib.workflow.plan import CHAINS_FOLDER, PLAN_FILE
from bayes_attrib.workflow.render import FORMATS, write_reports

_PROVENANCE = ("name", "spec", "spec_digest", "inputs", "seed", "method", "versions")
"""What the posterior file says of its origin, so that it can be understood away from its folder."""

_RUN_FILES = frozenset(
    {
        names.ATTRIBUTION_FILE,
        names.CELLS_FILE,
        names.EM_ERRORS_FILE,
        names.VARIANCE_FILE,
        names.POSTERIOR_FILE,
        names.DIAGNOSTICS_FILE,
        names.DRIFT_FILE,
        names.MANIFEST_FILE,
        names.JOURNEYS_FILE,
        names.JOURNEYS_RECORD_FILE,
        names.PRIOR_TABLE_FILE,
        names.PRIOR_PAGE_FILE,
        PLAN_FILE,
        CHAINS_FOLDER,
        names.PREVIEW_FOLDER,
        *(file for report in FORMATS.values() for file in report.files),
    }
)


def open_run_folder(run: Path, *, overwrite: bool) -> None:
    """Make a run folder ready to be written.

    Parameters
    ----------
    run : Path
        The folder; made if it does not exist.
    overwrite : bool
        Whether a finished run in it is removed.

    Raises
    ------
    RunFolderError
        If the folder holds files that are not a run's, or a finished run that may not be replaced.
    """
    if run.exists() and not run.is_dir():
        raise RunFolderError(f"{run} is a file; give --out a folder that does not exist yet")
    found = {path.name for path in run.iterdir()} if run.exists() else set()
    foreign = sorted(found - _RUN_FILES)
    if foreign:
        raise RunFolderError(
            f"{run} holds {', '.join(foreign[:3])}, which no run writes; "
            "choose another --out folder"
        )
    if names.MANIFEST_FILE in found and PLAN_FILE in found:
        # It was stopped while reports were written: not finished, and what follows writes all anew.
        (run / names.MANIFEST_FILE).unlink()
    elif names.MANIFEST_FILE in found:
        if not overwrite:
            raise RunFolderError(
                f"{run} holds a finished run; choose another --out folder, or add --overwrite"
            )
        shutil.rmtree(run)
    run.mkdir(parents=True, exist_ok=True)


def write_run(
    run: Path,
    record: RunRecord,
    posterior: PosteriorFit,
    result: AttributionResult,
    diagnostics: Diagnostics,
) -> None:
    """Write the files of a finished run, the manifest after all that it speaks of.

    Its ``outputs`` hold the SHA-256 of the other files, but for reports.

    Parameters
    ----------
    run : Path
        An open run folder.
    record : RunRecord
        What went in and what computed.
    posterior : PosteriorFit
        Draws.
    result : AttributionResult
        Tables.
    diagnostics : Diagnostics
        Checks and verdict.
    """
    write_table(run, names.ATTRIBUTION_FILE, result.table)
    cells = io.BytesIO()
    result.cells.to_parquet(cells, index=False)
    write_atomically(run / names.CELLS_FILE, cells.getvalue())
    if result.variance is not None:
        write_table(run, names.VARIANCE_FILE, result.variance)
    manifest = manifest_of(record)
    constants = constant_data(record.tables.data, record.spec)
    groups = {name: node.to_dataset() for name, node in posterior.tree.children.items()}
    tree = xr.DataTree.from_dict({**groups, "constant_data": constants})
    write_draws(run, tree, manifest)
    write_json(run / names.DIAGNOSTICS_FILE, diagnostics.as_dict())
    write_json(run / names.MANIFEST_FILE, {**manifest, "outputs": output_digests(run)})
    write_reports(run)
    (run / PLAN_FILE).unlink(missing_ok=True)
    shutil.rmtree(run / CHAINS_FOLDER, ignore_errors=True)


def remove_preview(run: Path) -> None:
    """Remove the preview of a run that is finished."""
    shutil.rmtree(run / names.PREVIEW_FOLDER, ignore_errors=True)


def write_table(run: Path, name: str, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all.

    Parameters
    ----------
    run : Path
        An open run folder.
    name : str
        Name of the file.
    table : DataFrame
        Floats are written at full precision.
    """
    text = table.to_csv(index=False, lineterminator="\n")
    write_atomically(run / name, text.encode())


def write_draws(run: Path, tree: xr.DataTree, manifest: Mapping[str, Any]) -> None:
    """Write draws as ``posterior.nc``, with what they are and where they are from.

    Parameters
    ----------
    run : Path
        An open run folder.
    tree : xarray.DataTree
        Groups such as ``posterior``, or ``prior`` where nothing was fitted.
    manifest : mapping
        The content of ``manifest.json``.
    """
    labelled = tree.copy()
    labelled.attrs = {key: json.dumps(manifest[key], sort_keys=True) for key in _PROVENANCE}
    save_tree(labelled, run / names.POSTERIOR_FILE)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain JSON types as an indented file, atomically; NaN is refused."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode())
