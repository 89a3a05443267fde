"""EM with its errors beside the posterior with its intervals."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bayes_attrib import names
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.report.figures.axes import name_axis, number_axis
from bayes_attrib.report.figures.look import (
    Look,
    Size,
    legend_above,
    new_figure,
    rows_that_fit,
    size_for_rows,
)
from bayes_attrib.report.figures.quantity import quantity_of, table_of
from bayes_attrib.report.figures.source import RunSource, run_of
from bayes_attrib.report.figures.theme import ThemeName
from bayes_attrib.report.figures.wording import short_names
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.run_folder import RunFolder

ErrorName = Literal["auto", "bootstrap", "information"]

_PREFIX: Final = {"bootstrap": "em", "information": "em_information"}
_APART: Final = 0.18
_BELOW, _ABOVE = 0.25, 1.25
"""The axis reaches so far below zero and beyond the largest estimate, in parts of the latter."""


def plot_em_comparison(
    source: RunSource,
    *,
    errors: ErrorName = "auto",
    top: int = 30,
    language: Language = ENGLISH,
    theme: ThemeName = "light",
    figsize: Size | None = None,
) -> Figure:
    """Draw EM +- 2 standard errors beside the posterior's intervals.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.
    errors : {"auto", "bootstrap", "information"}
        Standard errors of EM, as in ``em_errors.csv``: of the parametric bootstrap, or of the
        observed information; ``"auto"`` takes the former where the run has them.
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
        A figure of its own. Errors that reach beyond the axis end in a triangle.

    Raises
    ------
    UnknownNameError
        If the run has no such errors; the message says why and what to do.
    RunFolderError
        If a path holds no finished run.
    """
    run = run_of(source)
    look = Look.of(run, language, theme)
    chosen, found = _errors(run, errors)
    shown = rows_that_fit(len(run.entities), top, figsize)
    table = table_of(run, run.entities.head(shown), quantity_of("amount"))
    table[["em_lower", "em_upper"]] = found.loc[table["name"]].to_numpy()
    highest = float(np.nanmax(table[["upper", "em", "proportional", "truth"]].to_numpy())) or 1.0
    reach = np.nan_to_num(table[["em_lower", "em_upper"]], nan=0.0, posinf=np.inf, neginf=-np.inf)
    ends = (
        max(-_BELOW * highest, 1.04 * min(0.0, float(reach.min()))),
        min(_ABOVE * highest, 1.04 * max(highest, float(reach.max()))),
    )
    quantity = quantity_of("amount")
    with look.theme.style():
        figure = new_figure(size_for_rows(shown, figsize, row=0.32))
        axes = figure.add_subplot()
        beyond = _draw_rows(axes, table, ends, look)
        name_axis(axes, short_names(table["name"]))
        label = quantity.axis_label(look.amounts, run.spec.columns.exposure)
        number_axis(axes, "x", ends, lambda x: quantity.write(look.amounts, x), label)
        axes.axvline(0.0, color=look.theme.muted, linewidth=0.8)
        _legend(axes, look, known=bool(table["truth"].notna().any()))
        notes = [
            _describe_errors(chosen, language),
            look.interval_note(run),
            language.text("Triangles: the errors reach beyond the axis.") if beyond else "",
            _describe_missing(int(table["em_lower"].isna().sum()), language),
            look.shown_note(shown, len(run.entities), run.spec.columns.entity),
        ]
        look.finish(figure, language.text("EM and the posterior"), notes)
    return figure


def _errors(run: RunFolder, errors: str) -> tuple[str, pd.DataFrame]:
    """Return the kind of errors, and their two ends by name of the entity."""
    if errors != "auto" and errors not in _PREFIX:
        known = ", ".join(map(repr, ("auto", *_PREFIX)))
        raise UnknownNameError(f"there are no errors of EM called {errors!r}; there is {known}")
    file = run.path / names.EM_ERRORS_FILE
    if not file.is_file():
        raise UnknownNameError(
            f"{run.path} lacks {names.EM_ERRORS_FILE}, which an older version did not write; fit "
            "again with this version to have the errors of EM"
        )
    table = pd.read_csv(file, dtype=str, keep_default_na=False).set_index("name")
    for kind, prefix in _PREFIX.items():
        ends = table[[f"{prefix}_lower", f"{prefix}_upper"]].replace("", "nan").astype(np.float64)
        if errors in {"auto", kind} and bool(ends.notna().to_numpy().any()):
            return kind, ends
    raise UnknownNameError(
        f"{file} has no standard errors of EM{_of(errors)}: EM did not converge, fits the totals "
        "too well to tell their scatter, or the pairs are too many for a bootstrap; "
        "errors='information' may be there"
    )


def _of(errors: str) -> str:
    return "" if errors == "auto" else f" by {errors}"


def _draw_rows(axes: Axes, table: pd.DataFrame, ends: tuple[float, float], look: Look) -> bool:
    """Draw both intervals of every row; return whether errors reach beyond the axis."""
    theme = look.theme
    at = np.arange(len(table))
    low, high = (table[f"em_{end}"].to_numpy(dtype=np.float64) for end in ("lower", "upper"))
    axes.hlines(at - _APART, table["lower"], table["upper"], color=theme.posterior, lw=4, alpha=0.5)
    axes.hlines(
        at + _APART, np.maximum(low, ends[0]), np.minimum(high, ends[1]), color=theme.em, lw=2
    )
    look.mark(axes, table["mean"], at - _APART, marker="o", ms=5.5, color=theme.posterior)
    look.mark(axes, table["em"], at + _APART, marker="X", ms=6, color=theme.em)
    look.mark(axes, table["proportional"], at, marker="D", ms=4, color=theme.proportional)
    look.mark(axes, table["truth"], at, marker="*", ms=8.5, color=theme.truth)
    for beyond, place, marker in ((low < ends[0], ends[0], "<"), (high > ends[1], ends[1], ">")):
        ends_at = np.where(beyond, place, np.nan)
        look.mark(axes, ends_at, at + _APART, marker=marker, color=theme.em, ms=6)
    return bool((low < ends[0]).any() or (high > ends[1]).any())


def _legend(axes: Axes, look: Look, *, known: bool) -> None:
    theme, text = look.theme, look.language.text
    handles = {
        text("posterior, interval"): Line2D(
            [], [], color=theme.posterior, marker="o", linewidth=4, alpha=0.7
        ),
        text("EM ± 2 standard errors"): Line2D([], [], color=theme.em, marker="X", linewidth=2),
        text("proportional split"): Line2D(
            [], [], ls="none", marker="D", ms=4, color=theme.proportional
        ),
    }
    if known:
        handles[text("truth")] = Line2D([], [], ls="none", marker="*", ms=8.5, color=theme.truth)
    legend_above(axes, list(handles.values()), list(handles))


def _describe_errors(kind: str, language: Language) -> str:
    if kind == "bootstrap":
        return language.text("Errors of EM: parametric bootstrap.")
    return language.text("Errors of EM: observed information.")


def _describe_missing(n: int, language: Language) -> str:
    if not n:
        return ""
    return language.plural(
        n,
        "One entity has no error of EM: it is estimated at zero.",
        "{n} entities have no error of EM: those estimated at zero.",
    )
