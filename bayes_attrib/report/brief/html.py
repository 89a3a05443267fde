"""The summary as one self-contained page that prints on a few sheets."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

import jinja2
from markupsafe import Markup

from bayes_attrib.report.brief.compose import compose_brief
from bayes_attrib.report.brief.medium import HtmlMedium
from bayes_attrib.report.characters import printable
from bayes_attrib.report.labels import title_of
from bayes_attrib.report.language import ENGLISH, Language
from bayes_attrib.report.run_folder import RunFolder

_TEMPLATES: Final = "templates"


def render_brief_html(run: RunFolder, language: Language = ENGLISH) -> str:
    """Render the summary of a run as a page.

    Parameters
    ----------
    run : RunFolder
        The run; nothing is fitted.
    language : Language
        Language of the reader.

    Returns
    -------
    str
        A whole HTML document without scripts. Equal runs give equal pages.
    """
    medium = HtmlMedium(language)
    return (
        _environment()
        .get_template("brief.html.j2")
        .render(
            brief=compose_brief(run, medium),
            title=printable(run.spec.report.title or title_of(run.spec.name)),
            language=language,
            style=Markup(_style()),  # noqa: S704 - our own file
        )
    )


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("bayes_attrib.report", _TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _style() -> str:
    file = resources.files("bayes_attrib.report") / _TEMPLATES / "brief.css"
    return file.read_text(encoding="utf-8")
