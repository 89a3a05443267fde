"""verify, diff, export and summary as a script calls them: exit status, streams and files."""

import json
import shutil

import pandas as pd
import pytest
from audited_runs import NAMES, write_audited_run, write_data

from bayes_attrib import cli


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    data = write_data(folder / "data")
    return write_audited_run(folder / "run", data), data


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


def test_verify_says_that_all_is_well(call, pristine):
    run, data = pristine
    status, output, errors = call("verify", run, "--data", data)
    assert status == 0
    assert errors == ""
    assert "checks hold and none failed" in output
    assert "SHA-256 of manifest.json: " in output
    status, output, errors = call("verify", run, "--quiet")
    assert (status, output, errors) == (0, "", "")


def test_verify_names_file_value_and_remedy_of_what_failed(call, pristine, tmp_path):
    run = shutil.copytree(pristine[0], tmp_path / "run")
    table = pd.read_csv(run / "attribution.csv", dtype=str, keep_default_na=False)
    table.loc[0, "amount_mean"] = "1234.5"
    table.to_csv(run / "attribution.csv", index=False)
    status, output, errors = call("verify", run, "--json")
    assert status == 2
    content = json.loads(output)
    assert content["passed"] is False
    (line,) = [line for line in errors.splitlines() if ": recomputed.amount: " in line]
    assert line.startswith(f"{run / 'attribution.csv'}: ")
    assert "amount_mean of entity '=1+1' is 1234.5, and " in line
    assert f"`bayes-attrib fit SPEC DATA --out {run} --overwrite`" in line
    assert len(errors.splitlines()) == content["n_failed"]


def test_verify_with_other_tables_and_another_manifest(call, pristine, tmp_path):
    run, _ = pristine
    other = write_data(tmp_path / "data", seed=2)
    status, _, errors = call("verify", run, "--aggregates", other / "aggregates.csv", "--quiet")
    assert status == 2
    assert "remedy: give the tables of this run" in errors
    status, _, errors = call("verify", run, "--manifest-sha256", "0" * 64, "--quiet")
    assert status == 2
    assert "manifest_sha256" in errors


def test_diff_speaks_json_and_sentences(call, pristine, tmp_path):
    run, _ = pristine
    status, output, errors = call("diff", run, run)
    assert (status, errors) == (0, "")
    assert output.startswith("The total is unchanged at 2,2")
    assert "largest movers of kind:" in output
    status, output, _ = call("diff", run, run, "--json", "--level", "kind")
    assert status == 0
    assert json.loads(output)["levels"][0]["total_variation"] == 0
    out = tmp_path / "d.csv"
    assert call("diff", run, run, "--quiet", "--out", out) == (0, "", "")
    assert len(pd.read_csv(out)) == len(NAMES) + 2


def test_export_writes_a_file_or_into_a_folder(call, pristine, tmp_path):
    run, _ = pristine
    status, output, _ = call("export", run, "--out", tmp_path / "a.csv")
    assert status == 0
    assert output == f"{tmp_path / 'a.csv'}: {len(NAMES) + 2} rows\n"
    words = ("export", run, "--out", tmp_path / "new", "--what", "draws", "--draws", "8")
    status, output, _ = call(*words, "--by", "kind,week", "--format", "arrow", "--json")
    assert status == 0
    assert json.loads(output)["rows"] == 2 * 6 * 8
    assert (tmp_path / "new" / "draws.arrow").is_file()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--out", "x.csv", "--by", "week"], "--by is for --what shares and draws"),
        (["--out", "x.csv", "--draws", "9"], "--draws is for --what draws"),
        (["--out", "x.parquet", "--escape-formulas"], "--escape-formulas is for CSV"),
        (["--out", "x.csv", "--format", "arrow"], "ends in .csv, and --format is arrow"),
        (["--out", "run/attribution.parquet"], "lies in the run folder"),
        (["--out", "there.csv"], "add --overwrite"),
        (["--out", "x.csv", "--what", "shares", "--by", "brand"], "there is no grain 'brand'"),
    ],
)
def test_wrong_exports_exit_with_2_and_write_nothing(
    call, pristine, tmp_path, monkeypatch, words, complaint
):
    shutil.copytree(pristine[0], tmp_path / "run")
    (tmp_path / "there.csv").write_text("there")
    monkeypatch.chdir(tmp_path)
    status, output, errors = call("export", "run", *words)
    assert (status, output) == (2, "")
    assert complaint in errors
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "there.csv"]
    assert (tmp_path / "there.csv").read_text() == "there"


def test_unconverged_numbers_do_not_leave_unasked(call, pristine, tmp_path):
    run = shutil.copytree(pristine[0], tmp_path / "run")
    content = json.loads((run / "diagnostics.json").read_text(encoding="utf-8"))
    content["verdict"] = "not_converged"
    (run / "diagnostics.json").write_text(json.dumps(content), encoding="utf-8")
    status, _, errors = call("export", run, "--out", tmp_path / "a.csv")
    assert status == 3
    assert "did not converge" in errors
    assert not (tmp_path / "a.csv").exists()
    assert call("export", run, "--out", tmp_path / "a.csv", "--allow-unconverged")[0] == 0


def test_summary_and_report_share_their_json(call, pristine):
    run, _ = pristine
    status, output, _ = call("summary", run, "--json")
    assert status == 0
    summary = json.loads(output)
    assert summary["schema_version"] == 1
    assert len(summary["top"]) == 10
    status, output, _ = call("report", run, "--json")
    report = json.loads(output)
    assert report | {"files": 0, "withheld": 0} == summary | {"files": 0, "withheld": 0}
    assert report["files"] == [str(run / "report.html")]
    assert call("summary", run, "--top", "2")[1].count("and 14 more") == 1


@pytest.mark.parametrize(
    "words", [("verify",), ("summary",), ("export", "--out", "x.csv"), ("log",)]
)
def test_a_folder_that_is_no_run_exits_with_2(call, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    status, _, errors = call(words[0], "nowhere", *words[1:])
    assert status == 2
    assert "nowhere is not a folder" in errors
