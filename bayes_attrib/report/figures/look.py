"""The frame of a figure: its size, title, notes and legend."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_attrib.report.figures.theme import Theme, theme_of, title_fonts
from bayes_attrib.report.figures.wording import shorten, wrapped
from bayes_attrib.report.labels import title_of
from bayes_attrib.report.language import Language
from bayes_attrib.report.narrative import interval_words
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.tables import choose_format

Size = tuple[float, float]
"""Width and height in inches."""

WIDTH: Final = 8.0
ROW: Final = 0.27
"""Height of a row with a name, where the size is not given; in inches."""

_TIGHTEST_ROW: Final = 0.17
_AROUND: Final = 1.75
"""Height of all that is not rows: title, legend, axis and notes."""

MOST_ROWS: Final = 200
"""Beyond, a bitmap would be too tall for most programs."""

_TITLE, _NOTE = 11.5, 8.0


@contextmanager
def _missing_glyphs_allowed() -> Iterator[None]:
    """Names are shown as given; where no installed font has a character, its box says enough."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


class NamedFigure(Figure):
    """A figure that shows names of whatever script, without complaints about fonts."""

    def draw(self, renderer: Any) -> None:
        """Draw the figure."""
        with _missing_glyphs_allowed():
            super().draw(renderer)

    def get_tightbbox(self, *args: Any, **kwargs: Any) -> Any:
        """Return the box around everything that is drawn."""
        with _missing_glyphs_allowed():
            return super().get_tightbbox(*args, **kwargs)


@dataclass(frozen=True)
class Look:
    """What all figures of a run have in common.

    Attributes
    ----------
    title : str
        Title of the run.
    warning : str
        What must be said beside every figure of it; may be empty.
    amounts : AmountFormat
        How amounts are written, with unit and language.
    theme : Theme
        Colours.
    """

    title: str
    warning: str
    amounts: AmountFormat
    theme: Theme

    @classmethod
    def of(cls, run: RunFolder, language: Language, theme: str) -> Self:
        """Return the look of the figures of a run."""
        warning = (
            language.text("This fit did not converge: its numbers are not for use.")
            if run.diagnostics.verdict == "not_converged"
            else ""
        )
        return cls(
            run.spec.report.title or title_of(run.spec.name),
            warning,
            choose_format(run, language=language),
            theme_of(theme),
        )

    @property
    def language(self) -> Language:
        """Language of the reader."""
        return self.amounts.language

    def mark(self, axes: Axes, x: npt.ArrayLike, y: npt.ArrayLike, **style: Any) -> bool:
        """Draw marks whose edges keep them apart from what lies below; return if there are any.

        Marks at the end of an axis are not cut off. Where there are none, nothing is drawn: the
        layout would make room for an empty line.
        """
        across = np.asarray(x, dtype=np.float64)
        known = np.isfinite(across)
        if not known.any():
            return False
        axes.plot(
            across[known],
            np.asarray(y, dtype=np.float64)[known],
            linestyle="none",
            markeredgecolor=self.theme.page,
            markeredgewidth=0.6,
            clip_on=False,
            **style,
        )
        return True

    def finish(self, figure: Figure, title: str, notes: Iterable[str] = ()) -> None:
        """Write the title above and the notes below a figure.

        Parameters
        ----------
        figure : Figure
            With all its axes.
        title : str
            What the figure shows.
        notes : iterable of str
            Sentences; empty ones are passed over.
        """
        width = figure.get_figwidth()
        head = f"{shorten(self.title, 60)}: {title}"
        figure.suptitle(
            wrapped(head, width - 0.3, _TITLE * 1.08),
            x=0.012,
            ha="left",
            fontsize=_TITLE,
            fontweight="bold",
            fontfamily=title_fonts(),
        )
        if self.warning:
            notes = [self.warning, *notes]
        said = " ".join(note for note in notes if note)
        if said:
            figure.supxlabel(
                wrapped(said, width - 0.3, _NOTE),
                x=0.012,
                ha="left",
                fontsize=_NOTE,
                linespacing=1.4,
                color=self.theme.alert if self.warning else self.theme.muted,
            )

    def interval_note(self, run: RunFolder) -> str:
        """Say what kind of interval is drawn."""
        return self.language.text(
            "Intervals: {interval}.",
            interval=interval_words(run.spec.report.interval, language=self.language),
        )

    def channel_note(self, run: RunFolder) -> str:
        """Say that rates of several channels are not to be held against each other, if so."""
        channel = next((level for level in run.levels if level.lower() == "channel"), None)
        if run.spec.rates.nested:
            channel = run.spec.rates.nested[0]
        if channel is None or len(run.level(channel)) < 2:
            return ""
        return self.language.text("Rates of two channels have no common unit.")

    def shown_note(self, n_shown: int, n_all: int, noun: str) -> str:
        """Say how many of all are drawn; nothing where all are."""
        if n_shown >= n_all:
            return ""
        return self.language.text(
            "Drawn: the {shown} largest of {all} ({noun}).",
            shown=self.language.number(n_shown),
            all=self.language.number(n_all),
            noun=noun,
        )


def new_figure(size: Size) -> NamedFigure:
    """Return an empty figure that belongs to no window and no session of pyplot."""
    return NamedFigure(figsize=size, dpi=100, layout="constrained")


def rows_that_fit(n_rows: int, top: int, figsize: Size | None) -> int:
    """Return how many rows are drawn: those asked for, as far as their names keep apart."""
    most = MOST_ROWS if figsize is None else int((figsize[1] - _AROUND) / _TIGHTEST_ROW)
    return max(1, min(n_rows, top, most))


def size_for_rows(
    n_rows: int, figsize: Size | None, *, row: float = ROW, width: float = WIDTH
) -> Size:
    """Return the size of a figure with so many rows, unless it was given."""
    return figsize or (width, _AROUND + row * max(3, n_rows))


def legend_above(axes: Axes, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Put a legend between title and axes, where it hides nothing."""
    longest = max(map(len, labels), default=1)
    columns = max(1, min(len(labels), 3 if longest > 22 else 4 if longest > 14 else 6))
    axes.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=columns,
        borderaxespad=0.1,
        handlelength=1.6,
        columnspacing=1.4,
    )
