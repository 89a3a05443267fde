"""Data folders: exact values, same bytes, nothing overwritten unasked."""

from __future__ import annotations

import pandas as pd
import pytest

from bayes_attrib.errors import DataError, SpecError
from bayes_attrib.simulation import SCENARIOS, simulate, write_tables
from bayes_attrib.simulation import write as write_module

TABLES = ("aggregates", "exposures", "entities")
READERS = {
    "csv": pd.read_csv,
    "parquet": pd.read_parquet,
}


@pytest.fixture
def tables():
    return simulate("hcp_brick", seed=1, options={"n_entities": 30, "n_aggregates": 7})


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_is_read_equals_what_was_simulated(tmp_path, scenario, suffix):
    simulated = simulate(scenario, seed=1)
    written = write_tables(simulated, tmp_path / "new" / "folder", format=suffix)
    assert set(written) == {*TABLES, *simulated.others}
    for table, path in written.items():
        assert path == tmp_path / "new" / "folder" / f"{table}.{suffix}"
        content = simulated.others.get(table)
        content = getattr(simulated, table) if content is None else content
        pd.testing.assert_frame_equal(READERS[suffix](path), content, check_exact=True)
    assert len(list((tmp_path / "new" / "folder").iterdir())) == len(written)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_same_tables_give_the_same_bytes(tmp_path, tables, suffix):
    again = simulate("hcp_brick", seed=1, options={"n_entities": 30, "n_aggregates": 7})
    first = write_tables(tables, tmp_path / "a", format=suffix)
    second = write_tables(again, tmp_path / "b", format=suffix)
    assert [first[t].read_bytes() for t in TABLES] == [second[t].read_bytes() for t in TABLES]


def test_csv_uses_plain_line_ends_and_has_no_index(tmp_path, tables):
    text = write_tables(tables, tmp_path)["aggregates"].read_bytes()
    assert text.startswith(b"brick_id,units\nB1,")
    assert b"\r" not in text


def test_a_folder_in_use_is_left_alone(tmp_path, tables):
    standing = tmp_path / "entities.parquet"
    standing.write_bytes(b"mine")
    with pytest.raises(DataError, match=r"holds entities\.parquet already"):
        write_tables(tables, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["entities.parquet"]
    assert standing.read_bytes() == b"mine"


def test_overwriting_replaces_the_tables_and_nothing_else(tmp_path, tables):
    (tmp_path / "notes.txt").write_text("mine")
    write_tables(tables, tmp_path, format="parquet")
    other = simulate("hcp_brick", seed=2, options={"n_entities": 30, "n_aggregates": 7})
    written = write_tables(other, tmp_path, format="csv", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "aggregates.csv", "entities.csv", "exposures.csv", "notes.txt",
    ]  # fmt: skip
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert READERS["csv"](written["exposures"])["amount"].tolist() == (
        other.exposures["amount"].tolist()
    )


def test_a_failure_half_way_changes_nothing(tmp_path, tables, monkeypatch):
    before = {path.name: path.read_bytes() for path in write_tables(tables, tmp_path).values()}
    write_one = write_module._write_table

    def fail_on_entities(table, path, suffix):
        if "entities" in path.name:
            raise OSError("disk full")
        write_one(table, path, suffix)

    monkeypatch.setattr(write_module, "_write_table", fail_on_entities)
    other = simulate("hcp_brick", seed=2, options={"n_entities": 30, "n_aggregates": 7})
    with pytest.raises(OSError, match="disk full"):
        write_tables(other, tmp_path, overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_is_not_a_folder(tmp_path, tables):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(DataError, match="is not a folder"):
        write_tables(tables, path, overwrite=True)


def test_unknown_formats_are_refused(tmp_path, tables):
    with pytest.raises(SpecError, match="unknown format 'xlsx'"):
        write_tables(tables, tmp_path / "new", format="xlsx")
    assert not (tmp_path / "new").exists()
