"""Heat maps of probabilities: colours, numbers in cells, and groups of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.figures.look import Look
from bayes_attrib.report.figures.wording import shorten
from bayes_attrib.report.labels import terminal_label
from bayes_attrib.report.language import Language

LINEAR: Final = Normalize(0.0, 1.0)

ROOT: Final = PowerNorm(0.5, 0.0, 1.0)
"""Tells small probabilities apart: colour is in proportion to the root."""


def colours(name: str, *stops: str) -> LinearSegmentedColormap:
    """Return a scale of colours from the first to the last."""
    return LinearSegmentedColormap.from_list(name, list(stops))


def draw_cells(
    axes: Axes,
    values: FloatArray,
    scale: LinearSegmentedColormap,
    look: Look,
    *,
    norm: Normalize = LINEAR,
) -> None:
    """Draw a matrix of probabilities from 0 to 1; NaN leaves a cell empty."""
    axes.imshow(
        np.ma.masked_invalid(values),
        cmap=scale,
        norm=norm,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_facecolor(look.theme.page)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)


def write_cells(
    axes: Axes,
    values: FloatArray,
    scale: LinearSegmentedColormap,
    look: Look,
    *,
    norm: Normalize = LINEAR,
    smallest: float = 0.0,
    size: float = 7.5,
) -> None:
    """Write the probabilities of at least ``smallest`` into their cells, in percent."""
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value) and value >= smallest:
            axes.text(
                j,
                i,
                whole_percent(look.language, float(value)),
                ha="center",
                va="center",
                fontsize=size,
                color=ink_on(scale(norm(float(value)))),
            )


def whole_percent(language: Language, value: float) -> str:
    """Write a probability in whole percent without the sign; never 0 or 100 unless it is."""
    if 0.0 < value < 0.005:
        return "<1"
    if 0.995 < value < 1.0:
        return ">99"
    return language.number(100.0 * value)


def colour_bar(
    figure: Figure,
    axes: Axes,
    scale: LinearSegmentedColormap,
    look: Look,
    label: str,
    *,
    norm: Normalize = LINEAR,
) -> None:
    """Put a scale of colours beside a heat map."""
    mappable = ScalarMappable(norm, scale)
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    bar = figure.colorbar(mappable, ax=axes, fraction=0.035, pad=0.015, aspect=28)
    bar.set_ticks(ticks, labels=[look.language.percent(tick, 0) for tick in ticks])
    bar.set_label(label)
    bar.outline.set_visible(False)


def divide_groups(
    axes: Axes, channels: Sequence[str | None], sizes: Sequence[int], look: Look
) -> None:
    """Draw a line between groups of rows and write each channel beside its own."""
    if len(sizes) < 2:
        return
    ends = np.cumsum(sizes)
    for end in ends[:-1]:
        axes.axhline(end - 0.5, color=look.theme.muted, linewidth=1.0)
    for channel, end, size in zip(channels, ends, sizes, strict=True):
        axes.text(
            1.005,
            end - 0.5 - size / 2,
            shorten(terminal_label(channel or ""), 5 + 3 * size),
            transform=axes.get_yaxis_transform(),
            rotation=270,
            ha="left",
            va="center",
            fontsize=8,
            color=look.theme.muted,
        )


def ink_on(background: tuple[float, float, float, float]) -> str:
    """Return black or white, whichever has the greater contrast (WCAG 2.2, relative luminance)."""
    channels = np.array(background[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"
