from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from bayes_attrib.report import RunFolder, print_summary

MakeRun = Callable[..., Path]


def _summary(folder: Path, *, width: int = 80, top: int = 30, colour: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=colour, legacy_windows=False)
    print_summary(RunFolder.load(folder), console, top=top)
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 100])
def test_lines_fit_and_columns_are_whole(nasty_run: Path, width: int) -> None:
    text = _summary(nasty_run, width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    for head in ("amount", "share %", "94% HDI", "EM %", "prop. %", "truth %"):
        assert text.count(head) >= 2
    assert "94% highest-density intervals" in " ".join(text.split())


def test_names_are_neither_markup_nor_control_sequences(nasty_run: Path) -> None:
    text = _summary(nasty_run, width=100, colour=True)
    for shown in (
        "<script>alert(1)</script>",
        "[bold red]markup[/bold red]",
        "bell␇ and escape␛[31m",
        "\\u202eright to left override",
        "007",
        "{{ 7 * 7 }}",
    ):
        assert shown in text
    assert "\x1b[31m" not in text
    assert "\x07" not in text
    assert "\u202e" not in text


def test_the_rest_is_counted(nasty_run: Path, nasty_names: tuple[str, ...]) -> None:
    text = _summary(nasty_run, top=4)
    assert f"and {len(nasty_names) - 4} more in attribution.csv" in text
    assert "and" not in _summary(nasty_run).split("truth %")[-1].split("error against")[0]


def test_errors_of_each_method(nasty_run: Path) -> None:
    text = _summary(nasty_run)
    rows = RunFolder.load(nasty_run).entities
    truth = rows["truth_amount"] / rows["truth_amount"].sum()
    for column in ("amount_mean", "em_amount", "proportional_amount"):
        error = 50 * (rows[column] / rows[column].sum() - truth).abs().sum()
        assert f"{error:.2f}%" in text
    assert f" of {len(rows)}" in text


def test_without_truth_there_are_no_errors(make_run: MakeRun) -> None:
    text = _summary(make_run(truth=False))
    assert "truth" not in text
    assert "EM %" in text


@pytest.mark.parametrize(
    ("verdict", "words", "times"),
    [
        ("ok", "The fit converged.", 1),
        ("warn", "Use with care: the fit raised warnings.", 1),
        ("not_converged", "Do not use these numbers: the fit did not converge.", 2),
    ],
)
def test_the_verdict_comes_first_and_a_bad_one_last_too(
    make_run: MakeRun, verdict: str, words: str, times: int
) -> None:
    text = _summary(make_run(verdict=verdict))
    assert text.count(words) == times
    assert text.index(words) < text.index("amount")
    if verdict != "ok":
        assert "Smallest effective sample size of parameters, bulk" in text
