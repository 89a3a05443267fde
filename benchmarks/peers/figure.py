"""Seconds and memory against the number of pairs, one line per method."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bayes_attrib.report.figures.look import new_figure
from bayes_attrib.report.figures.theme import theme_of
from peers.methods import METHODS
from peers.problem import SIZES
from peers.results import Results

LINES = ("naive", "stock", "stan", "nuts", "laplace", "em", "map", "nmf")
MARKERS = "osD^vPX*"


def write_figure(results: Results, path: Path) -> None:
    """Draw the figure.

    Parameters
    ----------
    results : Results
        Measurements.
    path : Path
        PNG file to write.
    """
    theme = theme_of("light")
    with theme.style():
        figure = new_figure((8.4, 4.2))
        left, right = figure.subplots(1, 2)
        handles: dict[str, Any] = {}
        for i, name in enumerate(LINES):
            style = {"color": theme.series[i], "marker": MARKERS[i], "markersize": 5}
            for axes, read in ((left, _seconds), (right, _peak)):
                points = _points(results, name, read)
                if points:
                    (line,) = axes.plot(*zip(*points, strict=True), **style)
                    handles.setdefault(METHODS[name].label, line)
        kinds = (
            (left, "Seconds, data to result", (1, 3)),
            (right, "Peak memory, GB", (1, 2, 3, 5)),
        )
        for axes, label, marks in kinds:
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("Pairs of entity and aggregate")
            axes.set_ylabel(label)
            axes.grid(visible=True)
            for axis, places in ((axes.xaxis, (1,)), (axes.yaxis, marks)):
                axis.set_major_locator(LogLocator(subs=places))
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
                axis.set_minor_formatter(NullFormatter())
        if handles:
            figure.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=4)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)


def _points(results: Results, name: str, read: Any) -> list[tuple[float, float]]:
    found = []
    for size in SIZES:
        # One line for the approximation, whether its draws fit into memory or go to a file.
        names = (name, "laplace_stream") if name == "laplace" else (name,)
        for value in (results.figure(each, size, read) for each in names):
            if value is not None:
                edges = next(filter(None, (results.figure(n, size, _edges) for n in names)))
                found.append((edges, value))
                break
    return found


def _edges(found: dict[str, Any]) -> float:
    return float(found["edges"])


def _seconds(found: dict[str, Any]) -> float:
    return float(found["seconds"]["total"])


def _peak(found: dict[str, Any]) -> float:
    return float(found["peak_gb"])
