"""The command ``downscale``: what it prints, what it refuses, and with which status."""

import json

import pandas as pd
import pytest
from drawn_runs import CREATIVES, write_drawn_run

from bayes_attrib import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_drawn_run(tmp_path_factory.mktemp("runs") / "drawn")


@pytest.fixture
def profile(tmp_path):
    """Days of eight weeks, from 29 December 2025 on."""
    days = pd.date_range("2025-12-29", periods=8 * 7)
    table = pd.DataFrame({"day": days.strftime("%Y-%m-%d"), "delivery": range(1, 57), "note": "x"})
    table.to_csv(tmp_path / "days.csv", index=False)
    return tmp_path / "days.csv"


@pytest.fixture
def call(capsys, monkeypatch):
    """Run a command in this process and return its exit status, output and complaints."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(word) for word in words])
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return run


def test_table_record_and_words(call, run, profile, tmp_path):
    file = tmp_path / "out" / "days.csv"
    status, output, errors = call(
        "downscale", run, "--profile", profile, "--time", "day", "--out", file
    )
    assert (status, errors) == (0, "")
    table = pd.read_csv(file)
    cells = pd.read_parquet(run / "cells.parquet")
    assert len(table) == 7 * len(cells)
    assert set(table["creative"]) == set(CREATIVES)
    lines = output.splitlines()
    total = f"{table['amount_rounded'].sum():,.2f}"
    assert lines[0] == (
        f"{file}: {len(table):,} rows from {len(cells)} cells and 56 slots, which add up to {total}"
    )
    assert lines[1] == f"profiles: {len(cells)} cells with a profile of their own"
    assert lines[2] == "not read: column(s) note of days.csv"
    assert "follow delivery by assumption" in lines[3]
    assert (tmp_path / "out" / "days.csv.manifest.json").is_file()


def test_json_holds_the_record(call, run, profile, tmp_path):
    file = tmp_path / "days.parquet"
    words = ("--profile", profile, "--time", "day", "--out", file, "--concentration", "40")
    status, output, _ = call("downscale", run, *words, "--half-life", "2d", "--json")
    assert status == 0
    found = json.loads(output)
    assert found["file"] == str(file)
    assert found["options"]["concentration"] == 40.0
    assert found["options"]["half_life"] == "2d"
    stored = json.loads((tmp_path / "days.parquet.manifest.json").read_text(encoding="utf-8"))
    assert stored.items() <= found.items()
    status, output, errors = call("downscale", run, *words, "--overwrite", "--quiet")
    assert (status, output, errors) == (0, "", "")


def test_file_is_written_beside_the_run_by_default(call, run, profile):
    status, _, _ = call("downscale", run, "--profile", profile, "--time", "day", "--quiet")
    assert status == 0
    assert (run.parent / "drawn.downscaled.parquet").is_file()


def test_faults_of_the_profile_write_nothing(call, run, tmp_path):
    profile = tmp_path / "p.csv"
    profile.write_text("creative,timestamp,delivery\nalpha,2025-12-29,-1\nalfa,2025-12-29,1\n")
    file = tmp_path / "out.parquet"
    status, output, errors = call("downscale", run, "--profile", profile, "--out", file)
    assert (status, output) == (2, "")
    assert "the profile p.csv has 2 faults:" in errors
    assert "[negative-delivery] p.csv, line 2" in errors
    assert "did you mean 'alpha'?" in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv"]


def test_stand_ins_are_named(call, run, tmp_path):
    profile = tmp_path / "p.csv"
    rows = [f"alpha,2026-W0{week + 1},{slot},1" for week in range(8) for slot in ("a", "b")]
    profile.write_text("\n".join(["creative,week,slot,delivery", *rows]) + "\n")
    words = ("--profile", profile, "--slot", "slot", "--out", tmp_path / "out.parquet")
    status, _, errors = call("downscale", run, *words)
    assert status == 2
    assert "[no-profile] p.csv" in errors
    status, output, _ = call("downscale", run, *words, "--missing", "even")
    assert status == 0
    assert (
        "8 cells with a profile of their own, 40 cells with an even one (--missing even)" in output
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--time", "day", "--slot", "day"), "--time and --slot name the same thing"),
        (("--concentration", "0"), "--concentration must be a positive number, not 0"),
        (("--concentration", "nan"), "--concentration must be a positive number, not nan"),
        (("--out", "x.xlsx"), "must end in one of .csv, .parquet, .arrow"),
        (("--missing", "guess"), "'guess'"),
    ],
)
def test_wrong_words_are_refused(call, run, profile, words, said):
    status, output, errors = call("downscale", run, "--profile", profile, *words)
    assert (status, output) == (2, "")
    assert said in errors


def test_files_are_not_overwritten_unasked(call, run, profile, tmp_path):
    file = tmp_path / "out.parquet"
    file.write_text("mine")
    status, _, errors = call("downscale", run, "--profile", profile, "--out", file)
    assert status == 2
    assert "exists; add --overwrite" in errors
    assert file.read_text() == "mine"
    status, _, errors = call("downscale", run, "--profile", profile, "--out", run / "x.parquet")
    assert status == 2
    assert "lies in the run folder" in errors


def test_amounts_of_an_unconverged_fit_are_withheld(call, profile, tmp_path):
    run = write_drawn_run(tmp_path / "run", verdict="not_converged")
    words = ("--profile", profile, "--time", "day", "--out", tmp_path / "out.parquet")
    status, output, errors = call("downscale", run, *words)
    assert (status, output) == (3, "")
    assert "withheld: the fit in" in errors
    status, _, _ = call("downscale", run, *words, "--allow-unconverged")
    assert status == 0
    record = json.loads((tmp_path / "out.parquet.manifest.json").read_text(encoding="utf-8"))
    assert record["run"]["verdict"] == "not_converged"
