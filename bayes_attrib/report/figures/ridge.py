"""The ridge: how the draws of each amount, share or rate are spread."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayes_attrib import names
from bayes_attrib.attribution import interval_of
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.comparison_choice import require_level
from bayes_attrib.report.figures.axes import name_axis, number_axis
from bayes_attrib.report.figures.density import density
from bayes_attrib.report.figures.look import (
    Look,
    Size,
    legend_above,
    new_figure,
    rows_that_fit,
    size_for_rows,
)
from bayes_attrib.report.figures.quantity import QuantityName, quantity_of, table_of
from bayes_attrib.report.figures.source import RunSource, draws_by_name, draws_of, noun_of, rows_of
from bayes_attrib.report.figures.theme import ThemeName
from bayes_attrib.report.figures.wording import short_names
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.page.scale import Scale, scale_from_zero

_HEIGHT: Final = 1.5
"""Height of the highest point of a density, in rows: neighbours overlap a little."""

_POINTS: Final = 300
_FLAT: Final = 0.003
"""Densities below this part of their highest point are not told from zero, and are left out."""

_FAR: Final = 0.995
"""Draws beyond this quantile of any row do not widen the axis."""


def plot_ridge(
    source: RunSource,
    *,
    quantity: QuantityName = "amount",
    level: str = names.ENTITY,
    top: int = 30,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw the density of the posterior draws of each amount, share or rate.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    quantity : {"amount", "share", "rate"}
        What is drawn.
    level : str
        ``"entity"`` or a grouping column.
    top : int
        Most rows, largest mean amounts first.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches; fits the rows by default.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own. Densities have one height, so that narrow and wide ones can be read.

    Raises
    ------
    UnknownNameError
        If there is no such quantity, level or theme.
    RunFolderError
        If a path holds no finished run, or the run cannot be drawn again.
    """
    drawn, found = quantity_of(quantity), draws_of(source)
    run = found.run
    look = Look.of(run, language, theme)
    level = require_level(run, level)
    rows = run.level(level)
    shown = rows_that_fit(len(rows), top, figsize)
    table = table_of(run, rows.head(shown), drawn)
    row, matrix, whole = draws_by_name(found, drawn, level)
    draws = rows_of(row, matrix, table["name"].tolist()) / whole
    scale = _scale(draws, table)
    with look.theme.style():
        figure = new_figure(size_for_rows(shown + 1, figsize))
        axes = figure.add_subplot()
        counts = run.spec.likelihood.counts and quantity == "amount"
        bounds = interval_of(draws, run.spec.report.interval)
        _draw_ridges(axes, draws, bounds, scale, look, counts=counts)
        _draw_points(axes, draws, table, look)
        name_axis(axes, short_names(table["name"]))
        axes.set_ylim(shown - 0.6, -_HEIGHT - 0.1)
        label = drawn.axis_label(look.amounts, run.spec.columns.exposure)
        ends = (scale.low, scale.high)
        number_axis(axes, "x", ends, lambda x: drawn.write(look.amounts, x), label)
        _legend(axes, look, known=bool(table["truth"].notna().any()))
        noun = noun_of(run, level)
        notes = [
            language.text("Densities are drawn equally high."),
            look.interval_note(run),
            look.shown_note(shown, len(rows), noun),
            look.channel_note(run) if quantity == "rate" else "",
        ]
        look.finish(figure, drawn.title(look.amounts, noun), notes)
    return figure


def _scale(draws: FloatArray, table: pd.DataFrame) -> Scale:
    far = np.quantile(draws, _FAR, axis=1)
    return scale_from_zero(np.concatenate([far, table["truth"].to_numpy(dtype=np.float64)]))


def _draw_ridges(
    axes: Axes,
    draws: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    scale: Scale,
    look: Look,
    *,
    counts: bool,
) -> None:
    """Draw the densities, the upper ones behind the lower ones."""
    at = np.linspace(scale.low, scale.high, _POINTS)
    theme = look.theme
    for i, own in enumerate(draws):
        # A narrow density would fall between points that are spread over the whole axis.
        near = np.linspace(max(0.0, own.min()), min(own.max(), scale.high), _POINTS)
        places = np.union1d(at, near)
        heights = density(own, places, counts=counts)
        seen = heights >= _FLAT * heights.max()
        places, heights = places[seen], heights[seen]
        ridge = i - _HEIGHT * heights / heights.max()
        inside = (places >= bounds[0][i]) & (places <= bounds[1][i])
        axes.fill_between(places, ridge, i, color=theme.page, linewidth=0, zorder=i + 2)
        axes.fill_between(
            places, ridge, i, color=theme.posterior, alpha=0.18, linewidth=0, zorder=i + 2
        )
        axes.fill_between(
            places,
            ridge,
            i,
            where=inside.tolist(),
            color=theme.posterior,
            alpha=0.45,
            linewidth=0,
            zorder=i + 2,
        )
        axes.plot(places, ridge, color=theme.posterior, linewidth=0.9, zorder=i + 2)


def _draw_points(axes: Axes, draws: FloatArray, table: pd.DataFrame, look: Look) -> None:
    at, over = np.arange(len(draws)), len(draws) + 3
    theme = look.theme
    look.mark(axes, draws.mean(axis=1), at, marker="o", ms=5, color=theme.posterior, zorder=over)
    look.mark(axes, table["truth"], at, marker="*", ms=8.5, color=theme.truth, zorder=over)


def _legend(axes: Axes, look: Look, *, known: bool) -> None:
    theme, text = look.theme, look.language.text
    handles = {
        text("inside the interval"): Patch(color=theme.posterior, alpha=0.6, linewidth=0),
        text("outside"): Patch(color=theme.posterior, alpha=0.2, linewidth=0),
        text("posterior mean"): Line2D([], [], ls="none", marker="o", ms=5, color=theme.posterior),
    }
    if known:
        handles[text("truth")] = Line2D([], [], ls="none", marker="*", ms=8.5, color=theme.truth)
    legend_above(axes, list(handles.values()), list(handles))
