"""A summary of a run for committees: three slides and the questions that people ask."""

from bayes_attrib.report.brief.html import render_brief_html
from bayes_attrib.report.brief.markdown import render_brief_markdown

__all__ = ["render_brief_html", "render_brief_markdown"]
