"""The answer in a few sentences: who, how much, how sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from markupsafe import Markup

from bayes_attrib.attribution.ranking import holders_of_best
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.labels import printable
from bayes_attrib.report.numbers import AmountFormat, round_to_sum
from bayes_attrib.report.page.draws import PageDraws, RowDraws
from bayes_attrib.report.run_folder import RunFolder

MOST_NAMED: Final = 4
"""Candidates for the first place that are named one by one."""

MOST_CHARACTERS: Final = 60
"""Characters of their names."""

_ROWS_AT_A_TIME: Final = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer.

    Attributes
    ----------
    first : Markup
        Who earned most, how much, and how sure that amount is.
    settled : Markup
        Whether the first place is settled; empty where there is nobody else.
    rollups : tuple of Markup
        Who leads each roll-up whose amounts are not known from the totals.
    """

    first: Markup
    settled: Markup
    rollups: tuple[Markup, ...]


def find_answer(
    run: RunFolder, draws: PageDraws | None, amounts: AmountFormat, interval_words: str
) -> Answer:
    """Say who earned most.

    Parameters
    ----------
    run : RunFolder
        The run.
    draws : PageDraws or None
        Draws of its amounts, if it can be drawn again.
    amounts : AmountFormat
        How amounts are written.
    interval_words : str
        Such as "94% highest-density interval".

    Returns
    -------
    Answer
        Sentences.
    """
    html = amounts.language.html
    first = run.entities.iloc[0]
    sentence = html(
        "{entity} {name} earned the most: {amount} of {total}, or {share}, with a "
        "{interval_words} of {interval}.",
        entity=Markup('<span class="key">{}</span>').format(run.spec.columns.entity),
        name=_name(first["name"]),
        amount=_bold(_first_amount(run.entities, amounts)),
        total=amounts.with_unit(run.manifest.data.grand_total),
        share=_bold(amounts.language.percent(first["share_mean"], amounts.share_decimals)),
        interval_words=interval_words,
        interval=_bold(amounts.bounds(first["amount_lower"], first["amount_upper"])),
    )
    settled = _overlap(run, amounts) if draws is None else _contest(run, draws, amounts)
    rollups = tuple(
        _rollup(run, level, amounts) for level in run.levels if not _is_observed(run, level)
    )
    return Answer(sentence, settled, rollups)


def leading_probabilities(amounts: RowDraws) -> FloatArray:
    """Probability of each row to be the largest.

    Parameters
    ----------
    amounts : ndarray, shape (n_rows, n_draws)
        Draws.

    Returns
    -------
    ndarray, shape (n_rows,)
        Fractions of draws; a draw in which several are largest counts for each in equal parts.
    """
    largest = amounts == amounts.max(axis=0)
    holders, chances = largest.sum(axis=0), np.empty(len(amounts))
    for start in range(0, len(amounts), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        chances[rows] = (largest[rows] / holders).mean(axis=1)
    return chances


def _contest(run: RunFolder, draws: PageDraws, amounts: AmountFormat) -> Markup:
    """Name the smallest set of entities that holds the first place almost surely."""
    language, prob = amounts.language, run.spec.report.interval.prob
    chances = leading_probabilities(draws.amounts)
    if len(chances) < 2:
        return Markup()
    order = np.argsort(-chances, kind="stable")
    n_candidates = len(holders_of_best(chances, prob))
    named = Markup(", ").join(
        Markup("{} ({})").format(
            _name(_short(str(draws.data.entity_names[i]))), _chance(amounts, chances[i])
        )
        for i in order[:MOST_NAMED]
        if chances[i] > 0
    )
    if n_candidates == 1:
        return language.html(
            "It is the first in {chance} of draws: the first place is settled.",
            chance=_chance(amounts, chances[order[0]]),
        )
    return language.html(
        "The first place is not settled: with a probability of {prob} it belongs to one of {n} "
        "entities. Chances of being first: {named}.",
        n=language.number(n_candidates),
        prob=language.percent(prob, 0),
        named=named,
    )


def _overlap(run: RunFolder, amounts: AmountFormat) -> Markup:
    entities, language = run.entities, amounts.language
    if len(entities) < 2:
        return Markup()
    reach = entities["amount_upper"].iloc[1:] >= entities["amount_lower"].iloc[0]
    rivals = int(reach.sum())
    if not rivals:
        return language.html("No other interval reaches into that one.")
    text = language.plural(
        rivals,
        "The interval of {n} other reaches into that one: the first place is not settled.",
        "The intervals of {n} others reach into that one: the first place is not settled.",
    )
    return Markup.escape(text)


def _is_observed(run: RunFolder, level: str) -> bool:
    """Tell whether totals are known per level, as where a channel is a key of the aggregates."""
    rows = run.level(level)
    width = (rows["amount_upper"] - rows["amount_lower"]).to_numpy(dtype=np.float64)
    return bool((width <= 1e-9 * max(1.0, run.manifest.data.grand_total)).all())


def _rollup(run: RunFolder, level: str, amounts: AmountFormat) -> Markup:
    first = run.level(level).iloc[0]
    return amounts.language.html(
        "By {level}: {name} leads with {amount}, or {share} ({interval}).",
        level=_name(level),
        name=_name(first["name"]),
        amount=_first_amount(run.level(level), amounts),
        share=amounts.language.percent(first["share_mean"], amounts.share_decimals),
        interval=amounts.bounds(first["amount_lower"], first["amount_upper"]),
    )


def _first_amount(rows: pd.DataFrame, amounts: AmountFormat) -> str:
    """Write the first amount as the table does, where the column adds up as shown."""
    rounded = round_to_sum(rows["amount_mean"].to_numpy(dtype=np.float64), amounts.mean_decimals)
    return amounts.with_unit(float(rounded[0]))


def _chance(amounts: AmountFormat, probability: float) -> str:
    """Write a probability from draws: never quite 0 or 100 percent unless all draws say so."""
    percent = amounts.language.percent
    if 0.995 <= probability < 1:
        return f">{percent(0.99, 0)}"
    if 0 < probability < 0.005:
        return f"<{percent(0.01, 0)}"
    return percent(probability, 0)


def _name(name: object) -> Markup:
    return Markup("<bdi>{}</bdi>").format(printable(str(name)))


def _short(name: str) -> str:
    """Cut a very long name: the table has it whole."""
    return name if len(name) <= MOST_CHARACTERS else f"{name[: MOST_CHARACTERS - 1]}…"


def _bold(text: str) -> Markup:
    return Markup("<b>{}</b>").format(text)
