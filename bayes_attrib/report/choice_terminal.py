"""A choice among families, for the terminal: the table and the sentences."""

from __future__ import annotations

import math
from textwrap import fill
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayes_attrib.inference.model_choice import RULE
from bayes_attrib.report.choice import FamilyChoice, describe_choice
from bayes_attrib.report.labels import terminal_label, title_of
from bayes_attrib.report.language import MISSING
from bayes_attrib.report.numbers import fixed, percent
from bayes_attrib.spec import ModelSpec

_VERDICTS = {"ok": "ok", "warn": "warn", "not_converged": "failed"}
_HEADS = (
    *("family", "elpd", "behind", "weight", "p_loo"),
    *("bad k", "p spread", "sampler", "moved", "width"),
)

_WIDE = 100
"""Columns of a console that has room for everything; a narrower one leaves out the next two."""

_IN_WIDE_ONLY = frozenset({"weight", "p_loo"})
"""They decide nothing, and files have them."""


def print_choice(choice: FamilyChoice, spec: ModelSpec, console: Console) -> None:
    """Print how the candidates compare, which one the data support, and what that changes.

    Parameters
    ----------
    choice : FamilyChoice
        The outcome.
    spec : ModelSpec
        The model.
    console : Console
        Where to print; its width is respected.
    """
    title = spec.report.title or title_of(spec.name)
    console.print(Text(terminal_label(title), style="bold"))
    shown = [head for head in _HEADS if console.width >= _WIDE or head not in _IN_WIDE_ONLY]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for head in shown:
        justify: Literal["left", "right"] = "left" if head in {"family", "sampler"} else "right"
        table.add_column(head, justify=justify, no_wrap=head != "family")
    for row in choice.table.to_dict(orient="records"):
        cells = dict(zip(_HEADS, _cells(row), strict=True))
        table.add_row(*(Text(cells[head]) for head in shown))
    console.print(table)
    console.print(Text(_legend(), style="dim"))
    console.print()
    for i, sentence in enumerate(describe_choice(choice)):
        text = terminal_label(sentence[:1].upper() + sentence[1:])
        wrapped = fill(f"{text}.", console.width, subsequent_indent="  ", initial_indent="- ")
        console.print(Text(wrapped, style="bold" if i == 0 else ""))


def _cells(row: dict[Any, Any]) -> list[str]:
    level = f" {row['level']}" if row["level"] else ""
    behind = f"{fixed(row['elpd_difference'], 1)} ± {fixed(row['difference_se'], 1)}"
    p_value = row["dispersion_p_value"]
    return [
        f"{'> ' if row['preferred'] else '  '}{row['family']}{level}",
        fixed(row["elpd"], 1),
        MISSING if row["elpd_difference"] == 0 else behind,
        fixed(row["weight"], 2),
        fixed(row["p_loo"], 1),
        str(row["n_bad_pareto_k"]),
        MISSING if p_value is None or math.isnan(p_value) else fixed(p_value, 3),
        _VERDICTS[row["verdict"]],
        percent(row["share_distance"]),
        fixed(row["width_ratio"], 2),
    ]


def _legend() -> str:
    return (
        "elpd: log density foretold for totals left out, larger is better. behind: the best, with "
        "the standard error. p spread: of the dispersion check. moved: share credited elsewhere "
        "than by the preferred (>). width: of intervals of shares, over the preferred's.\n"
        f"Rule: {RULE}."
    )
