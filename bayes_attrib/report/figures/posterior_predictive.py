"""Posterior predictive: whether new totals from the fit look like those that were observed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bayes_attrib.inference.predictive import enough_draws
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.figures.axes import bent_axis, number_axis
from bayes_attrib.report.figures.look import Look, Size, legend_above, new_figure
from bayes_attrib.report.figures.source import RunSource, draws_of
from bayes_attrib.report.figures.theme import ThemeName
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.page.scale import compact, scale_for_rates
from bayes_attrib.report.replicates import replicate_totals
from bayes_attrib.report.run_draws import RunDraws

_CURVES: Final = 60
_BINS: Final = 30
_MOST_POINTS: Final = 5000


@dataclass(frozen=True, eq=False)
class _Replicates:
    """Observed totals and residuals beside new ones, per exposed aggregate and draw.

    ``new`` has the shape (n_exposed, n_draws), in the unit of the totals. ``residual`` is the
    median over draws of (observed - expected) / sd, ``expected`` that of the expected total, both
    of shape (n_exposed,). ``spread`` and ``new_spread`` are the mean squared residual of each draw,
    shape (n_draws,).
    """

    observed: FloatArray
    new: FloatArray
    expected: FloatArray
    residual: FloatArray
    spread: FloatArray
    new_spread: FloatArray


def plot_posterior_predictive(
    source: RunSource,
    *,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw observed totals beside totals drawn anew from the fit.

    Above, the parts of totals that are at most so large, of the observed and of new ones. Below,
    residuals in standard deviations against the expected total, and the mean squared residual of
    each draw, of observed and of new totals (Gelman, Meng and Stern 1996, Statistica Sinica 6):
    where the former lies in the midst of the latter, totals scatter as the family says.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own; the run's seed makes the new totals.

    Raises
    ------
    UnknownNameError
        If there is no such theme.
    RunFolderError
        If a path holds no finished run, or the run cannot be drawn again.
    """
    found = draws_of(source)
    look = Look.of(found.run, language, theme)
    seen = _replicate(found)
    with look.theme.style():
        figure = new_figure(figsize or (9.0, 7.0))
        panels = figure.subplot_mosaic([["totals", "totals"], ["residuals", "spread"]])
        _draw_totals(panels["totals"], seen, look)
        _draw_residuals(panels["residuals"], seen, look)
        _draw_spread(panels["spread"], seen, look)
        n = language.number(seen.new.shape[1])
        notes = [
            language.text("New totals: {n} draws from the fit, of each aggregate.", n=n),
            language.text(
                "Spread of the totals: {ratio} times that of new ones (medians).",
                ratio=language.number(
                    float(np.median(seen.spread) / np.median(seen.new_spread)), 2
                ),
            ),
        ]
        look.finish(figure, language.text("Observed totals and new ones from the fit"), notes)
    return figure


def _replicate(found: RunDraws) -> _Replicates:
    totals, new = replicate_totals(found, most=enough_draws(found.data.n_aggregates))
    mean = totals.family.mean(totals.mu, totals.noise)
    sd = np.sqrt(totals.family.variance(totals.mu, totals.noise))
    residual = (totals.observed - mean) / sd
    return _Replicates(
        totals.observed[:, 0],
        new,
        np.median(mean, axis=1),
        np.median(residual, axis=1),
        np.mean(residual**2, axis=0),
        np.mean(((new - mean) / sd) ** 2, axis=0),
    )


def _draw_totals(axes: Axes, seen: _Replicates, look: Look) -> None:
    """Draw the empirical distribution functions."""
    theme, text = look.theme, look.language.text
    n, n_draws = seen.new.shape
    parts = np.arange(1, n + 1) / n
    chosen = np.unique(np.linspace(0, n_draws - 1, min(_CURVES, n_draws)).round().astype(int))
    for curve in np.sort(seen.new[:, chosen], axis=0).T:
        axes.step(curve, parts, where="post", color=theme.posterior, lw=0.6, alpha=0.25)
    observed = np.sort(seen.observed)
    axes.step(observed, parts, where="post", color=theme.truth, linewidth=1.8, label="observed")
    scale = scale_for_rates(
        np.concatenate([observed, np.quantile(seen.new[:, chosen], 0.999, axis=0)])
    )
    label = text("Total of an aggregate ({unit})", unit=look.amounts.unit)
    bent_axis(axes, "x", scale, partial(compact, look.language), label)
    label = text("Totals up to that size (%)")
    number_axis(axes, "y", (0.0, 1.02), lambda x: look.language.percent(x, 0), label)
    axes.grid(axis="both")
    handles = [
        Line2D([], [], color=theme.truth, linewidth=1.8),
        Line2D([], [], color=theme.posterior, linewidth=1.2, alpha=0.6),
    ]
    legend_above(axes, handles, [text("observed totals"), text("new totals")])


def _draw_residuals(axes: Axes, seen: _Replicates, look: Look) -> None:
    theme, text = look.theme, look.language.text
    some = np.unique(
        np.linspace(0, len(seen.residual) - 1, min(_MOST_POINTS, len(seen.residual))).astype(int)
    )
    axes.axhspan(-2, 2, color=theme.panel, zorder=0)
    axes.axhline(0.0, color=theme.muted, linewidth=0.8)
    axes.plot(
        seen.expected[some],
        seen.residual[some],
        linestyle="none",
        marker="o",
        markersize=4 if len(some) < 300 else 2,
        alpha=0.65,
        color=theme.posterior,
        rasterized=len(some) > 1000,
    )
    label = text("Expected total ({unit})", unit=look.amounts.unit)
    bent_axis(axes, "x", scale_for_rates(seen.expected), partial(compact, look.language), label)
    far = max(3.2, 1.1 * float(np.abs(seen.residual).max()))
    label = text("Residual (standard deviations)")
    number_axis(axes, "y", (-far, far), look.language.number, label)


def _draw_spread(axes: Axes, seen: _Replicates, look: Look) -> None:
    theme, text = look.theme, look.language.text
    both = np.concatenate([seen.spread, seen.new_spread])
    low, high = float(both.min()), float(np.quantile(both, 0.999)) * 1.05
    edges = np.linspace(0.9 * low, high, _BINS + 1)
    highest = 0
    for values, colour, filled in (
        (seen.new_spread, theme.posterior, True),
        (seen.spread, theme.truth, False),
    ):
        counts, _ = np.histogram(values, edges)
        highest = max(highest, int(counts.max()))
        axes.stairs(counts, edges, color=colour, fill=filled, alpha=0.45 if filled else 1.0, lw=1.5)
    write = partial(compact, look.language)
    number_axis(axes, "x", (float(edges[0]), high), write, text("Mean squared residual"), wanted=4)
    number_axis(axes, "y", (0.0, 1.05 * max(1, highest)), write, text("Draws"), wanted=4)
