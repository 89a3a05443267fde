"""A finished run as a run of MLflow: parameters, metrics, tags and files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bayes_attrib.errors import BayesAttribError
from bayes_attrib.report import RunFolder
from bayes_attrib.report.accuracy import score_level

INSTALL: Final = "pip install 'bayes-attrib[mlflow]'"
"""What brings MLflow along."""

_LONGEST_VALUE: Final = 500
"""Trackers refuse longer parameters, some at 500 characters; the whole spec is in an artifact."""


class TrackingError(BayesAttribError):
    """A run could not be logged to a tracker."""


@dataclass(frozen=True)
class LoggedRun:
    """Where a run was logged.

    Attributes
    ----------
    run_id, experiment_id, tracking_uri : str
        As MLflow names them.
    params, metrics, artifacts : int
        How many of each were logged.
    """

    run_id: str
    experiment_id: str
    tracking_uri: str
    params: int
    metrics: int
    artifacts: int


def log_run(
    run: Path | str, *, tracking_uri: str | None = None, experiment: str | None = None
) -> LoggedRun:
    """Log a finished run to MLflow.

    Parameters
    ----------
    run : Path or str
        Run folder.
    tracking_uri : str, optional
        Where to log; MLflow's own default (``MLFLOW_TRACKING_URI``) if it is not given.
    experiment : str, optional
        Name of the experiment, which is made if there is none; the name of the model by default.

    Returns
    -------
    LoggedRun
        What was logged, and where.

    Raises
    ------
    RunFolderError
        If the folder holds no finished run.
    TrackingError
        If MLflow is not installed or refuses; what was begun is marked as failed there.
    """
    folder = RunFolder.load(run)
    mlflow = _mlflow()
    params, metrics, tags = params_of(folder), metrics_of(folder), tags_of(folder)
    files, entries = _files(folder), [mlflow.entities.Param(*item) for item in params.items()]
    try:
        client = mlflow.MlflowClient(tracking_uri=tracking_uri)
        experiment_id = _experiment(client, experiment or folder.manifest.name)
        started = client.create_run(
            experiment_id, tags=tags, run_name=f"{folder.manifest.name} {folder.manifest.started}"
        )
        run_id = started.info.run_id
        try:
            _fill(client, run_id, entries, metrics, files)
        except Exception:
            client.set_terminated(run_id, status="FAILED")
            raise
        client.set_terminated(run_id, status="FINISHED")
    except mlflow.exceptions.MlflowException as error:
        raise TrackingError(
            f"MLflow refused to log {folder.path} to {tracking_uri or 'its default'}: {error}; "
            "--tracking-uri names another place, such as http://HOST:5000. The extra brings "
            "mlflow-skinny, which logs to servers and, with MLFLOW_ALLOW_FILE_STORE=true, to "
            "folders; for sqlite and other databases, pip install mlflow"
        ) from error
    where = tracking_uri or mlflow.get_tracking_uri()
    return LoggedRun(run_id, experiment_id, where, len(params), len(metrics), len(files))


def params_of(run: RunFolder) -> dict[str, str]:
    """Return what a run was made with: spec, digest, seed, priors and versions, as flat texts."""
    manifest = run.manifest
    facts: dict[str, Any] = {
        "spec": manifest.spec.model_dump(mode="json"),
        "spec_digest": manifest.spec_digest,
        "seed": manifest.seed,
        "method": manifest.method,
        "priors": {name: prior.model_dump() for name, prior in manifest.priors.items()},
        "versions": manifest.versions,
        "inputs": {record.table: record.sha256 for record in manifest.inputs},
        "data": manifest.data.model_dump(include={"n_aggregates", "n_entities", "n_edges"}),
    }
    found = dict(_flat(facts))
    return {key: value[:_LONGEST_VALUE] for key, value in found.items()}


def metrics_of(run: RunFolder) -> dict[str, float]:
    """Return the figures of a run; those that are not finite are left out, as MLflow has no null.

    ``effective_entities`` is the exponential of the entropy of the mean shares: so many entities
    with equal shares would be as spread out. ``error.<method>`` is the total variation distance of
    shares from the truth, where that is known.
    """
    shares = run.entities["share_mean"].to_numpy(dtype=np.float64)
    positive = shares[shares > 0]
    found: dict[str, float | None] = {
        "grand_total": run.manifest.data.grand_total,
        "largest_residual": run.manifest.largest_residual,
        "effective_entities": float(np.exp(-np.sum(positive * np.log(positive)))),
        "largest_share": float(shares.max(initial=0.0)),
        "warnings": sum(f.severity == "warning" for f in run.diagnostics.findings),
        "checks_not_ok": sum(check.status != "ok" for check in run.diagnostics.checks),
    }
    found |= {f"check.{check.name}": check.value for check in run.diagnostics.checks}
    if run.has_truth:
        for error in score_level(run.entities):
            found[f"error.{error.method.replace(' ', '_')}"] = error.total_variation
    return {
        _key(name): float(value)
        for name, value in found.items()
        if value is not None and math.isfinite(value)
    }


def tags_of(run: RunFolder) -> dict[str, str]:
    """Return what a run is found by: verdict, digest of the spec, version and times."""
    manifest = run.manifest
    return {
        "verdict": run.diagnostics.verdict,
        "spec_digest": manifest.spec_digest,
        "bayes_attrib.version": str(manifest.versions.get("bayes-attrib", "")),
        "bayes_attrib.started": manifest.started,
        "bayes_attrib.ended": manifest.ended,
    }


def _mlflow() -> Any:
    try:
        import mlflow  # noqa: PLC0415, an extra
        import mlflow.exceptions  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mlflow":
            raise
        raise TrackingError(f"logging needs MLflow, which is not installed: {INSTALL}") from error
    return mlflow


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name))
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"the experiment {name!r} was deleted in MLflow; restore it, or name another one with "
            "--experiment"
        )
    return str(found.experiment_id)


def _fill(
    client: Any,
    run_id: str,
    params: Sequence[Any],
    metrics: Mapping[str, float],
    files: list[Path],
) -> None:
    for start in range(0, len(params), 100):  # the most that one call takes
        client.log_batch(run_id, params=params[start : start + 100])
    for key, value in metrics.items():
        client.log_metric(run_id, key, value)
    for file in files:
        client.log_artifact(run_id, str(file))


def _files(run: RunFolder) -> list[Path]:
    found = sorted(path for path in run.path.iterdir() if path.is_file())
    return [path for path in found if path.suffix != ".partial"]


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield leaves by their path; lists are leaves, written as JSON."""
    for key, value in facts.items():
        path = f"{above}{_key(str(key))}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        elif value is not None:
            yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    """Replace what MLflow's names may not hold: anything but letters, digits and ``_-. /``."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-. /") else "_" for c in name)
