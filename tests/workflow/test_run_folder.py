"""The whole pass on real data: what a run folder holds, and that it can be trusted and repeated."""

import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_attrib.errors import DataError, InterruptedFitError, RunFolderError
from bayes_attrib.inference import Silent
from bayes_attrib.inputs import DataSource
from bayes_attrib.report import RunFolder
from bayes_attrib.spec import parse_spec
from bayes_attrib.workflow import FitPlan, fit_to_folder, write_reports

FILES = {
    "attribution.csv",
    "cells.parquet",
    "posterior.nc",
    "diagnostics.json",
    "manifest.json",
    "em_errors.csv",
    "report.html",
}


@pytest.fixture(scope="module")
def plan(coupon_spec, coupon_source):
    return FitPlan(spec=coupon_spec, source=coupon_source)


@pytest.fixture(scope="module")
def run(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "first"
    fit_to_folder(plan, folder)
    return folder


def read_table(run):
    return pd.read_csv(run / "attribution.csv", dtype={"name": str, "level": str})


def without_times(text):
    return [line for line in text.splitlines() if "started" not in line and "ended" not in line]


@pytest.mark.sampling
def test_files(run):
    assert {path.name for path in run.iterdir()} == FILES


@pytest.mark.sampling
def test_amounts_reconcile_with_the_totals_of_the_input(run, root):
    totals = pd.read_csv(root / "data/coupon_campaigns/aggregates.csv").set_index("week")
    cells = pd.read_parquet(run / "cells.parquet")
    for column in ("amount_mean", "em_amount", "proportional_amount", "truth_amount"):
        sums = cells.groupby("week")[column].sum()
        np.testing.assert_allclose(sums, totals.loc[sums.index, "redemptions"], atol=1e-9)
    table = read_table(run)
    sums = table.groupby("level")["share_mean"].sum()
    assert sums.to_dict() == pytest.approx({"entity": 1.0, "campaign_type": 1.0})
    assert json.loads((run / "manifest.json").read_text())["largest_residual"] == 0.0


@pytest.mark.sampling
def test_posterior_file_holds_the_names_of_the_spec(run):
    with xr.open_datatree(run / "posterior.nc", engine="h5netcdf") as tree:
        posterior = tree["posterior"].to_dataset()
        assert set(posterior.data_vars) == {
            *("intercept", "sigma_entity", "sigma_campaign_type", "effect_campaign_type"),
            *("phi", "rate", "log_rate"),
        }
        assert posterior["rate"].dims == ("chain", "draw", "entity")
        np.testing.assert_allclose(
            posterior["effect_campaign_type"].sum("campaign_type"), 0, atol=1e-9
        )
        assert tree["observed_data"]["total"].sum() == 2102
        manifest = json.loads((run / "manifest.json").read_text())
        assert json.loads(tree.attrs["spec_digest"]) == manifest["spec_digest"]
        assert json.loads(tree.attrs["inputs"]) == manifest["inputs"]


@pytest.mark.sampling
def test_manifest_identifies_inputs_spec_and_versions(run, root, plan):
    manifest = json.loads((run / "manifest.json").read_text())
    for source in manifest["inputs"]:
        content = (root / "data/coupon_campaigns" / source["name"]).read_bytes()
        assert source["sha256"] == hashlib.sha256(content).hexdigest()
    assert {source["table"] for source in manifest["inputs"]} == {
        *("aggregates", "exposures", "entities")
    }
    assert manifest["spec_digest"] == plan.spec.digest
    assert {"pymc", "nutpie", "numpy", "bayes-attrib"} <= set(manifest["versions"])
    assert str(root) not in (run / "manifest.json").read_text()


@pytest.mark.sampling
def test_same_seed_gives_the_same_files_apart_from_times(run, plan, tmp_path):
    fit_to_folder(plan, tmp_path / "again")
    for name in FILES - {"manifest.json", "report.html"}:
        assert (tmp_path / "again" / name).read_bytes() == (run / name).read_bytes(), name
    first, second = ((r / "manifest.json").read_text() for r in (run, tmp_path / "again"))
    assert without_times(first) == without_times(second)


@pytest.mark.sampling
def test_report_is_rendered_again_without_the_data(run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    before = (copy / "report.html").read_bytes()
    (copy / "report.html").unlink()
    assert write_reports(copy).files[0].read_bytes() == before


@pytest.mark.sampling
def test_finished_run_is_not_overwritten_unasked(run, plan):
    stamp = (run / "manifest.json").stat().st_mtime_ns
    with pytest.raises(RunFolderError, match="add --overwrite"):
        fit_to_folder(plan, run)
    assert (run / "manifest.json").stat().st_mtime_ns == stamp


def test_foreign_folder_is_never_touched(plan, tmp_path):
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(RunFolderError, match=r"holds thesis\.docx"):
        fit_to_folder(plan, tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_wrong_data_leaves_no_folder(coupon_spec, tmp_path):
    plan = FitPlan(spec=coupon_spec, source=DataSource(folder=tmp_path / "nowhere"))
    with pytest.raises(DataError):
        fit_to_folder(plan, tmp_path / "run")
    assert not (tmp_path / "run").exists()


class InterruptAfterOneChain(Silent):
    def __init__(self, run):
        self.run = run

    def advanced(self, done, divergences):  # noqa: ARG002
        if list(self.run.glob("chains/chain-*.npz")):
            raise KeyboardInterrupt


@pytest.mark.sampling
def test_interrupted_run_resumes_to_the_result_of_an_uninterrupted_one(run, plan, tmp_path):
    folder = tmp_path / "stopped"
    with pytest.raises(InterruptedFitError, match="of 3 chains are complete"):
        fit_to_folder(plan, folder, progress=InterruptAfterOneChain(folder))
    assert {path.name for path in folder.iterdir()} == {"chains", "unfinished.json"}
    assert FitPlan.load(folder) == dataclasses.replace(plan, source=FitPlan.load(folder).source)
    fit_to_folder(FitPlan.load(folder), folder)
    assert {path.name for path in folder.iterdir()} == FILES
    for name in ("attribution.csv", "cells.parquet", "posterior.nc", "diagnostics.json"):
        assert (folder / name).read_bytes() == (run / name).read_bytes(), name


@pytest.mark.sampling
def test_resuming_with_changed_data_is_refused(plan, coupon_source, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(coupon_source.folder, data)
    moved = dataclasses.replace(plan, source=DataSource(folder=data))
    run = tmp_path / "stopped"
    with pytest.raises(InterruptedFitError):
        fit_to_folder(moved, run, progress=InterruptAfterOneChain(run))
    table = data / "entities.csv"
    table.write_text(table.read_text().replace("Type A", "Type Z"))
    with pytest.raises(RunFolderError, match="changed since: data"):
        fit_to_folder(FitPlan.load(run), run)


def test_resuming_a_folder_without_an_unfinished_run_is_explained(tmp_path):
    with pytest.raises(RunFolderError, match="holds no unfinished run"):
        FitPlan.load(tmp_path)


@pytest.mark.sampling
def test_explicit_amounts_are_written_like_any_other_run(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "aggregates.csv").write_text("week,redemptions\n1,30\n2,50\n3,20\n", encoding="utf-8")
    (data / "exposures.csv").write_text(
        "week,campaign,household_weeks\n1,a,10\n1,b,10\n2,a,20\n2,b,10\n3,b,15\n", encoding="utf-8"
    )
    spec = parse_spec(
        """
        schema_version = 1
        name = "explicit"
        [columns]
        aggregate = ["week"]
        entity = "campaign"
        total = "redemptions"
        exposure = "household_weeks"
        [likelihood]
        family = "poisson"
        amounts = "explicit"
        [inference]
        draws = 50
        tune = 50
        chains = 2
        """
    )
    fit_to_folder(FitPlan(spec=spec, source=DataSource(folder=data)), tmp_path / "run")
    run = RunFolder.load(tmp_path / "run")
    assert run.manifest.method == "nuts_within_gibbs"
    assert run.manifest.sampling["chains"] == 2
    assert run.entities["amount_mean"].sum() == pytest.approx(100)
