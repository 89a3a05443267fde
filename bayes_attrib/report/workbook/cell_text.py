"""Text of cells: as given, and nothing that a spreadsheet would act on or refuse."""

from __future__ import annotations

import re
from typing import Final

from bayes_attrib.report.labels import printable

MAX_LENGTH: Final = 32_767
"""Characters of a cell, counted as UTF-16 counts them."""

MAX_SHEET_NAME: Final = 31

_CUT: Final = "…"

# XML 1.0 has no form for these at all; a file that holds one does not open.
_NOT_IN_XML: Final = {code: f"\\u{code:04x}" for code in (0xFFFE, 0xFFFF, *range(0xD800, 0xE000))}


def cell_text(text: str) -> tuple[str, bool]:
    """Return a text as a cell can hold it, and whether it had to be cut.

    Parameters
    ----------
    text : str
        A name, as given.

    Returns
    -------
    text : str
        The name with control characters made visible, at most :data:`MAX_LENGTH` long.
    is_cut : bool
        Whether it was longer; it then ends in ``…``.
    """
    shown = printable(text).translate(_NOT_IN_XML)
    if len(shown) <= MAX_LENGTH // 2:  # a character counts twice at most
        return shown, False
    units = shown.encode("utf-16-le")
    if len(units) <= 2 * MAX_LENGTH:
        return shown, False
    kept = units[: 2 * (MAX_LENGTH - len(_CUT))].decode("utf-16-le", errors="ignore")
    return kept + _CUT, True


def sheet_name(text: str, taken: list[str]) -> str:
    """Return a name for a sheet: letters, digits, blanks, ``_`` and ``-`` only, and not taken.

    Parameters
    ----------
    text : str
        What the sheet should be called.
    taken : list of str
        Names of the other sheets; letter case does not tell names apart.

    Returns
    -------
    str
        At most :data:`MAX_SHEET_NAME` characters, which can stand in a formula between quotes.
    """
    safe = re.sub(r"[^\w -]", "_", text)
    used = {name.casefold() for name in taken}
    for number in range(1, len(taken) + 2):
        suffix = "" if number == 1 else f" {number}"
        name = safe[: MAX_SHEET_NAME - len(suffix)].strip() + suffix
        if name.casefold() not in used:
            return name
    raise AssertionError("one more number than there are names is free")
