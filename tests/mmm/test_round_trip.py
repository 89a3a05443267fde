"""One script from a mix model to hours: fit and save, import, split, downscale, roll forward."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
from mmm_exports import split_delivery

from bayes_attrib import cli
from bayes_attrib.attribution import Grain
from bayes_attrib.attribution.downscaling import (
    ProfileOptions,
    RunCells,
    SplitLaw,
    assign_profiles,
    read_profile,
    slot_draws,
)
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_draws import RunDraws

KEYS = ["channel", "period", "geo"]
CHANNELS, GEOS, N_WEEKS = ("TV", "Search"), ("north", "south"), 20


def status_of(*words):
    with pytest.raises(SystemExit) as caught:
        cli.main([str(word) for word in words])
    return caught.value.code or 0


def fit_and_save(path):
    """Fit a small mix model with pymc-marketing, and save it by its own method."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what others print is not ours to mend
        from pymc_marketing.mmm import MMM, GeometricAdstock, LogisticSaturation  # noqa: PLC0415

        rng = np.random.default_rng(1)
        rows = [
            (day, geo, rng.uniform(0, 100) * (rng.random() < 0.8), rng.uniform(10, 50))
            for geo in GEOS
            for day in pd.date_range("2024-01-01", periods=N_WEEKS, freq="W-MON")
        ]
        table = pd.DataFrame(rows, columns=["date", "geo", *CHANNELS])
        noise = rng.normal(0, 10, len(table))
        sales = pd.Series(100 + 2 * table["TV"] + 3 * table["Search"] + noise, name="sales")
        mmm = MMM(
            date_column="date",
            channel_columns=list(CHANNELS),
            target_column="sales",
            dims=("geo",),
            adstock=GeometricAdstock(l_max=4),
            saturation=LogisticSaturation(),
        )
        mmm.build_model(table, sales)
        mmm.add_original_scale_contribution_variable(var=["channel_contribution"])
        mmm.fit(table, sales, draws=60, tune=60, chains=2, random_seed=1, progressbar=False)
        mmm.save(str(path))


def contributions_of(path):
    """Contributions that the mix model itself has saved, with draws last."""
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        found = tree["posterior"]["channel_contribution_original_scale"].load()
    days = [str(day)[:10] for day in found["date"].to_numpy()]
    found = found.assign_coords(date=days).rename(date="period")
    found = found.stack(sample=("chain", "draw"))  # noqa: PD013
    return found.transpose(*KEYS, "sample")


def write_delivery(path, folder):
    """Campaigns of each channel, two creatives in each; they add up to what the model saw."""
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        seen = tree["constant_data"]["channel_data"].load().rename(date="period")
    seen = seen.assign_coords(period=[str(day)[:10] for day in seen["period"].to_numpy()])
    table = split_delivery(seen, n_entities=4, seed=2).rename(columns={"campaign": "creative"})
    number = table["creative"].str[-1].astype(int)
    table["campaign"] = table["channel"] + np.where(number < 2, " spring", " autumn")
    table.to_csv(folder / "delivery.csv", index=False)
    return folder / "delivery.csv"


@pytest.fixture(scope="module")
def trip(tmp_path_factory):
    """The whole way in commands; every one of them succeeds."""
    folder = tmp_path_factory.mktemp("trip")
    fit_and_save(folder / "mmm.nc")
    delivery = write_delivery(folder / "mmm.nc", folder)
    words = ("--delivery", delivery, "--geo", "geo", "--entity", "creative", "--quiet")
    assert status_of("import-mmm", folder / "mmm.nc", *words, "--out", folder / "data") == 0
    short = ("--chains", 2, "--tune", 200, "--draws", 150, "--quiet")
    model = folder / "data" / "model.toml"
    assert status_of("fit", model, folder / "data", "--out", folder / "run", *short) in (0, 3)
    return folder


@pytest.mark.sampling
def test_the_run_has_the_mass_of_the_mix_model_itself(trip):
    own = contributions_of(trip / "mmm.nc")
    cells = pd.read_parquet(trip / "run" / "cells.parquet")
    sums = cells.groupby(KEYS)["amount_mean"].sum()
    wanted = own.mean("sample").to_series().loc[sums.index]
    np.testing.assert_allclose(sums, wanted, rtol=1e-9)
    idle = own.mean("sample").to_series().drop(sums.index)
    assert idle.abs().max() <= 1e-9 * wanted.max() if len(idle) else True
    channels = pd.read_csv(trip / "run" / "attribution.csv").query("level == 'channel'")
    by_channel = own.mean("sample").sum(["period", "geo"]).to_series()
    np.testing.assert_allclose(channels["amount_mean"], by_channel.loc[channels["name"]], rtol=1e-9)


@pytest.mark.sampling
def test_draws_of_totals_are_those_of_the_mix_model(trip):
    draws = RunDraws.load(RunFolder.load(trip / "run"))
    own, given = contributions_of(trip / "mmm.nc"), draws.mean.given
    keys = draws.data.aggregate_keys
    stacked = np.stack([own.sel(**row).to_numpy() for row in keys.to_dict("records")])
    kept = given.values  # noqa: PD011
    assert kept.shape[1] == stacked.shape[1] == 120
    factors = kept / stacked
    # each total's draws are scaled by one factor, next to 1, so that their mean is the total
    np.testing.assert_allclose(factors, factors[:, :1] * np.ones(120), rtol=1e-9)
    assert np.abs(factors[:, 0] - 1).max() < 0.05


@pytest.mark.sampling
def test_every_draw_adds_up_at_every_level_down_to_hours(trip, tmp_path):
    draws = RunDraws.load(RunFolder.load(trip / "run"))
    data = draws.data
    rng = np.random.default_rng(7)
    hours = pd.DataFrame(
        [
            (period, hour, round(float(rng.gamma(1.0)), 3) * (hour > 5))
            for period in data.aggregate_keys["period"].unique()
            for hour in range(24)
        ],
        columns=["period", "hour", "delivery"],
    )
    hours.to_csv(tmp_path / "hours.csv", index=False)
    labels = data.aggregate_keys.iloc[data.edge_aggregate].reset_index(drop=True)
    in_order = Grain(labels, np.arange(data.n_edges))
    every = draws.grains([in_order, ["entity"], ["campaign"], ["channel"], KEYS])
    found = [grain.amounts.rows(slice(None)) for grain in every]
    cells, entity, campaign, channel, aggregate = found
    known = RunCells(data, cells.mean(axis=1), draws.period)
    options = ProfileOptions(slot="hour")
    assigned = assign_profiles(read_profile(tmp_path / "hours.csv", known, options), known, options)
    summed = np.zeros_like(cells)
    law = SplitLaw(counts=False, concentration=80.0)
    for block in slot_draws(every[0].amounts, assigned.profiles, law):
        np.add.at(summed, block.cell, block.amounts)
    np.testing.assert_allclose(summed, cells, rtol=1e-9)
    of_entity = data.edge_entity
    place = {label: i for i, label in enumerate(every[1].labels["entity"])}
    rows = [place[name] for name in data.entity_names[of_entity]]
    back = np.zeros_like(entity)
    np.add.at(back, rows, summed)
    np.testing.assert_allclose(back, entity, rtol=1e-9)
    for column, wanted, grain in (
        ("campaign", campaign, every[2]),
        ("channel", channel, every[3]),
    ):
        group = data.groupings[column]
        position = [list(grain.labels[column]).index(level) for level in group.levels]
        sums = np.zeros_like(wanted)
        np.add.at(sums, np.array(position)[group.codes[of_entity]], summed)
        np.testing.assert_allclose(sums, wanted, rtol=1e-9)
    order = every[4].labels.merge(data.aggregate_keys.reset_index(), on=KEYS)["index"].to_numpy()
    exposed = np.flatnonzero(data.is_exposed)
    np.testing.assert_allclose(aggregate, draws.mean.given_totals(order), rtol=1e-9)
    assert set(order) == set(exposed)


def split_by_period(data, old, new, n_new=3):
    """Cut an imported folder into two: weeks to fit, and weeks to roll forward to."""
    for name in ("aggregates", "exposures"):
        table = pd.read_csv(data / f"{name}.csv", dtype=str)
        late = table["period"] >= sorted(table["period"].unique())[-n_new]
        for folder, chosen in ((old, ~late), (new, late)):
            folder.mkdir(exist_ok=True)
            table[chosen].to_csv(folder / f"{name}.csv", index=False)
    draws = pq.read_table(data / "total_draws.parquet")
    late = np.isin(draws["period"].to_pylist(), pd.read_csv(new / "aggregates.csv")["period"])
    for folder, chosen in ((old, ~late), (new, late)):
        pq.write_table(draws.filter(pa.array(chosen)), folder / "total_draws.parquet")
        (folder / "entities.csv").write_bytes((data / "entities.csv").read_bytes())


@pytest.mark.sampling
def test_later_weeks_are_rolled_forward_with_the_draws_of_their_totals(trip, tmp_path):
    split_by_period(trip / "data", tmp_path / "old", tmp_path / "new")
    model, run, out = trip / "data" / "model.toml", tmp_path / "run", tmp_path / "rolled"
    short = ("--chains", 2, "--tune", 200, "--draws", 150, "--quiet")
    assert status_of("fit", model, tmp_path / "old", "--out", run, *short) in (0, 3)
    words = ("roll-forward", run, tmp_path / "new", "--out", out, "--quiet")
    assert status_of(*words) in (0, 3)
    assert status_of("verify", out, "--data", tmp_path / "new", "--quiet") == 0
    draws = RunDraws.load(RunFolder.load(out))
    assert draws.mean.given.treatment == "paired"
    sums = draws.grains([KEYS])[0]
    order = sums.labels.merge(draws.data.aggregate_keys.reset_index(), on=KEYS)["index"]
    np.testing.assert_allclose(
        sums.amounts.rows(slice(None)),
        draws.mean.given_totals(order.to_numpy()),
        rtol=1e-9,
    )
    codes = {f.code for f in RunFolder.load(out).diagnostics.findings}
    assert {"rolled-forward", "rolled-totals-paired"} <= codes
