"""Comparisons of what is in a run: entities, or levels of a grouping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from bayes_attrib import names as vocabulary
from bayes_attrib.attribution.comparison import Comparison, ComparisonRule, compare_draws
from bayes_attrib.attribution.pairwise import Equivalence
from bayes_attrib.errors import ComparisonError, NotConvergedError
from bayes_attrib.inference import DrawMatrix
from bayes_attrib.report.comparison_channels import channels_of
from bayes_attrib.report.comparison_choice import (
    ChosenNames,
    choose_largest,
    choose_names,
    require_level,
)
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.spec import IntervalSpec

Quantity = Literal["rate", "amount", "share"]

LARGEST: Final = 10
"""How many of each channel are compared where no names are given."""


@dataclass(frozen=True, eq=False)
class ComparedGroup:
    """Names that are compared with each other.

    Attributes
    ----------
    channel : str or None
        Their channel, where every channel is compared on its own.
    names : tuple of str
        Names in the order of the comparison, largest mean first.
    n_available : int
        How many there are in the channel or the run, compared or not.
    comparison : Comparison
        The numbers; rows are in the order of ``names``.
    """

    channel: str | None
    names: tuple[str, ...]
    n_available: int
    comparison: Comparison

    @property
    def detailed_names(self) -> list[str]:
        """Names of the rows that pairs and distributions of ranks are kept for."""
        return [self.names[row] for row in self.comparison.detailed]

    @property
    def prob_greater(self) -> pd.DataFrame:
        """Probability that the name of the row exceeds that of the column, a square table."""
        labels = self.detailed_names
        return pd.DataFrame(self.comparison.prob_greater, index=labels, columns=labels)

    @property
    def rank_probability(self) -> pd.DataFrame:
        """Probability of each rank, one row per name and one column per rank, 1 first."""
        probability = self.comparison.ranking.probability
        ranks = range(1, probability.shape[1] + 1)
        return pd.DataFrame(probability, index=self.detailed_names, columns=ranks)

    @property
    def best_names(self) -> list[str]:
        """Names that hold the best one with the probability of the rule, likeliest first."""
        return [self.names[row] for row in self.comparison.best_set]


@dataclass(frozen=True, eq=False)
class RunComparison:
    """A posterior comparison of what is in a run.

    Attributes
    ----------
    run : RunFolder
        The run.
    level : str
        ``"entity"`` or a grouping column.
    on : {"rate", "amount", "share"}
        What is compared.
    rule : ComparisonRule
        What is called what.
    groups : tuple of ComparedGroup
        One for each channel, or one in all.
    alone : tuple of str
        Channels that were left out because a single name of theirs leaves nothing to compare.
    """

    run: RunFolder
    level: str
    on: Quantity
    rule: ComparisonRule
    groups: tuple[ComparedGroup, ...]
    alone: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Column of the names: the entity's key, or the grouping column."""
        return self.run.spec.columns.entity if self.level == vocabulary.ENTITY else self.level


def compare(
    run: RunFolder | Path | str,
    names: Sequence[str] = (),
    *,
    on: Quantity = "rate",
    level: str = vocabulary.ENTITY,
    rope: float = 0.1,
    rope_difference: float | None = None,
    top_k: int = 3,
    prob: float = 0.95,
    largest: int = LARGEST,
    across_channels: bool = False,
    allow_unconverged: bool = False,
) -> RunComparison:
    """Compare entities, or levels of a grouping, by the posterior of a finished run.

    Parameters
    ----------
    run : RunFolder, Path or str
        A finished run.
    names : sequence of str
        What to compare with each other; if empty the largest of each channel, each channel on its
        own.
    on : {"rate", "amount", "share"}
        The rate per unit of exposure, the amount given the totals, or its share of the grand total.
        Draws of amounts hold the uncertainty of their allocation as well as that of rates.
    level : str
        ``"entity"`` or a grouping column. The rate of a level is the exposure-weighted mean of its
        entities' rates.
    rope : float
        Two quantities are practically equal if the larger exceeds the smaller by at most this
        fraction.
    rope_difference : float, optional
        Instead: if they differ by at most this much, in the unit of ``on``.
    top_k : int
        How many of the first ranks count as the top.
    prob : float
        Probability that a conclusion needs, between 0.5 and 1.
    largest : int
        How many of each channel to compare where no names are given, by mean amount; 0 for all.
    across_channels : bool
        Whether channels are compared with each other: rates despite their units, and without
        names all channels together.
    allow_unconverged : bool
        Whether a run that did not converge is compared all the same.

    Returns
    -------
    RunComparison
        Comparisons with their names.

    Raises
    ------
    UnknownNameError
        If the run has no such level or names; the message says what is like them.
    ComparisonError
        If rates of several channels were to be compared, there are fewer than two names, or an
        option is out of its range.
    NotConvergedError
        If the run did not converge and that is not waived.
    RunFolderError
        If the folder holds no finished run.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder.load(run)
    equivalence = (rope, "ratio") if rope_difference is None else (rope_difference, "difference")
    rule = _make_rule(equivalence, prob, top_k, folder.spec.report.interval)
    _require_options(on, largest)
    if not allow_unconverged:
        _require_convergence(folder)
    level = require_level(folder, level)
    source = RunDraws.load(folder)
    channels = channels_of(source.data, folder.spec, level)
    choice = (
        choose_names(folder, level, names, channels)
        if names
        else choose_largest(folder, level, channels, largest, by_channel=not across_channels)
    )
    if on == "rate" and not across_channels:
        for chosen in choice.groups:
            channels.require_one(chosen.names, folder.spec.columns.exposure)
    labels, draws = _draw(source, level, on)
    whole = folder.manifest.data.grand_total if on == "share" else 1.0
    groups = tuple(_compare_names(chosen, labels, draws, whole, rule) for chosen in choice.groups)
    return RunComparison(folder, level, on, rule, groups, choice.alone)


def _make_rule(
    equivalence: tuple[float, str], prob: float, top_k: int, interval: IntervalSpec
) -> ComparisonRule:
    width, scale = equivalence
    try:
        region = Equivalence(width, "ratio" if scale == "ratio" else "difference")
        return ComparisonRule(region, prob, top_k, interval)
    except ValueError as error:
        raise ComparisonError(str(error)) from error


def _require_options(on: str, largest: int) -> None:
    if on not in get_args(Quantity):
        known = ", ".join(map(repr, get_args(Quantity)))
        raise ComparisonError(f"there is no quantity {on!r} to compare on; there is {known}")
    if largest < 0:
        raise ComparisonError(f"largest is 0, for all, or more; got {largest}")


def _require_convergence(run: RunFolder) -> None:
    if run.diagnostics.verdict != "not_converged":
        return
    failed = [check.name for check in run.diagnostics.checks if check.status == "fail"]
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    raise NotConvergedError(
        f"{run.path}: the fit did not converge ({', '.join(failed[:3])}{more}), so the "
        "probabilities of a comparison would be those of the sampler's path and not of the data; "
        "fit again with more draws, or add --allow-unconverged to see them all the same"
    )


def _draw(source: RunDraws, level: str, on: Quantity) -> tuple[tuple[str, ...], DrawMatrix]:
    """Return all names of a level, and draws of their rates or amounts."""
    if on == "rate" and level == vocabulary.ENTITY:
        return tuple(map(str, source.data.entity_names)), source.mean.rates
    if on == "rate":
        labels, rates = source.rates(level)
        return labels, DrawMatrix.of(rates)
    found = source.amounts(level)
    return tuple(found.labels[level]), found.amounts


def _compare_names(
    chosen: ChosenNames,
    labels: tuple[str, ...],
    draws: DrawMatrix,
    whole: float,
    rule: ComparisonRule,
) -> ComparedGroup:
    """Compare chosen names as parts of a whole, the one with the largest mean first."""
    place = {label: row for row, label in enumerate(labels)}
    rows = draws.rows(np.array([place[name] for name in chosen.names])) / whole
    order = np.argsort(-rows.mean(axis=1), kind="stable")
    ordered = tuple(chosen.names[row] for row in order)
    return ComparedGroup(
        chosen.channel, ordered, chosen.n_available, compare_draws(rows[order], rule)
    )
