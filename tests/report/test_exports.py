"""Tables that other programs read: the same numbers and names in every format, piece by piece."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from audited_runs import NAMES, write_audited_run, write_data

from bayes_attrib.errors import UnknownNameError
from bayes_attrib.inference import draw_matrix
from bayes_attrib.report import RunFolder
from bayes_attrib.report.exports import grains, tables
from bayes_attrib.report.exports.grains import draws_stream, shares_stream, thinned
from bayes_attrib.report.exports.sink import write_stream
from bayes_attrib.report.exports.stream import Stream
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.workflow.export_run import export_run

FORMATS = ("csv", "parquet", "arrow")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    return RunFolder.load(write_audited_run(folder / "run", write_data(folder / "data")))


@pytest.fixture(scope="module")
def draws(run):
    return RunDraws.load(run)


def read(file):
    """Read a file with names as text, whatever the format; null is NaN."""
    if file.suffix == ".csv":
        head = pd.read_csv(file, nrows=0).columns
        texts = [c for c in head if c in {"level", "name", "entity", "store", "week", "kind"}]
        return pd.read_csv(
            file,
            dtype=dict.fromkeys([*texts, "interval_kind"], str),
            keep_default_na=False,
            na_values={c: [""] for c in head if c not in {*texts, "interval_kind"}},
            lineterminator="\n",
        )
    if file.suffix == ".parquet":
        return as_text(pq.read_table(file).to_pandas())
    with pa.ipc.open_file(file) as reader:
        return as_text(reader.read_pandas())


def as_text(table):
    return table.astype({c: str for c in table if isinstance(table[c].dtype, pd.CategoricalDtype)})


@pytest.mark.parametrize("form", FORMATS)
def test_attribution_makes_the_round_trip(run, tmp_path, form):
    written = export_run(run, tmp_path / f"x.{form}", what="attribution", form=form)
    table = read(written.file)
    assert written.rows == len(table) == len(run.attribution)
    assert list(table) == list(run.attribution)
    assert table["name"].tolist() == run.attribution["name"].tolist()
    assert set(NAMES) <= set(table["name"])
    for column in table.columns.drop(["level", "name", "interval_kind"]):
        np.testing.assert_array_equal(table[column], run.attribution[column], err_msg=column)


@pytest.mark.parametrize("form", FORMATS)
def test_cells_make_the_round_trip_in_pieces(run, tmp_path, form, monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 50)
    written = export_run(run, tmp_path / f"x.{form}", what="cells", form=form)
    cells = pd.read_parquet(run.path / "cells.parquet")
    table = read(written.file)
    assert written.pieces == int(np.ceil(len(cells) / 50)) > 1
    for key in ("store", "week", "entity"):
        assert table[key].tolist() == cells[key].astype(str).tolist()
    np.testing.assert_array_equal(
        table.drop(columns=["store", "week", "entity"]),
        cells.drop(columns=["store", "week", "entity"]).astype(float),
    )


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_names_are_stored_once_each(run, tmp_path, form):
    file = export_run(run, tmp_path / f"x.{form}", what="draws", form=form).file
    if form == "parquet":
        schema, column = pq.read_schema(file), pq.read_table(file)["entity"].chunk(0)
    else:
        with pa.ipc.open_file(file) as reader:
            schema, column = reader.schema, reader.get_batch(0)["entity"]
    assert pa.types.is_dictionary(schema.field("entity").type)
    assert len(column.dictionary) == len(NAMES)
    facts = json.loads(schema.metadata[b"bayes_attrib"])
    assert facts["spec_digest"] == run.manifest.spec_digest
    assert facts["verdict"] == run.diagnostics.verdict


@pytest.mark.parametrize("form", FORMATS)
def test_shares_by_entity_are_those_of_the_run(run, tmp_path, form):
    table = read(export_run(run, tmp_path / f"x.{form}", what="shares", form=form).file)
    stored = run.entities.set_index("name").loc[table["entity"]]
    for column in ("amount_mean", "amount_sd", "amount_lower", "amount_upper", "share_lower"):
        np.testing.assert_allclose(table[column], stored[column], rtol=1e-12, err_msg=column)
    assert set(table["interval_kind"]) == {run.spec.report.interval.kind}
    assert "share_of_period_mean" not in table


def test_shares_within_a_period_sum_to_one(run, tmp_path):
    file = export_run(run, tmp_path / "x.parquet", what="shares", by=["kind,week"]).file
    table = read(file)
    assert list(table)[:2] == ["kind", "week"]
    np.testing.assert_allclose(table.groupby("week")["share_of_period_mean"].sum(), 1.0)
    np.testing.assert_allclose(table["share_mean"].sum(), 1.0)
    cells = pd.read_parquet(run.path / "cells.parquet")
    totals = cells.groupby("week")["amount_mean"].sum()
    ratio = table["amount_upper"] / totals[table["week"]].to_numpy()
    np.testing.assert_allclose(table["share_of_period_upper"], ratio)


def test_share_of_a_period_without_total_is_null(run):
    empty = RunDraws.load(run)
    week = empty.data.aggregate_keys["week"] == "2026-W01"
    empty.data.totals.setflags(write=True)
    empty.data.totals[week.to_numpy()] = 0.0
    object.__setattr__(empty, "_require_same_means", lambda _: None)
    (batch,) = shares_stream(empty, ["entity", "week"]).batches
    table = batch.to_pandas()
    assert table["share_of_period_mean"].isna().equals(table["week"] == "2026-W01")


@pytest.mark.parametrize("form", FORMATS)
def test_draws_have_the_moments_of_the_run_and_the_chains_of_its_file(run, tmp_path, form):
    table = read(export_run(run, tmp_path / f"x.{form}", what="draws", form=form).file)
    n_chains, n_draws = run.manifest.sampling["chains"], run.manifest.sampling["draws"]
    assert len(table) == len(NAMES) * n_chains * n_draws
    assert sorted(set(table["chain"])) == list(range(n_chains))
    assert sorted(set(table["draw"])) == list(range(n_draws))
    assert not table.duplicated(["entity", "chain", "draw"]).any()
    stored = run.entities.set_index("name")
    found = table.groupby("entity")["amount"].agg(["mean", "std"]).loc[stored.index]
    np.testing.assert_allclose(found["mean"], stored["amount_mean"], rtol=1e-12)
    np.testing.assert_allclose(found["std"], stored["amount_sd"], rtol=1e-12)
    by_draw = table.groupby(["chain", "draw"])["share"].sum()
    np.testing.assert_allclose(by_draw, 1.0)


def test_thinned_draws_are_some_of_all(run, tmp_path):
    whole = read(export_run(run, tmp_path / "a.parquet", what="draws", by=["kind"]).file)
    some = read(export_run(run, tmp_path / "b.parquet", what="draws", by=["kind"], draws=10).file)
    assert len(some) == 2 * 10
    merged = some.merge(whole, on=["kind", "chain", "draw"], suffixes=("", "_all"))
    assert len(merged) == len(some)
    np.testing.assert_array_equal(merged["amount"], merged["amount_all"])
    assert set(some["chain"]) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("n_draws", "most"), [(10, 3), (10, 10), (10, 99), (7, None), (4000, 1000)]
)
def test_thinning_is_even(n_draws, most):
    kept = thinned(n_draws, most)
    assert len(kept) == min(n_draws, most or n_draws)
    steps = np.diff(kept)
    assert len(kept) == 1 or steps.max() - steps.min() <= 1
    assert kept[0] == 0
    assert kept[-1] < n_draws


def test_draws_are_made_in_pieces_that_do_not_grow(draws, monkeypatch):
    monkeypatch.setattr(grains, "MOST_ROWS", 500)
    monkeypatch.setattr(draw_matrix, "BLOCK_ELEMENTS", 1000)
    stream = draws_stream(draws, ["entity", "week"])
    batches = list(stream.batches)
    assert max(batch.num_rows for batch in batches) <= 500
    assert len(batches) > 30
    n_rows = len(draws.amounts("entity", "week").labels)
    assert sum(batch.num_rows for batch in batches) == n_rows * draws.n_draws


def test_nothing_is_made_before_it_is_written(draws):
    stream = draws_stream(draws, ["entity"])
    before = pa.total_allocated_bytes()
    first = next(stream.batches)
    assert first.nbytes <= 3 * grains.MOST_ROWS * 28
    assert pa.total_allocated_bytes() - before < 4 * grains.MOST_ROWS * 28


def test_formulas_are_written_as_given_unless_asked(run, tmp_path):
    plain = export_run(run, tmp_path / "a.csv", form="csv").file.read_text(encoding="utf-8")
    assert '"=1+1"' in plain
    escaped = export_run(run, tmp_path / "b.csv", form="csv", escape_formulas=True).file
    names = read(escaped)["name"].tolist()
    assert {"'=1+1", "'+49 30", "'-2", "'@home", "'=kind 0"} <= set(names)
    assert {"007", "'quoted'", "NA", "1E5"} <= set(names)
    for what in ("cells", "shares", "draws"):
        file = export_run(run, tmp_path / "c.csv", form="csv", what=what, escape_formulas=True).file
        assert {"'=1+1", "'-2"} <= set(read(file)["entity"])
        assert not set(read(file)["entity"]) & {"=1+1", "-2"}


def test_a_key_named_like_a_measure_is_told_apart():
    labels = pd.DataFrame({"draw": ["a", "b"], "entity": ["x", "y"]}, dtype="str")
    keys = grains._Keys.of(labels, escape_formulas=False)
    assert [name for name, _ in keys.fields] == ["draw_key", "entity"]


def test_unknown_grains_and_tables_are_explained(run, tmp_path):
    with pytest.raises(UnknownNameError, match="no grain 'brick' in this run; it has 'entity'"):
        export_run(run, tmp_path / "x.csv", what="shares", by=["brick"])
    with pytest.raises(UnknownNameError, match="names week twice"):
        export_run(run, tmp_path / "x.csv", what="draws", by=["week", "week"])
    with pytest.raises(UnknownNameError, match="no table 'rates' to export"):
        export_run(run, tmp_path / "x.csv", what="rates")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_failure_half_way_leaves_the_old_file(run, tmp_path, form):
    file = tmp_path / f"x.{form}"
    file.write_text("what was there")

    def batches():
        yield pa.record_batch({"a": [1]})
        raise MemoryError

    with pytest.raises(MemoryError):
        write_stream(Stream(pa.schema([("a", pa.int64())]), batches()), file, form)
    assert file.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [file]
    assert run.path.is_dir()
