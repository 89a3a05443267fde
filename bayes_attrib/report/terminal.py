"""The summary that the command line prints: the same numbers as the page, in 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayes_attrib import names
from bayes_attrib.report.accuracy import score_level
from bayes_attrib.report.labels import describe_check_name, terminal_label, title_of
from bayes_attrib.report.language import MISSING
from bayes_attrib.report.narrative import (
    describe_check,
    describe_verdict,
    interval_short,
    interval_words,
)
from bayes_attrib.report.numbers import AmountFormat, fixed, fixed_column, percent, plural
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.tables import choose_format

_VERDICT_STYLES: Final = {"ok": "bold green", "warn": "bold yellow", "not_converged": "bold red"}


def print_summary(run: RunFolder, console: Console, *, top: int = 30) -> None:
    """Print verdict, shares, roll-ups and, where the truth is known, the errors of each method.

    Names are printed as text: they are neither markup nor control sequences.

    Parameters
    ----------
    run : RunFolder
        The run.
    console : Console
        Where to print; its width is respected.
    top : int
        Number of rows of a level to print, largest first.
    """
    amounts = choose_format(run)
    title = run.spec.report.title or title_of(run.spec.name)
    console.print(Text(terminal_label(title), style="bold"))
    _print_verdict(run, console)
    console.print(Text(terminal_label(_subject(run, amounts))))
    for level in (names.ENTITY, *run.levels):
        console.print()
        console.print(_share_table(run, level, amounts, top=top, width=console.width))
    _print_errors(run, console)
    if run.diagnostics.verdict == "not_converged":  # the headline has scrolled away by now
        console.print(_headline(run))


def _subject(run: RunFolder, amounts: AmountFormat) -> str:
    data = run.manifest.data
    return (
        f"{amounts.with_unit(data.grand_total)} in {plural(data.n_aggregates, 'aggregate')}, split "
        f"among {plural(data.n_entities, 'entity', 'entities')}. Shares are of that total; "
        f"intervals are {interval_words(run.spec.report.interval)}s."
    )


def _headline(run: RunFolder) -> Text:
    style = _VERDICT_STYLES[run.diagnostics.verdict]
    return Text(describe_verdict(run).headline, style=style)


def _key_of(run: RunFolder, level: str) -> str:
    return terminal_label(run.spec.columns.entity if level == names.ENTITY else level)


def _print_verdict(run: RunFolder, console: Console) -> None:
    verdict = describe_verdict(run)
    console.print(_headline(run))
    for check in verdict.failed:
        value, wanted = describe_check(check)
        line = f"  {describe_check_name(check.name)[0]}: {value}, wanted {wanted}"
        detail = f" ({check.detail})" if check.detail else ""
        console.print(Text(terminal_label(line + detail)))


def _share_table(
    run: RunFolder, level: str, amounts: AmountFormat, *, top: int, width: int
) -> Table:
    """Shares in percent; columns are rounded over all rows, so they add up where all are shown."""
    rows = run.level(level)
    decimals = amounts.share_decimals
    short = interval_short(run.spec.report.interval)
    columns: list[tuple[str, Sequence[str]]] = [
        ("amount", amounts.means(rows["amount_mean"])),
        ("share %", fixed_column(100 * rows["share_mean"], decimals)),
        (short, _intervals(rows, decimals)),
        ("EM %", fixed_column(100 * rows["em_share"], decimals)),
        ("prop. %", fixed_column(100 * rows["proportional_share"], decimals)),
    ]
    truth = rows["truth_amount"]
    if truth.notna().all() and truth.sum() > 0:
        columns.append(("truth %", _marked_truth(rows, decimals)))
    taken = sum(max(len(head), *map(len, texts)) + 1 for head, texts in columns)
    table = _table(Text(_key_of(run, level)), max(8, width - taken - 1))
    for head, _ in columns:
        table.add_column(Text(head), justify="right", no_wrap=True)
    cells = zip(*(texts for _, texts in columns), strict=True)
    for name, texts in list(zip(rows["name"], cells, strict=True))[:top]:
        table.add_row(Text(terminal_label(str(name))), *map(Text, texts))
    if len(rows) > top:
        table.caption = Text(f"and {len(rows) - top:,} more in {names.ATTRIBUTION_FILE}")
    return table


def _intervals(rows: pd.DataFrame, decimals: int) -> list[str]:
    ends = zip(rows["share_lower"].tolist(), rows["share_upper"].tolist(), strict=True)
    texts = ((fixed(100 * a, decimals), fixed(100 * b, decimals)) for a, b in ends)
    return [MISSING if MISSING in pair else "–".join(pair) for pair in texts]


def _marked_truth(rows: pd.DataFrame, decimals: int) -> list[str]:
    """True shares, with a star where the true amount lies outside its interval."""
    truth = rows["truth_amount"]
    outside = (truth < rows["amount_lower"]) | (truth > rows["amount_upper"])
    texts = fixed_column(100 * truth / truth.sum(), decimals)
    return [f"{text}{'*' if out else ' '}" for text, out in zip(texts, outside, strict=True)]


def _print_errors(run: RunFolder, console: Console) -> None:
    if not score_level(run.entities):
        return
    short = interval_short(run.spec.report.interval)
    table = _table(Text("error against the truth"), 30)
    for head in ("method", "error of shares", f"{short}s that hold it"):
        table.add_column(Text(head), justify="right")
    for level in (names.ENTITY, *run.levels):
        for i, error in enumerate(score_level(run.level(level))):
            held = MISSING if error.n_covered is None else f"{error.n_covered:,} of {error.n:,}"
            table.add_row(
                Text(_key_of(run, level) if i == 0 else ""),
                Text(error.method),
                Text(percent(error.total_variation, 2)),
                Text(held),
            )
    console.print()
    console.print(table)
    console.print(
        Text(
            "Error of shares: the part of the whole that is credited to the wrong place (total "
            "variation distance). * marks a truth outside its interval.",
            style="dim",
        )
    )


def _table(first: Text, first_width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column(first, overflow="ellipsis", no_wrap=True, max_width=first_width)
    return table
