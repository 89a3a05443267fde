"""The command ``budget`` on finished runs, with curves of the spec and of an import."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from audited_runs import invented_nuts
from mmm_exports import PYMC_FILE, pymc_delivery

from bayes_attrib import cli
from bayes_attrib.attribution.budget import PlanCurves
from bayes_attrib.errors import DataError, NotConvergedError, RunFolderError, SpecError
from bayes_attrib.report import RunFolder
from bayes_attrib.spec import parse_spec
from bayes_attrib.workflow.budget_run import BudgetOptions, budget_of_run

SPEC = """
schema_version = 1
name = "planned"

[columns]
aggregate = ["channel", "week"]
entity = "campaign"
delivery = "impressions"

[likelihood]
family = "gamma"

[rates]
pooling = ["channel"]

[exposure]
semantics = "own_curve"
channel = "channel"
period = "week"

[exposure.channels.TV]
scale = 1000
adstock = { kind = "geometric", decay = 0.5, l_max = 3 }
saturation = { kind = "michaelis_menten", half_saturation = 1.0 }

[exposure.channels.Social]
scale = 1000
saturation = { kind = "root", exponent = 0.5 }

[inference]
draws = 60
tune = 10
"""


def call(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return stop.value.code or 0, captured.out, captured.err


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Return the run folder of a fit to delivery, and the plan, which is that delivery again."""
    folder = tmp_path_factory.mktemp("budget")
    rng = np.random.default_rng(1)
    weeks = [str(day.date()) for day in pd.date_range("2025-01-06", periods=8, freq="7D")]
    rows = [
        (channel, week, f"{channel} {c}", float(rng.integers(200, 3000)))
        for channel in ("TV", "Social")
        for week in weeks
        for c in range(3)
    ]
    delivery = pd.DataFrame(rows, columns=["channel", "week", "campaign", "impressions"])
    keys = delivery[["channel", "week"]].drop_duplicates()
    data = folder / "data"
    data.mkdir()
    keys.assign(total=rng.gamma(20.0, 5.0, len(keys))).to_csv(data / "aggregates.csv", index=False)
    delivery.to_csv(data / "exposures.csv", index=False)
    entities = delivery[["campaign", "channel"]].drop_duplicates()
    entities.to_csv(data / "entities.csv", index=False)
    spec, plan, run = folder / "planned.toml", folder / "plan.csv", folder / "run"
    spec.write_text(SPEC)
    delivery.assign(spend=delivery["impressions"] / 100).to_csv(plan, index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bayes_attrib.workflow.methods.sampling.fit_nuts", invented_nuts)
        with pytest.raises(SystemExit):
            cli.main(["fit", str(spec), str(data), "--out", str(run), "--quiet"])
    return run, plan


def test_a_split_is_written_and_printed(planned, capsys, tmp_path):
    run, plan = planned
    out = tmp_path / "budget"
    words = ("budget", run, plan, "--out", out, "--allow-unconverged", "--max-change", 0.5)
    status, output, complaint = call(capsys, *words, "--minimum", "TV 1=50")
    assert (status, complaint) == (0, "")
    assert "probability of a gain" in output
    table = pd.read_csv(out / "budget.csv").set_index("entity")
    assert set(table.index) == {f"{channel} {c}" for channel in ("TV", "Social") for c in range(3)}
    sums = table.groupby("channel")[["planned", "recommended"]].sum()
    np.testing.assert_allclose(sums["recommended"], sums["planned"])
    assert (table["change"].abs() <= 0.5 + 1e-9).all()
    assert table.loc["TV 1", "recommended"] >= 50
    facts = json.loads((out / "budget.json").read_text())
    assert facts["gain"]["mean"] == pytest.approx(
        facts["recommended"]["mean"] - facts["planned"]["mean"]
    )
    assert 0 <= facts["probability_of_gain"] <= 1
    status, output, _ = call(capsys, *words[:4], tmp_path / "again", *words[5:], "--json")
    again = json.loads(output)
    assert again["objective"] == {"name": "expected", "prob": 0.1}
    first = (out / "budget.csv").read_bytes()
    status, _, _ = call(capsys, *words[:4], tmp_path / "third", *words[5:], "--minimum", "TV 1=50")
    assert (tmp_path / "third" / "budget.csv").read_bytes() == first


def test_what_cannot_be_split_is_refused_with_a_remedy(planned, capsys, tmp_path):
    run, plan = planned
    for words, found in (
        (["--objective", "luck"], "there is no objective 'luck'"),
        (["--minimum", "TV 1"], "is no NAME=MONEY"),
        (["--maximum", "TV 9=3"], "did you mean 'TV 2'?"),
        (["--cost", "money"], "there is no column 'money'"),
    ):
        command = ["budget", run, plan, "--out", tmp_path / "x", "--allow-unconverged", *words]
        status, output, complaint = call(capsys, *command)
        assert (status, output) == (2, "")
        assert found in complaint
    assert not (tmp_path / "x").exists()


def test_runs_of_exposures_need_the_record_of_an_import(tmp_path, capsys):
    delivery, data = tmp_path / "delivery.csv", tmp_path / "data"
    pymc_delivery().to_csv(delivery, index=False)
    call(
        capsys, "import-mmm", PYMC_FILE, "--delivery", delivery, "--geo", "geo", "--out", data,
        "--quiet",
    )  # fmt: skip
    curves = PlanCurves.of_import(data / "import.json")
    assert curves.semantics == "channel_curve"
    assert curves.columns.geo == "geo"
    assert set(curves.transforms) == {
        (channel, geo) for channel in ("TV", "Search") for geo in ("north", "south")
    }
    with pytest.raises(DataError, match="this is no record of an import"):
        PlanCurves.of_import(data / "model.toml")


def test_specs_without_known_curves_are_refused():
    plain = SPEC[: SPEC.index("[exposure]")].replace('delivery = "impressions"\n', "")
    with pytest.raises(SpecError, match=r"--curves import\.json"):
        PlanCurves.of_spec(parse_spec(plain))
    learned = SPEC.replace(
        "half_saturation = 1.0 }",
        'half_saturation = 1.0 }\nlearn = { half_saturation = { dist = "LogNormal", mu = 0.0, '
        "sigma = 0.3 } }",
    ).replace('period = "week"\n', 'period = "week"\ntotals = "measured"\n')
    with pytest.raises(SpecError, match="budgets need curves that are known"):
        PlanCurves.of_spec(parse_spec(learned))


def test_models_that_multiply_by_more_than_exposure_are_refused(planned, monkeypatch):
    run, plan = planned
    spec = RunFolder.load(run).spec
    rates = spec.rates.model_copy(update={"aggregate_effects": ("week",)})
    changed = spec.model_copy(update={"rates": rates})
    monkeypatch.setattr(RunFolder, "spec", property(lambda _: changed))
    with pytest.raises(RunFolderError, match="effects of aggregates"):
        budget_of_run(run, plan, BudgetOptions(objective=None, allow_unconverged=True))


def test_runs_that_did_not_converge_are_refused(planned, monkeypatch):
    run, plan = planned
    loaded = RunFolder.load(run)
    failed = replace(
        loaded, diagnostics=loaded.diagnostics.model_copy(update={"verdict": "not_converged"})
    )
    monkeypatch.setattr(RunFolder, "load", lambda _: failed)
    with pytest.raises(NotConvergedError, match="--allow-unconverged"):
        budget_of_run(run, plan, BudgetOptions(objective=None))
