"""The run folder of a mix model: written whole or not at all, the manifest last."""

from __future__ import annotations

import json
import math
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bayes_attrib.errors import RunFolderError
from bayes_attrib.inference.diagnostics import Diagnostics
from bayes_attrib.mmm_fit import files
from bayes_attrib.mmm_fit.fit import silent_output
from bayes_attrib.mmm_fit.results import MmmInputs, MmmResults, compute, read_inputs
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.upstream import quiet, upstream_version
from bayes_attrib.report.file_digests import output_digests
from bayes_attrib.report.mmm_page import render_mmm_page
from bayes_attrib.workflow.write import write_json, write_table

_DISTRIBUTIONS: Final = (
    "bayes-attrib",
    "pymc-marketing",
    "numpy",
    "nutpie",
    "pandas",
    "pymc",
    "pymc-extras",
    "pytensor",
    "scikit-learn",
    "scipy",
    "xarray",
)


@dataclass(frozen=True)
class MmmRun:
    """A finished run of a mix model.

    Attributes
    ----------
    folder : Path
        The run folder.
    diagnostics : Diagnostics
        Its verdict.
    summary : dict
        Content of ``mmm.json``.
    """

    folder: Path
    diagnostics: Diagnostics
    summary: dict[str, Any]


def run_mmm(
    spec: MmmSpec,
    data: Path,
    out: Path,
    *,
    future: Path | None = None,
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> MmmRun:
    """Fit a mix model and write its run folder.

    Parameters
    ----------
    spec : MmmSpec
        The model.
    data : Path
        Data folder, or the file of the series.
    out : Path
        Run folder to write.
    future : Path, optional
        Table of planned spend.
    overwrite : bool
        Replace an earlier run of a mix model in that folder.
    progress : callable
        Told what begins.

    Returns
    -------
    MmmRun
        Folder and verdict.

    Raises
    ------
    DataError
        If a table is wrong; nothing is written then.
    RunFolderError
        If the folder holds something else, or a run that may not be replaced.
    FitError
        If pymc-marketing is not installed.
    """
    _check_folder(out, overwrite=overwrite)
    started = datetime.now(UTC)
    inputs = read_inputs(spec, data, future)
    results = compute(spec, inputs, progress)
    out.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        summary = _write(staged, spec, inputs, results, started)
        if out.exists():
            shutil.rmtree(out)
        out.mkdir()
        for file in staged.iterdir():
            file.replace(out / file.name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return MmmRun(out, results.diagnostics, summary)


def _check_folder(out: Path, *, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise RunFolderError(f"{out} is a file; give --out a folder that does not exist yet")
    found = {path.name for path in out.iterdir()} if out.exists() else set()
    foreign = sorted(found - files.ALL)
    if foreign:
        raise RunFolderError(
            f"{out} holds {', '.join(foreign[:3])}, which no run of a mix model writes; choose "
            "another --out folder"
        )
    if found and not overwrite:
        raise RunFolderError(
            f"{out} holds a finished run; choose another --out folder, or add --overwrite"
        )


def _write(
    folder: Path, spec: MmmSpec, inputs: MmmInputs, results: MmmResults, started: datetime
) -> dict[str, Any]:
    with quiet(), silent_output():
        results.fit.model.save(str(folder / files.FIT))
    for name, table in results.tables.items():
        write_table(folder, name, table)
    summary = {
        "name": spec.name,
        "verdict": results.diagnostics.verdict,
        **results.summary,
        "channel_results": _records(results),
    }
    write_json(folder / files.SUMMARY, _without_nan(summary))
    write_json(folder / files.DIAGNOSTICS, results.diagnostics.as_dict())
    manifest = {
        "schema_version": 1,
        "kind": "mmm",
        "name": spec.name,
        "spec": spec.model_dump(mode="json"),
        "spec_digest": spec.digest,
        "inputs": [asdict(source) for source in inputs.sources],
        "seed": spec.inference.seed,
        "versions": {name: version(name) for name in _DISTRIBUTIONS},
        "upstream": upstream_version(),
        "platform": {
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
        },
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "outputs": output_digests(folder, sorted(files.ALL - {files.PAGE, files.MANIFEST})),
    }
    write_json(folder / files.MANIFEST, manifest)
    (folder / files.PAGE).write_text(render_mmm_page(folder), encoding="utf-8")
    return summary


def _records(results: MmmResults) -> list[dict[str, Any]]:
    table = results.tables[files.CHANNELS]
    whole = table[table["geo"] == ""].drop(columns="geo")
    return json.loads(whole.to_json(orient="records", double_precision=15))


def _without_nan(value: Any) -> Any:
    """Return plain JSON types with null for what is not a number."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
