"""A run folder in, what people read out: a page and a summary for the terminal."""

from bayes_attrib.report.html import render_html
from bayes_attrib.report.prior_claims import describe_prior
from bayes_attrib.report.prior_html import render_prior_html
from bayes_attrib.report.prior_summary import PriorSummary, summarise_prior
from bayes_attrib.report.prior_terminal import print_prior
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.terminal import print_summary

__all__ = [
    "PriorSummary",
    "RunFolder",
    "describe_prior",
    "print_prior",
    "print_summary",
    "render_html",
    "render_prior_html",
    "summarise_prior",
]
