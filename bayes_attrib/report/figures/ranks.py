"""Ranks: how probable each place is for each of the largest."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.comparison_choice import require_level
from bayes_attrib.report.comparison_run import ComparedGroup
from bayes_attrib.report.figures.axes import name_axis
from bayes_attrib.report.figures.compared import Compared, compare_largest
from bayes_attrib.report.figures.heat import (
    ROOT,
    colour_bar,
    colours,
    divide_groups,
    draw_cells,
    write_cells,
)
from bayes_attrib.report.figures.look import (
    Look,
    Size,
    legend_above,
    new_figure,
    rows_that_fit,
    size_for_rows,
)
from bayes_attrib.report.figures.quantity import QuantityName, quantity_of
from bayes_attrib.report.figures.source import RunSource, draws_of, noun_of
from bayes_attrib.report.figures.theme import ThemeName
from bayes_attrib.report.figures.wording import short_names
from bayes_attrib.report.language import ENGLISH, Language, message

_MOST_NUMBERED: Final = 15
"""Ranks up to which cells hold their numbers."""

_HEADS: Final = {
    "amount": message("Ranks of amounts by {noun}"),
    "share": message("Ranks of shares by {noun}"),
    "rate": message("Ranks of rates by {noun}"),
}


def plot_ranks(
    source: RunSource,
    *,
    quantity: QuantityName = "amount",
    level: str = names.ENTITY,
    top: int = 30,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw the probability of every rank, and the expected rank.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    quantity : {"amount", "share", "rate"}
        What is ranked: rates within their channel, amounts and shares all together.
    level : str
        ``"entity"`` or a grouping column.
    top : int
        How many of the largest mean amounts are ranked among each other.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches; fits the rows by default.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own.

    Raises
    ------
    UnknownNameError
        If there is no such quantity, level or theme.
    ComparisonError
        If there are fewer than two names to rank.
    RunFolderError
        If a path holds no finished run, or the run cannot be drawn again.
    """
    drawn, found = quantity_of(quantity), draws_of(source)
    run = found.run
    look = Look.of(run, language, theme)
    level = require_level(run, level)
    fit = rows_that_fit(len(run.level(level)), top, figsize)
    compared = compare_largest(found, drawn, level, max(2, fit))
    groups, labels = compared.groups, compared.names
    matrix = _stacked(groups)
    with look.theme.style():
        figure = new_figure(size_for_rows(len(labels), figsize))
        axes = figure.add_subplot()
        scale = colours("ranks", look.theme.panel, look.theme.posterior)
        draw_cells(axes, matrix, scale, look, norm=ROOT)
        if matrix.shape[1] <= _MOST_NUMBERED:
            write_cells(axes, matrix, scale, look, norm=ROOT, smallest=0.005)
        _draw_expected(axes, groups, look)
        name_axis(axes, short_names(labels))
        axes.grid(visible=False)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        _rank_axis(axes, matrix.shape[1], language)
        divide_groups(axes, [g.channel for g in groups], [len(g.names) for g in groups], look)
        if matrix.shape[1] > _MOST_NUMBERED:
            label = language.text("Probability of the rank")
            colour_bar(figure, axes, scale, look, label, norm=ROOT)
        noun = noun_of(run, level)
        look.finish(
            figure, language.text(_HEADS[quantity], noun=noun), _notes(compared, look, noun)
        )
    return figure


def _stacked(groups: tuple[ComparedGroup, ...]) -> FloatArray:
    """Probabilities of all groups, shape (n_names, n_ranks); NaN for ranks that a group lacks."""
    n_ranks = max(len(group.names) for group in groups)
    rows = [
        np.pad(
            group.comparison.ranking.probability,
            ((0, 0), (0, n_ranks - len(group.names))),
            constant_values=np.nan,
        )
        for group in groups
    ]
    return np.concatenate(rows)


def _draw_expected(axes: Axes, groups: tuple[ComparedGroup, ...], look: Look) -> None:
    expected = np.concatenate([group.comparison.ranking.expected for group in groups])
    axes.plot(
        expected - 1,
        np.arange(len(expected)) + 0.32,
        linestyle="none",
        marker="^",
        ms=4.5,
        color=look.theme.em,
        markeredgecolor=look.theme.page,
        markeredgewidth=0.5,
    )
    handle = Line2D([], [], ls="none", marker="^", ms=5, color=look.theme.em)
    legend_above(axes, [handle], [look.language.text("expected rank")])


def _rank_axis(axes: Axes, n_ranks: int, language: Language) -> None:
    step = next(s for s in (1, 5, 10, 20, 50, 100) if n_ranks / s <= 15)
    ranks = sorted({1, *range(step, n_ranks + 1, step)})
    axes.set_xticks([rank - 1 for rank in ranks], labels=[language.number(r) for r in ranks])
    axes.set_xlabel(language.text("Rank (1 is the largest)"))


def _notes(compared: Compared, look: Look, noun: str) -> list[str]:
    text, groups = look.language.text, compared.groups
    notes = [text("Ranks within each channel.")] if groups[0].channel is not None else []
    if len(compared.names) < compared.n_available:
        notes.append(
            text(
                "Ranks among the {shown} largest of {all} ({noun}).",
                shown=look.language.number(len(compared.names)),
                all=look.language.number(compared.n_available),
                noun=noun,
            )
        )
    if max(len(group.names) for group in groups) <= _MOST_NUMBERED:
        notes.append(text("Numbers are percent."))
    return [*notes, compared.channels_note(look.language)]
