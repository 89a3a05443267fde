"""Runs with method laplace: files, refusals, the command line."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from bayes_attrib.cli import main
from bayes_attrib.errors import FitError, SpecError
from bayes_attrib.inputs import DataSource
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import load_spec, parse_plain
from bayes_attrib.workflow import FitPlan, fit_to_folder
from bayes_attrib.workflow.compare_sampling import MOST_EDGES, MOST_ENTITIES, connected_block


def plan_of(root, **changes):
    plain = load_spec(root / "models" / "hcp_brick.toml").model_dump(mode="json")
    plain["inference"] |= {"method": "laplace", "draws": 150}
    for section, values in changes.items():
        plain[section] |= values
    spec = parse_plain(plain, source="test")
    return FitPlan(spec=spec, source=DataSource(folder=root / "data" / "hcp_brick"))


@pytest.fixture(scope="module")
def run(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("laplace") / "run"
    fit_to_folder(plan_of(root), folder)
    return folder


def test_a_run_says_what_it_is(run):
    folder = RunFolder.load(run)
    assert folder.manifest.method == "laplace"
    assert folder.manifest.sampling == {"draws": 150}
    assert folder.diagnostics.verdict == "warn"
    checks = {check.name: check for check in folder.diagnostics.checks}
    assert checks["approximate"].status == "warn"
    assert checks["approximate"].detail == "approximation: not sampled"
    assert checks["modes_not_found_fraction"].value == 0
    assert not any(name.startswith(("max_rhat", "min_ess")) for name in checks)
    assert "dispersion_p_value" in checks
    assert "approximation: not sampled" in (run / "report.html").read_text(encoding="utf-8")


def test_amounts_of_a_run_add_up_and_can_be_drawn_again(run):
    table = RunFolder.load(run).entities
    assert table["amount_mean"].sum() == pytest.approx(9125)
    assert np.all(table["amount_lower"] <= table["amount_upper"])
    again = RunDraws.load(RunFolder.load(run))
    assert again.n_draws == 150
    (drawn,) = again.grains([["brick_id"]])
    assert drawn.amounts.rows(slice(None)).sum(axis=0) == pytest.approx(9125)


@pytest.mark.parametrize("check", [False, True])
def test_nothing_is_written_where_the_model_is_refused(root, tmp_path, check):
    plan = plan_of(root, rates={"heteroscedastic": "specialty"})
    with pytest.raises(SpecError, match="heteroscedastic"):
        fit_to_folder(plan, tmp_path / "run", check=check)
    assert not (tmp_path / "run").exists()


def test_sampling_is_not_checked_against_itself(root, tmp_path):
    with pytest.raises(FitError, match="samples"):
        fit_to_folder(plan_of(root, inference={"method": "nuts"}), tmp_path / "run", check=True)
    assert not (tmp_path / "run").exists()


def test_the_command_refuses_with_the_name_of_the_option(root, tmp_path, capsys):
    spec = tmp_path / "drift.toml"
    shutil.copy(root / "models" / "hcp_brick.toml", spec)
    with spec.open("a", encoding="utf-8") as file:
        file.write('\n[rates.drift]\nkind = "random_walk"\nperiod = "brick_id"\n')
    with pytest.raises(SystemExit) as stop:
        main(["fit", str(spec), str(root / "data" / "hcp_brick"), "--out", str(tmp_path / "run"),
              "--method", "laplace"])  # fmt: skip
    assert stop.value.code == 2
    assert "rates.drift" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.sampling
def test_the_command_compares_with_sampling(root, tmp_path, capsys):
    arguments = ["fit", str(root / "models" / "hcp_brick.toml"), str(root / "data" / "hcp_brick")]
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--out", str(tmp_path / "run"), "--method", "laplace", "--draws", "100",
              "--check", "--json"])  # fmt: skip
    assert stop.value.code == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "warn"
    checks = {check.name: check for check in RunFolder.load(tmp_path / "run").diagnostics.checks}
    assert checks["check_rates_rms"].value < 0.15
    assert checks["check_rates_sd_ratio"].value < 1.2
    assert checks["check_shares_worst"].value < 0.3
    assert "297 entities" in checks["check_parameters_worst"].detail


def test_a_block_is_connected_whole_and_small():
    options = {"n_entities": 2000, "n_aggregates": 400}
    data = simulate("hcp_brick", seed=1, options=options).build_data(["specialty"])
    block = connected_block(data)
    assert 150 < block.n_entities <= MOST_ENTITIES
    assert block.n_edges <= MOST_EDGES
    at = {label: i for i, label in enumerate(data.aggregate_labels)}
    rows = [at[label] for label in block.aggregate_labels]
    np.testing.assert_array_equal(block.totals, data.totals[rows])
    np.testing.assert_allclose(
        np.asarray(block.exposure.sum(axis=1)), np.asarray(data.exposure[rows].sum(axis=1))
    )
    of_all = dict(zip(data.entity_names, data.groupings["specialty"].codes, strict=True))
    codes, levels = block.groupings["specialty"].codes, block.groupings["specialty"].levels
    for name, code in zip(block.entity_names, codes, strict=True):
        assert data.groupings["specialty"].levels[of_all[name]] == levels[code]
