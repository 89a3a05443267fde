"""The short JSON of a run: stable keys, strict JSON, the numbers of the table."""

import json
import re

import pandas as pd

from bayes_attrib.report import RunFolder
from bayes_attrib.report.machine_summary import finite_or_none, machine_summary

KEYS = {
    *("schema_version", "run", "name", "verdict", "method", "seed", "spec_digest", "grand_total"),
    *("currency", "n_entities", "n_aggregates", "interval", "top", "checks", "findings", "files"),
}


def test_keys_are_those_of_the_documentation(nasty_run, root):
    summary = machine_summary(RunFolder.load(nasty_run))
    assert set(summary) == KEYS
    text = (root / "docs" / "exports.md").read_text(encoding="utf-8")
    section = text.partition("## The summary in JSON")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == KEYS


def test_top_entities_are_the_largest(nasty_run):
    run = RunFolder.load(nasty_run)
    top = machine_summary(run)["top"]
    assert len(top) == 10
    largest = run.entities.nlargest(10, "amount_mean")
    assert [row["name"] for row in top] == largest["name"].tolist()
    assert [row["share_upper"] for row in top] == largest["share_upper"].tolist()
    assert len(machine_summary(run, top=3)["top"]) == 3


def test_checks_and_findings_are_counted(make_run):
    summary = machine_summary(RunFolder.load(make_run(verdict="not_converged")))
    assert summary["verdict"] == "not_converged"
    failed = {"name": "min_ess_bulk_parameters", "status": "fail", "value": None}
    assert summary["checks"] == [failed]
    assert summary["findings"] == {"warning": 1, "note": 1}


def test_numbers_that_are_not_finite_become_null(make_run):
    folder = make_run()
    table = pd.read_csv(folder / "attribution.csv", dtype=str, keep_default_na=False)
    largest = table[table["level"] == "entity"]["amount_mean"].astype(float).idxmax()
    table.loc[largest, "amount_upper"] = "inf"
    table.loc[largest, "share_lower"] = ""
    table.to_csv(folder / "attribution.csv", index=False)
    text = json.dumps(machine_summary(RunFolder.load(folder)), allow_nan=False)
    first = json.loads(text)["top"][0]
    assert first["amount_upper"] is None
    assert first["share_lower"] is None
    assert first["amount_mean"] > 0


def test_finite_or_none_descends():
    content = {"a": [1, float("nan"), {"b": (float("inf"), "x", None, True)}]}
    assert finite_or_none(content) == {"a": [1, None, {"b": [None, "x", None, True]}]}


def test_files_are_those_of_the_folder(make_run):
    folder = make_run()
    (folder / "posterior.nc.partial").touch()
    files = machine_summary(RunFolder.load(folder))["files"]
    assert files == sorted(str(p) for p in folder.iterdir() if p.suffix != ".partial")
