"""The report's tables of amounts, as text that is ready to be laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import ENGLISH, MISSING, Language
from bayes_attrib.report.numbers import AmountFormat, fixed_column, interval
from bayes_attrib.report.page.intervals import significant_interval
from bayes_attrib.report.run_folder import RunFolder

MAX_ROWS: Final = 5_000
"""Rows of one table, 0.6 kB each: a page of many megabytes would not open on a phone.

``attribution.csv`` has all.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers.

    Attributes
    ----------
    head : str
        Its head.
    cells : sequence of str
        Numbers as text, in the language of the page.
    values : sequence of float
        The numbers that rows are sorted by: the text depends on the language.
    total : str
        The sum as text, where the column has one.
    """

    head: str
    cells: Sequence[str]
    values: Sequence[float]
    total: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number as text, and as the number that rows are sorted by; empty for none."""

    text: str
    value: str


@dataclass(frozen=True, slots=True)
class AmountTable:
    """Amounts of the rows of one level.

    Attributes
    ----------
    key : str
        What the rows are: the entity's key column, or a grouping column.
    columns : tuple of Column
        Columns after the name.
    rows : tuple of (str, tuple of Cell)
        Name and cells.
    n_more : int
        Rows that were left out, see :data:`MAX_ROWS`.
    """

    key: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    n_more: int


def choose_format(run: RunFolder, *, language: Language = ENGLISH) -> AmountFormat:
    """Choose how the amounts of a run are written, in every report alike.

    Parameters
    ----------
    run : RunFolder
        The run.
    language : Language
        Language of the reader.

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
        language=language,
    )


def tabulate_level(
    run: RunFolder,
    level: str,
    amounts: AmountFormat,
    interval_name: str,
    *,
    information: pd.Series | None = None,
) -> AmountTable:
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
    interval_name : str
        Such as "94% HDI".
    information : Series, optional
        Information fraction by name, see :mod:`bayes_attrib.report.page.information`.

    Returns
    -------
    AmountTable
        Text, largest amount first.
    """
    rows = run.level(level)
    columns = run.spec.columns
    key = columns.entity if level == "entity" else level
    shown = rows.head(MAX_ROWS)
    found = (
        *_amounts(rows, shown, amounts, interval_name),
        *_rates(shown, amounts, interval_name, columns.exposure),
        *_information(shown, amounts, information),
    )
    names = [printable(str(name)) for name in shown["name"]]
    cells = zip(*(_cells(column) for column in found), strict=True)
    return AmountTable(key, found, tuple(zip(names, cells, strict=True)), len(rows) - len(shown))


def _cells(column: Column) -> list[Cell]:
    return [
        Cell(text, f"{value:.6g}" if value == value else "")  # noqa: PLR0124 - NaN has no value
        for text, value in zip(column.cells, column.values, strict=True)
    ]


def _amounts(
    rows: pd.DataFrame, shown: pd.DataFrame, amounts: AmountFormat, name: str
) -> list[Column]:
    """Columns that add up over all rows, and intervals of those that are shown."""
    text = amounts.language.text
    return [
        _summed(
            text("Amount ({unit})", unit=amounts.unit),
            rows["amount_mean"],
            amounts,
            amounts.mean_decimals,
        ),
        _interval(text("{interval} of amount", interval=name), shown, "amount", amounts),
        _summed(text("Share (%)"), 100 * rows["share_mean"], amounts, amounts.share_decimals),
        _interval(text("{interval} of share (%)", interval=name), shown, "share", amounts),
        _summed(text("EM"), rows["em_amount"], amounts, amounts.mean_decimals),
        _summed(text("Proportional"), rows["proportional_amount"], amounts, amounts.mean_decimals),
        *_truth(rows, amounts),
    ]


def _rates(rows: pd.DataFrame, amounts: AmountFormat, name: str, exposure: str) -> list[Column]:
    text, number = amounts.language.text, amounts.language.number
    return [
        _significant(text("Rate per {exposure}", exposure=exposure), rows["rate_mean"], amounts),
        Column(
            text("{interval} of rate", interval=name),
            [
                significant_interval(amounts.language, low, high)
                for low, high in zip(
                    rows["rate_lower"].tolist(), rows["rate_upper"].tolist(), strict=True
                )
            ],
            rows["rate_lower"].tolist(),
        ),
        _interval(
            text("{interval} of expected amount", interval=name), rows, "expected_amount", amounts
        ),
        _significant(text("Exposure ({exposure})", exposure=exposure), rows["exposure"], amounts),
        Column(
            text("Aggregates"),
            [number(x) for x in rows["n_aggregates"].tolist()],
            rows["n_aggregates"].tolist(),
        ),
    ]


def _information(
    rows: pd.DataFrame, amounts: AmountFormat, information: pd.Series | None
) -> list[Column]:
    if information is None:
        return []
    percent = 100 * information.reindex(rows["name"]).to_numpy(dtype=np.float64)
    cells = [amounts.language.number(x) for x in percent.tolist()]
    return [Column(amounts.language.text("Information (%)"), cells, percent.tolist())]


def _summed(head: str, values: pd.Series, amounts: AmountFormat, decimals: int) -> Column:
    known = values.notna().all()
    total = amounts.language.number(float(values.sum()), decimals) if known else MISSING
    texts = fixed_column(values, decimals, first=MAX_ROWS, language=amounts.language)
    return Column(head, texts, values.head(MAX_ROWS).tolist(), total)


def _truth(rows: pd.DataFrame, amounts: AmountFormat) -> list[Column]:
    """Truth, marked where it lies outside the interval: above or below."""
    truth = rows["truth_amount"]
    if truth.isna().all():
        return []
    plain = _summed(amounts.language.text("Truth"), truth, amounts, amounts.mean_decimals)
    above, below = truth > rows["amount_upper"], truth < rows["amount_lower"]
    marks = ["▲ " if up else "▼ " if down else "" for up, down in zip(above, below, strict=True)]
    marked = [mark + text for mark, text in zip(marks, plain.cells, strict=False)]
    return [Column(plain.head, marked, plain.values, plain.total)]


def _interval(head: str, rows: pd.DataFrame, what: str, amounts: AmountFormat) -> Column:
    """Intervals, sorted by their lower end."""
    is_share = what == "share"
    decimals = amounts.share_decimals if is_share else amounts.bound_decimals
    factor = 100.0 if is_share else 1.0
    lower = (factor * rows[f"{what}_lower"]).tolist()
    upper = (factor * rows[f"{what}_upper"]).tolist()
    ends = zip(lower, upper, strict=True)
    texts = [interval(a, b, decimals, language=amounts.language) for a, b in ends]
    return Column(head, texts, lower)


def _significant(head: str, values: pd.Series, amounts: AmountFormat) -> Column:
    return Column(head, [amounts.language.significant(x) for x in values.tolist()], values.tolist())
