"""Shrinkage: from the estimate of each entity by itself to the one that shares information."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bayes_attrib import names
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.inference.information import central_rates
from bayes_attrib.report.figures.axes import bent_axis, name_axis
from bayes_attrib.report.figures.look import (
    Look,
    Size,
    legend_above,
    new_figure,
    rows_that_fit,
    size_for_rows,
)
from bayes_attrib.report.figures.quantity import quantity_of, table_of
from bayes_attrib.report.figures.source import RunSource, draws_of
from bayes_attrib.report.figures.theme import ThemeName
from bayes_attrib.report.figures.wording import short_names
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.page.scale import scale_for_rates
from bayes_attrib.report.run_draws import RunDraws


def plot_shrinkage(
    source: RunSource,
    *,
    top: int = 30,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw how far pooling moved each rate, and towards what.

    An arrow goes from the rate that EM gives the entity by itself, its amount over its exposure, to
    the posterior mean. The short line is what the intercept, the groups and the covariates alone
    say of the entity: the posterior mean of that rate. Rows are in its order.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    top : int
        Most rows: the entities of the largest mean amounts.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches; fits the rows by default.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own. The area of EM's marks is in proportion to exposure.

    Raises
    ------
    UnknownNameError
        If EM has no result in this run, or totals are given.
    RunFolderError
        If a path holds no finished run, or the run cannot be read again.
    """
    found = draws_of(source)
    run = found.run
    if not run.spec.likelihood.informs_rates:
        raise UnknownNameError(
            f"{run.path}: totals are given and say nothing about rates, so there is nothing that "
            "pooling changed"
        )
    look = Look.of(run, language, theme)
    table = _rates(found)
    if table.empty:
        raise UnknownNameError(
            f"{run.path}: EM has no rate of any entity, so there is nothing to draw arrows from; "
            "diagnostics.json says how EM ended"
        )
    shown = rows_that_fit(len(table), top, figsize)
    rows = table.head(shown)
    rows = rows.sort_values(["group", "em"], ascending=False, ignore_index=True)
    values = rows[["em", "mean", "lower", "upper", "group"]].to_numpy(dtype=np.float64)
    quantity = quantity_of("rate")
    with look.theme.style():
        figure = new_figure(size_for_rows(shown, figsize))
        axes = figure.add_subplot()
        scale = scale_for_rates(values)
        _draw_arrows(axes, rows, look)
        name_axis(axes, short_names(rows["name"]))
        label = quantity.axis_label(look.amounts, run.spec.columns.exposure)
        bent_axis(axes, "x", scale, lambda x: quantity.write(look.amounts, x), label)
        _legend(axes, look, grouped=bool(rows["group"].notna().any()))
        notes = [
            language.text("The larger the mark of EM, the larger the exposure."),
            look.interval_note(run),
            look.shown_note(shown, len(table), run.spec.columns.entity),
            look.channel_note(run),
            "" if scale.is_linear else language.text("The axis is logarithmic for large values."),
        ]
        look.finish(figure, language.text("What pooling does to rates"), notes)
    return figure


def _rates(found: RunDraws) -> pd.DataFrame:
    """Rates of EM, posterior and group by entity, largest amounts first."""
    run, data = found.run, found.data
    table = table_of(run, run.entities, quantity_of("rate"))
    table["exposure"] = run.entities["exposure"].to_numpy()
    table["group"] = np.nan
    if not run.manifest.model_variables:  # the centre of somebody's own model is not known
        centre = central_rates(found.fit, data, run.spec)
        own = pd.Series(centre, index=data.entity_names[: data.n_attributable].astype(str))
        table["group"] = own.reindex(table["name"]).to_numpy()
    known = np.isfinite(table["em"]) & np.isfinite(table["mean"])
    attributed = table["name"] != names.UNATTRIBUTED if data.has_unattributed else True
    return table[known & attributed].reset_index(drop=True)


def _draw_arrows(axes: Axes, rows: pd.DataFrame, look: Look) -> None:
    theme = look.theme
    at = np.arange(len(rows))
    axes.vlines(rows["group"], at - 0.5, at + 0.5, color=theme.prior, linewidth=1.6)
    axes.hlines(at, rows["lower"], rows["upper"], color=theme.posterior, linewidth=6, alpha=0.25)
    for i, (start, end) in enumerate(zip(rows["em"], rows["mean"], strict=True)):
        axes.annotate(
            "",
            (end, i),
            (start, i),
            arrowprops={
                "arrowstyle": "-|>",
                "color": theme.muted,
                "linewidth": 1.0,
                "shrinkA": 0,
                "shrinkB": 3,
                "mutation_scale": 8,
            },
        )
    area = 12 + 110 * rows["exposure"] / rows["exposure"].max()
    style: dict[str, Any] = {
        "edgecolors": theme.page,
        "linewidths": 0.6,
        "zorder": 3,
        "clip_on": False,
    }
    axes.scatter(rows["em"], at, s=area, marker="o", color=theme.em, label="em", **style)
    axes.scatter(rows["mean"], at, s=30, color=theme.posterior, label="posterior", **style)


def _legend(axes: Axes, look: Look, *, grouped: bool) -> None:
    theme, text = look.theme, look.language.text
    handles = {
        text("EM, each entity by itself"): Line2D([], [], ls="none", marker="o", color=theme.em),
        text("posterior mean"): Line2D([], [], ls="none", marker="o", ms=5, color=theme.posterior),
        text("interval"): Line2D([], [], color=theme.posterior, linewidth=6, alpha=0.25),
    }
    if grouped:
        handles[text("its group alone")] = Line2D(
            [], [], ls="none", marker="|", ms=11, mew=1.6, color=theme.prior
        )
    legend_above(axes, list(handles.values()), list(handles))
