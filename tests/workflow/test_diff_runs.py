"""Two runs whose difference is known: totals, entities, spec and draws were changed on purpose."""

import itertools
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from audited_runs import NAMES, write_audited_run, write_data

from bayes_attrib.errors import UnknownNameError
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_diff import changed_paths
from bayes_attrib.report.run_diff.decomposition import PARTS
from bayes_attrib.report.run_diff.movement import probability_greater
from bayes_attrib.workflow.diff_runs import diff_runs, write_diff

RAISED, LOWERED = 40, 5


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Old: five weeks without the last entity; new: six with it, and two totals restated."""
    folder = tmp_path_factory.mktemp("diff")
    new = write_data(folder / "new_data")
    old = shutil.copytree(new, folder / "old_data")
    first_weeks(old)
    without_entity(old, NAMES[-1])
    totals = pd.read_csv(new / "aggregates.csv", dtype={"store": str})
    totals.loc[0, "total"] += RAISED
    totals.loc[7, "total"] -= LOWERED
    totals.to_csv(new / "aggregates.csv", index=False)
    priors = {"sigma_entity": {"dist": "HalfNormal", "sigma": 0.4}}
    return (
        write_audited_run(folder / "old", old),
        write_audited_run(
            folder / "new", new, priors=priors, inference={"draws": 60, "chains": 4, "seed": 2}
        ),
    )


def first_weeks(data):
    for name in ("aggregates", "exposures"):
        table = pd.read_csv(data / f"{name}.csv", dtype=str, keep_default_na=False)
        table[table["week"] < "2026-W06"].to_csv(data / f"{name}.csv", index=False)


def without_entity(data, entity):
    """Take an entity out; its amounts stay in the totals."""
    for name in ("exposures", "entities"):
        table = pd.read_csv(data / f"{name}.csv", dtype=str, keep_default_na=False)
        table[table["entity"] != entity].to_csv(data / f"{name}.csv", index=False)


@pytest.fixture(scope="module")
def diff(runs):
    return diff_runs(*runs)


def totals_of(run):
    cells = pd.read_parquet(run / "cells.parquet")
    return cells.groupby(["store", "week"])["proportional_amount"].sum()


def test_totals_are_counted_and_summed(runs, diff):
    old, new = map(totals_of, runs)
    added = new[~new.index.isin(old.index)]
    found = diff.movement.totals
    assert (found.n_added, found.n_removed, found.n_changed) == (3, 0, 2)
    assert found.n_unchanged == len(old) - 2
    assert found.added == pytest.approx(added.sum())
    assert (found.increase, found.decrease) == pytest.approx((RAISED, LOWERED))
    assert found.removed == 0


def test_reversed_order_reverses_the_change(runs):
    back = diff_runs(runs[1], runs[0]).movement
    assert (back.totals.n_removed, back.totals.n_added) == (3, 0)
    assert (back.totals.increase, back.totals.decrease) == pytest.approx((LOWERED, RAISED))
    assert back.summary()["n_removed"] == 1


def test_entities_are_joined_by_name(runs, diff):
    rows = diff.movement.level("entity").set_index("name")
    assert set(rows.index) == set(NAMES)
    assert rows.loc[NAMES[-1], "status"] == "added"
    assert (rows.drop(NAMES[-1])["status"] == "both").all()
    for run, side in zip(runs, ("old", "new"), strict=True):
        stored = RunFolder.load(run).entities.set_index("name")
        known = rows.loc[stored.index]
        np.testing.assert_array_equal(known[f"amount_{side}"], stored["amount_mean"])
        np.testing.assert_array_equal(known[f"share_{side}"], stored["share_mean"])
    assert rows.loc[NAMES[-1], ["amount_old", "share_old"]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("level", ["entity", "kind"])
def test_parts_of_a_change_sum_to_it(diff, level):
    rows = diff.movement.level(level)
    np.testing.assert_allclose(rows[list(PARTS)].sum(axis=1), rows["amount_change"], atol=1e-9)
    assert rows["amount_change"].abs().max() > 1
    totals = rows[list(PARTS)].sum()
    np.testing.assert_allclose(totals["from_totals"], RAISED - LOWERED, atol=1e-9)
    np.testing.assert_allclose(totals["from_shares"], 0.0, atol=1e-9)
    np.testing.assert_allclose(totals["from_added_aggregates"], diff.movement.totals.added)


def test_parts_of_one_entity_by_hand(runs, diff):
    name = NAMES[0]
    cells = [pd.read_parquet(run / "cells.parquet").set_index(["store", "week"]) for run in runs]
    totals = [totals_of(run) for run in runs]
    by_total = by_share = from_new = 0.0
    for key in totals[1].index:
        amount = [
            side.loc[[key]].query("entity == @name")["amount_mean"].sum()
            if key in t.index
            else None
            for side, t in zip(cells, totals, strict=True)
        ]
        if amount[0] is None:
            from_new += amount[1]
            continue
        before, after = totals[0][key], totals[1][key]
        by_total += (after - before) * amount[0] / before
        by_share += after * (amount[1] / after - amount[0] / before)
    row = diff.movement.level("entity").set_index("name").loc[name]
    assert row["from_added_aggregates"] == pytest.approx(from_new)
    assert row["from_totals"] == pytest.approx(by_total)
    assert row["from_shares"] == pytest.approx(by_share)


def test_interval_flags_compare_the_new_mean_with_the_old_interval(diff):
    rows = diff.movement.level("entity").query("status == 'both'")
    for what in ("amount", "share"):
        outside = (rows[f"{what}_new"] < rows[f"{what}_lower_old"]) | (
            rows[f"{what}_new"] > rows[f"{what}_upper_old"]
        )
        assert (rows[f"{what}_beyond_interval"] == outside).all()
        summary = diff.movement.summary()
        assert summary[f"n_{what}_beyond_interval"] == outside.sum()
    assert rows["amount_beyond_interval"].any()
    assert not rows["share_beyond_interval"].all()


def test_change_in_standard_deviations_takes_the_runs_for_independent(runs, diff):
    sds = [RunFolder.load(run).entities.set_index("name")["amount_sd"] for run in runs]
    rows = diff.movement.level("entity").set_index("name").drop(NAMES[-1])
    wanted = rows["amount_change"] / np.sqrt(
        sds[0][rows.index] ** 2 + sds[1][rows.index].to_numpy() ** 2
    )
    np.testing.assert_allclose(rows["change_in_sds"], wanted)


def test_probabilities_follow_the_draws(diff):
    rows = diff.movement.level("entity").query("status == 'both'")
    assert rows["probability_amount_rose"].between(0, 1).all()
    normal = scipy.stats.norm.cdf(rows["change_in_sds"])  # amounts are sums of many cells
    np.testing.assert_allclose(rows["probability_amount_rose"], normal, atol=0.06)
    assert np.ptp(normal) > 0.5
    added = diff.movement.level("entity").query("status == 'added'")
    assert added["probability_amount_rose"].isna().all()


def test_probability_greater_counts_all_pairs_and_half_of_the_ties():
    rng = np.random.default_rng(4)
    y, x = rng.integers(0, 6, size=17).astype(float), rng.integers(0, 6, size=11).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(y, x)]
    assert probability_greater(y, x) == pytest.approx(np.mean(pairs), abs=1e-15)
    assert probability_greater(x, x) == 0.5


def test_a_run_has_not_changed_since_itself(runs):
    same = diff_runs(runs[0], runs[0])
    summary = same.movement.summary()
    assert summary["total_variation"] == 0
    assert summary["n_share_beyond_interval"] == summary["n_amount_beyond_interval"] == 0
    assert (same.movement.totals.n_added, same.movement.totals.n_changed) == (0, 0)
    assert (same.movement.table["probability_share_rose"] == 0.5).all()
    assert not any(table["changed"] for table in same.facts["inputs"])
    assert [same.facts[kind] for kind in ("spec", "priors", "versions", "run")] == [[]] * 4
    assert same.sentences[0].startswith("The total is unchanged at ")


def test_changes_of_inputs_spec_and_priors_are_listed_by_path(diff):
    inputs = {table["table"]: table for table in diff.facts["inputs"]}
    assert all(table["changed"] for table in inputs.values())
    assert (inputs["aggregates"]["old"]["rows"], inputs["aggregates"]["new"]["rows"]) == (15, 18)
    spec = {change["path"]: (change["old"], change["new"]) for change in diff.facts["spec"]}
    assert spec["inference.draws"] == (50, 60)
    assert spec["inference.seed"] == (1, 2)
    assert spec["priors.sigma_entity"] == (None, {"dist": "HalfNormal", "sigma": 0.4})
    priors = {change["path"]: (change["old"], change["new"]) for change in diff.facts["priors"]}
    assert priors == {"sigma_entity.sigma": (1.0, 0.4)}
    run = {change["path"]: (change["old"], change["new"]) for change in diff.facts["run"]}
    assert run["seed"] == (1, 2)
    assert run["data.n_entities"] == (len(NAMES) - 1, len(NAMES))
    assert diff.facts["versions"] == []


def test_changed_paths_descend_into_mappings_only():
    old = {"a": {"b": 1, "c": [1, 2]}, "d": 3}
    new = {"a": {"b": 1, "c": [2, 1], "e": None}, "f": 4}
    assert list(changed_paths(old, new)) == [
        {"path": "a.c", "old": [1, 2], "new": [2, 1]},
        {"path": "d", "old": 3, "new": None},
        {"path": "f", "old": None, "new": 4},
    ]


def test_sentences_hold_the_numbers(runs, diff):
    totals = [totals_of(run).sum() for run in runs]
    text = " ".join(diff.sentences)
    assert f"from {totals[0]:,.0f} to {totals[1]:,.0f} (+{totals[1] - totals[0]:,.0f})" in text
    assert "3 aggregates are new and add" in text
    assert "The totals of 2 aggregates were restated: 40 up, 5 down." in text
    assert "1 came in and 0 went out." in text
    variation = diff.movement.summary()["total_variation"]
    assert f"{100 * variation:.2f}% of the whole" in text


def test_one_level_alone(runs):
    found = diff_runs(*runs, level="kind")
    assert set(found.movement.table["level"]) == {"kind"}
    assert [summary["level"] for summary in found.as_dict()["levels"]] == ["kind"]
    with pytest.raises(UnknownNameError, match="no level 'kinds' in either run; there is 'entity'"):
        diff_runs(*runs, level="kinds")


def test_files_hold_the_table_and_json_is_strict(diff, tmp_path):
    for name in ("t.csv", "t.parquet", "t.json"):
        write_diff(diff, tmp_path / name)
    table = diff.movement.table
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)
    read = pd.read_csv(tmp_path / "t.csv", dtype={"name": str}, keep_default_na=False)
    assert read["name"].tolist() == table["name"].tolist()
    content = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert json.dumps(content, allow_nan=False)
    assert [row["name"] for row in content["rows"]] == table["name"].tolist()
    assert content["rows"][table.index[table["status"] == "added"][0]]["change_in_sds"] is None
    assert content["totals"]["n_changed"] == 2


def test_runs_with_other_keys_are_compared_in_sum(runs, tmp_path):
    data = write_data(tmp_path / "data")
    for name in ("aggregates", "exposures"):
        table = pd.read_csv(data / f"{name}.csv", dtype=str, keep_default_na=False)
        table.rename(columns={"store": "shop"}).to_csv(data / f"{name}.csv", index=False)
    columns = {"aggregate": ["shop", "week"], "entity": "entity"}
    found = diff_runs(runs[0], write_audited_run(tmp_path / "run", data, columns=columns))
    assert found.movement.totals is None
    assert "keyed by store, week and by shop, week" in found.movement.notes[-1]
    rows = found.movement.level("entity")
    np.testing.assert_allclose(rows[list(PARTS)].sum(axis=1), rows["amount_change"], atol=1e-9)
    assert (rows["from_added_aggregates"] == 0).all()


def test_unconverged_run_is_called_so(runs, tmp_path):
    copy = shutil.copytree(runs[1], tmp_path / "run")
    file = copy / "diagnostics.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, "verdict": "not_converged"}), encoding="utf-8")
    assert f"The fit of {copy} did not converge" in diff_runs(runs[0], copy).sentences[-1]
