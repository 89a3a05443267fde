"""Run folders of fits with lift tests: what they keep, show, verify, and go on with."""

from __future__ import annotations

import json

import numpy as np
import pymc as pm
import pytest

from bayes_attrib import cli
from bayes_attrib.inference.lift_reference import LiftReference
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.model import add_lift_tests
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.spec import load_spec
from bayes_attrib.workflow import FitPlan
from bayes_attrib.workflow.lift_reference import own_model_finding

SPEC = """
schema_version = 1
name = "lift"

[columns]
aggregate = ["week", "geo"]
entity = "campaign"

[likelihood]
family = "gamma"

[inference]
method = "advi"
draws = 300
advi = { rank = "full_rank", most_steps = 3000, learning_rate = 0.05 }
"""
TESTS = (
    "test,campaign,geo,first_period,last_period,increment,standard_error\n"
    'A <b>off</b>,A & "co",,2024-W02,2024-W05,{increment},6\n'
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with two campaigns of identical exposure, one of which was tested."""
    found = tmp_path_factory.mktemp("lift")
    rng = np.random.default_rng(1)
    totals, pairs, tested = ["week,geo,total"], ["week,geo,campaign,exposure"], 0.0
    for week in range(1, 13):
        for geo in ("north", "south"):
            label, shared, other = f"2024-W{week:02d}", rng.uniform(1, 3), rng.uniform(0.5, 2)
            noise = rng.gamma(60, 1 / 60)
            totals.append(f"{label},{geo},{(40 * shared + 20 * other) * noise}")
            tested += 10 * shared * noise if 2 <= week <= 5 else 0.0
            exposures = (('"A & ""co"""', shared), ("B", shared), ("C", other))
            pairs += [f"{label},{geo},{name},{value}" for name, value in exposures]
    (found / "aggregates.csv").write_text("\n".join(totals) + "\n", encoding="utf-8")
    (found / "exposures.csv").write_text("\n".join(pairs) + "\n", encoding="utf-8")
    tests = TESTS.format(increment=tested).replace('A & "co"', '"A & ""co"""')
    (found / "tests_of_2024.csv").write_text(tests, encoding="utf-8")
    (found / "spec.toml").write_text(SPEC, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def run(folder):
    """A run by way of the command line, with the table of tests named as a file."""
    out = folder / "run"
    words = ["fit", folder / "spec.toml", folder, "--lift-tests", folder / "tests_of_2024.csv"]
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in (*words, "--out", out, "--quiet")])
    assert stop.value.code in {0, 3}  # a short search may not arrive; everything is written
    return out


@pytest.mark.sampling
def test_the_run_keeps_its_tests(folder, run):
    kept = RunDraws.load(RunFolder.load(run))
    spec = load_spec(folder / "spec.toml")
    source = DataSource(folder, lift_tests=folder / "tests_of_2024.csv")
    (test,), (stored,) = read_tables(spec, source).data.lift_tests, kept.data.lift_tests
    np.testing.assert_array_equal(test.edges, stored.edges)
    assert (test.name, test.subject) == (stored.name, stored.subject)
    assert len(stored.edges) == 8
    assert LiftReference.of(kept.fit).how in {"weights", "refit"}
    manifest = json.loads((run / "manifest.json").read_text())
    assert "tests_of_2024.csv" in json.dumps(manifest["inputs"])


@pytest.mark.sampling
def test_the_run_verifies_itself_and_its_tests(capsys, folder, run):
    words = ["verify", run, "--data", folder, "--lift-tests", folder / "tests_of_2024.csv"]
    with pytest.raises(SystemExit) as stop:
        cli.main([str(word) for word in (*words, "--json")])
    assert not stop.value.code
    outcomes = json.loads(capsys.readouterr().out)
    text = json.dumps(outcomes)
    assert "input_lift_tests" in text
    assert "lift tests and their cells against the input tables" in text


@pytest.mark.sampling
def test_the_page_shows_tests_and_escapes_their_names(run):
    page = (run / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="lift_tests"') :]
    section = section[: section.index("</section>")]
    assert "A &lt;b&gt;off&lt;/b&gt;" in section
    assert "<b>off</b>" not in page
    assert "2024-W02 – 2024-W05" in section
    assert "Whose split is informed by an experiment?" in section
    codes = [f["code"] for f in json.loads((run / "diagnostics.json").read_text())["findings"]]
    assert "informed-by-lift-tests" in codes
    assert "indistinguishable-entities" not in codes


def test_an_interrupted_run_finds_its_tests_again(folder, tmp_path):
    spec = load_spec(folder / "spec.toml")
    source = DataSource(folder, lift_tests=folder / "tests_of_2024.csv")
    FitPlan(spec, source).save(tmp_path)
    again = FitPlan.load(tmp_path)
    assert again.source == source
    assert len(read_tables(again.spec, again.source).data.lift_tests) == 1


def test_a_model_of_ones_own_brings_its_own_term(folder):
    spec = load_spec(folder / "spec.toml")
    source = DataSource(folder, lift_tests=folder / "tests_of_2024.csv")
    data = read_tables(spec, source).data
    (finding,) = own_model_finding(data)
    assert finding.severity == "warning"
    assert "add_lift_tests" in finding.remedy
    with pm.Model(coords={"entity": data.entity_names}) as model:
        rate = pm.HalfNormal("rate", dims="entity")
        amount = rate[data.edge_entity] * data.exposure.data
        mu = pm.math.dot(data.exposure.toarray(), rate)
        add_lift_tests(data, spec, amount, mu, {"alpha": 10.0})
    assert [rv.name for rv in model.observed_RVs] == ["lift_increment"]
    assert own_model_finding(read_tables(spec, DataSource(folder)).data) == ()
