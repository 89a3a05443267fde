"""A run in MLflow, for real: logged into a store in a folder and read back."""

import builtins
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from audited_runs import write_audited_run, write_data

from bayes_attrib.report import RunFolder
from bayes_attrib.report.scores import total_variation
from bayes_attrib.workflow.log_run import (
    INSTALL,
    TrackingError,
    log_run,
    metrics_of,
    params_of,
    tags_of,
)

READ_BACK = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1])
run = client.get_run(sys.argv[2])
print(json.dumps({
    "params": run.data.params, "metrics": run.data.metrics, "tags": run.data.tags,
    "status": run.info.status, "name": run.info.run_name,
    "experiment": client.get_experiment(run.info.experiment_id).name,
    "files": {a.path: a.file_size for a in client.list_artifacts(sys.argv[2])},
}))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    return write_audited_run(folder / "run", write_data(folder / "data"))


def command(*words, store=True):
    """Run Python apart: MLflow warns on import, and keeps threads and global state."""
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true"}
    if store:
        settings["MLFLOW_ALLOW_FILE_STORE"] = "true"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        env=kept | settings,
        check=False,
    )


def test_everything_is_logged_and_read_back(run, tmp_path):
    uri = (tmp_path / "store").as_uri()
    words = ("-m", "bayes_attrib", "log", run, "--tracking-uri", uri)
    done = command(*words, "--experiment", "month end", "--json")
    assert done.returncode == 0, done.stderr
    logged = json.loads(done.stdout)
    assert logged["tracking_uri"] == uri
    back = command("-c", READ_BACK, uri, logged["run_id"])
    found = json.loads(back.stdout)
    folder = RunFolder.load(run)
    assert found["params"] == params_of(folder)
    assert found["metrics"] == pytest.approx(metrics_of(folder), rel=1e-12)
    assert tags_of(folder).items() <= found["tags"].items()
    assert found["status"] == "FINISHED"
    assert found["experiment"] == "month end"
    assert found["files"] == {p.name: p.stat().st_size for p in run.iterdir()}
    assert logged["artifacts"] == len(found["files"])
    again = command(*words, "--experiment", "month end", "--json")
    assert json.loads(again.stdout)["experiment_id"] == logged["experiment_id"]


def test_a_store_that_mlflow_refuses_is_explained(run, tmp_path):
    words = ("-m", "bayes_attrib", "log", run, "--tracking-uri", (tmp_path / "store").as_uri())
    done = command(*words, store=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"MLflow refused to log {run} to file:")
    assert "MLFLOW_ALLOW_FILE_STORE=true" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_mlflow_names_the_extra(run, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "mlflow":
            raise ModuleNotFoundError("No module named 'mlflow'", name="mlflow")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(TrackingError) as caught:
        log_run(run)
    assert INSTALL in str(caught.value)
    assert INSTALL == "pip install 'bayes-attrib[mlflow]'"


def test_params_are_flat_texts(run):
    folder = RunFolder.load(run)
    params = params_of(folder)
    assert params["spec.likelihood.family"] == "poisson"
    assert params["spec.columns.aggregate"] == '["store", "week"]'
    assert params["priors.sigma_entity.dist"] == "HalfNormal"
    assert params["seed"] == "1"
    assert params["spec_digest"] == folder.manifest.spec_digest
    assert params["inputs.exposures"] == folder.manifest.inputs[1].sha256
    assert "versions.pymc" in params
    assert all(isinstance(value, str) and len(value) <= 500 for value in params.values())


def test_metrics_are_the_figures_of_the_run(run):
    folder = RunFolder.load(run)
    metrics = metrics_of(folder)
    assert metrics["grand_total"] == folder.manifest.data.grand_total
    shares = folder.entities["share_mean"].to_numpy()
    assert metrics["effective_entities"] == pytest.approx(np.prod(shares**-shares))
    truth = folder.entities["truth_amount"] / folder.entities["truth_amount"].sum()
    assert metrics["error.EM"] == pytest.approx(total_variation(folder.entities["em_share"], truth))
    stored = {check.name: check.value for check in folder.diagnostics.checks}
    assert metrics["check.max_rhat_rates"] == stored["max_rhat_rates"]
    assert all(math.isfinite(value) for value in metrics.values())
