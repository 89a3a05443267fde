"""Geometry of a forest plot: positions in percent of the axis, so that it fits any width."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.report.labels import printable
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.scale import Tick, axis_ticks, scale_from_zero

__all__ = ["TOP", "Forest", "ForestRow", "Tick", "axis_ticks", "layout_forest"]

TOP: Final = 30
"""Rows that are drawn; the table has them all."""

_COLUMNS: Final = {
    "mean": "amount_mean",
    "lower": "amount_lower",
    "upper": "amount_upper",
    "expected_lower": "expected_amount_lower",
    "expected_upper": "expected_amount_upper",
    "em": "em_amount",
    "proportional": "proportional_amount",
    "truth": "truth_amount",
}


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One entity or roll-up.

    Attributes
    ----------
    name : str
        Name, control characters made visible.
    amount, interval : str
        Mean and interval of the amount, as text.
    description : str
        All that the row shows, as a sentence.
    at : dict of str to float
        Positions in percent of the axis of ``mean``, ``lower``, ``upper``, ``expected_lower``,
        ``expected_upper``, ``em``, ``proportional`` and ``truth``, as far as there are such.
    """

    name: str
    amount: str
    interval: str
    description: str
    at: dict[str, float]


@dataclass(frozen=True, slots=True)
class Forest:
    """A forest plot.

    Attributes
    ----------
    rows : tuple of ForestRow
        At most :data:`TOP`.
    ticks : tuple of Tick
        Labels of the common axis, which starts at zero.
    n_more : int
        Rows that were left to the table.
    shown : frozenset of str
        Keys of ``ForestRow.at`` that occur, for the legend.
    """

    rows: tuple[ForestRow, ...]
    ticks: tuple[Tick, ...]
    n_more: int
    shown: frozenset[str]

    @property
    def name_length(self) -> int:
        """Characters of the longest name, for the width of the names."""
        return max((len(row.name) for row in self.rows), default=0)


def layout_forest(rows: pd.DataFrame, amounts: AmountFormat, interval_name: str) -> Forest:
    """Lay out the first rows of a level.

    Parameters
    ----------
    rows : DataFrame
        Rows of ``attribution.csv`` of one level, in the order of display.
    amounts : AmountFormat
        How amounts are written.
    interval_name : str
        Such as "94% HDI".

    Returns
    -------
    Forest
        Positions and texts.
    """
    drawn = rows.head(TOP)
    values = drawn[list(_COLUMNS.values())].to_numpy(dtype=np.float64)
    scale = scale_from_zero(values)
    means = amounts.means(rows["amount_mean"], first=TOP)
    laid = tuple(
        _row(
            printable(str(name)),
            {key: scale.at(x) for key, x in numbers.items() if math.isfinite(x)},
            _texts(mean, numbers, amounts),
            interval_name,
            amounts,
        )
        for name, mean, numbers in zip(
            drawn["name"],
            means,
            (dict(zip(_COLUMNS, row, strict=True)) for row in values.tolist()),
            strict=False,
        )
    )
    shown = frozenset(key for row in laid for key in row.at)
    return Forest(laid, scale.ticks(amounts.language), len(rows) - len(drawn), shown)


def _texts(mean: str, values: dict[str, float], amounts: AmountFormat) -> dict[str, str]:
    return {
        "mean": mean,
        "interval": amounts.bounds(values["lower"], values["upper"]),
        "expected": amounts.bounds(values["expected_lower"], values["expected_upper"]),
        **{key: amounts.mean(values[key]) for key in ("em", "proportional", "truth")},
    }


def _row(
    name: str,
    at: dict[str, float],
    texts: dict[str, str],
    interval_name: str,
    amounts: AmountFormat,
) -> ForestRow:
    text = amounts.language.text
    points = {
        "em": text("EM {amount}", amount=texts["em"]),
        "proportional": text("proportional split {amount}", amount=texts["proportional"]),
        "truth": text("truth {amount}", amount=texts["truth"]),
    }
    words = text(
        "mean {mean}; {interval_name} {interval}, of the expected amount {expected}",
        mean=texts["mean"],
        interval_name=interval_name,
        interval=texts["interval"],
        expected=texts["expected"],
    )
    sentence = "; ".join([words, *(point for key, point in points.items() if key in at)])
    return ForestRow(name, texts["mean"], texts["interval"], f"{name}: {sentence}", at)
