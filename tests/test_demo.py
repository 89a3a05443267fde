"""The demo is the promise of the project: its answer is scored against the truth here."""

import json

import pandas as pd
import pytest

from bayes_attrib.demo import demo_plan
from bayes_attrib.report.scores import total_variation
from bayes_attrib.workflow import fit_to_folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "run"
    with demo_plan() as plan:
        fit_to_folder(plan, folder)
    return folder


@pytest.fixture(scope="module")
def entities(run):
    table = pd.read_csv(run / "attribution.csv", dtype={"name": str})
    return table[table["level"] == "entity"]


@pytest.mark.sampling
def test_fit_converges(run):
    assert json.loads((run / "diagnostics.json").read_text())["verdict"] == "ok"


@pytest.mark.sampling
def test_posterior_beats_both_point_estimates_on_real_data(entities):
    truth = entities["truth_amount"] / 2102
    assert total_variation(entities["share_mean"], truth) < 0.07
    assert total_variation(entities["proportional_share"], truth) == pytest.approx(0.118, abs=0.001)
    assert total_variation(entities["em_share"], truth) == pytest.approx(0.119, abs=0.001)


@pytest.mark.sampling
def test_intervals_hold_the_truth(entities):
    held = entities["truth_amount"].between(entities["amount_lower"], entities["amount_upper"])
    assert len(entities) == 27
    assert held.sum() >= 25
