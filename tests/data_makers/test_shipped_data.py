"""The data that ship: unchanged, as their dictionaries say, and made by the code that claims it."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.simulation import SCENARIOS
from bayes_attrib.spec import load_spec

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
TABLES = ("aggregates", "exposures", "entities")
KEYS = {  # aggregate keys, entity key, total, exposure, truth
    "coupon_campaigns": (
        ["week"], "campaign_id", "redemptions", "household_weeks", "redemptions_true",
    ),
    "household_sales": (["store_id", "quarter"], "household_id", "sales", "visits", "sales_true"),
    "hcp_brick": (["brick_id"], "hcp_id", "units", "visits", "amount"),
    "hcp_brick_money": (["brick_id", "month"], "hcp_id", "sales", "visits", "amount"),
    "mmm_to_mta": (["channel", "week", "geo"], "campaign", "total", "exposure", "amount"),
    "mmm_to_creatives": (["channel", "week", "geo"], "creative", "total", "exposure", "amount"),
    "creative_nested": (["channel", "week", "geo"], "creative", "total", "exposure", "amount"),
}  # fmt: skip


def read(folder):
    """Read a folder's tables with keys as text and all else as numbers."""
    numbers = KEYS[folder][2:]
    found = []
    for table in TABLES:
        frame = pd.read_csv(DATA / folder / f"{table}.csv", dtype=str, keep_default_na=False)
        for column in frame.columns.intersection(numbers):
            frame[column] = pd.to_numeric(frame[column])
        found.append(frame)
    return found


def test_checksums_hold_and_cover_every_data_file():
    lines = (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    recorded = dict(reversed(line.split("  ", 1)) for line in lines)
    shipped = {
        path.relative_to(DATA).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DATA.glob("*/*")
        if path.suffix in {".csv", ".parquet"}
    }
    assert recorded == shipped
    assert len(recorded) == 21


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_checksum_maker_writes_what_is_recorded():
    made = load_script("make_checksums").checksums(DATA)
    assert made == (DATA / "SHA256SUMS").read_text(encoding="utf-8")


def test_simulated_folders_are_reproduced_byte_for_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["make_simulations.py", "--out", str(tmp_path)])
    load_script("make_simulations").main()
    made = sorted(path for path in tmp_path.glob("*/*"))
    assert len(made) == 15
    for path in made:
        assert path.read_bytes() == (DATA / path.relative_to(tmp_path)).read_bytes()


@pytest.mark.parametrize("folder", KEYS)
def test_tables_fit_together(folder):
    aggregate, entity, total, exposure, truth = KEYS[folder]
    aggregates, exposures, entities = read(folder)
    assert not aggregates.duplicated(aggregate).any()
    assert entities[entity].is_unique
    assert not exposures.duplicated([*aggregate, entity]).any()
    assert set(exposures[entity]) == set(entities[entity])
    assert (exposures[exposure] > 0).all()
    sums = exposures.groupby(aggregate)[truth].sum()
    totals = aggregates.set_index(aggregate)[total]
    if folder == "mmm_to_creatives":  # a mix model's totals are right for each channel as a whole
        found, given = (table.groupby("channel").sum() for table in (sums, totals))
        np.testing.assert_allclose(found.reindex(given.index), given, rtol=1e-8)
    else:
        np.testing.assert_allclose(sums.reindex(totals.index).fillna(0), totals, rtol=1e-12)
    assert len(sums) <= len(totals)
    assert sums.index.isin(totals.index).all()


@pytest.mark.parametrize("folder", KEYS)
def test_every_column_is_in_the_dictionary(folder):
    dictionary = (DATA / folder / "README.md").read_text(encoding="utf-8")
    for table, frame in zip(TABLES, read(folder), strict=True):
        assert f"`{table}.csv` ({len(frame):,})" in dictionary
        for column in frame.columns:
            assert f"`{column}`" in dictionary


@pytest.mark.parametrize("name", sorted({*KEYS} - {"household_sales"}))
def test_specs_name_the_columns_of_their_data(name):
    spec = load_spec(ROOT / "models" / f"{name}.toml")
    aggregate, entity, total, exposure, truth = KEYS[name]
    assert spec.name == name
    assert list(spec.columns.aggregate) == aggregate
    used = (spec.columns.entity, spec.columns.total, spec.columns.exposure, spec.columns.amount)
    assert used == (entity, total, exposure, truth)
    _, _, entities = read(name)
    for group in spec.rates.groups:
        assert entities[group].nunique() >= 2


def test_specs_and_scenarios_agree_on_columns():
    folders = load_script("make_simulations").FOLDERS
    assert {scenario for scenario, _ in folders.values()} <= set(SCENARIOS)
    for folder, (scenario, options) in folders.items():
        spec = load_spec(ROOT / "models" / f"{folder}.toml")
        assert spec.columns == SCENARIOS[scenario].options(**options).columns


@pytest.mark.parametrize("folder", ["hcp_brick", "hcp_brick_money", "creative_nested"])
def test_the_dictionary_says_how_to_make_the_folder(folder):
    scenario, options = load_script("make_simulations").FOLDERS[folder]
    words = [f"bayes-attrib simulate {scenario} --seed 1"]
    words += [
        f"--set {key}={value if isinstance(value, str) else format(value, 'g')}"
        for key, value in options.items()
    ]
    dictionary = (DATA / folder / "README.md").read_text(encoding="utf-8")
    assert all(word in dictionary for word in words)


def proportional_error(folder, by=None):
    """Total variation distance of entity (or group) shares under a split by exposure."""
    aggregate, entity, total, exposure, truth = KEYS[folder]
    aggregates, exposures, entities = read(folder)
    cells = exposures.merge(aggregates, on=aggregate).merge(entities, on=entity)
    cells["split"] = cells[total] * (
        cells[exposure] / cells.groupby(aggregate)[exposure].transform("sum")
    )
    sums = cells.groupby(by or entity)[["split", truth]].sum()
    shares = sums / sums.sum()
    return 0.5 * (shares["split"] - shares[truth]).abs().sum()


def test_facts_of_the_campaigns():
    aggregates, _, entities = read("coupon_campaigns")
    assert (len(aggregates), len(entities)) == (54, 27)
    assert aggregates["redemptions"].sum() == 2102
    assert aggregates["week"].iloc[[0, -1]].tolist() == ["2016-12-26", "2018-01-01"]
    assert (pd.to_datetime(aggregates["week"]).dt.day_name() == "Monday").all()
    assert entities["campaign_type"].value_counts().to_dict() == {
        "Type A": 4, "Type B": 17, "Type C": 6,
    }  # fmt: skip
    assert proportional_error("coupon_campaigns") == pytest.approx(0.118, abs=5e-4)


def test_facts_of_the_households():
    aggregates, exposures, entities = read("household_sales")
    assert (len(aggregates), len(exposures), len(entities)) == (507, 9525, 793)
    assert aggregates["store_id"].nunique() == 104
    assert aggregates["sales"].sum() == pytest.approx(2_557_852.42, abs=1e-6)
    assert (exposures["sales_true"] > 0).all()
    assert not (entities == "").any().any()
    assert proportional_error("household_sales") == pytest.approx(0.197, abs=5e-4)
    assert proportional_error("household_sales", by="income") == pytest.approx(0.060, abs=5e-4)


def test_facts_of_the_creatives():
    aggregates, exposures, entities = read("creative_nested")
    levels = ["channel", "platform", "format", "campaign"]
    nodes = [len(entities.drop_duplicates(levels[: depth + 1])) for depth in range(4)]
    assert (nodes, len(entities)) == ([4, 9, 20, 44], 120)
    assert (aggregates["week"].nunique(), aggregates["geo"].nunique()) == (26, 3)
    assert entities["activity"].value_counts().to_dict() == {"sparse": 60, "regular": 59, "new": 1}
    paths = entities.drop_duplicates(levels[:3])
    assert len(set(paths.loc[paths["format"] == "Video", "platform"])) > 1
    sparse = entities.loc[entities["activity"] == "sparse", "creative"]
    assert exposures.groupby("creative").size().loc[sparse].max() <= 2


def test_money_and_units_are_of_the_same_physicians():
    _, units, _ = read("hcp_brick")
    _, money, _ = read("hcp_brick_money")
    shared = ["hcp_id", "brick_id", "visits"]
    first_month = money[money["month"] == "2025-01"].reset_index(drop=True)
    assert first_month[shared].equals(units[shared])
    assert money["month"].nunique() == 6


@pytest.mark.parametrize("folder", KEYS)
def test_folders_are_small(folder):
    assert sum(path.stat().st_size for path in (DATA / folder).glob("*")) < 1_500_000
