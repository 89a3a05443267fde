"""Commands as a script calls them: exit status, streams, and what lies on disk afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bayes_attrib import cli

BROKEN = Path(__file__).parents[1] / "broken"


def call(capsys, *words):
    """Run a command in this process and return its exit status, output and complaints."""
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


@pytest.fixture(scope="module")
def small_spec(root, tmp_path_factory):
    text = (root / "models/coupon_campaigns.toml").read_text()
    spec = tmp_path_factory.mktemp("spec") / "small.toml"
    spec.write_text(
        text.replace("draws  = 2000", "draws = 60").replace("tune   = 1000", "tune = 90")
    )
    return spec


@pytest.mark.parametrize("case", sorted(p.name for p in BROKEN.iterdir() if p.is_dir()))
@pytest.mark.parametrize("command", ["validate", "fit"])
def test_broken_input_exits_with_2_says_why_and_writes_nothing(capsys, tmp_path, case, command):
    folder = BROKEN / case
    words = [command, folder / "spec.toml", folder]
    words += ["--out", tmp_path / "run"] if command == "fit" else []
    status, output, complaint = call(capsys, *words)
    assert status == 2
    assert output == ""
    assert complaint == (folder / "expected.txt").read_text(encoding="utf-8").rstrip("\n") + "\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["coupon_campaigns", "hcp_brick", "mmm_to_mta"])
def test_shipped_specs_fit_their_data(capsys, root, name):
    status, output, _ = call(
        capsys, "validate", root / f"models/{name}.toml", root / f"data/{name}", "--json"
    )
    assert status == 0
    found = json.loads(output)
    assert found["valid"]
    assert found["grand_total"] > 0
    assert [f for f in found["findings"] if f["severity"] != "note"] == []


def test_validate_reads_for_people(capsys, root):
    status, output, _ = call(
        capsys, "validate", root / "models/coupon_campaigns.toml", root / "data/coupon_campaigns"
    )
    assert status == 0
    assert output.startswith(
        "valid: 54 aggregates with a total of 2,102, 27 entities, 168 exposures"
    )


def test_simulate_writes_a_folder_that_its_spec_accepts(capsys, root, tmp_path):
    words = ["simulate", "hcp_brick", "--out", tmp_path / "data", "--seed", "5"]
    status, output, _ = call(capsys, *words, "--set", "n_entities=50", "--set", "n_aggregates=9")
    assert status == 0
    assert "9 aggregates, 50 entities" in output
    status, _, _ = call(capsys, "validate", root / "models/hcp_brick.toml", tmp_path / "data")
    assert status == 0
    status, _, complaint = call(capsys, *words)
    assert status == 2
    assert "aggregates.csv" in complaint


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["simulate", "hcp_bricks", "--out", "x"], "did you mean"),
        (["simulate", "hcp_brick", "--out", "x", "--set", "n_entities"], "KEY=VALUE"),
        (["simulate", "hcp_brick", "--out", "x", "--set", "n_entity=3"], "n_entities"),
        (["fit"], "give SPEC, DATA and --out RUN"),
        (["fit", "--resume", "x", "--seed", "2"], "takes everything from the run"),
        (["fit", "--resume", "nowhere"], "no unfinished run"),
        (["validate", "x.toml"], "give DATA, a folder"),
        (["report", "nowhere"], "nowhere"),
        (["validate", "nowhere.toml", "x"], "nowhere.toml"),
    ],
)
def test_wrong_words_exit_with_2_and_say_what_would_be_right(
    capsys, tmp_path, monkeypatch, words, complaint
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    status, output, errors = call(capsys, *words)
    assert status == 2
    assert complaint in errors
    assert output == ""
    assert list(tmp_path.iterdir()) == []


def test_seed_on_the_command_line_is_checked_like_the_spec(capsys, root, tmp_path):
    spec, data = root / "models/coupon_campaigns.toml", root / "data/coupon_campaigns"
    status, _, errors = call(capsys, "fit", spec, data, "--out", tmp_path / "r", "--chains", "0")
    assert status == 2
    assert "inference.chains" in errors
    assert not (tmp_path / "r").exists()


@pytest.mark.sampling
def test_few_draws_exit_with_3_and_everything_is_written_and_marked(
    capsys, small_spec, root, tmp_path
):
    run = tmp_path / "run"
    status, output, errors = call(
        capsys, "fit", small_spec, root / "data/coupon_campaigns", "--out", run, "--seed", "3"
    )
    assert status == 3
    assert "did not converge" in output
    assert "Type A" in output
    assert "not" in (run / "report.html").read_text()
    assert json.loads((run / "diagnostics.json").read_text())["verdict"] == "not_converged"
    assert json.loads((run / "manifest.json").read_text())["seed"] == 3
    assert errors.strip() == ""
    status, output, _ = call(capsys, "report", run)
    assert status == 0
    assert "report.html" in output


@pytest.mark.sampling
def test_json_is_all_that_standard_output_holds(capsys, small_spec, root, tmp_path):
    status, output, _ = call(
        capsys, "fit", small_spec, root / "data/coupon_campaigns", "--out", tmp_path / "r", "--json"
    )
    assert status == 3
    assert json.loads(output)["verdict"] == "not_converged"


@pytest.mark.sampling
def test_ctrl_c_keeps_whole_chains_and_says_how_to_go_on(root, small_spec, tmp_path):
    run = tmp_path / "run"
    spec = tmp_path / "long.toml"
    text = small_spec.read_text().replace("target_accept", "chains = 60\ntarget_accept")
    spec.write_text(text.replace("draws = 60", "draws = 8000"))
    # Jobs that a shell starts in the background ignore Ctrl-C, and so would their children.
    code = (
        "import signal, sys\nfrom bayes_attrib.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\nmain(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "fit", spec, root / "data/coupon_campaigns"]
    process = subprocess.Popen(
        [str(word) for word in (*command, "--out", run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "300"},
    )
    deadline = time.monotonic() + 120
    while not list(run.glob("chains/chain-*.npz")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert f"bayes-attrib fit --resume {run}" in errors
    kept = list(run.glob("chains/chain-*.npz"))
    assert 1 <= len(kept) < 60
    assert f"{len(kept)} of 60 chains are complete and kept" in errors


def test_help_needs_no_sampler():
    code = (
        "import sys\nfrom bayes_attrib import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit: pass\n"
        "assert 'pymc' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
