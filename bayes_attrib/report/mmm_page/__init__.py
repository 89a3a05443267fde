"""One self-contained page about a run of a mix model."""

from bayes_attrib.report.mmm_page.page import render_mmm_page

__all__ = ["render_mmm_page"]
