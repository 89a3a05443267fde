"""What is compared with what: the names that were asked for, or the largest of each channel."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bayes_attrib import names as vocabulary
from bayes_attrib.errors import ComparisonError, UnknownNameError
from bayes_attrib.report.comparison_channels import Channels
from bayes_attrib.report.labels import printable
from bayes_attrib.report.run_folder import RunFolder

_SHOWN: Final = 5


@dataclass(frozen=True)
class ChosenNames:
    """Names to compare with each other.

    Attributes
    ----------
    channel : str or None
        Their channel, where every channel is compared on its own.
    names : tuple of str
        The names.
    n_available : int
        How many there are in the channel, or in the run.
    """

    channel: str | None
    names: tuple[str, ...]
    n_available: int


@dataclass(frozen=True)
class Choice:
    """All that is to be compared.

    Attributes
    ----------
    groups : tuple of ChosenNames
        Each is compared within itself.
    alone : tuple of str
        Channels with a single name, which leaves nothing to compare.
    """

    groups: tuple[ChosenNames, ...]
    alone: tuple[str, ...] = ()


def choose_names(run: RunFolder, level: str, names: Sequence[str], channels: Channels) -> Choice:
    """Look up names that were asked for.

    Parameters
    ----------
    run : RunFolder
        The run.
    level : str
        ``"entity"`` or a grouping column.
    names : sequence of str
        At least two different names of that level.
    channels : Channels
        Channels of everything at the level.

    Returns
    -------
    Choice
        One group, names in the order given and each once.

    Raises
    ------
    UnknownNameError
        If a name is unknown.
    ComparisonError
        If there is only one.
    """
    # Tables are read in this normal form, so a name from another keyboard is still the same name.
    chosen = tuple(dict.fromkeys(unicodedata.normalize("NFC", name) for name in names))
    unknown = [name for name in chosen if name not in channels.of]
    if unknown:
        noun = _noun(run, level)
        raise UnknownNameError(
            "; ".join(
                f"there is no {noun} {printable(name)!r} in this run; {_hint(run, level, name)}"
                for name in unknown
            )
        )
    if len(chosen) < 2:
        raise ComparisonError(
            f"only {printable(chosen[0])!r} is named, and a comparison needs two; name another, or "
            "none for the largest of each channel"
        )
    return Choice((ChosenNames(None, chosen, len(channels.of)),))


def choose_largest(
    run: RunFolder, level: str, channels: Channels, largest: int, *, by_channel: bool
) -> Choice:
    """Choose the largest by mean amount, without what is attributed to nobody.

    Parameters
    ----------
    run : RunFolder
        The run.
    level : str
        ``"entity"`` or a grouping column.
    channels : Channels
        Channels of everything at the level.
    largest : int
        How many of each channel; 0 for all.
    by_channel : bool
        Whether each channel makes a group of its own; what spans several channels, or a level of
        channels, is one group all the same.

    Returns
    -------
    Choice
        Groups of at least two names, by name of the channel.

    Raises
    ------
    ComparisonError
        If no group has two names.
    """
    of = {
        str(name): channels.of[str(name)]
        for name in run.level(level)["name"]
        if channels.of[str(name)] != (vocabulary.UNATTRIBUTED,)
    }
    apart = by_channel and level != channels.column and all(len(each) == 1 for each in of.values())
    members: dict[str | None, list[str]] = {}
    for name, (channel, *_) in of.items():
        members.setdefault((channel or None) if apart else None, []).append(name)
    groups = [
        ChosenNames(channel, tuple(found[: largest or None]), len(found))
        for channel, found in sorted(members.items(), key=lambda item: item[0] or "")
    ]
    whole = tuple(group for group in groups if len(group.names) > 1)
    if not whole:
        raise ComparisonError(
            f"there is nothing to compare: no channel has two of level {level!r} among its "
            "largest; name two, or choose another --level or --largest"
        )
    alone = (group.channel for group in groups if len(group.names) == 1)
    return Choice(whole, tuple(channel for channel in alone if channel is not None))


def require_level(run: RunFolder, level: str) -> str:
    """Return a level of a run as its tables call it.

    Parameters
    ----------
    run : RunFolder
        The run.
    level : str
        ``"entity"``, the entity's key column, or a grouping column.

    Returns
    -------
    str
        ``"entity"`` or a grouping column.

    Raises
    ------
    UnknownNameError
        If the run has no such level.
    """
    if level in {vocabulary.ENTITY, run.spec.columns.entity}:
        return vocabulary.ENTITY
    if level not in run.levels:
        known = ", ".join(map(repr, [vocabulary.ENTITY, *run.levels]))
        raise UnknownNameError(f"there is no level {level!r} in this run; it has {known}")
    return level


def _noun(run: RunFolder, level: str) -> str:
    return run.spec.columns.entity if level == vocabulary.ENTITY else level


def _hint(run: RunFolder, level: str, name: str) -> str:
    """Say what is like an unknown name: at this level, or the same name at another."""
    elsewhere = [
        other
        for other in (vocabulary.ENTITY, *run.levels)
        if other != level and (run.level(other)["name"] == name).any()
    ]
    if elsewhere:
        return f"it is of level {_noun(run, elsewhere[0])}: add --level {elsewhere[0]}"
    known = [str(known) for known in run.level(level)["name"]]
    folded = {each.casefold(): each for each in known}
    key = name.casefold()
    near = [key] if key in folded else difflib.get_close_matches(key, folded, n=3, cutoff=0.7)
    if near:
        return f"did you mean {' or '.join(repr(printable(folded[each])) for each in near)}?"
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    return f"it has {', '.join(repr(printable(each)) for each in known[:_SHOWN])}{more}"
