"""Colours and style of figures: the same for a method in every figure and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

import matplotlib.style
from matplotlib import font_manager

from bayes_attrib.errors import UnknownNameError

ThemeName = Literal["light", "dark"]

_FONT: Final = "DejaVu Sans"
_BOLD: Final = "bold"

_OTHER_SCRIPTS: Final = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Emoji",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "Microsoft YaHei",
    "Hiragino Sans",
    "Arial Unicode MS",
    "Segoe UI Symbol",
)
"""Fonts that stand in, where they are installed, for characters that the first one lacks."""


@dataclass(frozen=True)
class Theme:
    """Colours of a figure.

    Methods have the colours of the HTML page; they and ``series`` are those of Okabe and Ito
    (2008), some darkened or lightened for contrast with the background.

    Attributes
    ----------
    name : str
        ``"light"`` or ``"dark"``.
    page, panel, line, text, muted : str
        Background, background of empty cells, grid, text, and text that is less important.
    posterior, em, proportional, truth, prior : str
        Colours of what is drawn.
    alert : str
        Colour of a warning.
    series : tuple of str
        Colours of parts that are told apart by colour alone; the last is that of the rest.
    """

    name: ThemeName
    page: str
    panel: str
    line: str
    text: str
    muted: str
    posterior: str
    em: str
    proportional: str
    truth: str
    prior: str
    alert: str
    series: tuple[str, ...]

    @contextmanager
    def style(self) -> Iterator[None]:
        """Make artists in this style, whatever the settings of the session; those come back."""
        with matplotlib.style.context(["default", self._parameters()]):
            yield

    def _parameters(self) -> dict[str, Any]:
        return {
            "figure.facecolor": self.page,
            "savefig.facecolor": self.page,
            "axes.facecolor": self.page,
            "axes.edgecolor": self.line,
            "axes.labelcolor": self.text,
            "axes.labelsize": 9,
            "axes.titlesize": 9,
            "axes.titlelocation": "left",
            "axes.titlecolor": self.text,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": False,
            "axes.axisbelow": True,
            "grid.color": self.line,
            "grid.linewidth": 0.6,
            "text.color": self.text,
            "text.usetex": False,
            # Names may hold dollar signs, and so may amounts: never mathematics.
            "text.parse_math": False,
            "xtick.color": self.line,
            "ytick.color": self.line,
            "xtick.labelcolor": self.muted,
            "ytick.labelcolor": self.text,
            "xtick.labelsize": 8.5,
            "ytick.labelsize": 8.5,
            "legend.frameon": False,
            "legend.fontsize": 8.5,
            "legend.labelcolor": self.text,
            "font.family": [_FONT, *_installed()],
            "font.size": 9,
        }


_OKABE_ITO: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")

THEMES: Final[Mapping[str, Theme]] = MappingProxyType(
    {
        "light": Theme(
            name="light",
            page="#ffffff",
            panel="#f5f6f8",
            line="#d5d9df",
            text="#1b1f24",
            muted="#545d68",
            posterior="#0072b2",
            em="#d55e00",
            proportional="#00805d",
            truth="#1b1f24",
            prior="#6b7280",
            alert="#9c2f00",
            series=(*_OKABE_ITO, "#b5bac1"),
        ),
        "dark": Theme(
            name="dark",
            page="#14171b",
            panel="#1d2127",
            line="#39404a",
            text="#e8eaed",
            muted="#a9b1bc",
            posterior="#56b4e9",
            em="#e69f00",
            proportional="#1fb98e",
            truth="#e8eaed",
            prior="#9aa3af",
            alert="#ff9a6b",
            series=("#56b4e9", *_OKABE_ITO[1:4], "#4f8fc4", *_OKABE_ITO[5:], "#6b7480"),
        ),
    }
)


def theme_of(name: str) -> Theme:
    """Return a theme by name.

    Parameters
    ----------
    name : str
        ``"light"`` or ``"dark"``.

    Returns
    -------
    Theme
        Its colours.

    Raises
    ------
    UnknownNameError
        If there is no such theme.
    """
    if name not in THEMES:
        raise UnknownNameError(
            f"there is no theme {name!r}; there is {', '.join(map(repr, THEMES))}"
        )
    return THEMES[name]


def title_fonts() -> list[str]:
    """Return the fonts of titles: of those that stand in, the ones that have a bold cut."""
    return [_FONT, *_installed(_BOLD)]


@cache
def _installed(weight: str | None = None) -> tuple[str, ...]:
    """Fonts that stand in and are there, at least in one weight, or in the one that is asked for.

    Matplotlib complains about a font that lacks the weight, even if none of its signs is needed.
    """
    known = {
        font.name
        for font in font_manager.fontManager.ttflist
        if weight is None or font.weight in {weight, font_manager.weight_dict[weight]}
    }
    return tuple(family for family in _OTHER_SCRIPTS if family in known)
