"""How messages cite files: a few examples, then the count."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

MAX_EXAMPLES: Final = 5
_MAX_CELL: Final = 40


def quote(cell: str) -> str:
    """Return a cell in quotes on one line, shortened where it is long."""
    return repr(cell if len(cell) <= _MAX_CELL else f"{cell[:_MAX_CELL]}…")


def listed(items: Sequence[str], total: int | None = None, *, separator: str = ", ") -> str:
    """Join the first few items, and say how many more there are.

    Parameters
    ----------
    items : sequence of str
        Texts to join; only the first ``MAX_EXAMPLES`` are shown.
    total : int, optional
        How many there are in all; by default as many as ``items``.
    separator : str
        What stands between two items.

    Returns
    -------
    str
        Such as ``"3, 4 and 9"`` or ``"3, 4, 5, 6, 7 and 12 more"``.
    """
    total = len(items) if total is None else total
    shown = list(items[:MAX_EXAMPLES])
    if total > len(shown):
        shown.append(f"{total - len(shown):,} more")
    if len(shown) < 2:
        return "".join(shown)
    return f"{separator.join(shown[:-1])} and {shown[-1]}"


def places(file: str, unit: str, locations: npt.NDArray[np.integer]) -> str:
    """Return where a message is about, such as ``"exposures.csv, lines 3 and 9"``.

    Parameters
    ----------
    file : str
        Name of the file.
    unit : str
        What locations count, in the singular.
    locations : ndarray of int, shape (n,)
        Lines or rows, in the order in which the message speaks of them.

    Returns
    -------
    str
        The first few locations, and how many more there are.
    """
    shown = [f"{location:d}" for location in locations[:MAX_EXAMPLES]]
    noun = unit if len(locations) == 1 else f"{unit}s"
    return f"{file}, {noun} {listed(shown, len(locations))}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``"1 row"`` or ``"1,200 rows"``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is nearest to a misspelt one, or None; letter case is ignored."""
    folded = {candidate.strip().casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(word.strip().casefold(), folded, n=1, cutoff=0.5)
    return folded[found[0]] if found else None
