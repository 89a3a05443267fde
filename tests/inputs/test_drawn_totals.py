"""Draws of the totals: matched by key, made from standard deviations, and refused where wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.inputs import AggregateData, DataSource, read_tables
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.inputs.total_sd import N_DRAWS, draws_from_sd
from bayes_attrib.spec import parse_spec

SPEC = """
schema_version = 1
name = "drawn"

[columns]
aggregate = ["channel", "week"]
entity = "campaign"

[likelihood]
family = "gamma"
"""
PAIRED = parse_spec(SPEC + '[totals]\nuncertainty = "paired"\n')
KEYS = [("tv", "1"), ("tv", "2"), ("web", "1")]
TOTALS = np.array([10.0, 20.0, 5.0])
N = 150


def draws(seed=0):
    factors = np.random.default_rng(seed).gamma(25.0, 1 / 25.0, (3, N))
    return TOTALS[:, None] * factors / factors.mean(axis=1, keepdims=True)


def write_folder(folder, *, values=None, order=(0, 1, 2), kind=None, sd=None):
    aggregates = pd.DataFrame(KEYS, columns=["channel", "week"]).assign(total=TOTALS)
    if sd is not None:
        aggregates["total_sd"] = sd
    aggregates.to_csv(folder / "aggregates.csv", index=False)
    rows = [(*key, entity, "1") for key in KEYS for entity in ("A", "B")]
    columns = ["channel", "week", "campaign", "exposure"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "exposures.csv", index=False)
    if values is not None:
        keys = pd.DataFrame([KEYS[i] for i in order], columns=["channel", "week"])
        lists = pa.array([values[i].tolist() for i in order], type=kind)
        table = pa.Table.from_pandas(keys, preserve_index=False).append_column("draws", lists)
        pq.write_table(table, folder / "total_draws.parquet")
    return DataSource(folder)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float64()), pa.list_(pa.float32()), pa.list_(pa.float64(), N)]
)
def test_rows_are_matched_by_key_whatever_their_order(tmp_path, kind):
    read = read_tables(PAIRED, write_folder(tmp_path, values=draws(), order=(2, 0, 1), kind=kind))
    np.testing.assert_allclose(read.data.total_draws.values, draws(), rtol=1e-6)
    assert read.data.total_draws.is_joint
    assert [f.code for f in read.findings] == ["totals-paired"]
    assert {source.table for source in read.sources} == {"aggregates", "exposures", "total_draws"}


def test_draws_are_not_looked_at_where_totals_are_taken_as_known(tmp_path):
    source = write_folder(tmp_path, values=-draws(), sd=[1.0, 1.0, 1.0])
    silent = read_tables(parse_spec(SPEC), source)
    assert silent.data.total_draws is None
    assert [f.code for f in silent.findings] == ["total-sd-not-used"]
    said = read_tables(parse_spec(SPEC + '[totals]\nuncertainty = "plugin"\n'), source)
    assert said.data.total_draws is None
    assert [(f.code, f.severity) for f in said.findings] == [("totals-plugin", "note")]


def test_standard_deviations_alone_give_independent_draws_and_a_warning(tmp_path):
    sd = np.array([3.0, 0.0, 1.0])
    read = read_tables(PAIRED, write_folder(tmp_path, sd=sd))
    values = read.data.total_draws.values  # noqa: PD011, no pandas
    assert not read.data.total_draws.is_joint
    (loud,) = [f for f in read.findings if f.severity == "warning"]
    assert loud.code == "total-draws-from-sd"
    assert "independent" in loud.message
    np.testing.assert_allclose(values.mean(axis=1), TOTALS, rtol=1e-12)
    # The sd of a sample of N has a relative error near 1 / sqrt(2 N) = .016; 5 of them.
    np.testing.assert_allclose(values.std(axis=1), sd, rtol=5 / np.sqrt(2 * N_DRAWS))
    between = np.corrcoef(values[[0, 2]])[0, 1]
    assert abs(between) < 5 / np.sqrt(N_DRAWS)
    np.testing.assert_array_equal(values, draws_from_sd(TOTALS, sd, seed=1).values)


def test_draws_of_totals_that_a_repair_took_away_are_left_out(tmp_path):
    source = write_folder(tmp_path, values=draws())
    table = pd.read_csv(tmp_path / "aggregates.csv")
    table.loc[2, "total"] = -5.0
    table.to_csv(tmp_path / "aggregates.csv", index=False)
    with pytest.raises(DataError, match="negative-totals"):
        read_tables(PAIRED, source)
    read = read_tables(PAIRED, source, repairs=["drop-negative-totals"])
    np.testing.assert_allclose(read.data.total_draws.values, draws()[:2])


def test_data_in_memory_demand_a_row_for_every_total():
    with pytest.raises(ValueError, match="total_draws have one row per aggregate"):
        AggregateData(
            aggregate_keys=pd.DataFrame({"b": ["1"]}),
            totals=np.array([1.0]),
            entity_key="e",
            entity_names=np.array(["x"], dtype=object),
            exposure=np.ones((1, 1)),
            total_draws=DrawnTotals(np.ones((2, 3))),
        )
    with pytest.raises(ValueError, match="not negative"):
        DrawnTotals(np.array([[1.0, -1.0]]))
