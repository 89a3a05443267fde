from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bayes_attrib.report import RunFolder, tables
from bayes_attrib.report.language import Language
from bayes_attrib.report.tables import Cell, choose_format, tabulate_level

MakeRun = Callable[..., Path]


def _number(text: str) -> float:
    return float(text.replace(",", "").lstrip("▲▼ "))


@pytest.mark.parametrize("level", ["entity", "type"])
@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_columns_add_up_as_shown(make_run: MakeRun, family: str, level: str) -> None:
    run = RunFolder.load(make_run(family=family, scale=0.3))
    table = tabulate_level(run, level, choose_format(run), "94% HDI")
    summed = {column.head: column for column in table.columns if column.total}
    unit = "sales" if family == "gamma" else "units"
    assert set(summed) == {f"Amount ({unit})", "Share (%)", "EM", "Proportional", "Truth"}
    for column in summed.values():
        shown = sum(_number(cell) for cell in column.cells)
        assert shown == pytest.approx(_number(column.total), abs=1e-6), column.head
    assert summed["Share (%)"].total == "100.0"


def test_the_truth_is_marked_where_it_lies_outside(make_run: MakeRun) -> None:
    folder = make_run(("a", "b", "c"))
    run = RunFolder.load(folder)
    run.attribution.loc[run.attribution["name"] == "a", "truth_amount"] = 1e6
    run.attribution.loc[run.attribution["name"] == "b", "truth_amount"] = 0.0
    table = tabulate_level(run, "entity", choose_format(run), "94% HDI")
    truth = [column.head for column in table.columns].index("Truth")
    shown = {name: cells[truth].text for name, cells in table.rows}
    assert shown["a"] == "▲ 1,000,000"
    assert shown["b"] == "▼ 0"
    assert shown["c"].replace(",", "").isdigit()


def test_without_truth_there_is_no_column_for_it(make_run: MakeRun) -> None:
    run = RunFolder.load(make_run(truth=False))
    table = tabulate_level(run, "entity", choose_format(run), "94% HDI")
    assert "Truth" not in [column.head for column in table.columns]


def test_rows_beyond_the_limit_are_counted(
    nasty_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 5)
    run = RunFolder.load(nasty_run)
    table = tabulate_level(run, "entity", choose_format(run), "94% HDI")
    assert len(table.rows) == 5
    assert table.n_more == len(run.entities) - 5


def test_an_entity_without_rate_shows_dashes(make_run: MakeRun) -> None:
    run = RunFolder.load(make_run(("a", "b")))
    rates = ["rate_mean", "rate_lower", "rate_upper"]
    run.attribution.loc[run.attribution["name"] == "a", rates] = float("nan")
    table = tabulate_level(run, "entity", choose_format(run), "94% HDI")
    heads = [column.head for column in table.columns]
    cells = dict(table.rows)["a"]
    assert cells[heads.index("Rate per visits")] == Cell("–", "")
    assert cells[heads.index("94% HDI of rate")] == Cell("–", "")


@pytest.mark.parametrize("locale", ["en", "es"])
def test_rows_are_sorted_by_numbers_whatever_the_language_writes(
    make_run: MakeRun, locale: str
) -> None:
    run = RunFolder.load(make_run(scale=90.0))
    amounts = choose_format(run, language=Language(locale))
    table = tabulate_level(run, "entity", amounts, "94% HDI")
    values = [float(cells[0].value) for _, cells in table.rows]
    means = run.entities["amount_mean"]
    assert values == pytest.approx(means.tolist(), rel=1e-5)
    separator = {"en": ",", "es": "."}[locale]
    assert max(means) > 10_000
    assert separator in table.rows[0][1][0].text


def test_the_information_of_entities_stands_in_a_column_of_its_own(make_run: MakeRun) -> None:
    run = RunFolder.load(make_run(("a", "b", "c")))
    information = pd.Series({"b": 0.25, "a": 0.5})
    table = tabulate_level(run, "entity", choose_format(run), "94% HDI", information=information)
    assert table.columns[-1].head == "Information (%)"
    last = {name: cells[-1] for name, cells in table.rows}
    assert last == {"a": Cell("50", "50"), "b": Cell("25", "25"), "c": Cell("–", "")}
