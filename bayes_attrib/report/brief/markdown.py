"""The summary as Markdown, to paste into slides and documents."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_attrib.report.brief.blocks import Audience, Slide, Source, Table
from bayes_attrib.report.brief.compose import compose_brief
from bayes_attrib.report.brief.medium import MarkdownMedium
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.run_folder import RunFolder


def render_brief_markdown(run: RunFolder, language: Language = ENGLISH) -> str:
    """Render the summary of a run as Markdown.

    Parameters
    ----------
    run : RunFolder
        The run; nothing is fitted.
    language : Language
        Language of the reader.

    Returns
    -------
    str
        Lines; names are escaped, so that they show as they are.
    """
    medium = MarkdownMedium(language)
    brief = compose_brief(run, medium)
    lines = [f"# {brief.title}", "", brief.subtitle]
    if brief.banner:
        lines += ["", f"> {brief.banner}"]
    for slide in brief.slides:
        lines += _slide(slide)
    lines += ["", f"## {medium.text('Questions and answers')}"]
    for audience in brief.audiences:
        lines += _audience(audience, medium)
    return "\n".join(lines) + "\n"


def _slide(slide: Slide) -> Iterator[str]:
    yield from ("", f"## {slide.title}")
    for points in slide.lists:
        if points.title:
            yield from ("", f"### {points.title}")
        yield ""
        yield from (f"- {item}" for item in points.items)
    for table in slide.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield from ("", table.caption, "")
    yield _line(table.head)
    yield _line((":--", *("--:" for _ in table.head[1:])))
    for row in table.rows:
        yield _line((row.name, *row.cells))
    if table.total is not None:
        cells = (table.total.name, *table.total.cells)
        yield _line(tuple(f"**{cell}**" if cell else "" for cell in cells))


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _audience(audience: Audience, medium: MarkdownMedium) -> Iterator[str]:
    marks = {
        Source.RUN: medium.text("From this run:"),
        Source.GENERAL: medium.text("In general:"),
    }
    yield from ("", f"### {audience.title}")
    for question in audience.questions:
        yield from ("", medium.strong(question.question))
        yield ""
        for answer in question.answers:
            yield f"- *{marks[answer.source]}* {answer.text}"
