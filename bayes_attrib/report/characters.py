"""Characters of names that are shown as given, and those that would act on a page or a terminal."""

from __future__ import annotations

from typing import Final

# Control characters would vanish from a page and act on a terminal; show the picture of each.
_PICTURES: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
}

# On a page, <bdi> keeps these to the name that holds them. A terminal has nothing like it.
_BIDI_CONTROLS: Final = {
    code: f"\\u{code:04x}"
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def printable(name: str) -> str:
    """Return a name with its control characters made visible, all else as given."""
    return name.translate(_PICTURES)


def terminal_label(name: str) -> str:
    """Return a name that cannot act on a terminal or turn the direction of a line."""
    return name.translate(_PICTURES | _BIDI_CONTROLS)
