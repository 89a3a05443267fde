"""The tie-out: from the totals of the input to the parts that add up to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_attrib import names
from bayes_attrib.report.comparison_choice import require_level
from bayes_attrib.report.figures.axes import name_axis, number_axis
from bayes_attrib.report.figures.look import Look, Size, new_figure, rows_that_fit, size_for_rows
from bayes_attrib.report.figures.quantity import quantity_of
from bayes_attrib.report.figures.source import RunSource, noun_of, run_of
from bayes_attrib.report.figures.theme import Theme, ThemeName
from bayes_attrib.report.figures.wording import short_names
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.numbers import round_to_sum
from bayes_attrib.report.reconciliation import Reconciliation, reconcile
from bayes_attrib.report.run_folder import RunFolder

_FIXED_ROWS: Final = 6
"""Rows that are no parts: input, excluded, to be attributed, unattributed, others, sum."""


@dataclass(frozen=True)
class _Step:
    """A bar from ``start`` to ``end``, in the unit of the totals, and what is written beside it."""

    name: str
    start: float
    end: float
    colour: str
    text: str = ""


def plot_tie_out(
    source: RunSource,
    *,
    level: str = names.ENTITY,
    top: int = 15,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw that the parts add up: input, less what was excluded, is what is attributed.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    level : str
        ``"entity"`` or a grouping column.
    top : int
        Most parts with a bar of their own; the others have one together.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches; fits the rows by default.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own. Amounts are posterior means, rounded so that they add up as written.

    Raises
    ------
    UnknownNameError
        If there is no such level or theme.
    RunFolderError
        If a path holds no finished run.
    """
    run = run_of(source)
    look = Look.of(run, language, theme)
    level = require_level(run, level)
    fit = rows_that_fit(len(run.level(level)) + _FIXED_ROWS, top + _FIXED_ROWS, figsize)
    cells = run.read_cells(
        [*run.spec.columns.aggregate, "amount_mean", "em_amount", "proportional_amount"]
    )
    found = reconcile(run, cells, language=language)
    noun = noun_of(run, level)
    steps = _steps(run, found, level, max(1, min(top, fit - _FIXED_ROWS)), look)
    whole = max(found.total_in_input, found.total_to_attribute)
    with look.theme.style():
        figure = new_figure(size_for_rows(len(steps), figsize))
        axes = figure.add_subplot()
        _draw_steps(axes, steps, whole, look)
        name_axis(axes, [step.name for step in steps])
        quantity = quantity_of("amount")
        label = quantity.axis_label(look.amounts, run.spec.columns.exposure)
        ends = (0.0, 1.16 * whole if whole > 0 else 1.0)
        number_axis(axes, "x", ends, lambda x: quantity.write(look.amounts, x), label)
        notes = [_describe_sum(found, look), language.text("Amounts are posterior means.")]
        title = language.text("From the input to the parts, by {noun}", noun=noun)
        look.finish(figure, title, notes)
    return figure


def _steps(run: RunFolder, found: Reconciliation, level: str, top: int, look: Look) -> list[_Step]:
    text, amounts, theme = look.language.text, look.amounts, look.theme
    rows = run.level(level)
    unexplained = (rows["name"] == names.UNATTRIBUTED) & (run.spec.unattributed is not None)
    apart, parts = rows[unexplained], rows[~unexplained]
    named = parts.head(top)
    labels = short_names(named["name"])
    values = named["amount_mean"].tolist()
    if not apart.empty:
        labels.insert(0, text("Not attributed to anyone"))
        values.insert(0, float(apart["amount_mean"].sum()))
    n_others = len(parts) - len(named)
    if n_others:
        labels.append(look.language.plural(n_others, "One other", "{n} others"))
        values.append(float(parts["amount_mean"].iloc[top:].sum()))
    total, given = found.total_to_attribute, found.total_in_input
    written = round_to_sum(values, amounts.mean_decimals)
    steps = [
        _Step(text("Totals in the input"), 0.0, given, theme.prior, amounts.mean(given)),
        _Step(
            text("Excluded by repairs"),
            total,
            given,
            theme.em,
            amounts.mean(-found.total_excluded),
        ),
        _Step(text("To be attributed"), 0.0, total, theme.prior, amounts.mean(total)),
    ]
    reached = 0.0
    for i, (label, value, shown) in enumerate(zip(labels, values, written, strict=True)):
        colour = _part_colour(
            theme, first=i == 0 and not apart.empty, last=bool(n_others) and i == len(values) - 1
        )
        steps.append(_Step(label, reached, reached + value, colour, amounts.mean(shown)))
        reached += value
    return [
        *steps,
        _Step(text("Sum of the parts"), 0.0, reached, theme.prior, amounts.mean(written.sum())),
    ]


def _part_colour(theme: Theme, *, first: bool, last: bool) -> str:
    return theme.series[-1] if first or last else theme.posterior


def _draw_steps(axes: Axes, steps: list[_Step], whole: float, look: Look) -> None:
    theme = look.theme
    at = np.arange(len(steps))
    starts = np.array([step.start for step in steps])
    ends = np.array([step.end for step in steps])
    colours = [step.colour for step in steps]
    axes.barh(at, ends - starts, left=starts, height=0.62, color=colours)
    axes.barh(at, 0.002 * whole, left=starts, height=0.62, color=colours)  # parts of nothing
    for i, step in enumerate(steps):
        axes.text(step.end + 0.008 * whole, i, step.text, va="center", fontsize=8.5)
    level = [step.end for step in steps]
    for i in range(2, len(steps) - 2):  # each part starts where the one above it ends
        start = steps[i + 1].start
        axes.plot([start, start], [i + 0.31, i + 0.69], color=theme.muted, linewidth=0.8)
    axes.axvline(level[2], color=theme.muted, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)


def _describe_sum(found: Reconciliation, look: Look) -> str:
    posterior = found.sums[0]
    if posterior.adds_up:
        return look.language.text(
            "The parts add up to the total, in every aggregate ({n}) and in all.",
            n=look.language.number(found.n_aggregates),
        )
    return look.language.text(
        "The parts do NOT add up: they differ from the total by {difference}.",
        difference=look.language.significant(posterior.difference),
    )
