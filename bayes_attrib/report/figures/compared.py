"""Which names are compared with which, and the comparison of their draws."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_attrib.attribution.comparison import ComparisonRule, compare_draws
from bayes_attrib.report.comparison_channels import channels_of
from bayes_attrib.report.comparison_choice import choose_largest
from bayes_attrib.report.comparison_run import ComparedGroup
from bayes_attrib.report.figures.quantity import Quantity
from bayes_attrib.report.figures.source import draws_by_name, rows_of
from bayes_attrib.report.language import Language
from bayes_attrib.report.run_draws import RunDraws


@dataclass(frozen=True, eq=False)
class Compared:
    """Comparisons within groups.

    Attributes
    ----------
    groups : tuple of ComparedGroup
        One for each channel that is shown, or one in all.
    n_available : int
        Names that could be compared, in all channels.
    n_left_out : int
        Channels that are not shown: there are too many, or they have a single name.
    """

    groups: tuple[ComparedGroup, ...]
    n_available: int
    n_left_out: int

    @property
    def names(self) -> list[str]:
        """All names, in the order of the groups."""
        return [name for group in self.groups for name in group.names]

    def channels_note(self, language: Language) -> str:
        """Say how many channels are not shown; nothing where all are."""
        if not self.n_left_out:
            return ""
        return language.plural(
            self.n_left_out, "One channel is not shown.", "{n} channels are not shown."
        )


def compare_largest(source: RunDraws, quantity: Quantity, level: str, top: int) -> Compared:
    """Compare the largest names of a level with each other.

    Rates are compared within their channel only, since those of two channels have no common unit;
    amounts and shares all together. What no exposure explains is left out.

    Parameters
    ----------
    source : RunDraws
        A run.
    quantity : Quantity
        What is compared.
    level : str
        ``"entity"`` or a grouping column.
    top : int
        Most names over all channels, which have equal parts of them and at least two.

    Returns
    -------
    Compared
        The groups, largest means first within each.

    Raises
    ------
    ComparisonError
        If nothing has two names to compare.
    """
    spec = source.run.spec
    channels = channels_of(source.data, spec, level)
    by_channel = quantity.name == "rate"
    choice = choose_largest(source.run, level, channels, 0, by_channel=by_channel)
    groups = choice.groups[: max(1, top // 2)]
    each = max(2, top // len(groups))
    row, draws, whole = draws_by_name(source, quantity, level)
    rule = ComparisonRule(interval=spec.report.interval)
    found = []
    for group in groups:
        own = rows_of(row, draws, list(group.names[:each])) / whole
        order = (-own.mean(axis=1)).argsort(kind="stable")
        ordered = tuple(group.names[i] for i in order)
        compared = compare_draws(own[order], rule, most_detailed=len(ordered))
        found.append(ComparedGroup(group.channel, ordered, group.n_available, compared))
    n_left_out = len(choice.groups) - len(groups) + len(choice.alone)
    return Compared(tuple(found), sum(group.n_available for group in choice.groups), n_left_out)
