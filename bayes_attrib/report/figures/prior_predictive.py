"""Prior predictive: the totals that the priors alone predict, beside those observed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bayes_attrib import names
from bayes_attrib.attribution import interval_of
from bayes_attrib.errors import RunFolderError, UnknownNameError
from bayes_attrib.inference.prior import PriorDraws, sample_prior
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.figures.axes import bent_axis, number_axis
from bayes_attrib.report.figures.look import Look, Size, legend_above, new_figure
from bayes_attrib.report.figures.source import RunSource, draws_of
from bayes_attrib.report.figures.theme import ThemeName, theme_of
from bayes_attrib.report.labels import title_of
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.narrative import interval_words
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.scale import Scale, compact
from bayes_attrib.report.prior_summary import total_quantiles
from bayes_attrib.spec import IntervalSpec, ModelSpec
from bayes_attrib.spec.load import parse_plain

_LINEAR_BELOW = 0.03
"""Part of the median total below which the axis is about linear."""


@dataclass(frozen=True, eq=False)
class _PriorTotals:
    """Totals that a prior predicts, shape (n_exposed, n_draws), and those observed."""

    spec: ModelSpec
    predicted: FloatArray
    observed: FloatArray


def plot_prior_predictive(
    source: PriorDraws | RunSource,
    *,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw quantiles of the totals that the prior predicts, and those of the observed totals.

    For each quantile, the bar is the interval over prior draws of that quantile of the totals of a
    draw, on a logarithmic axis that reaches zero.

    Parameters
    ----------
    source : PriorDraws, RunFolder, RunDraws, Path or str
        Draws from a prior; the folder of ``fit --prior-only``; or a finished run, whose prior is
        drawn from again, with its seed: that runs no Markov chain and takes a few seconds.
    language : Language
        Language and forms of numbers.
    theme : {"light", "dark"}
        Colours.
    figsize : tuple of float, optional
        Width and height in inches.

    Returns
    -------
    matplotlib.figure.Figure
        A figure of its own. Intervals are equal-tailed, since a prior is skewed.

    Raises
    ------
    UnknownNameError
        If the model of the run is somebody's own, or there is no such theme.
    RunFolderError
        If a path holds neither a run nor draws from a prior.
    """
    found = _prior_totals(source)
    spec = found.spec
    interval = IntervalSpec(kind="eti", prob=spec.report.interval.prob)
    quantiles = total_quantiles(found.predicted, found.observed, interval)
    look = _look(found, language, theme)
    lower, upper = interval_of(found.predicted, interval)
    inside = int(np.sum((lower <= found.observed) & (found.observed <= upper)))
    with look.theme.style():
        figure = new_figure(figsize or (8.0, 4.8))
        axes = figure.add_subplot()
        _draw_quantiles(axes, quantiles, look)
        notes = [
            language.text(
                "Intervals: {interval}.", interval=interval_words(interval, language=language)
            ),
            language.text(
                "Observed totals inside the interval of their own aggregate: {n} of {all}.",
                n=language.number(inside),
                all=language.number(len(found.observed)),
            ),
            language.text("The axis is logarithmic for large values."),
        ]
        look.finish(figure, language.text("What the priors predict of the totals"), notes)
    return figure


def _prior_totals(source: PriorDraws | RunSource) -> _PriorTotals:
    if isinstance(source, PriorDraws):
        return _PriorTotals(source.spec, source.totals, source.observed_totals)
    if isinstance(source, Path | str) and (Path(source) / names.PRIOR_TABLE_FILE).is_file():
        return _read_prior(Path(source))
    found = draws_of(source)
    spec = found.run.spec
    if found.run.manifest.model_variables:
        raise UnknownNameError(
            f"{found.run.path}: the model is not that of the spec but one of your own, whose prior "
            "only its code knows; draw from it with bayes_attrib.sample_prior(data, spec, "
            "model=...), and give those draws"
        )
    prior = sample_prior(found.data, spec, seed=found.run.manifest.seed)
    return _PriorTotals(spec, prior.totals, prior.observed_totals)


def _read_prior(folder: Path) -> _PriorTotals:
    """Read the folder of a run from the prior alone."""
    try:
        manifest = json.loads((folder / names.MANIFEST_FILE).read_text(encoding="utf-8"))
        spec = parse_plain(manifest["spec"], source=str(folder / names.MANIFEST_FILE))
        with xr.open_datatree(folder / names.POSTERIOR_FILE, engine="h5netcdf") as tree:
            (predicted,) = tree["prior_predictive"][names.TOTAL].to_numpy()
            observed = tree["observed_data"][names.TOTAL].to_numpy().astype(np.float64)
    except (OSError, KeyError, ValueError) as error:
        raise RunFolderError(
            f"{folder} holds no whole run of the prior ({error}); "
            f"`bayes-attrib fit SPEC DATA --prior-only --out {folder} --overwrite` makes it anew"
        ) from error
    return _PriorTotals(spec, predicted.T.astype(np.float64), observed)


def _look(found: _PriorTotals, language: Language, theme: str) -> Look:
    report = found.spec.report
    amounts = AmountFormat.choose(
        found.observed,
        counts=found.spec.likelihood.counts,
        unit=report.currency or found.spec.columns.total,
        currency=report.currency is not None,
        language=language,
    )
    return Look(report.title or title_of(found.spec.name), "", amounts, theme_of(theme))


def _draw_quantiles(axes: Axes, quantiles: pd.DataFrame, look: Look) -> None:
    theme, text = look.theme, look.language.text
    level = quantiles["level"]
    axes.vlines(
        level, quantiles["lower"], quantiles["upper"], color=theme.prior, linewidth=7, alpha=0.4
    )
    axes.plot(level, quantiles["median"], ls="none", marker="_", ms=9, mew=2, color=theme.prior)
    axes.plot(
        level,
        quantiles["observed"],
        linestyle="none",
        marker="o",
        markersize=5,
        color=theme.posterior,
        label="observed",
    )
    highest = float(quantiles[["upper", "observed"]].max().max()) or 1.0
    positive = quantiles["observed"][quantiles["observed"] > 0]
    unit = _LINEAR_BELOW * (float(positive.median()) if len(positive) else highest)
    label = text("Total of an aggregate ({unit})", unit=look.amounts.unit)
    scale = Scale(0.0, 1.15 * highest, unit)
    bent_axis(axes, "y", scale, partial(compact, look.language), label)
    number_axis(
        axes,
        "x",
        (0.0, 1.0),
        lambda x: look.language.percent(x, 0),
        text("Quantile of the totals (%)"),
    )
    axes.grid(axis="y")
    handles = [
        Line2D([], [], color=theme.prior, linewidth=7, alpha=0.4),
        Line2D([], [], ls="none", marker="_", ms=9, mew=2, color=theme.prior),
        Line2D([], [], ls="none", marker="o", ms=5, color=theme.posterior),
    ]
    labels = [text("prior, interval"), text("prior, median"), text("observed")]
    legend_above(axes, handles, labels)
