from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bayes_attrib.errors import RunFolderError
from bayes_attrib.report import RunFolder
from bayes_attrib.report.run_folder import FILES

MakeRun = Callable[..., Path]


def _change_json(file: Path, **changes: object) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def test_names_are_read_as_they_were_written(nasty_run: Path, nasty_names: tuple[str, ...]) -> None:
    run = RunFolder.load(nasty_run)
    assert set(run.entities["name"]) == set(nasty_names)
    assert run.levels == ("type",)
    assert run.has_truth
    assert run.entities["amount_mean"].is_monotonic_decreasing
    assert run.entities["amount_mean"].dtype == float
    assert run.entities["n_aggregates"].notna().all()


def test_records_are_typed(nasty_run: Path) -> None:
    run = RunFolder.load(nasty_run)
    assert run.spec.report.interval.kind == "hdi"
    assert run.manifest.baselines.em is not None
    assert run.manifest.baselines.em.n_zero == 4
    assert run.diagnostics.verdict == "ok"
    assert run.diagnostics.findings[0].code == "one-level"


def test_a_missing_truth_column_is_no_truth(make_run: MakeRun) -> None:
    run = RunFolder.load(make_run(truth=False))
    assert not run.has_truth
    assert run.entities["truth_amount"].isna().all()


def test_an_entity_without_a_rate_has_none(make_run: MakeRun) -> None:
    folder = make_run(("a", "b"))
    table = pd.read_csv(folder / "attribution.csv")
    table.loc[0, ["rate_mean", "rate_lower", "rate_upper"]] = None
    table.to_csv(folder / "attribution.csv", index=False)
    assert RunFolder.load(folder).attribution["rate_mean"].isna().tolist()[0]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"is not a folder; `bayes-attrib fit SPEC DATA --out"):
        RunFolder.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_its_remedy(make_run: MakeRun, name: str) -> None:
    folder = make_run(("a", "b"))
    (folder / name).unlink()
    with pytest.raises(RunFolderError, match=rf"it lacks {name}; `bayes-attrib fit --resume"):
        RunFolder.load(folder)


def test_an_edited_spec_is_found_out(make_run: MakeRun) -> None:
    folder = make_run(("a", "b"))
    spec = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["spec"]
    spec["report"]["title"] = "nicer"
    _change_json(folder / "manifest.json", spec=spec)
    with pytest.raises(RunFolderError, match="edited after the run"):
        RunFolder.load(folder)


@pytest.mark.parametrize(
    ("file", "changes", "words"),
    [
        ("manifest.json", {"schema_version": 2}, r"schema_version: Input should be 1"),
        ("manifest.json", {"seed": "x"}, r"seed: Input should be a valid integer"),
        ("diagnostics.json", {"verdict": "fine"}, r"verdict: Input should be 'ok'"),
    ],
)
def test_records_of_another_version(
    make_run: MakeRun, file: str, changes: dict[str, object], words: str
) -> None:
    folder = make_run(("a", "b"))
    _change_json(folder / file, **changes)
    with pytest.raises(RunFolderError, match=words):
        RunFolder.load(folder)


def test_broken_json(make_run: MakeRun) -> None:
    folder = make_run(("a", "b"))
    (folder / "diagnostics.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"diagnostics\.json is not JSON"):
        RunFolder.load(folder)


def test_tables_of_another_run(make_run: MakeRun) -> None:
    folder = make_run(("a", "b", "c"))
    table = pd.read_csv(folder / "attribution.csv", dtype=str, keep_default_na=False)
    table["interval_prob"] = "0.89"
    table[table["name"] != "a"].to_csv(folder / "attribution.csv", index=False)
    pd.read_parquet(folder / "cells.parquet").iloc[1:].to_parquet(folder / "cells.parquet")
    with pytest.raises(RunFolderError) as caught:
        RunFolder.load(folder)
    message = str(caught.value)
    assert "attribution.csv has 2 entities, and manifest.json says 3" in message
    assert "cells.parquet has 23 rows, and manifest.json says 24" in message
    assert "has other intervals than the 0.94 hdi" in message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("em_amount", "emamount", r"lacks the column\(s\) em_amount"),
        ("type,", "entity,", r"has an entity or a roll-up twice|entities, and manifest"),
    ],
)
def test_a_changed_attribution_table(make_run: MakeRun, old: str, new: str, words: str) -> None:
    folder = make_run(("a", "b", "c"))
    file = folder / "attribution.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(RunFolderError, match=words):
        RunFolder.load(folder)


def test_text_where_a_number_belongs(make_run: MakeRun) -> None:
    folder = make_run(("a", "b"))
    table = pd.read_csv(folder / "attribution.csv", dtype=str)
    table["amount_mean"] = "much"
    table.to_csv(folder / "attribution.csv", index=False)
    with pytest.raises(RunFolderError, match="column amount_mean is not numeric"):
        RunFolder.load(folder)


def test_cells_without_a_column(nasty_run: Path) -> None:
    with pytest.raises(RunFolderError, match=r"lacks the column\(s\) nothing"):
        RunFolder.load(nasty_run).read_cells(["exposure", "nothing"])


def test_an_unreadable_posterior(make_run: MakeRun) -> None:
    folder = make_run(("a", "b"))
    (folder / "posterior.nc").write_bytes(b"not netcdf")
    with pytest.raises(RunFolderError, match=r"posterior\.nc cannot be read"):
        RunFolder.load(folder).open_posterior()
