"""The command from tables to a run folder, and on to a fit of the same totals."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.cli import main
from bayes_attrib.errors import DataError
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.journeys.read import read_events
from bayes_attrib.journeys.total_tables import tabulate_totals
from bayes_attrib.simulation import simulate, write_tables
from bayes_attrib.spec import load_spec
from bayes_attrib.spec.journeys import JourneyColumns, JourneySpec, JourneyTotals, load_journey_spec


def run(*arguments, status=0):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == status


@pytest.fixture(scope="module")
def simulated():
    return simulate("journeys", seed=1)


@pytest.fixture(scope="module")
def folder(simulated, tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "data"
    write_tables(simulated, out)
    return out


@pytest.fixture(scope="module")
def shipped(root):
    return root / "models" / "journeys" / "journeys.toml"


@pytest.fixture(scope="module")
def done(folder, shipped, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    run("journeys", folder, "--spec", shipped, "--out", out, "--quiet")
    return out


def test_credit_of_every_method_adds_up_in_the_files(done, simulated):
    table = pd.read_csv(done / "journeys.csv")
    conversions = simulated.others["conversions"]
    wanted = {"conversions": float(len(conversions)), "value": math.fsum(conversions["value"])}
    assert set(table["outcome"]) == set(wanted)
    assert table["method"].nunique() == 10
    for (_, outcome), rows in table.groupby(["method", "outcome"]):
        assert math.fsum(rows["amount"]) == wanted[outcome]
        assert rows["share"].sum() == pytest.approx(1.0, rel=1e-12)
        assert rows["name"].tolist()[-1] == "unattributed"
    wide = pd.read_csv(done / "attribution.csv")
    assert wide.columns[:5].tolist() == ["level", "name", "exposure", "first_amount", "first_share"]
    last = table[(table["method"] == "last") & (table["outcome"] == "conversions")]
    np.testing.assert_array_equal(wide["last_amount"], last["amount"])
    counted = simulated.others["touches"].groupby("channel").size()
    assert wide["exposure"].iloc[:-1].tolist() == counted.sort_index().tolist()


def test_heuristics_disagree_with_each_other_and_with_the_truth(done, simulated):
    wide = pd.read_csv(done / "attribution.csv").set_index("name")
    truth = simulated.others["conversions"]["cause"].value_counts()
    # Brand search causes nothing, stands last, and gets the most of all by the last touch.
    assert "Brand search" not in truth.index
    assert wide["last_share"].drop("unattributed").idxmax() == "Brand search"
    assert wide.loc["Brand search", "last_share"] > 5 * wide.loc["Brand search", "first_share"]
    # Half of the conversions are caused by no touch, and heuristics credit nearly all of them.
    assert truth["none"] / truth.sum() > 0.4
    assert wide.loc["unattributed", "linear_share"] < 0.1


def test_the_record_says_what_went_in_and_what_was_left_out(done, folder, shipped):
    record = json.loads((done / "journeys.json").read_text(encoding="utf-8"))
    counts = record["counts"]
    journeys = counts["converting_journeys"] + counts["null_journeys"]
    assert journeys > counts["converting_journeys_of_one_touch"] > 0
    assert [file["name"] for file in record["inputs"]] == ["touches.csv", "conversions.csv"]
    assert record["spec_digest"] == load_journey_spec(shipped).digest
    assert {f["code"] for f in record["findings"]} >= {"conversions-without-touch"}
    assert set(record["outputs"]) >= {"journeys.csv", "data/model.toml"}
    assert counts["conversions"] == len(pd.read_csv(folder / "conversions.csv"))


def test_totals_of_the_run_are_those_of_the_simulated_tables(done, simulated):
    aggregates = pd.read_csv(done / "data" / "aggregates.csv")
    pd.testing.assert_frame_equal(aggregates, simulated.aggregates, check_dtype=False)
    exposures = pd.read_csv(done / "data" / "exposures.csv")
    # The shipped spec rounds the half-life, 2 ln 2 = 1.386 days, to 1.4.
    keys = ["week", "geo", "channel"]
    both = exposures.merge(simulated.exposures, on=keys, suffixes=("", "_true"))
    large = both[both["exposure_true"] > 5]
    assert len(large) > 400
    np.testing.assert_allclose(large["exposure"], large["exposure_true"], rtol=0.05)
    read = read_tables(load_spec(done / "data" / "model.toml"), DataSource(done / "data"))
    assert read.data.grand_total == len(simulated.others["conversions"])


@pytest.mark.sampling
def test_heuristics_and_posterior_answer_on_the_same_totals(done, folder, tmp_path):
    # The simulated folder has the same tables, and the truth beside them.
    out = tmp_path / "fit"
    run("fit", done / "data" / "model.toml", folder, "--out", out, "--draws", 500, "--quiet")
    fitted = pd.read_csv(out / "attribution.csv").set_index("name")
    wide = pd.read_csv(done / "attribution.csv").set_index("name")
    assert fitted["amount_mean"].sum() == pytest.approx(wide["last_amount"].sum(), rel=1e-9)
    truth = fitted["truth_amount"]
    # 94% intervals of six amounts of one seeded world; tested is this world, not coverage.
    inside = (fitted["amount_lower"] <= truth) & (truth <= fitted["amount_upper"])
    assert inside.sum() >= 5
    known = truth.drop("unattributed")
    known["Brand search"] = 0.0
    share = {"posterior": fitted["amount_mean"].reindex(known.index).fillna(0.0)}
    share |= {m: wide[f"{m}_amount"].reindex(known.index) for m in ("first", "last", "linear")}
    error = {name: (amount - known).abs().sum() for name, amount in share.items()}
    assert error["posterior"] < 0.5 * min(error[m] for m in ("first", "last", "linear"))


def test_defaults_need_no_spec_and_output_is_one_object(folder, tmp_path, capsys):
    run("journeys", folder, "--out", tmp_path / "run", "--json")
    record = json.loads(capsys.readouterr().out)
    assert record["spec"]["journeys"] == {"look_back_days": 30.0, "reuse_touches": False}
    run("journeys", folder, "--out", tmp_path / "run", status=2)
    assert "add --overwrite" in capsys.readouterr().err
    run("journeys", folder, "--out", tmp_path / "run", "--overwrite")
    out = capsys.readouterr().out
    assert "Brand search" in out
    assert "None is causal" in out
    assert "bayes-attrib fit" in out


def test_folders_of_others_are_left_alone(folder, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    run("journeys", folder, "--out", tmp_path, status=2)
    assert "holds notes.txt, which no run of journeys writes" in capsys.readouterr().err
    run("journeys", folder, "--out", tmp_path / "notes.txt", status=2)
    assert "is a file" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[columns]\nchannel = 'x'\n", "unknown key 'columns.channel'"),
        ("[columns]\ntouchpoint = 'time'\n", "one column cannot play two roles: time"),
        ("[columns]\ngroups = ['total']\n", "'total' is a column of the totals"),
        ("[journeys]\nlook_back_days = 0.0\n", "journeys.look_back_days"),
        ("[heuristics]\nfirst_weight = 0.7\n", "add up to 1.1, more than the whole"),
        ("[heuristics]\nmarkov_orders = [4]\n", "less than or equal to 3"),
        ("[heuristics]\nmarkov_orders = [1, 1]\n", "names an order twice"),
        ("[heuristics]\npermutations = 101\n", "multiple of 2"),
        ("[totals]\nperiod = 'year'\n", "did you mean"),
        ("[totals]\nexclude = ['brand search']\n", "there is no touchpoint 'brand search'"),
        ("[columns\n", "is not TOML"),
    ],
)
def test_faults_of_the_spec(folder, tmp_path, capsys, text, words):
    spec = tmp_path / "spec.toml"
    spec.write_text(text, encoding="utf-8")
    run("journeys", folder, "--spec", spec, "--out", tmp_path / "run", status=2)
    message = capsys.readouterr().err
    assert words in message or (words == "did you mean" and "write one of day" in message)
    assert not (tmp_path / "run").exists()


def test_excluding_everything_and_values_that_are_not_there(folder, tmp_path):
    events = read_events(folder, JourneySpec()).events
    everything = JourneySpec(totals=JourneyTotals(exclude=events.touchpoints))
    with pytest.raises(DataError, match="all touchpoints are excluded"):
        tabulate_totals(events, everything)
    (tmp_path / "touches.csv").write_text("customer,time,channel\na,2025-01-01,x\n")
    (tmp_path / "conversions.csv").write_text("customer,time\na,2025-01-02\n")
    plain = read_events(tmp_path, JourneySpec()).events
    with pytest.raises(DataError, match="no column 'value'"):
        tabulate_totals(plain, JourneySpec(totals=JourneyTotals(outcome="value")))


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_totals_by_hand(tmp_path, period):
    (tmp_path / "touches.csv").write_text(
        "customer,time,ad,kind,geo\na,2024-12-31 23:00,x,k,N\na,2025-01-01,x,k,N\n"
        "b,2025-01-06,y,m,S\n"
    )
    (tmp_path / "conversions.csv").write_text(
        "customer,time,value,geo\na,2025-01-02,5,N\nc,2025-02-01,2.5,S\n"
    )
    columns = JourneyColumns(touchpoint="ad", groups=("kind",), geo="geo")
    spec = JourneySpec(columns=columns, totals=JourneyTotals(period=period, outcome="value"))
    found = tabulate_totals(read_events(tmp_path, spec).events, spec)
    total = found.aggregates.set_index([period, "geo"])["total"]
    days = found.aggregates.groupby("geo")["customer_days"].sum()
    # 33 days from 31 December to 1 February; one customer in N, two in S.
    assert days.to_dict() == {"N": 33.0, "S": 66.0}
    exposure = found.exposures.set_index([period, "geo", "ad"])["exposure"].to_dict()
    first, second = {
        "day": ("2025-01-02", "2025-02-01"),
        "week": ("2025-W01", "2025-W05"),
        "month": ("2025-01", "2025-02"),
    }[period]
    assert total[total > 0].to_dict() == {(first, "N"): 5.0, (second, "S"): 2.5}
    wanted = {
        "day": {("2024-12-31", "N", "x"): 1, ("2025-01-01", "N", "x"): 1},
        "week": {("2025-W01", "N", "x"): 2},
        "month": {("2024-12", "N", "x"): 1, ("2025-01", "N", "x"): 1},
    }[period]
    other = {"day": "2025-01-06", "week": "2025-W02", "month": "2025-01"}[period]
    assert exposure == {**wanted, (other, "S", "y"): 1}
    assert found.entities.to_dict("list") == {"ad": ["x", "y"], "kind": ["k", "m"]}


def test_values_make_a_spec_that_the_tables_fit(folder, tmp_path):
    spec = tmp_path / "spec.toml"
    spec.write_text("[columns]\ngeo = 'geo'\n[totals]\noutcome = 'value'\nperiod = 'day'\n")
    run("journeys", folder, "--spec", spec, "--out", tmp_path / "run", "--quiet")
    data = tmp_path / "run" / "data"
    loaded = load_spec(data / "model.toml")
    assert loaded.likelihood.family == "hurdle_gamma"
    assert read_tables(loaded, DataSource(data)).data.grand_total > 0


def test_carry_over_spreads_a_touch_over_what_follows(tmp_path):
    (tmp_path / "touches.csv").write_text("customer,time,channel\na,2025-01-01 12:00,x\n")
    (tmp_path / "conversions.csv").write_text("customer,time\na,2025-01-04 13:00\n")
    totals = JourneyTotals(period="day", carry_over_half_life_days=1.0)
    spec = JourneySpec(totals=totals)
    found = tabulate_totals(read_events(tmp_path, spec).events, spec).exposures
    half = 0.5**0.5
    wanted = [1 - half, half * 0.5, half * 0.25, half * 0.125]
    np.testing.assert_allclose(found["exposure"], wanted, rtol=1e-12)
