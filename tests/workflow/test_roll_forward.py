"""Rolling a run forward: a run folder of new totals that no fit was made for."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from drawn_runs import CHANNEL, CREATIVES, OBJECTIVE, write_drawn_run
from made_up_draws import made_up_posterior
from made_up_runs import checks_of, write_made_up_run

from bayes_attrib.attribution.prediction import Source
from bayes_attrib.attribution.prediction.edges import new_aggregates
from bayes_attrib.attribution.prediction.rates import entity_rates
from bayes_attrib.attribution.rolling import roll
from bayes_attrib.baselines import fit_em
from bayes_attrib.cli import main
from bayes_attrib.errors import DataError, RunFolderError
from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inference.constant_data import FittedData
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.inputs.following_tables import read_following_tables
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow import predict
from bayes_attrib.workflow.predict_run import known_names
from bayes_attrib.workflow.roll_forward import roll_forward

WEEKS = ("2026-W09", "2026-W10")
AS_DRAWN = {"inference": {"chains": 2, "draws": 100}}


def new_tables():
    """Two weeks after the fit; in Social a creative of its fit is joined by a new one."""
    rng = np.random.default_rng(4)
    rows = [
        (channel, week, creative, round(float(rng.gamma(3.0)), 3))
        for week in WEEKS
        for creative, channel in zip(CREATIVES, CHANNEL, strict=True)
    ]
    rows += [("Social", week, "newcomer", 2.5) for week in WEEKS]
    exposures = pd.DataFrame(rows, columns=["CHANNEL", "week", "creative", "grps"])
    aggregates = exposures[["CHANNEL", "week"]].drop_duplicates().reset_index(drop=True)
    aggregates["total"] = np.linspace(15.0, 30.0, len(aggregates)).round(2)
    entities = pd.DataFrame({"creative": ["newcomer"], "objective": ["remind"]})
    return {"aggregates": aggregates, "exposures": exposures, "entities": entities}


def write(folder, tables):
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return DataSource(folder)


def status_of(*words):
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    return caught.value.code


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return RunFolder.load(write_drawn_run(tmp_path_factory.mktemp("fitted") / "run", **AS_DRAWN))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "new", new_tables())


@pytest.fixture(scope="module")
def rolled(run, source, tmp_path_factory):
    out = tmp_path_factory.mktemp("rolled") / "next"
    return roll_forward(run, source, out)


def test_the_new_folder_is_a_run_that_verifies(rolled, source, capsys):
    assert status_of("verify", rolled.path, "--data", source.folder, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    names = {check["name"]: check["status"] for check in said["checks"]}
    assert names["recomputed.amount"] == names["recomputed.em"] == "ok"
    assert names["aggregate_sums.em_amount"] == names["input.exposures"] == "ok"
    assert names["recomputed.checks"] == names["priors"] == "not checked"


def test_every_draw_adds_up_to_every_total(rolled):
    draws = RunDraws.load(RunFolder.load(rolled.path))
    by = ("CHANNEL", "week")
    cells, channels = draws.grains([by, ("CHANNEL",)])
    totals = new_tables()["aggregates"].set_index(list(by))["total"]
    wanted = totals.loc[list(cells.labels.itertuples(index=False, name=None))].to_numpy()
    np.testing.assert_allclose(
        cells.amounts.rows(slice(None)), wanted[:, None] * np.ones(200), rtol=1e-12
    )
    summed = totals.groupby("CHANNEL").sum().loc[channels.labels["CHANNEL"]].to_numpy()
    np.testing.assert_allclose(
        channels.amounts.rows(slice(None)), summed[:, None] * np.ones(200), rtol=1e-12
    )
    table = pd.read_csv(rolled.path / "attribution.csv")
    for column in ("amount_mean", "em_amount", "proportional_amount"):
        sums = table.groupby("level")[column].sum()
        np.testing.assert_allclose(sums, totals.sum(), rtol=1e-12)


def test_amounts_are_totals_times_shares_of_the_draws_that_were_fitted(run, rolled):
    fitted = RunDraws.load(run)
    rates = dict(zip(*fitted.rates(), strict=True))
    cells = pd.read_parquet(rolled.path / "cells.parquet")
    cell = cells[(cells["CHANNEL"] == "Search") & (cells["week"] == WEEKS[1])]
    mu = np.array([rates[c] for c in cell["creative"]]) * cell["exposure"].to_numpy()[:, None]
    total = new_tables()["aggregates"].set_index(["CHANNEL", "week"]).loc[("Search", WEEKS[1])]
    wanted = (mu / mu.sum(axis=0)).mean(axis=1) * float(total["total"])
    np.testing.assert_allclose(cell["amount_mean"], wanted, rtol=1e-12)


def test_em_and_proportional_columns_hold_the_rates_of_the_fit(run, rolled):
    data = RunDraws.load(run).data
    rates = dict(zip(data.entity_names, fit_em(data).rate, strict=True))
    rates["newcomer"] = data.reference_rate
    cells = pd.read_parquet(rolled.path / "cells.parquet")
    totals = cells.groupby(["CHANNEL", "week"])["proportional_amount"].transform("sum")
    for column, weight in (
        ("em_amount", cells["creative"].map(rates) * cells["exposure"]),
        ("proportional_amount", cells["exposure"]),
    ):
        whole = weight.groupby([cells["CHANNEL"], cells["week"]]).transform("sum")
        split = weight / whole.where(whole > 0)
        np.testing.assert_allclose(cells[column], split * totals, rtol=1e-9)


def test_the_manifest_and_the_reports_say_which_fit_it_was(run, rolled, capsys):
    manifest = RunFolder.load(rolled.path).manifest
    origin = manifest.rolled_forward
    digest = hashlib.sha256((run.path / "manifest.json").read_bytes()).hexdigest()
    assert (origin.folder, origin.manifest_sha256) == ("run", digest)
    assert (origin.n_aggregates_fitted, origin.new_entities) == (24, 1)
    assert manifest.seed != run.manifest.seed
    assert status_of("report", rolled.path, "--format", "html,brief,xlsx") == 0
    capsys.readouterr()
    for name in ("report.html", "brief.md"):
        text = (rolled.path / name).read_text(encoding="utf-8")
        assert "without refitting" in text
        assert "24 earlier aggregates" in text
    page = (rolled.path / "report.html").read_text(encoding="utf-8")
    assert 'id="information"' not in page
    assert 'id="shrinkage"' not in page
    findings = {f.code: f for f in RunFolder.load(rolled.path).diagnostics.findings}
    assert "without refitting" in findings["rolled-forward"].message
    drift = json.loads((rolled.path / "drift.json").read_text(encoding="utf-8"))
    assert drift["verdict"] == origin.drift == rolled.drift.outcome
    assert drift["unseen"] == ["newcomer (objective 'remind')"]


def test_other_commands_read_the_folder(rolled, tmp_path, capsys):
    assert status_of("compare", rolled.path, "newcomer", "delta", "--json") == 0
    assert "newcomer" in capsys.readouterr().out
    profile = pd.DataFrame(
        [(week, slot, 1.0 + slot) for week in WEEKS for slot in range(3)],
        columns=["week", "hour", "delivery"],
    )
    profile.to_csv(tmp_path / "profile.csv", index=False)
    words = ("--profile", tmp_path / "profile.csv", "--slot", "hour", "--out")
    file = tmp_path / "hours.parquet"
    assert status_of("downscale", rolled.path, *words, file, "--quiet") == 0
    hours = pd.read_parquet(file).groupby(["CHANNEL", "week", "creative"], observed=True)
    cells = pd.read_parquet(rolled.path / "cells.parquet").set_index(
        ["CHANNEL", "week", "creative"]
    )
    wanted = cells.loc[hours["amount_mean"].sum().index, "amount_mean"]
    np.testing.assert_allclose(hours["amount_mean"].sum(), wanted, rtol=1e-9)


def test_equal_inputs_give_equal_numbers(run, source, rolled, tmp_path):
    again = roll_forward(run, source, tmp_path / "again")
    for name in ("attribution.csv", "cells.parquet", "drift.json"):
        assert (again.path / name).read_bytes() == (rolled.path / name).read_bytes()
    other = roll_forward(run, source, tmp_path / "other", seed=3)
    assert (other.path / "drift.json").read_bytes() != (rolled.path / "drift.json").read_bytes()


def test_the_command_tells_the_verdict_and_overwrites_only_if_asked(run, source, tmp_path, capsys):
    out = tmp_path / "out"
    words = ("roll-forward", run.path, source.folder, "--out", out)
    assert status_of(*words) == 0
    printed, complaints = capsys.readouterr()
    assert "allocated by the fit of drawn (run, 2026-01-01" in printed
    assert "drift: " in printed
    assert "warn: " in complaints  # these totals were made up
    assert status_of(*words, "--quiet") == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert status_of(*words, "--json", "--overwrite") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["drift"]["verdict"] == "warn"
    assert {reason["code"] for reason in said["drift"]["reasons"]} >= {"totals", "weights"}


def test_a_fit_that_did_not_converge_stays_so(source, tmp_path, capsys):
    fitted = write_drawn_run(tmp_path / "run", verdict="not_converged")
    words = ("roll-forward", fitted, source.folder, "--out", tmp_path / "out", "--quiet")
    assert status_of(*words) == 3
    assert RunFolder.load(tmp_path / "out").diagnostics.verdict == "not_converged"
    assert checks_of("not_converged")[0].status == "fail"
    capsys.readouterr()


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda t: t["aggregates"].assign(week="2026-W08"), "aggregate-already-fitted", "has seen"),
        (lambda t: t["aggregates"].assign(total=-5.0), "negative-total", "-5.0"),
        (lambda t: t["aggregates"].assign(total=0.0), "nothing-to-attribute", "zero"),
        (
            lambda t: t["aggregates"].assign(total=[0.0, *t["aggregates"]["total"][1:]]),
            "impossible-zero",
            "gamma",
        ),
        (lambda t: t["aggregates"].drop(columns="total"), "missing-column", "total"),
        (lambda t: t["aggregates"].iloc[1:], "unknown-aggregate", "Search"),
        (lambda t: t["aggregates"].assign(total=np.nan), "missing-total", "total"),
        (
            lambda t: pd.concat([t["aggregates"], t["aggregates"].iloc[:1]]),
            "duplicate",
            "Search",
        ),
    ],
)
def test_wrong_totals_are_refused_and_nothing_is_written(run, tmp_path, capsys, change, code, said):
    tables = new_tables()
    tables["aggregates"] = change(tables)
    if code == "aggregate-already-fitted":
        tables["aggregates"] = tables["aggregates"].drop_duplicates(["CHANNEL", "week"])
        tables["exposures"] = tables["exposures"].assign(week="2026-W08")
        tables["exposures"] = tables["exposures"].drop_duplicates(["CHANNEL", "week", "creative"])
    data = write(tmp_path / "data", tables).folder
    assert status_of("roll-forward", run.path, data, "--out", tmp_path / "out") == 2
    complaint = capsys.readouterr().err
    assert "the tables to roll forward to have" in complaint
    assert code in complaint
    assert said in complaint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("exposures", lambda t: t.assign(grps=-1.0), "negative-exposure"),
        ("exposures", lambda t: t.replace({"creative": {"newcomer": "Alpha "}}), "unknown-entity"),
        ("exposures", lambda t: t.replace({"creative": {"alpha": " alpha"}}), "twin-of-known"),
        ("entities", lambda t: t.assign(objective=""), "missing-label"),
        ("entities", lambda t: t.assign(creative="alpha"), "other-group"),
    ],
)
def test_wrong_exposures_and_entities_are_refused(run, tmp_path, name, change, code):
    tables = new_tables()
    tables[name] = change(tables[name])
    with pytest.raises(DataError, match=code):
        roll_forward(run, write(tmp_path / "data", tables), tmp_path / "out")


@pytest.mark.parametrize("name", ["aggregates", "exposures"])
def test_a_missing_table_is_named(run, tmp_path, name):
    tables = new_tables()
    del tables[name]
    with pytest.raises(DataError, match=f"there is no {name}.csv"):
        roll_forward(run, write(tmp_path / "data", tables), tmp_path / "out")


def test_a_missing_folder_is_named_once(run, tmp_path):
    with pytest.raises(DataError, match="there is no such folder") as caught:
        roll_forward(run, DataSource(tmp_path / "nowhere"), tmp_path / "out")
    assert len(caught.value.findings) == 1


def test_truth_travels_where_it_is_known(run, tmp_path):
    tables = new_tables()
    whole = tables["exposures"].groupby(["CHANNEL", "week"])["grps"].transform("sum")
    totals = tables["exposures"].merge(tables["aggregates"], on=["CHANNEL", "week"])["total"]
    truth = tables["exposures"]["grps"] / whole * totals
    tables["exposures"] = tables["exposures"].assign(amount=truth)
    idle = tables["exposures"].iloc[:1].assign(creative="[bold red]epsilon[/]", grps=0.0, amount=0)
    tables["exposures"] = pd.concat([tables["exposures"], idle])
    result = roll_forward(run, write(tmp_path / "data", tables), tmp_path / "out").result
    rows = result.table[result.table["level"] == "entity"].set_index("name")
    wanted = truth.groupby(tables["exposures"]["creative"].iloc[: len(truth)]).sum()
    np.testing.assert_allclose(rows["truth_amount"], wanted.loc[rows.index])


def test_runs_that_cannot_be_rolled_forward_say_why(run, rolled, source, tmp_path):
    with pytest.raises(RunFolderError, match="itself rolled forward from 'run'"):
        roll_forward(RunFolder.load(rolled.path), source, tmp_path / "out")
    with pytest.raises(RunFolderError, match="predict from the run that was fitted"):
        predict(rolled.path, exposures=new_tables()["exposures"])
    for out in (run.path, run.path / "next", run.path.parent):
        with pytest.raises(RunFolderError, match="or one holds the other"):
            roll_forward(run, source, out, overwrite=True)
    pairs = {"rates": {"pooling": ["objective"], "pair_covariates": "position"}}
    other = RunFolder.load(write_drawn_run(tmp_path / "pairs", **pairs))
    with pytest.raises(RunFolderError, match="bayes-attrib predict"):
        roll_forward(other, source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


EVERYTHING = {
    "rates": {
        "pooling": ["objective", "channel"],
        "heteroscedastic": "objective",
        "aggregate_effects": ["CHANNEL"],
        "drift": {"kind": "random_walk", "period": "week", "by": "channel"},
    },
    "unattributed": {},
}


@pytest.mark.parametrize("by", ["channel", "entity"])
def test_everything_that_a_model_may_have_is_carried_over(tmp_path, by):
    sections = json.loads(json.dumps(EVERYTHING))
    sections["rates"]["drift"]["by"] = by
    run = RunFolder.load(write_drawn_run(tmp_path / "run", **sections, **AS_DRAWN))
    tables = new_tables()
    tables["entities"]["channel"] = "Outdoor"
    late = tables["exposures"]["week"] == WEEKS[1]
    tables["exposures"] = tables["exposures"].sample(frac=1.0, random_state=1)
    tables["exposures"].loc[late & (tables["exposures"]["CHANNEL"] == "Radio"), "CHANNEL"] = "TV"
    tables["aggregates"].loc[
        (tables["aggregates"]["CHANNEL"] == "Radio") & (tables["aggregates"]["week"] == WEEKS[1]),
        "CHANNEL",
    ] = "TV"
    given = write(tmp_path / "data", tables)
    draws = RunDraws.load(run)
    constants = draws.fit.tree["constant_data"].to_dataset()
    posterior = draws.fit.posterior  # made up: rates and their logarithms are not yet one thing
    posterior = posterior.assign(log_rate=np.log(posterior["rate"]))
    fit = PosteriorFit(xr.DataTree.from_dict({"posterior": posterior}), "nuts")
    source = Source(fit, run.spec, FittedData.of(constants, run.spec))
    read = read_following_tables(run.spec, given, known_names(run.spec, source.data), ())
    rng = np.random.default_rng(1)
    carried = roll(source, constants, read.tables, rng)
    rng = np.random.default_rng(1)  # predictions take another way to the same expectations
    described = tables["entities"].set_index("creative")
    rates = entity_rates(source, list(carried.rates.entities), described, rng)
    wanted = new_aggregates(source, read.tables, rates, rng)
    np.testing.assert_allclose(carried.mean.totals(), wanted.mean.totals(), rtol=1e-12)
    assert "TV" in carried.data.aggregate_groupings["CHANNEL"].levels
    assert carried.data.groupings["channel"].levels[-2:] == ("Outdoor", "unattributed")
    out = roll_forward(run, given, tmp_path / "out").path
    assert status_of("verify", out, "--quiet") == 0
    table = pd.read_csv(out / "attribution.csv")
    assert set(table.loc[table["level"] == "objective", "name"]) == {
        *OBJECTIVE,
        "remind",
        "unattributed",
    }


def test_nested_levels_go_by_path(tmp_path):
    sections = {"rates": {"nested": ["brand", "format"]}}
    run = RunFolder.load(write_drawn_run(tmp_path / "run", **sections, **AS_DRAWN))
    tables = new_tables()
    tables["entities"] = pd.DataFrame({"creative": ["newcomer"], "brand": ["b2"], "format": ["z"]})
    out = roll_forward(run, write(tmp_path / "data", tables), tmp_path / "out").path
    assert status_of("verify", out, "--quiet") == 0
    table = pd.read_csv(out / "attribution.csv")
    assert "b2 / z" in set(table.loc[table["level"] == "format", "name"])


DELIVERED = {
    "schema_version": 1,
    "name": "delivered",
    "columns": {"aggregate": ["channel", "week"], "entity": "campaign", "delivery": "grps"},
    "likelihood": {"family": "gamma", "level": "aggregate"},
    "inference": {"chains": 2, "draws": 50},
    "exposure": {
        "channel": "channel",
        "period": "week",
        "outside": "carry_over",
        "totals": "measured",
        "channels": {
            "TV": {
                "adstock": {"kind": "geometric", "decay": 0.5, "l_max": 3, "normalise": False},
                "saturation": {"kind": "none"},
            }
        },
    },
}


@pytest.mark.parametrize("learned", [False, True])
def test_delivery_of_fitted_weeks_is_carried_over_into_new_ones(tmp_path, learned):
    plain = json.loads(json.dumps(DELIVERED))
    if learned:
        law = {"dist": "Beta", "alpha": 4.0, "beta": 4.0}
        plain["exposure"]["channels"]["TV"]["learn"] = {"decay": law}
    spec = parse_plain(plain, source="test")
    rng = np.random.default_rng(5)
    grps = rng.gamma(2.0, 1.0, size=(10, 2)).round(3)
    rows = [
        ("TV", week + 1, name, grps[week, i]) for week in range(10) for i, name in enumerate("AB")
    ]
    delivery = pd.DataFrame(rows, columns=["channel", "week", "campaign", "grps"])
    totals = pd.DataFrame({"channel": "TV", "week": range(1, 11), "total": 50.0 + np.arange(10)})
    old = write(
        tmp_path / "old",
        {"aggregates": totals[:8], "exposures": delivery[delivery["week"] <= 8]},
    )
    new = write(tmp_path / "new", {"aggregates": totals[8:], "exposures": delivery})
    data = read_tables(spec, old).data
    fit = made_up_posterior(data, spec, n_chains=2, n_draws=50)
    run = RunFolder.load(write_made_up_run(tmp_path / "run", data, spec, fit))
    out = roll_forward(run, new, tmp_path / "out").path
    cells = pd.read_parquet(out / "cells.parquet").astype({"week": int})
    wanted = [
        grps[w - 1, i] + grps[w - 2, i] / 2 + grps[w - 3, i] / 4 for w in (9, 10) for i in (0, 1)
    ]
    np.testing.assert_allclose(cells.sort_values(["week", "campaign"])["exposure"], wanted)
    assert status_of("verify", out, "--quiet") == 0
    sums = RunDraws.load(RunFolder.load(out)).grains([("week",)])[0].amounts.rows(slice(None))
    np.testing.assert_allclose(sums, np.array([[58.0], [59.0]]) * np.ones(100), rtol=1e-12)
