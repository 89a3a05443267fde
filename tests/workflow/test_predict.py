"""From a run folder alone to predictions: the files, the command, and its complaints."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_attrib.cli import main
from bayes_attrib.errors import RunFolderError
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow import FitPlan, fit_to_folder, predict


@pytest.fixture(scope="module")
def fitted(coupon_spec, coupon_source, tmp_path_factory):
    plain = coupon_spec.model_dump(mode="json")
    plain["inference"] |= {"draws": 40, "tune": 80, "chains": 2}
    run = tmp_path_factory.mktemp("runs") / "run"
    spec = parse_plain(plain, source="test")
    return run, fit_to_folder(FitPlan(spec=spec, source=coupon_source), run)


@pytest.fixture
def new_tables(coupon_source):
    """Last week's campaigns, and a new one of a known and of a new type, in a week to come."""
    exposures = pd.read_csv(coupon_source.folder / "exposures.csv", dtype=str)
    last = exposures[exposures["week"] == exposures["week"].iloc[-1]].copy()
    fresh = last.iloc[:1].assign(campaign_id="900", household_weeks="1000")
    other = last.iloc[:1].assign(campaign_id="901", household_weeks="1000")
    last = pd.concat([last, fresh, other]).assign(week="next").drop(columns="redemptions_true")
    entities = pd.read_csv(coupon_source.folder / "entities.csv", dtype=str)
    entities = entities.iloc[:2].assign(campaign_id=["900", "901"])
    entities["campaign_type"] = [entities["campaign_type"].iloc[0], "Type Z"]
    return {"entities": entities, "exposures": last}


def status_of(*words):
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    return caught.value.code


@pytest.mark.sampling
def test_folder_and_fit_in_memory_predict_the_same(fitted, new_tables):
    run, fit = fitted
    from_folder, from_memory = predict(run, **new_tables), predict(fit, **new_tables)
    np.testing.assert_array_equal(from_folder.rate_draws, from_memory.rate_draws)
    pd.testing.assert_frame_equal(from_folder.cells, from_memory.cells)
    rates = from_folder.rates.set_index("entity")
    assert rates.loc[["900", "901"], "is_new"].all()
    assert rates["is_new"].sum() == 2
    assert rates.loc["901", "new_levels"] == "campaign_type 'Type Z'"
    assert (rates.loc[["900", "901"], "interval_width_ratio"] > 1).all()
    known = rates[~rates["is_new"]].index[0]
    wanted = fit.posterior.posterior["rate"].sel(entity=known).to_numpy().ravel()
    row = rates.index.get_loc(known)
    # exp of NumPy and of the sampler's compiler may differ in the last bit, by processor
    np.testing.assert_allclose(from_folder.rate_draws[row], wanted, rtol=1e-14)


@pytest.mark.sampling
def test_command_writes_tables_and_says_what_is_new(fitted, new_tables, tmp_path, capsys):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    for name, table in new_tables.items():
        table.to_csv(data / f"{name}.csv", index=False)
    assert status_of("predict", fitted[0], data, "--out", out) == 0
    printed = capsys.readouterr().out
    assert "2 new ones" in printed
    assert "drawn anew: campaign_type 'Type Z'" in printed
    assert {path.name for path in out.iterdir()} == {"rates.csv", "totals.csv", "cells.parquet"}
    rates = pd.read_csv(out / "rates.csv", dtype={"entity": str})
    assert rates["interval_prob"].unique().tolist() == [0.94]
    cells, totals = pd.read_parquet(out / "cells.parquet"), pd.read_csv(out / "totals.csv")
    assert cells["amount_mean"].sum() == pytest.approx(totals["total_mean"].sum())
    before = (out / "rates.csv").read_bytes()
    assert status_of("predict", fitted[0], data, "--out", out) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert status_of("predict", fitted[0], data, "--out", out, "--overwrite", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["n_new_entities"], said["n_aggregates"]) == (2, 1)
    assert (out / "rates.csv").read_bytes() == before


@pytest.mark.sampling
def test_faults_end_with_status_2_and_write_nothing(fitted, new_tables, tmp_path, capsys):
    entities = tmp_path / "who.csv"
    new_tables["entities"].assign(campaign_type="").to_csv(entities, index=False)
    out = tmp_path / "out"
    words = ("predict", fitted[0], "--out", out, "--quiet")
    assert status_of(*words, "--entities", entities) == 2
    assert "missing-label" in capsys.readouterr().err
    assert status_of(*words, "--entities", tmp_path / "none.csv") == 2
    assert "no such file" in capsys.readouterr().err
    assert status_of(*words, tmp_path / "nowhere") == 2
    assert "no such folder" in capsys.readouterr().err
    (tmp_path / "thesis.docx").write_text("years of work")
    assert status_of("predict", fitted[0], "--out", tmp_path, "--entities", entities) == 2
    assert "no prediction writes" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.sampling
def test_posterior_file_tells_groups_and_reference_rate(fitted, coupon_source):
    run, fit = fitted
    with xr.open_datatree(run / "posterior.nc", engine="h5netcdf") as tree:
        constants = tree["constant_data"].to_dataset().load()
    data = fit.record.tables.data
    assert float(constants["reference_rate"]) == data.reference_rate
    entities = pd.read_csv(coupon_source.folder / "entities.csv", dtype=str)
    wanted = entities.set_index("campaign_id")["campaign_type"]
    found = constants["group_campaign_type"].to_series()
    assert found.to_dict() == wanted.loc[found.index].to_dict()
    np.testing.assert_allclose(constants["exposure"], data.exposure.sum(axis=0))


@pytest.mark.sampling
def test_run_of_an_earlier_version_is_refused(fitted, new_tables, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(fitted[0], copy)
    with xr.open_datatree(copy / "posterior.nc", engine="h5netcdf") as tree:
        loaded = tree.load()
    del loaded["constant_data"]
    loaded.to_netcdf(copy / "posterior.nc", engine="h5netcdf")
    with pytest.raises(RunFolderError, match="lacks the group constant_data"):
        predict(copy, **new_tables)
