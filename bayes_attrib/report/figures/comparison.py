"""The comparison: how probable it is that one exceeds the other."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.linalg import block_diag

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.comparison_choice import require_level
from bayes_attrib.report.comparison_run import ComparedGroup
from bayes_attrib.report.figures.axes import name_axis
from bayes_attrib.report.figures.compared import Compared, compare_largest
from bayes_attrib.report.figures.heat import (
    colour_bar,
    colours,
    divide_groups,
    draw_cells,
    write_cells,
)
from bayes_attrib.report.figures.look import Look, Size, new_figure, rows_that_fit
from bayes_attrib.report.figures.quantity import QuantityName, quantity_of
from bayes_attrib.report.figures.source import RunSource, draws_of, noun_of
from bayes_attrib.report.figures.theme import ThemeName
from bayes_attrib.report.figures.wording import short_names
from bayes_attrib.report.language import ENGLISH, Language, message

_CELL: Final = 0.34
_MOST: Final = 40
"""Rows beyond which the numbers could not be read."""

_HEADS: Final = {
    "amount": message("Whose amount is larger ({noun})"),
    "share": message("Whose share is larger ({noun})"),
    "rate": message("Whose rate is higher ({noun})"),
}


def plot_comparison(
    source: RunSource,
    *,
    quantity: QuantityName = "rate",
    level: str = names.ENTITY,
    top: int = 15,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw the probability that the name of the row exceeds that of the column.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    quantity : {"amount", "share", "rate"}
        What is compared: rates within their channel, amounts and shares all together.
    level : str
        ``"entity"`` or a grouping column.
    top : int
        How many of the largest mean amounts are compared, at most 40.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches; fits the rows by default.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own. A tie counts one half.

    Raises
    ------
    UnknownNameError
        If there is no such quantity, level or theme.
    ComparisonError
        If there are fewer than two names to compare.
    RunFolderError
        If a path holds no finished run, or the run cannot be drawn again.
    """
    drawn, found = quantity_of(quantity), draws_of(source)
    run = found.run
    look = Look.of(run, language, theme)
    level = require_level(run, level)
    fit = rows_that_fit(len(run.level(level)), min(top, _MOST), figsize)
    compared = compare_largest(found, drawn, level, max(2, fit))
    groups, labels = compared.groups, short_names(compared.names)
    matrix = _matrix(groups)
    with look.theme.style():
        figure = new_figure(figsize or _size(labels))
        axes = figure.add_subplot()
        theirs = look.theme
        scale = colours("comparison", theirs.em, theirs.panel, theirs.posterior)
        draw_cells(axes, matrix, scale, look)
        write_cells(axes, matrix, scale, look, size=7.5 if len(labels) <= 20 else 6.0)
        name_axis(axes, labels)
        axes.grid(visible=False)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        _column_axis(axes, labels, language)
        axes.set_ylabel(language.text("this one exceeds ..."))
        divide_groups(axes, [g.channel for g in groups], [len(g.names) for g in groups], look)
        if len(labels) > 4:  # there is room for its numbers
            colour_bar(figure, axes, scale, look, language.text("The row is larger"))
        noun = noun_of(run, level)
        look.finish(
            figure, language.text(_HEADS[quantity], noun=noun), _notes(compared, look, noun)
        )
    return figure


def _matrix(groups: tuple[ComparedGroup, ...]) -> FloatArray:
    """Probabilities, shape (n_names, n_names); NaN on the diagonal and between channels."""
    inside = block_diag(*(np.ones((len(group.names),) * 2) for group in groups)) > 0
    matrix = block_diag(*(group.comparison.prob_greater for group in groups))
    matrix[~inside] = np.nan
    np.fill_diagonal(matrix, np.nan)
    return np.asarray(matrix)


def _size(labels: list[str]) -> Size:
    names_width = 0.075 * max(map(len, labels))
    side = _CELL * max(5, len(labels))
    return max(6.0, side + names_width + 1.6), max(4.0, side + names_width + 1.5)


def _column_axis(axes: Axes, labels: list[str], language: Language) -> None:
    axes.set_xticks(range(len(labels)), labels=labels, rotation=90)
    axes.tick_params(axis="x", labelcolor=axes.yaxis.label.get_color())
    axes.set_xlabel(language.text("... this one"))


def _notes(compared: Compared, look: Look, noun: str) -> list[str]:
    text = look.language.text
    notes = [
        text("Numbers are percent."),
        look.shown_note(len(compared.names), compared.n_available, noun),
        compared.channels_note(look.language),
    ]
    if len(compared.groups) > 1:
        notes.append(
            text("Rates of two channels have no common unit, so cells between channels are empty.")
        )
    return notes
