"""A run folder in, what people read out: a page and a summary for the terminal."""

from bayes_attrib.report.html import render_html
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.terminal import print_summary

__all__ = ["RunFolder", "print_summary", "render_html"]
