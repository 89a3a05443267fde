"""The command figures: what it writes, what it leaves out and why, and its exit status."""

import json

import pytest
from drawn_runs import write_drawn_run

from bayes_attrib import cli
from bayes_attrib.inference import load_tree, save_tree
from bayes_attrib.report.figures import FIGURES
from bayes_attrib.workflow.figures import write_figures

SIGNATURES = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def call(capsys, *words):
    """Run a command in this process and return its exit status, output and complaints."""
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_drawn_run(tmp_path_factory.mktemp("drawn") / "run")


def test_all_figures_that_apply_are_written_and_the_others_named(capsys, run, tmp_path):
    out = tmp_path / "new" / "figures"
    status, output, complaint = call(capsys, "figures", run, "--out", out)
    assert status == 0
    written = [name for name in FIGURES if name != "em_comparison"]
    assert output.split() == [str(out / f"{name}.png") for name in written]
    assert sorted(file.name for file in out.iterdir()) == sorted(f"{name}.png" for name in written)
    assert complaint.startswith(f"no figure em_comparison: {run} lacks em_errors.csv")
    assert "fit again" in complaint
    assert all(file.read_bytes()[:4] == SIGNATURES["png"] for file in out.iterdir())


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_equal_runs_give_equal_files(run, tmp_path, file_format):
    once, again = (
        write_figures(run, tmp_path / name, only=["forest"], file_format=file_format)
        for name in ("once", "again")
    )
    (first,), (second,) = once.files, again.files
    assert first.name == f"forest.{file_format}"
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(SIGNATURES[file_format])


def test_language_and_colours_are_those_asked_for(run, tmp_path):
    words = {"only": ["tie_out"], "file_format": "svg"}
    plain, other = (
        write_figures(run, tmp_path / name, **words, **changes).files[0].read_text("utf-8")
        for name, changes in (("a", {}), ("b", {"locale": "es", "theme": "dark"}))
    )
    assert "#14171b" in other
    assert "#14171b" not in plain
    assert "<!-- Totals in the input -->" in plain
    assert "<!-- Totals in the input -->" not in other


def test_a_figure_that_was_asked_for_and_does_not_apply_is_status_2(capsys, run, tmp_path):
    words = ["figures", run, "--out", tmp_path, "--only", "em_comparison", "--only", "forest"]
    status, output, complaint = call(capsys, *words, "--json")
    assert status == 2
    found = json.loads(output)
    assert found["files"] == [str(tmp_path / "forest.png")]
    assert list(found["left_out"]) == ["em_comparison"]
    assert complaint.startswith("no figure em_comparison: ")


def test_an_unknown_figure_is_refused_before_anything_is_written(capsys, run, tmp_path):
    status, output, complaint = call(
        capsys, "figures", run, "--out", tmp_path / "out", "--only", "pie"
    )
    assert (status, output) == (2, "")
    assert complaint.startswith("there is no figure 'pie'; there is 'forest', 'tie_out', ")
    assert not (tmp_path / "out").exists()


def test_what_is_no_run_is_refused(capsys, tmp_path):
    status, _, complaint = call(capsys, "figures", tmp_path, "--out", tmp_path / "out")
    assert status == 2
    assert "is not a finished run" in complaint
    assert not (tmp_path / "out").exists()


def test_quiet_prints_nothing_but_complaints(capsys, run, tmp_path):
    words = ["figures", run, "--out", tmp_path, "--only", "forest", "--quiet"]
    assert call(capsys, *words) == (0, "", "")


def test_a_run_without_posterior_draws_still_has_the_figures_of_its_tables(tmp_path):
    run = write_drawn_run(tmp_path / "run")
    _remove_constants(run)
    written = write_figures(run, tmp_path / "out")
    assert {file.stem for file in written.files} == {"forest", "tie_out"}
    assert "fit again with this version" in written.left_out["ridge"]


def test_draws_from_the_prior_have_a_figure_of_their_own(capsys, root, tmp_path):
    spec, data = root / "models/coupon_campaigns.toml", root / "data/coupon_campaigns"
    run, out = tmp_path / "run", tmp_path / "out"
    fit = ["fit", spec, data, "--out", run, "--prior-only", "--draws", "50", "--quiet"]
    assert call(capsys, *fit)[0] == 0
    status, output, complaint = call(capsys, "figures", run, "--out", out)
    assert status == 0
    assert output.split() == [str(out / "prior_predictive.png")]
    assert "no figure forest: the run holds draws from the priors alone" in complaint


def _remove_constants(run):
    """Make posterior.nc that of an older version."""
    tree = load_tree(run / "posterior.nc")
    del tree["constant_data"]
    save_tree(tree, run / "posterior.nc")
