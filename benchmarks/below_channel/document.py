"""Tables and the figure of docs/credibility.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from below_channel.cases import mean_scores

PROB = 0.94
PUBLISHED = {"mae": 0.0347, "crps": 0.0254, "spearman": 0.893, "covered": 5}


def print_tables(results: dict[str, Any]) -> None:
    """Print the tables, as Markdown."""
    if "credibility" in results:
        case = results["credibility"]
        rows = pd.DataFrame(case["scores"]).T
        rows.loc["pymc-marketing's notebook, published"] = pd.Series(PUBLISHED)
        print(_markdown(rows, 7))
        print(case["verdict"], "decay", case["decay"], "off table", case["off_table"])
        print(case["amounts"])
        keys = ("campaigns", "truth", "mean", "lower", "upper")
        print(pd.DataFrame({key: case[key] for key in keys}).round(3).to_string(index=False))
    for name in ("development", "worlds"):
        if name in results:
            print(f"\n{name}")
            _print_worlds(list(results[name].values()))


def _print_worlds(cases: list[dict[str, Any]]) -> None:
    n = sum(len(case["truth"]) for case in cases)
    print(_markdown(mean_scores(cases), n))
    low, high = stats.binom.interval(PROB, n, PROB)
    print(f"band of {n} intervals: {low:.0f} to {high:.0f}")
    per_world = np.array([case["scores"]["posterior"]["covered"] for case in cases])
    print("covered by world:", dict(zip(*np.unique(per_world, return_counts=True), strict=True)))
    spread = per_world.std(ddof=1) * np.sqrt(len(cases))
    print(f"covered {per_world.sum()} +- {spread:.1f} (sd, worlds independent)")
    print("verdicts", pd.Series([case["verdict"] for case in cases]).value_counts().to_dict())
    print("off table", max(case["off_table"] for case in cases))
    for key in ("amounts", "known_error"):
        held = sum(case[key]["covered"] for case in cases)
        whole = sum(case[key]["total_covered"] for case in cases)
        print(f"{key}: {held} of {n} amounts, {whole} of {len(cases)} totals")
    mine = np.array([case["scores"]["posterior"]["mae"] for case in cases])
    for method in cases[0]["scores"]:
        other = np.array([case["scores"][method]["mae"] for case in cases])
        difference = other - mine
        error = difference.std(ddof=1) / np.sqrt(len(cases))
        print(
            f"{method}: MAE minus posterior's {difference.mean():+.4f} +- {error:.4f}, "
            f"posterior nearer in {(difference > 0).sum()}"
        )


def _markdown(rows: pd.DataFrame, n: int) -> str:
    lines = ["| split | MAE | CRPS | Spearman | 94% intervals that hold the truth | mean width |"]
    lines.append("|---|---|---|---|---|---|")
    for name, row in rows.iterrows():
        held = "" if pd.isna(row["covered"]) else f"{row['covered']:.0f} of {n}"
        width = "" if pd.isna(row["width"]) else f"{row['width']:.3f}"
        scores = f"{row['mae']:.4f} | {row['crps']:.4f} | {row['spearman']:.3f}"
        lines.append(f"| {name} | {scores} | {held} | {width} |")
    return "\n".join(lines)


def write_figure(results: dict[str, Any], path: Path) -> None:
    """Draw shares of the example beside the truth, and errors of all splits over worlds."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    if "credibility" in results:
        _draw_case(left, results["credibility"])
    if "worlds" in results:
        _draw_worlds(right, list(results["worlds"].values()))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _draw_case(axes: Any, case: dict[str, Any]) -> None:
    order = np.argsort(case["truth"])
    place = np.arange(len(order))
    values = {key: np.array(case[key])[order] for key in ("truth", "mean", "lower", "upper")}
    axes.hlines(place, values["lower"], values["upper"], color="#0072B2", linewidth=3, alpha=0.5)
    axes.plot(values["mean"], place, "o", color="#0072B2", label="posterior mean, 94% interval")
    marks = {"reach": ("^", "#009E73"), "clicks": ("v", "#CC79A7"), "spend": ("s", "#999999")}
    for name, (mark, colour) in marks.items():
        share = np.array(case["splits"][name])[order]
        axes.plot(share, place + 0.22, mark, color=colour, markersize=5, label=f"by {name}")
    axes.plot(values["truth"], place, "|", color="black", markersize=16, label="truth")
    axes.set_yticks(place, [case["campaigns"][i].replace("_", " ") for i in order])
    axes.set_xlabel("share of the channel")
    axes.set_title("pymc-marketing's example", fontsize=11)
    axes.legend(fontsize=8, loc="lower right")


def _draw_worlds(axes: Any, cases: list[dict[str, Any]]) -> None:
    names = [
        "posterior",
        "by exposure",
        "by reach",
        "by impressions",
        "by spend",
        "by clicks",
        "EM",
    ]
    errors = [[case["scores"][name]["mae"] for case in cases] for name in names]
    place = np.arange(len(names))[::-1]
    for row, values in zip(place, errors, strict=True):
        axes.plot(values, np.full(len(values), row), "o", color="#0072B2", alpha=0.3, markersize=5)
        axes.plot(np.mean(values), row, "|", color="black", markersize=18)
    axes.set_yticks(place, names)
    axes.set_xlim(left=0)
    axes.set_xlabel("mean absolute error of shares (dot: a world, bar: mean)")
    axes.set_title(f"{len(cases)} fresh worlds", fontsize=11)
