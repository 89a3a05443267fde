"""Names and sentences that fit into a figure."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable
from typing import Final

from bayes_attrib.report.labels import terminal_label

LONGEST: Final = 34
"""Width of the longest name, in characters of the Latin alphabet."""

_ELLIPSIS: Final = "…"


def short_names(names: Iterable[object], longest: int = LONGEST) -> list[str]:
    """Return names as they are drawn: control characters visible, long ones cut in the middle.

    Characters that turn the direction of a text are made visible too: as in a terminal, nothing
    would keep them to the name that holds them.

    Parameters
    ----------
    names : iterable of str
        Names, all different.
    longest : int
        Width to keep to; wide characters, such as Chinese ones, count twice.

    Returns
    -------
    list of str
        All different: names that would look alike once they are cut are numbered.
    """
    drawn: list[str] = []
    seen: dict[str, int] = {}
    for name in names:
        short = shorten(terminal_label(str(name)), longest)
        seen[short] = seen.get(short, 0) + 1
        drawn.append(short if seen[short] == 1 else f"{short} ({seen[short]})")
    return drawn


def shorten(text: str, longest: int = LONGEST) -> str:
    """Cut the middle out of a text that is too wide; both ends of a path tell something."""
    if _width(text) <= longest:
        return text
    head, tail = "", ""
    for character in text:
        if _width(head + character) > (longest - 1) * 0.6:
            break
        head += character
    for character in reversed(text):
        if _width(character + tail) > longest - 1 - _width(head):
            break
        tail = character + tail
    return head + _ELLIPSIS + tail


def wrapped(text: str, width: float, size: float) -> str:
    """Break a text into lines that fit a width in inches at a font size in points."""
    return textwrap.fill(text, max(20, int(width * 72 / (0.56 * size))))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
