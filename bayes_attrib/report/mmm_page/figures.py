"""Figures of a mix model, from its tables; each is one SVG that belongs to no session."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_attrib.report.figures.axes import number_axis, period_axis
from bayes_attrib.report.figures.look import new_figure
from bayes_attrib.report.figures.theme import THEMES, Theme
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language
from bayes_attrib.report.page.scale import compact

_WIDTH: Final = 9.6
_PANEL: Final = 1.75
_COLUMNS: Final = 2
_MOST: Final = 12
_THEME: Final = THEMES["light"]

Writer = Callable[[float], str]


def svg(figure: Figure) -> bytes:
    """Return a figure as SVG whose text is drawn, so that it looks alike everywhere.

    Names inside of it are not random, so that equal runs give equal pages.
    """
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "mmm"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def plot_predictions(table: pd.DataFrame, language: Language) -> Figure:
    """Draw targets and their predictive intervals over time, one chart for each place.

    Parameters
    ----------
    table : DataFrame
        ``predictions.csv``.
    language : Language
        Of the reader.

    Returns
    -------
    Figure
        At most twelve places.
    """
    write = _writer(language)
    places = list(dict.fromkeys(table["geo"]))[:_MOST]

    def _draw(axes: Axes, place: str, theme: Theme) -> None:
        rows = table[table["geo"] == place]
        x = np.arange(len(rows))
        axes.fill_between(
            x,
            rows["predicted_lower"],
            rows["predicted_upper"],
            color=theme.posterior,
            alpha=0.22,
            lw=0,
        )
        axes.plot(x, rows["predicted_mean"], color=theme.posterior, lw=1.4)
        axes.plot(x, rows["target"], ".", color=theme.text, ms=3)
        low = float(np.nanmin([rows["predicted_lower"].min(), rows["target"].min(), 0.0]))
        high = float(np.nanmax([rows["predicted_upper"].max(), rows["target"].max()]))
        number_axis(axes, "y", (low, 1.05 * high), write, "", wanted=4)
        period_axis(axes, rows["date"].tolist(), _WIDTH - 1, "")
        axes.set_title(printable(place) or language.text("all together"))

    return _grid(places, _draw, columns=1, height=2.4)


def plot_components(table: pd.DataFrame, language: Language) -> Figure:
    """Draw what each component adds over time, with its interval.

    Parameters
    ----------
    table : DataFrame
        ``components.csv``.
    language : Language
        Of the reader.

    Returns
    -------
    Figure
        Places together; at most twelve components, channels first.
    """
    write = _writer(language)
    whole = table[table["geo"] == ""]
    names = list(dict.fromkeys(whole["component"]))[:_MOST]

    def _draw(axes: Axes, name: str, theme: Theme) -> None:
        rows = whole[whole["component"] == name]
        colour = theme.posterior if rows["kind"].iloc[0] == "channel" else theme.prior
        x = np.arange(len(rows))
        axes.fill_between(
            x, rows["amount_lower"], rows["amount_upper"], color=colour, alpha=0.25, lw=0
        )
        axes.plot(x, rows["amount_mean"], color=colour, lw=1.3)
        axes.axhline(0, color=theme.line, lw=0.8)
        low, high = float(rows["amount_lower"].min()), float(rows["amount_upper"].max())
        room = 0.06 * max(high - min(low, 0), 1e-12)
        number_axis(
            axes, "y", (min(low, 0) - room * (low < 0), max(high, 0) + room), write, "", wanted=3
        )
        period_axis(axes, rows["date"].tolist(), _WIDTH / _COLUMNS - 1, "")
        axes.set_title(_component(name, rows["kind"].iloc[0], language))

    return _grid(names, _draw)


def plot_curves(table: pd.DataFrame, language: Language) -> Figure:
    """Draw response curves, dashed where they go beyond observed spend.

    Parameters
    ----------
    table : DataFrame
        ``response_curves.csv``.
    language : Language
        Of the reader.

    Returns
    -------
    Figure
        One chart for each channel, at most twelve.
    """
    write = _writer(language)
    names = list(dict.fromkeys(table["channel"]))[:_MOST]

    def _draw(axes: Axes, name: str, theme: Theme) -> None:
        rows = table[table["channel"] == name]
        seen = rows["factor"] <= 1.0 + 1e-9
        now = rows[np.isclose(rows["factor"], 1.0)]
        axes.fill_between(
            rows["spend"],
            rows["amount_lower"],
            rows["amount_upper"],
            color=theme.posterior,
            alpha=0.2,
            lw=0,
        )
        axes.plot(
            rows.loc[seen, "spend"], rows.loc[seen, "amount_mean"], color=theme.posterior, lw=1.6
        )
        beyond = rows["factor"] >= 1.0 - 1e-9
        axes.plot(
            rows.loc[beyond, "spend"],
            rows.loc[beyond, "amount_mean"],
            "--",
            color=theme.posterior,
            lw=1.3,
        )
        axes.plot(now["spend"], now["amount_mean"], "o", color=theme.text, ms=4)
        number_axis(axes, "x", (0.0, float(rows["spend"].max())), write, "", wanted=4)
        number_axis(axes, "y", (0.0, 1.05 * float(rows["amount_upper"].max())), write, "", wanted=3)
        axes.set_title(printable(name))

    return _grid(names, _draw)


def plot_residuals(
    autocorrelation: pd.DataFrame, quantiles: pd.DataFrame, language: Language
) -> Figure:
    """Draw autocorrelation and quantiles of standardised residuals.

    Parameters
    ----------
    autocorrelation : DataFrame
        ``residual_autocorrelation.csv``.
    quantiles : DataFrame
        ``residual_quantiles.csv``.
    language : Language
        Of the reader.

    Returns
    -------
    Figure
        Two charts.
    """

    def _draw(axes: Axes, name: str, theme: Theme) -> None:
        if name == "acf":
            lags, values = autocorrelation["lag"], autocorrelation["autocorrelation"]
            bound = float(autocorrelation["bound"].iloc[0])
            axes.axhspan(-bound, bound, color=theme.posterior, alpha=0.15, lw=0)
            axes.vlines(lags, 0, values, color=theme.posterior, lw=2)
            axes.axhline(0, color=theme.line, lw=0.8)
            reach = max(0.4, 1.15 * float(values.abs().max()))
            number_axis(axes, "y", (-reach, reach), lambda v: language.number(v, 1), "", wanted=4)
            number_axis(
                axes,
                "x",
                (0.5, float(lags.max()) + 0.5),
                language.number,
                "",
                wanted=8,
            )
            axes.set_title(language.text("Autocorrelation by lag; shaded: what white noise gives"))
        else:
            reach = 1.05 * float(np.abs(quantiles[["normal", "residual"]].to_numpy()).max())
            axes.plot([-reach, reach], [-reach, reach], color=theme.line, lw=1)
            axes.plot(quantiles["normal"], quantiles["residual"], ".", color=theme.posterior, ms=4)
            for side in ("x", "y"):
                number_axis(axes, side, (-reach, reach), language.number, "", wanted=5)
            axes.set_title(language.text("Quantiles of residuals against normal ones"))

    return _grid(["acf", "qq"], _draw, height=2.6)


def _grid(
    names: list[str],
    draw: Callable[[Axes, str, Theme], None],
    *,
    columns: int = _COLUMNS,
    height: float = _PANEL,
) -> Figure:
    columns = min(columns, max(1, len(names)))
    n_rows = -(-len(names) // columns)
    with _THEME.style():
        figure = new_figure((_WIDTH, height * n_rows + 0.2))
        panels = figure.subplots(n_rows, columns, squeeze=False)
        for axes, name in zip(panels.ravel(), names, strict=False):
            draw(axes, name, _THEME)
        for axes in panels.ravel()[len(names) :]:
            axes.set_axis_off()
    return figure


def _writer(language: Language) -> Writer:
    return lambda value: compact(language, value)


def _component(name: str, kind: str, language: Language) -> str:
    if kind == "season":
        return language.text("season")
    return language.text("baseline") if kind == "baseline" else printable(name)
