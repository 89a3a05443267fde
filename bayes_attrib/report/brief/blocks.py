"""What the summary is made of, whatever it is shown in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bayes_attrib.report.page.scale import Tick


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval with its mean and the split by exposure, in percent of the axis."""

    lower: float
    upper: float
    mean: float
    proportional: float


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: name, cells, and a bar where the table is a chart too."""

    name: str
    cells: tuple[str, ...]
    bar: Bar | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Amounts of one level.

    Attributes
    ----------
    caption : str
        What the table shows, in a sentence.
    head : tuple of str
        Head of the names, then one for each cell.
    rows : tuple of Row
        Rows in their order.
    total : Row or None
        Last line.
    ticks : tuple of Tick
        Axis of the bars; empty for a table without a chart.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    ticks: tuple[Tick, ...] = ()


@dataclass(frozen=True, slots=True)
class Points:
    """A list, with a title of its own where a slide has several."""

    items: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide: a title, lists beside each other, and tables."""

    title: str
    lists: tuple[Points, ...]
    tables: tuple[Table, ...] = ()


class Source(StrEnum):
    """What an answer rests on."""

    RUN = "run"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Answer:
    """A paragraph, and whether it is read from the run or holds for every run."""

    source: Source
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answers."""

    question: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Audience:
    """Questions that one kind of reader asks."""

    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """The whole summary.

    Attributes
    ----------
    title, subtitle : str
        Title of the run, and which run it is.
    verdict : {"ok", "warn", "not_converged"}
        Verdict of the run.
    banner : str
        What the verdict means; empty where all is well.
    slides : tuple of Slide
        The three slides.
    audiences : tuple of Audience
        Questions and answers.
    """

    title: str
    subtitle: str
    verdict: str
    banner: str
    slides: tuple[Slide, ...]
    audiences: tuple[Audience, ...]
