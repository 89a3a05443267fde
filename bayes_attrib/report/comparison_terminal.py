"""A comparison for the terminal: a table of names, and sentences about pairs."""

from __future__ import annotations

from textwrap import fill
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayes_attrib.report.comparison_run import ComparedGroup, RunComparison
from bayes_attrib.report.comparison_text import ComparisonText
from bayes_attrib.report.labels import terminal_label, title_of
from bayes_attrib.report.language import Language
from bayes_attrib.report.narrative import describe_verdict

MOST_ROWS: Final = 30
MOST_PAIRS: Final = 10
"""Rows and pairs of a group that are printed; ``--out`` has all."""


def print_comparison(compared: RunComparison, console: Console, language: Language) -> None:
    """Print who may be the best, and what can be said about pairs.

    Names are printed as text: they are neither markup nor control sequences.

    Parameters
    ----------
    compared : RunComparison
        The comparison.
    console : Console
        Where to print; its width is respected.
    language : Language
        Language and forms of numbers.
    """
    text = ComparisonText(compared, language)
    run = compared.run
    title = run.spec.report.title or title_of(run.spec.name)
    console.print(Text(terminal_label(title), style="bold"))
    if run.diagnostics.verdict != "ok":
        style = "bold red" if run.diagnostics.verdict == "not_converged" else "bold yellow"
        console.print(Text(describe_verdict(run).headline, style=style))
    for group in compared.groups:
        console.print()
        _print_group(text, group, console)
    console.print()
    for note in text.notes():
        _say(note, console, style="dim")


def _print_group(text: ComparisonText, group: ComparedGroup, console: Console) -> None:
    language = text.language
    console.print(Text(terminal_label(text.heading(group)), style="bold"))
    console.print(_table(text, group, console.width))
    if len(group.names) > MOST_ROWS:
        more = len(group.names) - MOST_ROWS
        _say(language.plural(more, "and {n} more", "and {n} more"), console, style="dim")
    _say(text.best_set(group), console)
    _say(text.tally(group), console)
    pairs = len(group.comparison.pairs.first)
    for i in range(min(pairs, MOST_PAIRS)):
        _say(text.pair(group, i), console, mark="- ")
    if pairs > MOST_PAIRS:
        rest = pairs - MOST_PAIRS
        _say(
            language.plural(
                rest,
                "and {n} more pair; --out FILE writes all",
                "and {n} more pairs; --out FILE writes all",
            ),
            console,
            mark="  ",
            style="dim",
        )


def _table(text: ComparisonText, group: ComparedGroup, width: int) -> Table:
    language, found = text.language, group.comparison
    ranking, summary = found.ranking, found.summary
    top = language.text("P(top {k})", k=language.number(found.rule.top_k))
    heads = (
        text.head,
        text.short_interval,
        language.text("P(best)"),
        top,
        language.text("rank"),
        language.text("loss"),
    )

    def rank(i: int) -> str:
        ends = (language.number(float(end[i])) for end in (ranking.lower, ranking.upper))
        return f"{language.number(float(ranking.expected[i]), 1)} ({'–'.join(ends)})"

    rows = [
        (
            text.value(float(summary.mean[i])),
            text.interval(float(summary.lower[i]), float(summary.upper[i])),
            text.probability(float(ranking.prob_best[i])),
            text.probability(float(ranking.prob_top[i])),
            rank(i),
            text.value(float(found.expected_loss[i])),
        )
        for i in range(min(len(group.names), MOST_ROWS))
    ]
    taken = sum(max(map(len, column)) + 2 for column in zip(heads, *rows, strict=True))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(
        Text(terminal_label(text.compared.kind)),
        overflow="ellipsis",
        no_wrap=True,
        max_width=max(10, width - taken - 2),
    )
    for head in heads:
        table.add_column(Text(terminal_label(head)), justify="right", no_wrap=True)
    for name, row in zip(group.names, rows, strict=False):
        table.add_row(Text(terminal_label(name)), *map(Text, row))
    return table


def _say(sentence: str, console: Console, *, mark: str = "", style: str = "") -> None:
    """Print a sentence wrapped at words, continuation lines under its first word."""
    indent = " " * len(mark)
    wrapped = fill(
        terminal_label(sentence), console.width, initial_indent=mark, subsequent_indent=indent
    )
    console.print(Text(wrapped, style=style))
