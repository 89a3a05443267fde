"""Method auto: a preview, sampling where time allows, and a reason in the record."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bayes_attrib import names
from bayes_attrib.cli import main
from bayes_attrib.errors import InterruptedFitError
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.report import RunFolder
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import load_spec, parse_plain
from bayes_attrib.workflow import FitPlan, fit_tables, fit_to_folder
from bayes_attrib.workflow.methods import auto


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Heard:
    def __init__(self) -> None:
        self.words: list[str] = []
        self.calls: list[str] = []

    def started(self, total: int) -> None:
        self.calls.append(f"started {total}")

    def advanced(self, done: int, divergences: int) -> None:
        self.calls.append(f"advanced {done} {divergences}")

    def finished(self) -> None:
        self.calls.append("finished")

    def told(self, message: str) -> None:
        self.words.append(message)


def spec_of(root, name="hcp_brick", **inference):
    plain = load_spec(root / "models" / f"{name}.toml").model_dump(mode="json")
    plain["inference"] |= {"method": "auto", **inference}
    return parse_plain(plain, source="test")


def plan_of(root, **inference):
    return FitPlan(
        spec=spec_of(root, **inference), source=DataSource(folder=root / "data" / "hcp_brick")
    )


def findings_of(fitted):
    return {finding.code: finding for finding in fitted.diagnostics.findings}


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(auto, "time", clock)
    return clock


def test_a_deadline_passes_everything_on(clock):
    heard = Heard()
    deadline = auto.Deadline(100.0, heard)
    deadline.started(1000)
    clock.now = 30.0
    deadline.advanced(300, 2)
    clock.now = 500.0
    deadline.advanced(1000, 2)
    deadline.finished()
    deadline.told("words")
    assert heard.calls == ["started 1000", "advanced 300 2", "advanced 1000 2", "finished"]
    assert heard.words == ["words"]


def test_a_deadline_stops_at_the_budget_and_counts_compiling(clock):
    deadline = auto.Deadline(100.0)
    clock.now = 60.0
    deadline.started(1000)
    clock.now = 99.0
    deadline.advanced(500, 0)
    clock.now = 100.5
    with pytest.raises(auto.OutOfTimeError, match="at the time budget of 100 s, with 60% of"):
        deadline.advanced(600, 0)


@pytest.mark.parametrize(("done", "is_stopped"), [(190, False), (200, True), (450, False)])
def test_a_deadline_stops_where_the_pace_leaves_no_hope(clock, done, is_stopped):
    deadline = auto.Deadline(100.0)
    clock.now = 10.0
    deadline.started(1000)
    clock.now = 50.0  # 40 s for the first draws: 210 s in all at 200 of them, 99 s at 450
    if is_stopped:
        with pytest.raises(
            auto.OutOfTimeError, match=r"first 20%, sampling would have taken .* 210 s"
        ):
            deadline.advanced(done, 0)
    else:
        deadline.advanced(done, 0)


def test_sampling_is_not_tried_where_it_is_hopeless(root):
    options = {"n_entities": 4000, "n_aggregates": 800}
    data = simulate("hcp_brick", seed=1, options=options).build_data(["specialty"])
    assert auto.obstacle_to_sampling(data, spec_of(root)) is None
    reason = auto.obstacle_to_sampling(data, spec_of(root, time_budget=0.5))
    assert reason is not None
    assert "time budget is 0 s" not in reason
    assert f"{data.n_edges:,} exposures and 4,000 entities" in reason


def test_out_of_time_before_it_begins_the_preview_is_the_answer(root, tmp_path):
    fitted = fit_to_folder(plan_of(root, time_budget=1e-6, draws=100), tmp_path / "run")
    run = RunFolder.load(tmp_path / "run")
    assert run.manifest.method == "laplace"
    assert run.manifest.sampling == {"draws": 100}
    assert run.manifest.method_choice["method"] == "laplace"
    assert "sampling would take" in run.manifest.method_choice["reason"]
    assert "--time-budget" in findings_of(fitted)["method-chosen"].remedy
    assert run.diagnostics.verdict == "warn"
    assert not (tmp_path / "run" / names.PREVIEW_FOLDER).exists()


@pytest.mark.sampling
def test_time_enough_the_answer_is_sampled_and_compared(root, tmp_path):
    class Looks(Heard):
        def started(self, total: int) -> None:
            super().started(total)
            self.preview = RunFolder.load(tmp_path / "run" / names.PREVIEW_FOLDER)

    heard = Looks()
    plan = plan_of(root, draws=400, tune=200)
    fitted = fit_to_folder(plan, tmp_path / "run", progress=heard)
    run = RunFolder.load(tmp_path / "run")
    assert run.manifest.method == "nuts"
    assert run.manifest.method_choice["reason"] == "sampling fitted into the time budget"
    assert heard.preview.manifest.method == "laplace"
    assert heard.preview.diagnostics.verdict == "warn"
    assert "preview" in heard.words[0]
    assert not (tmp_path / "run" / names.PREVIEW_FOLDER).exists()
    said = findings_of(fitted)["preview-compared"].message
    off = float(said.split("off by ")[1].split()[0])
    assert 0 < off < 0.2
    sampled = fit_tables(
        read_tables(plan.spec, plan.source), spec_of(root, method="nuts", draws=400, tune=200)
    )
    np.testing.assert_array_equal(
        sampled.posterior.draws("rate"), fitted.posterior.draws("rate"), strict=True
    )


@pytest.mark.sampling
def test_stopped_at_the_deadline_the_preview_is_the_answer(root, tmp_path, monkeypatch):
    monkeypatch.setattr(auto, "FEWEST_STEPS", 0)
    main_arguments = [
        "fit",
        str(root / "models" / "hcp_brick.toml"),
        str(root / "data" / "hcp_brick"),
    ]
    with pytest.raises(SystemExit) as stop:
        main([*main_arguments, "--out", str(tmp_path / "run"), "--method", "auto",
              "--time-budget", "0.01", "--draws", "100000", "--quiet"])  # fmt: skip
    assert stop.value.code == 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["method"] == "laplace"
    assert "sampling was stopped at the time budget" in manifest["method_choice"]["reason"]


@pytest.mark.sampling
def test_without_a_preview_it_samples_and_says_why(root):
    spec = spec_of(root, draws=20, tune=20, chains=1)
    changed = parse_plain(
        spec.model_dump(mode="json")
        | {"rates": {"pooling": ["specialty"], "heteroscedastic": "specialty"}},
        source="test",
    )
    tables = read_tables(changed, DataSource(folder=root / "data" / "hcp_brick"))
    fitted = fit_tables(tables, changed)
    assert fitted.record.method == "nuts"
    assert "rates.heteroscedastic" in findings_of(fitted)["method-chosen"].message


@pytest.mark.sampling
def test_interrupted_it_leaves_the_preview(root, tmp_path):
    class Stops(Heard):
        def advanced(self, done: int, divergences: int) -> None:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(InterruptedFitError):
        fit_to_folder(plan_of(root), tmp_path / "run", progress=Stops())
    preview = RunFolder.load(tmp_path / "run" / names.PREVIEW_FOLDER)
    assert preview.manifest.method == "laplace"
    assert preview.entities["amount_mean"].sum() == pytest.approx(9125)
