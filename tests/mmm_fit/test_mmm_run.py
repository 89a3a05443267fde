"""A run of a mix model from the command line: its files agree with one another."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_attrib.cli import main
from bayes_attrib.mmm import read_pymc_marketing
from bayes_attrib.mmm_fit import files
from bayes_attrib.report.file_digests import sha256_of
from bayes_attrib.report.language import Language
from bayes_attrib.report.mmm_page import render_mmm_page

pytestmark = pytest.mark.sampling


def table(run, name):
    return pd.read_csv(run / name, keep_default_na=False)


def test_every_file_is_there_and_recorded(mmm_run):
    written = {path.name for path in mmm_run.iterdir()}
    assert written == set(files.ALL)
    manifest = json.loads((mmm_run / files.MANIFEST).read_text())
    recorded = manifest["outputs"]
    assert set(recorded) == written - {files.PAGE, files.MANIFEST}
    assert recorded[files.CHANNELS] == sha256_of(mmm_run / files.CHANNELS)
    assert manifest["upstream"].startswith("1.")
    assert [source["table"] for source in manifest["inputs"]][:1] == ["series"]


def test_contributions_are_those_of_pymc_marketing(mmm_run):
    """Totals of channels and of periods, against the variable in the saved fit."""
    with xr.open_datatree(mmm_run / files.FIT, engine="h5netcdf") as tree:
        own = tree["posterior"]["channel_contribution_original_scale"].load()
    channels = table(mmm_run, files.CHANNELS).set_index(["channel", "geo"])
    for channel in ("TV", "Search"):
        for geo, part in (("", own), ("north", own.sel(geo=["north"]))):
            draws = part.sel(channel=channel).sum(["date", "geo"]).to_numpy()
            row = channels.loc[(channel, geo)]
            assert float(row["contribution_mean"]) == pytest.approx(draws.mean(), rel=1e-9)
            assert float(row["contribution_sd"]) == pytest.approx(draws.std(ddof=1), rel=1e-9)
    components = table(mmm_run, files.COMPONENTS)
    tv = components[(components["component"] == "TV") & (components["geo"] == "south")]
    means = own.sel(channel="TV", geo="south").mean(["chain", "draw"]).to_numpy()
    np.testing.assert_allclose(tv["amount_mean"].astype(float), means, rtol=1e-9, atol=1e-9)


def test_components_of_a_period_add_up_to_the_expected_target(mmm_run):
    components = table(mmm_run, files.COMPONENTS)
    assert set(components["component"]) == {
        "TV", "Search", "promotion", "fair", "trend", "baseline",
    }  # fmt: skip
    with xr.open_datatree(mmm_run / files.FIT, engine="h5netcdf") as tree:
        mu = tree["posterior"]["mu"].mean(["chain", "draw"])
        scale = tree["constant_data"]["target_scale"]
        expected = (mu * scale).transpose("geo", "date").to_numpy()
    sums = components[components["geo"] != ""].astype({"amount_mean": float})
    sums = sums.pivot_table(index="geo", columns="date", values="amount_mean", aggfunc="sum")
    np.testing.assert_allclose(sums.to_numpy(), expected, rtol=1e-9)
    whole = components[components["geo"] == ""].groupby("date")["amount_mean"].sum()
    np.testing.assert_allclose(whole.to_numpy(), expected.sum(axis=0), rtol=1e-9)


def test_an_event_is_the_part_of_the_week_that_it_covers(mmm_run):
    components = table(mmm_run, files.COMPONENTS)
    fair = components[(components["component"] == "fair") & (components["geo"] == "")]
    moved = fair.loc[fair["amount_sd"].astype(float) > 0, "date"].tolist()
    assert moved == ["2024-03-04"]


def test_roas_is_everything_that_spend_brings_per_unit(mmm_run):
    channels = table(mmm_run, files.CHANNELS)
    brought = channels["contribution_mean"] + channels["carried_beyond_mean"]
    np.testing.assert_allclose(channels["roas_mean"], brought / channels["spend"], rtol=1e-9)
    curves = table(mmm_run, files.CURVES)
    now = curves[np.isclose(curves["factor"], 1.0)].set_index("channel")["amount_mean"]
    whole = channels[channels["geo"] == ""].set_index("channel")
    np.testing.assert_allclose(
        now.loc[["TV", "Search"]],
        (whole["contribution_mean"] + whole["carried_beyond_mean"]).loc[["TV", "Search"]],
        rtol=1e-9,
    )


def test_marginal_roas_is_the_slope_of_the_response_curve(mmm_run):
    """Central difference of the table of curves, steps of 5%: the mean curve is smooth."""
    curves = table(mmm_run, files.CURVES)
    whole = table(mmm_run, files.CHANNELS).query("geo == ''").set_index("channel")
    for channel, curve in curves.groupby("channel"):
        rows = curve.set_index(curve["factor"].round(2))
        rise = rows.loc[1.05, "amount_mean"] - rows.loc[0.95, "amount_mean"]
        slope = rise / (rows.loc[1.05, "spend"] - rows.loc[0.95, "spend"])
        assert whole.loc[channel, "marginal_roas_mean"] == pytest.approx(slope, rel=0.01)


def test_the_fit_goes_into_import_mmm(mmm_run, tmp_path):
    model = read_pymc_marketing(mmm_run / files.FIT)
    assert model.channels == ("TV", "Search")
    assert model.geos == ("north", "south")
    assert model.facts["largest_reconstruction_error"] < 1e-9
    series = pd.read_csv(mmm_run.parent / "series.csv")
    delivery = series.melt(
        id_vars=["week", "geo"], value_vars=["TV", "Search"], var_name="channel"
    ).rename(columns={"week": "period", "value": "delivery"})
    delivery["campaign"] = delivery["channel"] + " all"
    delivery.to_csv(tmp_path / "delivery.csv", index=False)
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "import-mmm", str(mmm_run / files.FIT), "--delivery",
                str(tmp_path / "delivery.csv"), "--geo", "geo", "--out", str(tmp_path / "data"),
                "--quiet",
            ]
        )  # fmt: skip
    assert ended.value.code == 0
    totals = pd.read_csv(tmp_path / "data" / "aggregates.csv").groupby("channel")["total"].sum()
    whole = table(mmm_run, files.CHANNELS).query("geo == ''").set_index("channel")
    np.testing.assert_allclose(
        totals.loc[["TV", "Search"]], whole.loc[["TV", "Search"], "contribution_mean"], rtol=1e-6
    )


def test_lift_tests_stand_beside_what_the_model_makes_of_them(mmm_run):
    tests = table(mmm_run, files.LIFT_TESTS)
    assert len(tests) == 1
    row = tests.iloc[0]
    spread = np.hypot(row["sigma"], row["model_lift_sd"])
    assert row["z"] == pytest.approx((40.0 - row["model_lift_mean"]) / spread)
    assert 0 < row["model_lift_mean"] < 200


def test_the_forecast_covers_the_planned_weeks(mmm_run):
    ahead = table(mmm_run, files.FORECAST)
    assert ahead["date"].nunique() == 4
    assert set(ahead["geo"]) == {"", "north", "south"}
    assert (ahead["predicted_lower"] < ahead["predicted_upper"]).all()
    series = pd.read_csv(mmm_run.parent / "series.csv")
    for geo, rows in ahead[ahead["geo"] != ""].groupby("geo"):
        seen = series.loc[series["geo"] == geo, "sales"]
        assert rows["predicted_mean"].between(0.5 * seen.min(), 1.5 * seen.max()).all()


def test_the_page_is_self_contained_and_marked(mmm_run):
    page = (mmm_run / files.PAGE).read_text()
    assert page.count("<img ") == 5
    assert "Not converged: do not use." in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page
    assert page == render_mmm_page(mmm_run, Language("en"))


def test_a_finished_run_is_not_replaced_unasked(mmm_run, capsys):
    before = sha256_of(mmm_run / files.MANIFEST)
    folder = mmm_run.parent
    with pytest.raises(SystemExit) as ended:
        main(["mmm", str(folder / "small.toml"), str(folder), "--out", str(mmm_run)])
    assert ended.value.code == 2
    assert "holds a finished run; choose another --out folder, or add --overwrite" in (
        capsys.readouterr().err
    )
    assert sha256_of(mmm_run / files.MANIFEST) == before
