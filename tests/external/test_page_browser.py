"""The page in a real browser: what it runs, loads, sorts, compares, prints, and whom it shuts out.

Needs Chromium, Node and the two packages of package-lock.json, which are installed on the first
run. Not collected with the other tests: name this file to pytest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sized_runs import FORMULA, make_names, write_sized_run

from bayes_attrib.report import RunFolder, render_html
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language
from bayes_attrib.report.page.packed import pack_draws, unpack_draws
from bayes_attrib.report.run_draws import RunDraws

HERE = Path(__file__).parent

RUNS: dict[str, dict[str, Any]] = {
    "nasty": {"n_entities": 40, "n_aggregates": 30, "n_channels": 3, "nasty": True},
    "two": {"n_entities": 2, "n_aggregates": 1},
    "money": {"n_entities": 200, "n_aggregates": 500, "n_channels": 10, "counts": False},
    "crowd": {"n_entities": 5000, "n_aggregates": 500, "n_draws": 200},
}
PAGES = [
    ("nasty", "en"),
    ("nasty", "es"),
    ("two", "en"),
    ("money", "en"),
    ("money", "es"),
    ("crowd", "en"),
]
IDS = ["-".join(page) for page in PAGES]


@dataclass(frozen=True)
class Checked:
    """A run, its page, and what the browser found."""

    run: RunFolder
    language: Language
    file: Path
    found: dict[str, Any]


def _chromium() -> str:
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    named = os.environ.get("CHROMIUM") or next(filter(None, found), None)
    assert named, "these checks need Chromium: install it, or name it in the variable CHROMIUM"
    return named


def _install() -> None:
    assert shutil.which("npm"), "these checks need Node and npm"
    if not (HERE / "node_modules" / "axe-core").is_dir():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=HERE, check=True)


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checked]:
    """Render every page and let the browser look at all of them, once."""
    _install()
    folder = tmp_path_factory.mktemp("pages")
    runs = {
        name: RunFolder.load(write_sized_run(folder / name, **size)) for name, size in RUNS.items()
    }
    plan = []
    for name, locale in PAGES:
        file = folder / f"{name}-{locale}.html"
        file.write_text(render_html(runs[name], Language(locale)), encoding="utf-8")
        pair = [printable(str(n)) for n in runs[name].entities["name"][:2]]
        plan.append({"file": str(file), "compare": pair})
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    done = subprocess.run(
        ["node", "check_page.mjs", _chromium(), str(folder / "plan.json")],
        cwd=HERE,
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    results = json.loads(done.stdout)
    return {
        f"{name}-{locale}": Checked(runs[name], Language(locale), Path(found["file"]), found)
        for (name, locale), found in zip(PAGES, results, strict=True)
    }


@pytest.fixture(params=IDS)
def page(request: pytest.FixtureRequest, checked: dict[str, Checked]) -> Checked:
    return checked[request.param]


def _number(text: str, language: Language) -> float:
    group, point = (".", ",") if language.code == "es" else (",", ".")
    return float(text.replace(group, "").replace(point, ".").replace("−", "-"))


def test_nothing_runs_and_nothing_is_loaded_but_the_page(page: Checked) -> None:
    assert page.found["requests"] == []
    assert page.found["errors"] == []
    assert page.found["title"] == "Sized run"


def test_the_language_is_told(page: Checked) -> None:
    assert page.found["language"] == page.language.code
    assert page.found["skip"] == "#main"


def test_nothing_sticks_out_on_a_phone_or_a_desk(page: Checked) -> None:
    assert page.found["overflow"] == {"phone": 0, "desktop": 0}


def test_no_labels_overlap_and_no_figure_is_empty(page: Checked) -> None:
    for device in ("phone", "desktop"):
        assert page.found["figures"][device] == {"overlaps": [], "empty": []}


def test_axe_finds_nothing_serious(page: Checked) -> None:
    assert page.found["axe"] == {"light": [], "dark": []}


def test_columns_are_sorted_by_number(page: Checked) -> None:
    sort = page.found["sort"]
    down = [_number(text, page.language) for text in sort["descending"]]
    up = [_number(text, page.language) for text in sort["ascending"]]
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)
    assert sort["aria"] == "ascending"
    assert len(down) == len(page.run.entities)


def test_names_are_filtered(page: Checked) -> None:
    found = page.found["filter"]
    if len(page.run.entities) < 15:
        assert found is None
    else:
        assert found["shown"] == [found["wanted"]]
        assert found["after"] == found["all"]


def test_two_entities_are_compared_as_their_draws_say(page: Checked) -> None:
    first, second = page.run.entities["name"][:2]
    draws = RunDraws.load(page.run)
    names = list(map(str, draws.data.entity_names))
    places = [names.index(first), names.index(second)]
    rates = draws.rates()[1][places]
    seen = unpack_draws(pack_draws(rates, logarithmic=True), 2)
    found = page.found["tools"]["rate"]
    n = draws.n_draws
    # The page holds a draw in two bytes: no more than a near tie may fall on the other side.
    assert found["probability"] == pytest.approx(np.mean(rates[0] > rates[1]), abs=1.5 / n)
    ratio = _number(found["ratio"], page.language)
    assert ratio == pytest.approx(np.median(seen[0] / seen[1]), rel=0.006)
    difference = _number(found["difference"], page.language)
    assert difference == pytest.approx(np.mean(seen[0] - seen[1]), rel=0.006)
    amounts = draws.amounts("entity").amounts.rows(slice(None))[places]
    chance = np.mean(amounts[0] > amounts[1]) + np.mean(amounts[0] == amounts[1]) / 2
    assert page.found["tools"]["amount"]["probability"] == pytest.approx(chance, abs=1.5 / n)
    assert printable(first) in found["sentence"]


def test_one_chart_can_be_shown_alone(page: Checked) -> None:
    weeks = page.run.read_cells(["week"])["week"].nunique()
    assert page.found["tools"].get("chartsShown") == (1 if weeks > 1 else None)


def test_an_aggregate_shows_its_cells(page: Checked) -> None:
    inside = page.found["tools"]["inside"]
    assert inside["title"] == inside["label"]
    keys = list(page.run.spec.columns.aggregate)
    cells = page.run.read_cells([*keys, "campaign", "amount_mean"])
    label = cells[keys].astype(str).agg(" · ".join, axis=1)
    rows = cells[label == inside["label"]].sort_values("amount_mean", ascending=False)
    assert inside["names"] == [printable(n) for n in rows["campaign"].head(12)]
    shown = [_number(text, page.language) for text in inside["amounts"]]
    assert shown == pytest.approx(rows["amount_mean"].head(12).tolist(), rel=1e-3, abs=0.51)


def test_the_page_can_be_printed(page: Checked) -> None:
    assert page.found["pdfPages"] > 1


def test_without_scripts_no_tool_is_offered(page: Checked) -> None:
    assert page.found["hiddenTools"] == 0


def test_a_crowd_fits_and_opens(checked: dict[str, Checked]) -> None:
    crowd = checked["crowd-en"]
    assert crowd.file.stat().st_size < 8e6
    assert crowd.found["opens"] < 2000


def test_hostile_names_were_there(checked: dict[str, Checked]) -> None:
    text = checked["nasty-en"].file.read_text(encoding="utf-8")
    assert FORMULA.split('"')[0] in text
    assert set(checked["nasty-en"].run.entities["name"]) == set(make_names(40, nasty=True))
