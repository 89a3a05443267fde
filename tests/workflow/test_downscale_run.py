"""A run is downscaled to a table and a record: mass at every level, rounding, what is written."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from made_up_draws import plausible_posterior, with_unattributed
from made_up_runs import checks_of, write_made_up_run

from bayes_attrib.attribution.downscaling import (
    ProfileOptions,
    RunCells,
    SplitLaw,
    assign_profiles,
    read_profile,
    slot_draws,
)
from bayes_attrib.errors import RunFolderError
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.report import RunFolder
from bayes_attrib.report.file_digests import sha256_of
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.workbook import Ledger
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow import downscaled_stream
from bayes_attrib.workflow.downscale_run import DownscaleOptions, downscale_run

MADRID = "Europe/Madrid"
CREATIVES = ("alpha", "=1+1", "gamma", "sólo")
CHANNEL = ("Search", "Search", "Social", "Social")
WEEKS = ("2025-W12", "2025-W13")  # W13 has 167 hours in Madrid
N_DRAWS = 24


def write_run(folder, family="gamma", verdict="ok", *, unattributed=False):
    """Two weeks of two geos, with totals of a few dozen."""
    rng = np.random.default_rng(3)
    keys = pd.DataFrame(
        [(g, w) for g in ("north", "south") for w in WEEKS], columns=["geo", "week"]
    )
    spec = parse_plain(
        {
            "schema_version": 1,
            "name": "downscaled",
            "columns": {"aggregate": ["geo", "week"], "entity": "creative"},
            "likelihood": {"family": family},
            "rates": {"pooling": ["channel"]},
            "report": {} if family == "poisson" else {"currency": "EUR"},
            **({"unattributed": {}} if unattributed else {}),
        },
        source="test",
    )
    data = AggregateData(
        aggregate_keys=keys.astype("str"),
        totals=rng.poisson(60.0, 4) + (0.0 if family == "poisson" else 0.37),
        entity_key="creative",
        entity_names=np.array(CREATIVES, dtype=object),
        exposure=sp.csr_array(
            rng.gamma(2.0, 1.0, (4, 4)) * np.array([[1, 1, 1, 0]] + [[1] * 4] * 3)
        ),
        groupings={"channel": Grouping.from_labels("channel", CHANNEL)},
    )
    data = with_unattributed(data) if unattributed else data
    fit = plausible_posterior(data, spec, rng, N_DRAWS)
    return write_made_up_run(folder, data, spec, fit, checks=checks_of(verdict))


@pytest.fixture(scope="module")
def hours(tmp_path_factory):
    """Hours of both weeks for each creative, and none at night."""
    rng = np.random.default_rng(4)
    times = pd.date_range("2025-03-17", "2025-03-31", freq="h", inclusive="left", tz=MADRID)
    assert len(times) == 335
    table = pd.DataFrame(
        {
            "creative": np.repeat(CREATIVES, len(times)),
            "timestamp": np.tile(times.strftime("%Y-%m-%dT%H:%M:%S%z"), len(CREATIVES)),
            "delivery": rng.gamma(1.0, 1.0, 4 * len(times)).round(4),
        }
    )
    table.loc[np.tile(times.hour < 6, len(CREATIVES)), "delivery"] = 0.0
    path = tmp_path_factory.mktemp("profile") / "hours.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {family: RunFolder.load(write_run(folder / family, family)) for family in LAWS}


LAWS = ("gamma", "poisson")
OPTIONS = ProfileOptions(zone=MADRID)


def downscaled(run, source, folder, **options):
    done = downscale_run(
        run,
        source,
        folder / f"out.{options.get('form', 'parquet')}",
        form=options.pop("form", "parquet"),
        options=DownscaleOptions(**({"profile": OPTIONS} | options)),
    )
    return done, pd.read_parquet(done.file) if done.file.suffix == ".parquet" else done.file


@pytest.mark.parametrize("family", LAWS)
@pytest.mark.parametrize("concentration", [None, 50.0])
def test_mass_is_kept_at_every_level_in_every_draw(runs, hours, family, concentration):
    """Slots to cells, entities, groups, aggregates and totals, to 1e-9; exactly for counts."""
    draws = RunDraws.load(runs[family])
    data = draws.data
    keys = ("geo", "week", "entity")
    found = draws.grains([keys, ["entity"], ["channel"], ["geo", "week"]])
    cells = RunCells(data, np.ones(data.n_edges), draws.period)
    assigned = assign_profiles(read_profile(hours, cells, OPTIONS), cells, OPTIONS)
    amounts = found[0].amounts
    law = SplitLaw(family == "poisson", concentration)
    of_cell, entity, channel, aggregate = (np.zeros(g.amounts.shape) for g in found)
    codes = data.groupings["channel"].codes
    for block in slot_draws(amounts, assigned.profiles, law, most_elements=100 * N_DRAWS):
        np.add.at(of_cell, block.cell, block.amounts)
        np.add.at(entity, data.edge_entity[block.cell], block.amounts)
        np.add.at(channel, codes[data.edge_entity[block.cell]], block.amounts)
        np.add.at(aggregate, data.edge_aggregate[block.cell], block.amounts)
    tolerance = 0.0 if family == "poisson" else 1e-9
    order = found[3].labels.merge(data.aggregate_keys.reset_index(), on=["geo", "week"])["index"]
    for got, grain in (
        (of_cell, found[0]),
        (entity, found[1]),
        (channel, found[2]),
        (aggregate[order], found[3]),
    ):
        np.testing.assert_allclose(got, grain.amounts.rows(slice(None)), rtol=tolerance, atol=0)
    np.testing.assert_allclose(
        aggregate, np.tile(data.totals[:, np.newaxis], N_DRAWS), rtol=max(tolerance, 1e-12), atol=0
    )


@pytest.mark.parametrize("family", LAWS)
@pytest.mark.parametrize("concentration", [None, 50.0])
def test_table_adds_up_to_cells_exactly_when_rounded(
    runs, hours, tmp_path, family, concentration, monkeypatch
):
    monkeypatch.setattr(downscaled_stream, "MOST_ROWS", 500)
    run = runs[family]
    done, table = downscaled(run, hours, tmp_path, concentration=concentration)
    assert len(table) == 8 * 335 - 2 * 168 + 168  # one cell has no exposure
    by_cell = table.groupby(["geo", "week", "creative"], observed=True, sort=False)
    cells = run.read_cells(["geo", "week", "creative", "amount_mean", "amount_sd"])
    assert by_cell.ngroups == len(cells)
    sums = by_cell[["amount_mean", "amount_rounded", "profile_share"]].sum()
    np.testing.assert_allclose(sums["amount_mean"], cells["amount_mean"], rtol=1e-9)
    np.testing.assert_allclose(sums["profile_share"], 1.0, rtol=1e-9)
    ledger = Ledger.of(run)
    scale = 10**ledger.decimals
    units = (table["amount_rounded"] * scale).round().astype(int)
    np.testing.assert_allclose(units / scale, table["amount_rounded"], rtol=1e-15)
    keys = [table["geo"], table["week"], table["creative"]]
    rounded = units.groupby(keys, observed=True, sort=False).sum()
    assert rounded.tolist() == ledger.cells["amount_mean"].tolist()
    assert units.sum() == ledger.totals.sum()
    assert done.manifest["result"]["amount_rounded"] * scale == pytest.approx(ledger.totals.sum())
    if concentration is None and family == "gamma":
        whole = np.repeat(cells["amount_sd"].to_numpy(), by_cell.size())
        np.testing.assert_allclose(table["amount_sd"], whole * table["profile_share"], rtol=1e-9)
    assert (table["amount_lower"] <= table["amount_upper"]).all()


def test_night_hours_have_nothing(runs, hours, tmp_path):
    _, table = downscaled(runs["poisson"], hours, tmp_path, concentration=5.0)
    night = table["timestamp"].dt.hour < 6
    figures = ["amount_mean", "amount_sd", "amount_lower", "amount_upper", "amount_rounded"]
    assert (table.loc[night, figures] == 0).all().all()
    assert (table.loc[~night, "amount_mean"] > 0).mean() > 0.5
    bounds = table[["amount_lower", "amount_upper"]].to_numpy()
    assert np.array_equal(bounds, bounds.round())


def test_record_says_what_was_done(runs, hours, tmp_path):
    run = runs["gamma"]
    done, table = downscaled(run, hours, tmp_path, concentration=50.0, seed=9, draws=10)
    stored = json.loads(done.manifest_file.read_text(encoding="utf-8"))
    assert stored == done.manifest
    assert done.manifest_file.name == "out.parquet.manifest.json"
    assert stored["run"]["manifest_sha256"] == sha256_of(run.path / "manifest.json")
    assert stored["run"]["verdict"] == "ok"
    assert stored["profile"]["sha256"] == sha256_of(hours)
    assert stored["result"]["sha256"] == sha256_of(done.file)
    assert stored["result"]["rows"] == len(table)
    assert stored["result"]["cells_by_profile"] == {"own": 15, "group": 0, "even": 0}
    assert stored["options"]["zone"] == MADRID
    assert (stored["options"]["concentration"], stored["options"]["draws"]) == (50.0, 10)
    assert stored["seed"] == 9
    assert str(tmp_path) not in done.manifest_file.read_text(encoding="utf-8")
    meta = json.loads(pq.read_schema(done.file).metadata[b"bayes_attrib"])
    assert meta["spec_digest"] == run.manifest.spec_digest


def test_same_seed_gives_the_same_bytes(runs, hours, tmp_path):
    chosen = {"concentration": 20.0}
    one, _ = downscaled(runs["poisson"], hours, tmp_path / "a", **chosen)
    two, _ = downscaled(runs["poisson"], hours, tmp_path / "b", **chosen)
    other, _ = downscaled(runs["poisson"], hours, tmp_path / "c", seed=2, **chosen)
    assert one.file.read_bytes() == two.file.read_bytes()
    assert one.file.read_bytes() != other.file.read_bytes()


@pytest.mark.parametrize("profile", ["local", "offsets", "days", "slots"])
def test_times_are_typed_in_parquet_and_written_out_in_csv(runs, tmp_path, profile):
    path = tmp_path / "p.csv"
    if profile == "slots":
        table = pd.DataFrame({"slot": ["night", "day"], "delivery": [1, 2]})
        options, name = ProfileOptions(slot="slot"), "slot"
    else:
        times = pd.date_range("2025-03-17", "2025-03-31", freq="D", inclusive="left", tz=MADRID)
        form = {"local": "%Y-%m-%dT12:00", "offsets": "%Y-%m-%dT12:00%z", "days": "%Y-%m-%d"}
        table = pd.DataFrame({"timestamp": times.strftime(form[profile]), "delivery": 1})
        options, name = ProfileOptions(), "timestamp"
    table.to_csv(path, index=False)
    done, found = downscaled(runs["gamma"], path, tmp_path / "pq", profile=options)
    kind = str(pq.read_schema(done.file).field(name).type)
    wanted = {"slots": "dictionary", "offsets": "timestamp[us, tz=UTC]"}
    assert kind.startswith(wanted.get(profile, "timestamp[us]"))
    _, file = downscaled(runs["gamma"], path, tmp_path / "csv", form="csv", profile=options)
    rows = pd.read_csv(file)
    first = {
        "slots": "night",
        "days": "2025-03-17",
        "local": "2025-03-17T12:00:00",
        "offsets": "2025-03-17T12:00:00+01:00",
    }
    assert rows[name].iloc[0] == first[profile]
    np.testing.assert_allclose(rows["amount_mean"], found["amount_mean"], rtol=1e-15)
    assert rows["creative"].tolist() == found["creative"].astype(str).tolist()


def test_few_draws_leave_rounding_whole(runs, hours, tmp_path):
    """A cell that is zero in the draws that are kept still has its booked units."""
    _, table = downscaled(runs["poisson"], hours, tmp_path, draws=1)
    assert table["amount_sd"].isna().all()
    assert table["amount_rounded"].sum() == Ledger.of(runs["poisson"]).totals.sum()


def test_unattributed_amounts_need_a_stand_in(hours, tmp_path):
    run = RunFolder.load(write_run(tmp_path / "run", unattributed=True))
    options = ProfileOptions(zone=MADRID, missing=("even",))
    done, table = downscaled(run, hours, tmp_path, profile=options)
    assert done.manifest["result"]["cells_by_profile"] == {"own": 15, "group": 0, "even": 4}
    rest = table[table["creative"] == "unattributed"]
    assert set(rest["profile_from"]) == {"even"}
    assert rest.groupby(["geo", "week"], observed=True)["amount_mean"].nunique().eq(1).all()


def test_a_run_whose_files_disagree_is_refused(hours, tmp_path):
    folder = write_run(tmp_path / "run")
    table = pd.read_csv(folder / "attribution.csv")
    table["amount_mean"] *= 1.5
    table.to_csv(folder / "attribution.csv", index=False)
    with pytest.raises(RunFolderError, match="differ from those"):
        downscaled(RunFolder.load(folder), hours, tmp_path)
    assert not Path(tmp_path / "out.parquet").exists()
