"""The benchmark runs at a toy size, and judges what it measured."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from peers.accuracy import agreement, errors
from peers.results import Results
from peers.targets import Target

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_one_command_measures_and_writes_the_document(tmp_path):
    results, docs = tmp_path / "speed.json", tmp_path / "docs"
    command = [sys.executable, str(BENCHMARKS / "speed.py"), "--only", "em", "--sizes", "toy"]
    places = {"--results": results, "--docs": docs, "--folder": tmp_path / "folder"}
    for option, place in places.items():
        command += [option, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content = json.loads(results.read_text(encoding="utf-8"))
    measured = content["measurements"]["em/toy/0"]
    assert measured["relative_gap"] <= 1e-6
    assert measured["edges"] > 40
    assert content["runs"][measured["run"]]["machine"]["cores"] >= 1
    assert str(tmp_path) not in json.dumps(content["measurements"])
    text = (docs / "speed.md").read_text(encoding="utf-8")
    assert "<!--" not in text
    assert "| bayes_attrib, EM | toy |" in text
    assert (docs / "figures" / "speed.png").stat().st_size > 5_000


def test_results_of_other_runs_stay_until_they_are_measured_again(tmp_path):
    path = tmp_path / "results.json"
    first = Results(path)
    first.runs["a"] = {}
    first.add("em/S/0", "a", {"seconds": {"total": 3.0}})
    first.add("em/M/0", "a", {"seconds": {"total": 5.0}})
    second = Results(path)
    second.runs["b"] = {}
    second.add("em/S/0", "b", {"seconds": {"total": 2.0}})
    third = Results(path)
    assert {key: value["run"] for key, value in third.measurements.items()} == {
        "em/S/0": "b",
        "em/M/0": "a",
    }
    third.add("em/M/0", "b", {"seconds": {"total": 5.0}})
    assert list(Results(path).runs) == ["b"]


def test_the_first_time_and_failures_are_not_among_figures(tmp_path):
    results = Results(tmp_path / "results.json")
    results.runs["a"] = {}
    for number, seconds in enumerate((90.0, 2.0, 4.0)):
        results.add(f"nuts/S/{number}", "a", {"seconds": {"total": seconds}})
    results.add("nuts/S/3", "a", {"failed": "stopped"})
    assert results.figure("nuts", "S", lambda found: found["seconds"]["total"]) == 3.0
    assert results.figure("nuts", "M", lambda found: found["seconds"]["total"]) is None


@pytest.mark.parametrize(
    ("bound", "value", "met"),
    [
        (">= 40", 40.0, "yes"),
        (">= 40", 39.9, "no"),
        ("<= 1", 1.1, "no"),
        ("within 0.92 1.10", 0.95, "yes"),
        ("within 0.92 1.10", 1.2, "no"),
    ],
)
def test_a_target_is_met_or_not(tmp_path, bound, value, met):
    target = Target("case", "figure", bound, lambda _: value)
    assert target.row(Results(tmp_path / "none.json"))[-1] == met


def test_errors_are_in_sds_of_the_reference(tmp_path):
    rng = np.random.default_rng(1)
    n, size = 400, 1000.0
    mean, sd = rng.normal(size=n), rng.uniform(1, 2, n)

    def save(name: str, noise: float, scale: float) -> Path:
        path = tmp_path / name
        shifted = mean + noise * sd * rng.standard_normal(n)
        groups = {"mean": np.ones(3), "sd": np.ones(3), "size": np.full(3, size)}
        np.savez(
            path,
            mean=shifted,
            sd=scale * sd,
            size=np.full(n, size),
            hyper_names=["intercept", "sigma_specialty", "sigma_entity"],
            **{f"share_{name}": values for name, values in groups.items()},
            **{f"hyper_{name}": values for name, values in groups.items()},
        )
        return path

    exact = save("exact.npz", 0.0, 1.0)
    found = errors(save("off.npz", 0.5, 0.9), exact)
    # The root mean square of 400 normals is within 4 / sqrt(800) of its sd but for 1 in 15,000.
    assert found["rates_rms"] == pytest.approx(0.5, rel=0.15)
    assert found["sd_ratio"] == pytest.approx(0.9)
    assert found["noise"] == pytest.approx(np.sqrt(2 / size))
    # Noise as large as standard errors say raises no alarm (but in one world of 1,000).
    honest = agreement(save("same.npz", np.sqrt(2 / size), 1.0), exact)
    assert honest["p_rates"] > 1e-3
    assert honest["z_rates_rms"] == pytest.approx(1.0, rel=0.15)
    assert agreement(save("other.npz", 10 * np.sqrt(2 / size), 1.0), exact)["p_rates"] < 1e-3
