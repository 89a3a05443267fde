"""Which entity is more productive than which: probabilities from draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bayes_attrib.attribution.ranking import rank_few
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.channels import EntityChannels, number_channels
from bayes_attrib.report.page.draws import PageDraws, RowDraws
from bayes_attrib.report.page.intervals import between
from bayes_attrib.report.page.packed import pack_draws
from bayes_attrib.report.page.scale import Scale, Tick
from bayes_attrib.report.run_folder import RunFolder

TOP: Final = 12
"""Entities of a channel that are held against each other in its table."""

MOST_CHANNELS: Final = 12
"""Channels that have a table, largest first."""

MOST_CHOICES: Final = 200
"""Entities that can be chosen for a comparison of two."""

MOST_PACKED: Final = 200_000
"""Draws of each quantity that are embedded in the page: 530 kB."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Probability that the row's rate exceeds the column's: percent for the colour, and words."""

    percent: int
    text: str
    description: str


@dataclass(frozen=True, slots=True)
class RankRow:
    """Rank of an entity within its channel.

    Attributes
    ----------
    name, rank, interval, first, description : str
        Name, expected rank, interval, probability of being first, all of it as a sentence.
    at : dict of str to float
        Positions of ``mean`` (the expected rank), ``lower`` and ``upper`` in percent.
    """

    name: str
    rank: str
    interval: str
    first: str
    description: str
    at: dict[str, float]


@dataclass(frozen=True, slots=True)
class ChannelComparison:
    """Entities of one channel.

    Attributes
    ----------
    name : str
        The channel; empty where there is only one kind of entity.
    entities : tuple of str
        The largest entities, by amount.
    n_entities : int
        All entities of the channel.
    cells : tuple of tuple of HeatCell or None
        Rows by columns; None on the diagonal.
    ranks : tuple of RankRow
        Ranks by rate among all entities of the channel, best first.
    ticks : tuple of Tick
        Axis of the ranks.
    """

    name: str
    entities: tuple[str, ...]
    n_entities: int
    cells: tuple[tuple[HeatCell | None, ...], ...]
    ranks: tuple[RankRow, ...]
    ticks: tuple[Tick, ...]

    @property
    def name_length(self) -> int:
        """Characters of the longest name, for the width of the names."""
        return max(map(len, self.entities))


@dataclass(frozen=True, slots=True)
class Comparison:
    """The section on comparisons.

    Attributes
    ----------
    column : str or None
        Grouping column whose levels are the channels.
    channels : tuple of ChannelComparison
        Those with two entities at least.
    n_channels_left : int
        Channels with two entities at least that have no table here.
    n_draws : int
        Draws that the section uses, in its tables and for the choice of two.
    n_choices : int
        Entities that can be chosen.
    data : dict
        What the page's script needs to compare two entities.
    """

    column: str | None
    channels: tuple[ChannelComparison, ...]
    n_channels_left: int
    n_draws: int
    n_choices: int
    data: dict[str, Any]


def compare(run: RunFolder, draws: PageDraws, amounts: AmountFormat) -> Comparison | None:
    """Compare entities within channels.

    Tables and choice use the same draws, so that they agree with each other.

    Parameters
    ----------
    run : RunFolder
        The run.
    draws : PageDraws
        Its draws.
    amounts : AmountFormat
        How numbers are written.

    Returns
    -------
    Comparison or None
        None where there are fewer than two entities.
    """
    data = draws.data
    if data.n_entities < 2:
        return None
    channels = number_channels(data, run.spec)
    largest = np.argsort(-draws.amounts.mean(axis=1), kind="stable")
    members = [largest[channels.codes[largest] == i] for i in range(len(channels.levels))]
    order = sorted(range(len(members)), key=lambda i: -float(_amount(draws, members[i])))
    many = [i for i in order if len(members[i]) > 1]
    chosen = _choose(largest, [members[i][:TOP] for i in many[:MOST_CHANNELS]])
    step = max(1, -(-draws.n_draws * len(chosen) // MOST_PACKED))
    found = tuple(
        _compare_channel(channels.levels[i], members[i], draws, step, amounts)
        for i in many[:MOST_CHANNELS]
    )
    n_draws = len(range(0, draws.n_draws, step))
    packed = _pack(chosen, channels, draws, step, run)
    return Comparison(channels.column, found, len(many) - len(found), n_draws, len(chosen), packed)


def probabilities_of_more(rows: RowDraws) -> FloatArray:
    """Probability that row i exceeds row j; draws in which both are equal count for half.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_draws)
        Draws.

    Returns
    -------
    ndarray, shape (n_rows, n_rows)
        Fractions of draws; one half on the diagonal.
    """
    return np.stack([(0.5 * (row > rows) + 0.5 * (row >= rows)).mean(axis=1) for row in rows])


def _amount(draws: PageDraws, entities: IntArray) -> float:
    return float(draws.amounts[entities].mean(axis=1).sum())


def _choose(largest: IntArray, shown: list[IntArray]) -> IntArray:
    """Entities of the tables and then the largest others, in the order of their amounts."""
    wanted = np.concatenate([*shown, largest]) if shown else largest
    first = list(dict.fromkeys(wanted.tolist()))[:MOST_CHOICES]
    keep = np.isin(largest, first)
    return largest[keep]


def _compare_channel(
    channel: str, members: IntArray, draws: PageDraws, step: int, amounts: AmountFormat
) -> ChannelComparison:
    rates = draws.rates[members, ::step]
    top = members[:TOP]
    labels = tuple(printable(str(name)) for name in draws.data.entity_names[top])
    chances = probabilities_of_more(rates[: len(top)])
    cells = tuple(
        tuple(
            None if i == j else _heat_cell(labels[i], labels[j], float(chances[i, j]), amounts)
            for j in range(len(top))
        )
        for i in range(len(top))
    )
    kind = draws.source.run.spec.report.interval
    ranking = rank_few(rates, np.arange(len(top)), interval=kind)
    scale = Scale(1.0, max(2.0, float(ranking.upper.max())))
    figures = np.column_stack(
        [ranking.expected, ranking.lower, ranking.upper, ranking.prob_best]
    ).tolist()
    best_first = np.argsort(ranking.expected, kind="stable").tolist()
    rows = tuple(_rank_row(labels[i], figures[i], scale, amounts) for i in best_first)
    return ChannelComparison(
        printable(channel), labels, len(members), cells, rows, _rank_ticks(scale, amounts)
    )


def _heat_cell(a: str, b: str, chance: float, amounts: AmountFormat) -> HeatCell:
    language = amounts.language
    percent = language.percent(chance, 0)
    words = language.text(
        "{a} has a higher rate than {b} in {percent} of draws", a=a, b=b, percent=percent
    )
    return HeatCell(round(100 * chance), language.number(100 * chance), words)


def _rank_row(name: str, figures: list[float], scale: Scale, amounts: AmountFormat) -> RankRow:
    language = amounts.language
    expected, lower, upper, best = figures
    rank = language.number(expected, 1)
    interval = between(language, _whole(language, lower), _whole(language, upper))
    first = language.percent(best, 0)
    words = language.text(
        "{name}: expected rank {rank}, {interval}; first in {first} of draws",
        name=name,
        rank=rank,
        interval=interval,
        first=first,
    )
    at = {"mean": scale.at(expected), "lower": scale.at(lower), "upper": scale.at(upper)}
    return RankRow(name, rank, interval, first, words, at)


def _whole(language: Language, rank: float) -> str:
    """Ranks are whole, but for halves where two tie."""
    return language.number(rank, 0 if rank == round(rank) else 1)


def _rank_ticks(scale: Scale, amounts: AmountFormat) -> tuple[Tick, ...]:
    """Rank 1, and whole ranks that keep their distance from it."""
    first = Tick(0.0, amounts.language.number(1))
    later = [
        tick
        for tick in scale.ticks(amounts.language)
        if tick.position >= 12 and tick.label.isdigit()
    ]
    return (first, *later)


def _pack(
    chosen: IntArray, channels: EntityChannels, draws: PageDraws, step: int, run: RunFolder
) -> dict[str, Any]:
    interval = run.spec.report.interval
    return {
        "names": [printable(str(name)) for name in draws.data.entity_names[chosen]],
        "channels": channels.codes[chosen].tolist(),
        "levels": list(map(printable, channels.levels)),
        "n": len(range(0, draws.n_draws, step)),
        "interval": {"kind": interval.kind, "prob": interval.prob},
        "rate": pack_draws(_doubles(draws.rates[chosen, ::step]), logarithmic=True),
        "amount": pack_draws(_doubles(draws.amounts[chosen, ::step]), logarithmic=False),
    }


def _doubles(draws: RowDraws) -> FloatArray:
    return draws.astype(np.float64)
