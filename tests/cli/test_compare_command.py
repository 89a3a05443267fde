"""The command compare: what it prints, writes and refuses, and its exit status."""

import json
import re

import pandas as pd
import pytest
from drawn_runs import CREATIVES, write_drawn_run

from bayes_attrib import cli


def call(capsys, *words):
    """Run a command in this process and return its exit status, output and complaints."""
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_drawn_run(tmp_path_factory.mktemp("compared") / "run")


@pytest.fixture(scope="module")
def unconverged(tmp_path_factory):
    return write_drawn_run(tmp_path_factory.mktemp("compared") / "run", verdict="not_converged")


@pytest.fixture(autouse=True)
def columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


def test_table_and_sentences_are_printed(capsys, run):
    status, output, complaint = call(capsys, "compare", run)
    assert (status, complaint) == (0, "")
    lines = output.splitlines()
    assert lines[0] == "Drawn"
    assert "Search. creative: 3 of 3, by rate per grps" in lines
    assert "alpha is the best of these with probability 95% or more." in lines
    assert re.search(
        r"^alpha +[\d.]+ +[\d.]+ to [\d.]+ +> 99\.9% +> 99\.9% +1\.0 \(1–1\)", output, re.MULTILINE
    )
    assert re.search(
        r"^- alpha is greater than (beta|gamma): probability > 99\.9%; ratio", output, re.MULTILINE
    )
    assert "Channel Radio has a single creative, so there is nothing to compare." in lines
    assert max(map(len, lines)) <= 100


def test_names_are_printed_as_text(capsys, run):
    _, output, _ = call(capsys, "compare", run, "delta", "[bold red]epsilon[/]")
    assert re.search(r"^\[bold red\]epsilon\[/\] ", output, re.MULTILINE)


def test_not_separable_is_a_result(capsys, run):
    status, output, _ = call(capsys, "compare", run, "beta", "gamma")
    assert status == 0
    assert "are not separable by these data: probability" in output
    assert "No name can be ruled out: only all 2 hold the best with probability 95%." in output


def test_narrow_terminal_and_another_language_hold_all(capsys, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "72")
    status, output, _ = call(capsys, "compare", run, "beta", "gamma", "--locale", "es")
    assert status == 0
    assert max(map(len, output.splitlines())) <= 72
    assert re.search(r"\d,\d", output)


def test_long_lists_are_cut_and_say_so(capsys, run):
    words = ["compare", run, "--across-channels", "--on", "share"]
    status, output, _ = call(capsys, *words)
    assert status == 0
    assert output.count("\n- ") == 10
    assert "  and 5 more pairs; --out FILE writes all\n" in output
    assert "Shares are of the grand total; their differences are percent points." in output


def test_json_is_all_that_standard_output_holds(capsys, run):
    status, output, _ = call(capsys, "compare", run, *CREATIVES[:3], "--json", "--top-k", "2")
    content = json.loads(output)
    assert status == 0
    (group,) = content["groups"]
    assert group["best_set"] == ["alpha"]
    assert content["rule"]["top_k"] == 2
    assert sum(row["prob_top"] for row in group["names"]) == pytest.approx(2)


def test_quiet_prints_nothing(capsys, run, tmp_path):
    out = tmp_path / "x.json"
    assert call(capsys, "compare", run, "--quiet", "--out", out) == (0, "", "")
    assert json.loads(out.read_text(encoding="utf-8"))["on"] == "rate"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_are_written_and_named(capsys, run, tmp_path, suffix):
    out = tmp_path / f"x.{suffix}"
    status, output, _ = call(capsys, "compare", run, "--out", out)
    pairs = tmp_path / f"x_pairs.{suffix}"
    assert status == 0
    assert output.endswith(f"written to {out}, {pairs}\n")
    read = pd.read_csv if suffix == "csv" else pd.read_parquet
    assert read(out)["name"].tolist()[0] == "alpha"
    assert read(pairs)["conclusion"].tolist()[0] == "greater"
    status, output, complaint = call(capsys, "compare", run, "--out", out)
    assert (status, output) == (2, "")
    assert "exists; add --overwrite" in " ".join(complaint.replace("│", " ").split())
    assert call(capsys, "compare", run, "--out", out, "--overwrite", "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["alpha", "delta"],
            (
                "rates are compared within one channel, and 'alpha' is of Search and 'delta' is "
                "of Social: a rate is per unit of grps, and the unit and the saturation of one "
                "channel are not those of another, so the higher rate need not be the better one; "
                "compare amounts or shares (--on amount, --on share), or add --across-channels if "
                "their exposures do have one unit"
            ),
        ),
        (
            ["alpha", "bta"],
            "there is no creative 'bta' in this run; did you mean 'beta'?",
        ),
        (
            ["--level", "region"],
            "there is no level 'region' in this run; it has 'entity', 'objective'",
        ),
        (
            ["alpha"],
            (
                "only 'alpha' is named, and a comparison needs two; name another, or none for the "
                "largest of each channel"
            ),
        ),
        (["--prob", "0.2"], "prob lies between 0.5 and 1, both excluded; got 0.2"),
        (["--rope", "-1"], "a region of practical equivalence is 0 or more wide; got -1.0"),
    ],
)
def test_what_cannot_be_compared_exits_with_2_and_says_why(capsys, run, words, message):
    assert call(capsys, "compare", run, *words) == (2, "", f"{message}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "x.xlsx"], "--out x.xlsx: the file ends in .csv, .json, .parquet"),
        (["--out", "no/x.csv"], "--out no/x.csv: there is no folder no"),
        (["--rope", "0.1", "--rope-difference", "2"], "give --rope or --rope-difference, not both"),
        (["--on", "roi"], "'roi' is not one of"),
    ],
)
def test_wrong_words_exit_with_2(capsys, run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    status, output, complaint = call(capsys, "compare", run, *words)
    assert (status, output) == (2, "")
    assert message in " ".join(complaint.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


def test_folder_without_a_run_exits_with_2(capsys, tmp_path):
    status, _, complaint = call(capsys, "compare", tmp_path / "nowhere")
    assert status == 2
    assert "nowhere is not a folder" in complaint


def test_unconverged_run_exits_with_3_unless_that_is_waived(capsys, unconverged, tmp_path):
    out = tmp_path / "x.csv"
    message = (
        f"{unconverged}: the fit did not converge (check_0, check_1, check_2 and 2 more), so the "
        "probabilities of a comparison would be those of the sampler's path and not of the data; "
        "fit again with more draws, or add --allow-unconverged to see them all the same\n"
    )
    assert call(capsys, "compare", unconverged, "--out", out) == (3, "", message)
    assert not out.exists()
    status, output, _ = call(capsys, "compare", unconverged, "--allow-unconverged")
    assert status == 0
    assert "Do not use these numbers: the fit did not converge." in output
