"""Tables of the second slide: the largest entities, and the roll-ups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from bayes_attrib.report.brief.blocks import Bar, Row, Table
from bayes_attrib.report.brief.facts import BASELINES, N_COMPARED, Facts
from bayes_attrib.report.brief.medium import Medium
from bayes_attrib.report.narrative import interval_short
from bayes_attrib.report.numbers import round_to_sum
from bayes_attrib.report.page.scale import Scale, scale_from_zero

MOST_LEVELS: Final = 3
"""Roll-ups that the summary shows; the report shows all of them."""

MOST_ROWS: Final = 6
"""Rows of a roll-up."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that adds up as shown: its first rows, all others together, and the sum."""

    head: str
    largest: tuple[str, ...]
    others: str
    total: str


def entity_table(facts: Facts, medium: Medium) -> Table:
    """Tabulate the largest entities, with bars.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.

    Returns
    -------
    Table
        The largest, all others in one row, and the sum.
    """
    run, text = facts.run, medium.text
    rows, n = run.entities, N_COMPARED
    heads = {"proportional_amount": text("Split by exposure"), "em_amount": text("EM")}
    known = [column for column in BASELINES if rows[column].notna().all()]
    columns = (
        *_posterior(rows, facts, medium, n),
        *(_amounts(heads[column], rows[column], facts, n) for column in known),
    )
    shown = rows.head(n)
    scale = scale_from_zero(shown[["amount_upper", "amount_mean", *known]].to_numpy())
    records = shown.to_dict("records")
    return _table(
        text(
            "The largest amounts in {unit}: the bar is the {interval}, the dot the mean, the "
            "square the split by exposure. Columns add up as shown; intervals do not.",
            unit=medium.name(facts.amounts.unit),
            interval=interval_short(run.spec.report.interval, language=medium.language),
        ),
        medium.name(run.spec.columns.entity),
        rows,
        columns,
        medium,
        bars=tuple((_bar(row, scale), _describe(row, facts, medium)) for row in records),
        scale=scale,
    )


def rollup_tables(facts: Facts, medium: Medium) -> tuple[Table, ...]:
    """Tabulate the roll-ups, each with intervals of its own.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.

    Returns
    -------
    tuple of Table
        The first levels of the run.
    """
    unit = medium.name(facts.amounts.unit)
    return tuple(
        _table(
            medium.text("By {level}, in {unit}.", level=medium.name(level), unit=unit),
            medium.name(level),
            facts.run.level(level),
            _posterior(facts.run.level(level), facts, medium, MOST_ROWS),
            medium,
        )
        for level in facts.run.levels[:MOST_LEVELS]
    )


def _table(
    caption: str,
    kind: str,
    rows: pd.DataFrame,
    columns: tuple[_Column, ...],
    medium: Medium,
    *,
    bars: tuple[tuple[Bar, str], ...] = (),
    scale: Scale | None = None,
) -> Table:
    """Lay out columns: a row for each of the largest, one for all others, and the sum."""
    n_shown = len(columns[0].largest)
    found = [
        Row(
            medium.name(str(name)),
            tuple(column.largest[i] for column in columns),
            *(bars[i] if bars else ()),
        )
        for i, name in enumerate(rows["name"].head(n_shown))
    ]
    if len(rows) > n_shown:
        name = medium.plural(len(rows) - n_shown, "{n} other", "{n} others")
        found.append(Row(name, tuple(column.others for column in columns)))
    return Table(
        caption,
        (kind, *(column.head for column in columns)),
        tuple(found),
        Row(medium.text("Sum"), tuple(column.total for column in columns)),
        () if scale is None else scale.ticks(medium.language),
    )


def _posterior(rows: pd.DataFrame, facts: Facts, medium: Medium, n: int) -> tuple[_Column, ...]:
    """Amount, its interval and its share."""
    shown, language = rows.head(n), facts.amounts.language
    ends = zip(shown["amount_lower"].tolist(), shown["amount_upper"].tolist(), strict=True)
    decimals = facts.amounts.share_decimals
    return (
        _amounts(medium.text("Amount"), rows["amount_mean"], facts, n),
        _Column(
            interval_short(facts.run.spec.report.interval, language=medium.language),
            tuple(facts.amounts.bounds(lower, upper) for lower, upper in ends),
            "",
            "",
        ),
        _summed(
            medium.text("Share"),
            100 * rows["share_mean"],
            decimals,
            lambda percent: language.percent(percent / 100, decimals),
            n,
        ),
    )


def _amounts(head: str, values: pd.Series, facts: Facts, n: int) -> _Column:
    return _summed(head, values, facts.amounts.mean_decimals, facts.amounts.mean, n)


def _summed(
    head: str, values: pd.Series, decimals: int, write: Callable[[float], str], n: int
) -> _Column:
    rounded = round_to_sum(values, decimals)
    return _Column(
        head,
        tuple(write(value) for value in rounded[:n].tolist()),
        write(float(rounded[n:].sum())),
        write(float(rounded.sum())),
    )


def _bar(row: Mapping[Any, Any], scale: Scale) -> Bar:
    return Bar(
        scale.at(row["amount_lower"]),
        scale.at(row["amount_upper"]),
        scale.at(row["amount_mean"]),
        scale.at(row["proportional_amount"]),
    )


def _describe(row: Mapping[Any, Any], facts: Facts, medium: Medium) -> str:
    number, decimals = facts.amounts.language.number, facts.amounts.bound_decimals
    return medium.text(
        "{amount}, from {lower} to {upper}; split by exposure {proportional}",
        amount=facts.amounts.mean(row["amount_mean"]),
        lower=number(row["amount_lower"], decimals),
        upper=number(row["amount_upper"], decimals),
        proportional=facts.amounts.mean(row["proportional_amount"]),
    )
