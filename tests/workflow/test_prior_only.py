"""``fit --prior-only``: a folder that says what it is, sentences that agree with its files."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_attrib import cli
from bayes_attrib.errors import FitError, RunFolderError
from bayes_attrib.inputs import DataSource
from bayes_attrib.report import RunFolder, describe_prior
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow import FitPlan, prior_to_folder

DRAWS = 80


@pytest.fixture(scope="module")
def plan(coupon_spec, coupon_source):
    plain = coupon_spec.model_dump(mode="json")
    plain["inference"] |= {"draws": DRAWS, "seed": 5}
    return FitPlan(parse_plain(plain, source="test"), coupon_source)


@pytest.fixture(scope="module")
def written(plan, tmp_path_factory):
    run = tmp_path_factory.mktemp("prior") / "run"
    return run, prior_to_folder(plan, run)


@pytest.fixture(scope="module")
def tree(written):
    with xr.open_datatree(written[0] / "posterior.nc", engine="h5netcdf") as tree:
        return tree.load()


def test_the_folder_holds_a_prior_and_nothing_that_looks_like_a_fit(written, tree):
    run, _ = written
    assert {path.name for path in run.iterdir()} == {
        "manifest.json",
        "posterior.nc",
        "prior.csv",
        "prior.html",
    }
    assert set(tree.children) == {"prior", "prior_predictive", "observed_data", "constant_data"}
    assert tree["prior"].sizes == {"chain": 1, "draw": DRAWS, "entity": 27, "campaign_type": 3}
    assert json.loads(tree.attrs["method"]) == "prior"
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["method"] == "prior"
    assert manifest["sampling"] == {"draws": DRAWS}
    assert manifest["priors"]["sigma_entity"]["dist"] == "HalfNormal"
    assert {table["table"] for table in manifest["inputs"]} >= {"aggregates", "exposures"}


def test_the_same_plan_writes_the_same_bytes(written, plan, tmp_path):
    run, _ = written
    prior_to_folder(plan, tmp_path / "again")
    for name in ("posterior.nc", "prior.csv", "prior.html"):
        assert (tmp_path / "again" / name).read_bytes() == (run / name).read_bytes()


def test_table_agrees_with_the_draws(written, tree):
    table = pd.read_csv(written[0] / "prior.csv", dtype={"name": str})
    rows = {quantity: part.reset_index(drop=True) for quantity, part in table.groupby("quantity")}
    assert {name: len(part) for name, part in rows.items()} == {
        "parameter": 4,
        "rate": 27,
        "share": 27,
        "total": 54,
    }
    assert set(table["interval_kind"]) == {"eti"}
    assert set(table["interval_prob"]) == {0.94}
    totals = tree["prior_predictive"]["total"].to_numpy()[0]
    lower, upper = np.quantile(totals, [0.03, 0.97], axis=0)
    np.testing.assert_allclose(rows["total"]["lower"], lower)
    np.testing.assert_allclose(rows["total"]["upper"], upper)
    observed = tree["observed_data"]["total"].to_numpy()
    np.testing.assert_array_equal(rows["total"]["reference"], observed)
    for column in ("mean", "reference"):
        assert rows["share"][column].sum() == pytest.approx(1.0)
    sigma = tree["prior"]["sigma_entity"].to_numpy()
    median = rows["parameter"].set_index("name").loc["sigma_entity", "median"]
    assert median == pytest.approx(np.median(sigma))


def test_sentences_agree_with_the_draws(written, tree):
    _, result = written
    totals, inside, rates, shares = describe_prior(result.summary, result.draws.spec)
    predicted = tree["prior_predictive"]["total"].to_numpy()[0]
    observed = tree["observed_data"]["total"].to_numpy()
    low, high = np.quantile(predicted, [0.03, 0.97])
    assert f"between {low:,.0f} and {high:,.0f} (redemptions)" in totals
    assert f"observed: {observed.min():,.0f} to {observed.max():,.0f}." in totals
    ends = np.quantile(predicted, [0.03, 0.97], axis=0)
    n_inside = int(np.sum((ends[0] <= observed) & (observed <= ends[1])))
    assert inside.startswith(f"{n_inside} of 54 observed totals ({n_inside / 54:.1%})")
    assert re.match(r"94% of rates lie between 0\.\d+ and \d+\.\d times", rates)
    assert f"{np.median(result.draws.shares.max(axis=0)):.1%} of the grand total" in shares


def test_a_prior_that_contradicts_the_totals_is_called_so(plan, tmp_path):
    plain = plan.spec.model_dump(mode="json")
    plain["priors"] = {"intercept": {"dist": "Normal", "mu": 6.0, "sigma": 0.1}}
    spec = parse_plain(plain, source="test")
    result = prior_to_folder(FitPlan(spec, plan.source), tmp_path / "run")
    assert "Many totals surprise this prior" in describe_prior(result.summary, spec)[1]
    assert "Many totals surprise this prior" in (tmp_path / "run/prior.html").read_text()


def test_the_page_stands_alone_and_says_that_nothing_was_fitted(written):
    page = (written[0] / "prior.html").read_text()
    assert "Prior only: nothing was fitted" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    positions = [float(x) for x in re.findall(r" c?[xy]\d?=\"(-?[\d.]+)%\"", page)]
    assert len(positions) > 200
    assert min(positions) >= 0
    assert max(positions) <= 100


def test_names_are_text_on_the_page_and_in_the_table(tmp_path):
    name = "<script>alert(1)</script> & $\\frac{$"
    (tmp_path / "aggregates.csv").write_text("week,total\n1,4\n2,0\n3,9\n")
    (tmp_path / "exposures.csv").write_text(
        "who,week,exposure\n"
        + "".join(f"{who},{week},1\n" for who in (name, "x") for week in "123")
    )
    plain = {
        "schema_version": 1,
        "name": "odd",
        "columns": {"aggregate": ["week"], "entity": "who"},
        "inference": {"draws": 20},
    }
    plan = FitPlan(parse_plain(plain, source="test"), DataSource(folder=tmp_path))
    prior_to_folder(plan, tmp_path / "run")
    page = (tmp_path / "run/prior.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; $\\frac{$" in page
    assert name in pd.read_csv(tmp_path / "run/prior.csv", dtype=str)["name"].tolist()


def test_a_report_of_the_folder_is_refused_with_the_way_out(written):
    with pytest.raises(
        RunFolderError, match=r"from the priors alone .*prior\.html.*fits the model"
    ):
        RunFolder.load(written[0])


def test_finished_and_unfinished_runs_are_not_overwritten(written, plan, tmp_path):
    with pytest.raises(RunFolderError, match="add --overwrite"):
        prior_to_folder(plan, written[0])
    (tmp_path / "unfinished.json").write_text("{}")
    with pytest.raises(RunFolderError, match=r"holds an unfinished fit.*--resume"):
        prior_to_folder(plan, tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["unfinished.json"]


def test_a_prior_beyond_all_numbers_writes_nothing(plan, tmp_path):
    plain = plan.spec.model_dump(mode="json")
    plain["priors"] = {"intercept": {"dist": "Normal", "mu": 0.0, "sigma": 900.0}}
    wild = FitPlan(parse_plain(plain, source="test"), plan.source)
    with pytest.raises(FitError, match="tighten the priors"):
        prior_to_folder(wild, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def call(capsys, root, *words):
    spec, data = root / "models/coupon_campaigns.toml", root / "data/coupon_campaigns"
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in ("fit", spec, data, "--prior-only", *words)])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


def test_the_command_says_what_the_priors_claim(capsys, root, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    status, output, errors = call(capsys, root, "--out", tmp_path / "r", "--draws", 50, "--seed", 2)
    assert (status, errors) == (0, "")
    assert "Nothing was fitted" in output
    assert "94% of the totals that the prior predicts lie between" in output
    assert re.search(r"sigma_entity +HalfNormal\(sigma=\S+\) +0\.\d+ +0\.\d+ to \d", output)
    assert f"written to {tmp_path / 'r'}" in output
    manifest = json.loads((tmp_path / "r/manifest.json").read_text())
    assert (manifest["seed"], manifest["sampling"]) == (2, {"draws": 50})


def test_the_command_speaks_json_and_can_be_quiet(capsys, root, tmp_path):
    _, output, _ = call(capsys, root, "--out", tmp_path / "a", "--draws", 50, "--json")
    said = json.loads(output)
    assert (said["method"], said["draws"]) == ("prior", 50)
    assert said["predicted_totals"][0] < said["observed_totals"][1] < said["predicted_totals"][1]
    assert 0.8 < said["observed_inside"] <= 1.0
    status, output, errors = call(capsys, root, "--out", tmp_path / "b", "--draws", 20, "--quiet")
    assert (status, output, errors) == (0, "", "")


def test_options_of_the_sampler_are_refused(capsys, root, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    status, _, errors = call(capsys, root, "--out", tmp_path / "r", "--tune", 9, "--chains", 2)
    assert status == 2
    assert "leave out --tune, --chains" in errors
    assert not (tmp_path / "r").exists()
