"""Axes with labels that do not overlap: numbers in the reader's language, names, periods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bayes_attrib.report.page.scale import Scale

Side = Literal["x", "y"]

_CHARACTER = 0.078
"""Width of a character of a tick label in inches."""


def number_axis(
    axes: Axes,
    side: Side,
    ends: tuple[float, float],
    write: Callable[[float], str],
    label: str,
    *,
    wanted: int = 6,
) -> None:
    """Give an axis linear ends, ticks at round numbers, and a label.

    All labels are made at once: those that matplotlib would make when the figure is drawn follow
    the settings of the session, not those of the figure.

    Parameters
    ----------
    axes : Axes
        Where to.
    side : {"x", "y"}
        Which axis.
    ends : tuple of float
        Lowest and highest value.
    write : callable
        From a value to the text of its tick.
    label : str
        Label with the unit.
    wanted : int
        Steps to aim at.
    """
    low, high = ends
    marks = MaxNLocator(nbins=wanted, steps=[1, 2, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    inside = [float(x) + 0.0 for x in marks if low - slack <= x <= high + slack]
    _place(axes, side, {x: write(x) for x in inside}, (low, high), label)


def bent_axis(
    axes: Axes, side: Side, scale: Scale, write: Callable[[float], str], label: str
) -> None:
    """Give an axis the scale of the page: linear, or logarithmic for large values and with a zero.

    Parameters
    ----------
    axes : Axes
        Where to.
    side : {"x", "y"}
        Which axis.
    scale : Scale
        Ends, and whether the axis is bent.
    write : callable
        From a value to the text of its tick.
    label : str
        Label with the unit.
    """
    if scale.unit is None:
        number_axis(axes, side, (scale.low, scale.high), write, label)
        return
    set_scale = axes.set_xscale if side == "x" else axes.set_yscale
    set_scale("asinh", linear_width=scale.unit)
    gap, chosen = 12.0, [0.0] if scale.low <= 0 else []
    powers = range(int(np.floor(np.log10(scale.unit))), int(np.log10(scale.high)) + 1)
    for factor in (1, 5, 2):
        for power in reversed(powers):
            mark = factor * 10.0**power
            place = scale.at(mark)
            if scale.low <= mark <= scale.high and all(
                abs(place - scale.at(other)) >= gap for other in chosen
            ):
                chosen.append(mark)
    chosen.sort()
    _place(axes, side, {x: write(x) for x in chosen}, (scale.low, scale.high), label)


def name_axis(axes: Axes, labels: Sequence[str]) -> None:
    """Give the vertical axis a name at every whole number, the first above."""
    axes.set_yticks(range(len(labels)), labels=list(labels))
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def period_axis(axes: Axes, periods: Sequence[str], width: float, label: str) -> None:
    """Label as many periods as keep apart, at equal distances from the first.

    Parameters
    ----------
    axes : Axes
        Periods lie at 0, 1, ...
    periods : sequence of str
        Their names.
    width : float
        Width of the axes in inches.
    label : str
        Label of the axis; may be empty.
    """
    each = max(map(len, periods)) * _CHARACTER + 0.2
    most = max(1, int(width / each))
    n = len(periods)
    step = max(1, -(-(n - 1) // max(1, most - 1))) if most > 1 else n
    places = range(0, n, step)
    axes.set_xticks(places, labels=[periods[i] for i in places])
    axes.set_xlabel(label)
    if len(places) > 1:  # kept within the axes, so that neighbouring charts do not touch
        texts = axes.get_xticklabels()
        texts[0].set_horizontalalignment("left")
        if places[-1] == n - 1:
            texts[-1].set_horizontalalignment("right")
    axes.set_xlim(*((-0.6, n - 0.4) if n < 3 else (-0.25, n - 0.75)))


def _place(
    axes: Axes,
    side: Side,
    marks: Mapping[float, str],
    ends: tuple[float, float],
    label: str,
) -> None:
    if side == "x":
        axes.set_xticks(list(marks), labels=list(marks.values()))
        axes.set_xticks([], minor=True)
        axes.set_xlim(*ends)
        axes.set_xlabel(label)
    else:
        axes.set_yticks(list(marks), labels=list(marks.values()))
        axes.set_yticks([], minor=True)
        axes.set_ylim(*ends)
        axes.set_ylabel(label)
