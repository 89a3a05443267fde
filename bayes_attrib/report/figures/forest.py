"""The forest: amounts, shares or rates with their intervals, beside EM, split and truth."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bayes_attrib import names
from bayes_attrib.report.comparison_choice import require_level
from bayes_attrib.report.figures.axes import bent_axis, name_axis
from bayes_attrib.report.figures.look import (
    Look,
    Size,
    legend_above,
    new_figure,
    rows_that_fit,
    size_for_rows,
)
from bayes_attrib.report.figures.quantity import QuantityName, quantity_of, table_of
from bayes_attrib.report.figures.source import RunSource, noun_of, run_of
from bayes_attrib.report.figures.theme import ThemeName
from bayes_attrib.report.figures.wording import short_names
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.page.scale import scale_for_rates, scale_from_zero

_APART: Final = 0.27
"""Part of a row that EM and the split lie above and below it, so that points hide less."""


def plot_forest(
    source: RunSource,
    *,
    quantity: QuantityName = "amount",
    level: str = names.ENTITY,
    top: int = 30,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw the largest amounts, shares or rates with their intervals.

    The wide bar is the interval of the amount, the narrow one that of the expected amount, which
    leaves out the chance in who earned each unit. Points are the posterior mean, EM, the
    proportional split and, where it is known, the truth.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    quantity : {"amount", "share", "rate"}
        What is drawn. The rate of EM, of the split and of the truth is their amount over exposure.
    level : str
        ``"entity"`` or a grouping column.
    top : int
        Most rows, largest mean amounts first.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches; fits the rows by default. Fewer rows are drawn where a given
        height does not hold them.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own: pyplot does not know it.

    Raises
    ------
    UnknownNameError
        If there is no such quantity, level or theme.
    RunFolderError
        If a path holds no finished run.
    """
    run, drawn = run_of(source), quantity_of(quantity)
    look = Look.of(run, language, theme)
    level = require_level(run, level)
    rows = run.level(level)
    shown = rows_that_fit(len(rows), top, figsize)
    table = table_of(run, rows.head(shown), drawn)
    values = table.drop(columns="name").to_numpy(dtype=np.float64)
    scale = scale_for_rates(values) if quantity == "rate" else scale_from_zero(values)
    exposure = run.spec.columns.exposure
    with look.theme.style():
        figure = new_figure(size_for_rows(shown, figsize))
        axes = figure.add_subplot()
        handles = _draw_rows(axes, table, look)
        name_axis(axes, short_names(table["name"]))
        label = drawn.axis_label(look.amounts, exposure)
        bent_axis(axes, "x", scale, lambda x: drawn.write(look.amounts, x), label)
        legend_above(axes, list(handles.values()), list(handles))
        noun = noun_of(run, level)
        notes = [look.interval_note(run), look.shown_note(shown, len(rows), noun)]
        if quantity == "rate":
            notes.append(look.channel_note(run))
        if not scale.is_linear:
            notes.append(language.text("The axis is logarithmic for large values."))
        look.finish(figure, drawn.title(look.amounts, noun), notes)
    return figure


def _draw_rows(axes: Axes, table: pd.DataFrame, look: Look) -> dict[str, Artist]:
    """Draw bars and points; return one artist for each entry of the legend."""
    theme, text = look.theme, look.language.text
    at = np.arange(len(table))
    found: dict[str, Artist] = {}
    bars = (("lower", "upper", 7.0, 0.35), ("expected_lower", "expected_upper", 3.0, 0.9))
    labels = (text("interval"), text("interval of the expected amount"))
    for label, (low, high, width, alpha) in zip(labels, bars, strict=True):
        if table[low].notna().any():
            axes.hlines(
                at, table[low], table[high], color=theme.posterior, linewidth=width, alpha=alpha
            )
            found[label] = Line2D([], [], color=theme.posterior, linewidth=width, alpha=alpha)
    points = (
        (text("posterior mean"), "mean", "o", theme.posterior, 5.5, 0.0),
        (text("EM"), "em", "X", theme.em, 6.0, -_APART),
        (text("proportional split"), "proportional", "D", theme.proportional, 4.5, _APART),
        (text("truth"), "truth", "*", theme.truth, 8.5, 0.0),
    )
    for label, column, marker, colour, size, offset in points:
        style: dict[str, Any] = {"marker": marker, "markersize": size, "color": colour}
        if look.mark(axes, table[column], at + offset, label=label, zorder=3, **style):
            found[label] = Line2D([], [], linestyle="none", **style)
    return found
