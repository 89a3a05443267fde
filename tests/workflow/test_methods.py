"""Every method that a spec can name makes a run folder, or refuses before anything is written."""

from __future__ import annotations

from typing import get_args

import pytest

from bayes_attrib.errors import SpecError
from bayes_attrib.inputs import DataSource
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.spec import load_spec, parse_plain
from bayes_attrib.spec.schema import InferenceSpec
from bayes_attrib.workflow import FitPlan, fit_to_folder
from bayes_attrib.workflow.methods import AUTO, METHODS


def plan_of(root, likelihood=None, **inference):
    plain = load_spec(root / "models" / "hcp_brick.toml").model_dump(mode="json")
    plain["inference"] |= inference
    plain["likelihood"] |= likelihood or {}
    spec = parse_plain(plain, source="test")
    return FitPlan(spec=spec, source=DataSource(folder=root / "data" / "hcp_brick"))


def test_every_method_that_a_spec_can_name_is_there():
    named = get_args(InferenceSpec.model_fields["method"].annotation)
    assert set(named) == {AUTO, *METHODS}
    for method in METHODS.values():
        assert method.settings < set(InferenceSpec.model_fields)


@pytest.mark.sampling
@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("advi", {"draws": 200, "advi": {"rank": "mean_field", "learning_rate": 0.02,
                                         "most_steps": 4000}}),
        ("pathfinder", {"draws": 200}),
    ],
)  # fmt: skip
def test_variational_runs_say_what_they_are_and_add_up(root, tmp_path, method, settings):
    fitted = fit_to_folder(plan_of(root, method=method, **settings), tmp_path / "run")
    run = RunFolder.load(tmp_path / "run")
    assert run.manifest.method == method
    assert run.manifest.sampling == settings
    assert run.entities["amount_mean"].sum() == pytest.approx(9125)
    checks = {check.name: check for check in run.diagnostics.checks}
    assert checks["approximate"].status == "warn"
    assert run.diagnostics.verdict != "ok"
    assert any("understate" in finding.message for finding in fitted.diagnostics.findings)
    (drawn,) = RunDraws.load(run).grains([["brick_id"]])
    assert drawn.amounts.rows(slice(None)).sum(axis=0) == pytest.approx(9125)


@pytest.mark.parametrize("method", ["advi", "pathfinder", "laplace"])
def test_approximations_refuse_explicit_amounts_before_anything_is_written(root, tmp_path, method):
    plan = plan_of(root, {"amounts": "explicit"}, method=method)
    with pytest.raises(SpecError, match=r"likelihood\.amounts"):
        fit_to_folder(plan, tmp_path / "run")
    assert not (tmp_path / "run").exists()
