"""The report's tables of amounts, as text that is ready to be laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.report.labels import printable
from bayes_attrib.report.narrative import interval_short
from bayes_attrib.report.numbers import (
    MISSING,
    AmountFormat,
    fixed,
    fixed_column,
    interval,
    significant,
)
from bayes_attrib.report.run_folder import RunFolder

MAX_ROWS: Final = 20_000
"""Rows of one table; a page with more would not open on a phone. ``attribution.csv`` has all."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of text: its head, its cells, and its sum where it has one."""

    head: str
    cells: Sequence[str]
    total: str = ""


@dataclass(frozen=True, slots=True)
class AmountTable:
    """Amounts of the rows of one level.

    Attributes
    ----------
    key : str
        What the rows are: the entity's key column, or a grouping column.
    columns : tuple of Column
        Columns after the name.
    rows : tuple of (str, tuple of str)
        Name and cells.
    n_more : int
        Rows that were left out, see :data:`MAX_ROWS`.
    """

    key: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    n_more: int


def choose_format(run: RunFolder) -> AmountFormat:
    """Choose how the amounts of a run are written, in every report alike.

    Parameters
    ----------
    run : RunFolder
        The run.

    Returns
    -------
    AmountFormat
        Decimals and unit.
    """
    currency = run.spec.report.currency
    return AmountFormat.choose(
        run.entities["amount_mean"].to_numpy(dtype=np.float64),
        counts=run.spec.likelihood.counts,
        unit=currency or run.spec.columns.total,
        currency=currency is not None,
    )


def tabulate_level(run: RunFolder, level: str, amounts: AmountFormat) -> AmountTable:
    """Tabulate the amounts of a level.

    Columns of amounts and of shares are rounded so that they add up as shown.

    Parameters
    ----------
    run : RunFolder
        The run.
    level : str
        ``"entity"`` or a grouping column.
    amounts : AmountFormat
        How amounts are written.

    Returns
    -------
    AmountTable
        Text, largest amount first.
    """
    rows = run.level(level)
    short = interval_short(run.spec.report.interval)
    columns = run.spec.columns
    unit = f" ({amounts.unit})"
    found = [
        _summed(f"Amount{unit}", rows["amount_mean"], amounts.mean_decimals),
        Column(f"{short} of amount", _intervals(rows, "amount", 1, amounts.bound_decimals)),
        _summed("Share (%)", 100 * rows["share_mean"], amounts.share_decimals),
        Column(f"{short} of share (%)", _intervals(rows, "share", 100, amounts.share_decimals)),
        _summed("EM", rows["em_amount"], amounts.mean_decimals),
        _summed("Proportional", rows["proportional_amount"], amounts.mean_decimals),
        *_truth(rows, amounts),
        Column(
            f"Rate per {columns.exposure}", [significant(x) for x in rows["rate_mean"].tolist()]
        ),
        Column(f"{short} of rate", _significant_intervals(rows)),
        Column(
            f"{short} of expected amount",
            _intervals(rows, "expected_amount", 1, amounts.bound_decimals),
        ),
        Column(
            f"Exposure ({columns.exposure})", [significant(x) for x in rows["exposure"].tolist()]
        ),
        Column("Aggregates", [fixed(x, 0) for x in rows["n_aggregates"].tolist()]),
    ]
    key = columns.entity if level == "entity" else level
    names = [printable(str(name)) for name in rows["name"]]
    cells = list(zip(*(column.cells for column in found), strict=True))[:MAX_ROWS]
    return AmountTable(
        key, tuple(found), tuple(zip(names, cells, strict=False)), max(0, len(rows) - MAX_ROWS)
    )


def _summed(head: str, values: pd.Series, decimals: int) -> Column:
    known = values.notna().all()
    total = fixed_column([float(values.sum())], decimals)[0] if known else MISSING
    return Column(head, fixed_column(values, decimals), total)


def _truth(rows: pd.DataFrame, amounts: AmountFormat) -> list[Column]:
    """Truth, marked where it lies outside the interval: above or below."""
    truth = rows["truth_amount"]
    if truth.isna().all():
        return []
    plain = _summed("Truth", truth, amounts.mean_decimals)
    above, below = truth > rows["amount_upper"], truth < rows["amount_lower"]
    marks = ["▲ " if up else "▼ " if down else "" for up, down in zip(above, below, strict=True)]
    marked = [mark + text for mark, text in zip(marks, plain.cells, strict=True)]
    return [Column(plain.head, marked, plain.total)]


def _intervals(rows: pd.DataFrame, what: str, factor: float, decimals: int) -> list[str]:
    lower = (factor * rows[f"{what}_lower"]).tolist()
    upper = (factor * rows[f"{what}_upper"]).tolist()
    return [interval(a, b, decimals) for a, b in zip(lower, upper, strict=True)]


def _significant_intervals(rows: pd.DataFrame) -> list[str]:
    ends = zip(rows["rate_lower"].tolist(), rows["rate_upper"].tolist(), strict=True)
    texts = ((significant(a), significant(b)) for a, b in ends)
    return [MISSING if MISSING in pair else " to ".join(pair) for pair in texts]
