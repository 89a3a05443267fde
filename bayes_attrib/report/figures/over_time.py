"""Amounts over time: a chart for each of the largest, or all stacked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayes_attrib import names
from bayes_attrib.attribution import grain_of, interval_of
from bayes_attrib.attribution.grains import Grain
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.comparison_choice import require_level
from bayes_attrib.report.figures.axes import number_axis, period_axis
from bayes_attrib.report.figures.look import Look, Size, legend_above, new_figure
from bayes_attrib.report.figures.quantity import quantity_of
from bayes_attrib.report.figures.source import RunSource, draws_of, noun_of
from bayes_attrib.report.figures.theme import ThemeName
from bayes_attrib.report.figures.wording import short_names
from bayes_attrib.report.labels import terminal_label
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.page.scale import compact, scale_from_zero
from bayes_attrib.report.run_draws import RunDraws

Kind = Literal["panels", "stacked"]

_COLUMNS: Final = 3
_MOST_PANELS: Final = 28
_PANEL: Final = 1.35
"""Height of a chart of its own, in inches."""


@dataclass(frozen=True, eq=False)
class _Series:
    """Amounts of some rows in every period, in the unit of the totals; NaN truth is unknown.

    ``mean``, ``lower``, ``upper`` and ``truth`` have the shape (n_rows, n_periods), ``total``
    (n_periods,). ``labels`` are those of the rows; ``n_others`` rows of the level are in the last.
    """

    periods: list[str]
    labels: list[str]
    mean: FloatArray
    lower: FloatArray
    upper: FloatArray
    truth: FloatArray
    total: FloatArray
    n_others: int


def plot_over_time(
    source: RunSource,
    *,
    kind: Kind = "panels",
    level: str = names.ENTITY,
    top: int = 10,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw the amounts of the largest in every period, and those of all others together.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    kind : {"panels", "stacked"}
        A chart with the interval for each, or means on top of each other, which add up to the
        observed total.
    level : str
        ``"entity"`` or a grouping column.
    top : int
        Most names, largest mean amounts first; stacked at most 7, as colours can be told apart.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches; fits the charts by default.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own. Periods without exposure have an amount of zero.

    Raises
    ------
    UnknownNameError
        If the run has no such level or theme, no key column tells the time, or there is no such
        kind.
    RunFolderError
        If a path holds no finished run, or the run cannot be drawn again.
    """
    found = draws_of(source)
    run = found.run
    look = Look.of(run, language, theme)
    level = require_level(run, level)
    key = _require_period(found)
    if kind not in {"panels", "stacked"}:
        raise UnknownNameError(
            f"there is no kind {kind!r} of a figure over time; there is 'panels', 'stacked'"
        )
    most = _MOST_PANELS if kind == "panels" else len(look.theme.series) - 1
    series = _series(found, level, key, max(1, min(top, most)), language)
    noun = noun_of(run, level)
    with look.theme.style():
        if kind == "panels":
            figure = _panels(series, key, look, figsize)
        else:
            figure = _stacked(series, key, look, figsize)
        notes = [
            language.text("Each chart has its own scale.") if kind == "panels" else "",
            look.interval_note(run) if kind == "panels" else language.text("Posterior means."),
        ]
        title = language.text("Amounts by {noun} over time", noun=noun)
        look.finish(figure, title, notes)
    return figure


def _require_period(found: RunDraws) -> str:
    if found.period is None:
        keys = ", ".join(map(repr, found.run.spec.columns.aggregate))
        raise UnknownNameError(
            f"no key column of the aggregates tells the time ({keys}), so there is nothing to draw "
            "over time; name one as report.period in the spec, and fit again"
        )
    return found.period


def _series(found: RunDraws, level: str, key: str, top: int, language: Language) -> _Series:
    data = found.data
    rows, time = grain_of(data, [level]), grain_of(data, [key])
    order = found.run.level(level)["name"].astype(str).tolist()
    named = order[:top]
    place = {name: i for i, name in enumerate(named)}
    n_others = len(order) - len(named)
    slot_of = np.array([place.get(str(name), len(named)) for name in rows.labels[level]])
    n_slots, n_periods = len(named) + (n_others > 0), len(time.labels)
    cell = slot_of[rows.row] * n_periods + time.row
    present, position = np.unique(cell, return_inverse=True)
    (drawn,) = found.grains([Grain(pd.DataFrame({"cell": present}), position.astype(np.int64))])
    mean, lower, upper = (np.zeros(n_slots * n_periods) for _ in range(3))
    for block, draws in drawn.amounts.blocks():
        at = present[block]
        mean[at] = draws.mean(axis=1)
        lower[at], upper[at] = interval_of(draws, found.run.spec.report.interval)
    shape = (n_slots, n_periods)
    known = np.full(n_slots * n_periods, np.nan)
    if data.truth is not None:
        known = np.bincount(cell, weights=data.truth, minlength=n_slots * n_periods)
    labels = short_names(named, 26)
    if n_others:
        labels.append(language.plural(n_others, "One other", "{n} others"))
    return _Series(
        [terminal_label(str(period)) for period in time.labels[key]],
        labels,
        mean.reshape(shape),
        lower.reshape(shape),
        upper.reshape(shape),
        known.reshape(shape),
        mean.reshape(shape).sum(axis=0),
        n_others,
    )


def _panels(series: _Series, key: str, look: Look, figsize: Size | None) -> Figure:
    n = len(series.labels) + 1
    columns = min(_COLUMNS, n)
    n_rows = math.ceil(n / columns)
    size = figsize or (3.2 * columns if columns < _COLUMNS else 9.0, 1.3 + _PANEL * n_rows)
    figure = new_figure(size)
    width = size[0] / columns - 0.75
    grid = figure.add_gridspec(n_rows + 1, columns, height_ratios=[0.15, *[1.0] * n_rows])
    _panel_legend(figure.add_subplot(grid[0, :]), look, known=bool(np.isfinite(series.truth).any()))
    panels = [figure.add_subplot(grid[1 + i // columns, i % columns]) for i in range(n)]
    text = look.language.text
    total = panels[0]
    at = np.arange(float(len(series.periods)))
    _draw_line(total, at, series.total, look.theme.truth)
    total.set_title(text("All, observed"), fontsize=8.5)
    _frame(total, series.total, series.periods, width, look)
    for i, label in enumerate(series.labels):
        axes = panels[i + 1]
        _draw_band(axes, at, series, i, look)
        axes.set_title(label, fontsize=8.5)
        drawn = np.stack([series.upper[i], series.truth[i]])
        _frame(axes, drawn, series.periods, width, look)
    figure.supylabel(
        quantity_of("amount").axis_label(look.amounts, ""), fontsize=9, color=look.theme.text
    )
    for axes in panels[-columns:]:  # the lowest chart of each column
        axes.set_xlabel(terminal_label(key))
    return figure


def _draw_line(axes: Axes, at: FloatArray, values: FloatArray, colour: str) -> None:
    alone: dict[str, Any] = {"marker": "o", "markersize": 5} if len(at) == 1 else {}
    axes.plot(at, values, color=colour, linewidth=1.3, **alone)


def _draw_band(axes: Axes, at: FloatArray, series: _Series, i: int, look: Look) -> None:
    theme = look.theme
    if len(at) == 1:
        axes.vlines(at, series.lower[i], series.upper[i], color=theme.posterior, lw=7, alpha=0.3)
    else:
        axes.fill_between(
            at, series.lower[i], series.upper[i], color=theme.posterior, alpha=0.28, linewidth=0
        )
    _draw_line(axes, at, series.mean[i], theme.posterior)
    axes.plot(at, series.truth[i], linestyle="none", marker=".", markersize=3.5, color=theme.truth)


def _frame(axes: Axes, values: FloatArray, periods: list[str], width: float, look: Look) -> None:
    ends = scale_from_zero(values)
    number_axis(
        axes,
        "y",
        (ends.low, ends.high),
        partial(compact, look.language),
        "",
        wanted=4,
    )
    period_axis(axes, periods, width, "")
    axes.grid(axis="y")
    axes.tick_params(labelsize=7.5)


def _panel_legend(axes: Axes, look: Look, *, known: bool) -> None:
    theme, text = look.theme, look.language.text
    handles = {
        text("posterior mean"): Line2D([], [], color=theme.posterior, linewidth=1.3),
        text("interval"): Patch(color=theme.posterior, alpha=0.28, linewidth=0),
    }
    if known:
        handles[text("truth")] = Line2D([], [], ls="none", marker=".", color=theme.truth)
    axes.set_axis_off()
    axes.legend(
        list(handles.values()), list(handles), loc="center left", ncols=len(handles), borderpad=0
    )


def _stacked(series: _Series, key: str, look: Look, figsize: Size | None) -> Figure:
    size = figsize or (9.0, 4.8)
    figure = new_figure(size)
    axes = figure.add_subplot()
    at = np.arange(float(len(series.periods)))
    theme = look.theme
    colours = [*theme.series[: len(series.labels)]]
    if series.n_others:
        colours[len(series.labels) - 1] = theme.series[-1]
    below = np.zeros(len(at))
    handles = []
    for label, values, colour in zip(series.labels, series.mean, colours, strict=True):
        axes.bar(at, values, width=0.92, bottom=below, color=colour, linewidth=0, label=label)
        handles.append(Patch(color=colour, linewidth=0))
        below = below + values
    quantity = quantity_of("amount")
    number_axis(
        axes,
        "y",
        (0.0, scale_from_zero(series.total).high),
        lambda x: quantity.write(look.amounts, x),
        quantity.axis_label(look.amounts, ""),
    )
    period_axis(axes, series.periods, size[0] - 1.2, terminal_label(key))
    axes.set_xlim(-0.6, len(at) - 0.4)
    axes.grid(axis="y")
    legend_above(axes, handles, series.labels)
    return figure
