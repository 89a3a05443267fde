"""What priors claim, for the terminal: the same sentences as on the page, and the parameters."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bayes_attrib.report.labels import terminal_label, title_of
from bayes_attrib.report.numbers import significant
from bayes_attrib.report.prior_claims import NOT_A_FIT, describe_parameters, describe_prior
from bayes_attrib.report.prior_summary import PriorSummary
from bayes_attrib.spec import ModelSpec, PriorSpec


def print_prior(
    summary: PriorSummary, spec: ModelSpec, priors: Mapping[str, PriorSpec], console: Console
) -> None:
    """Print what the priors claim, and the interval of every parameter.

    Parameters
    ----------
    summary : PriorSummary
        The figures.
    spec : ModelSpec
        The model.
    priors : mapping of str to PriorSpec
        Prior of every parameter, defaults included.
    console : Console
        Where to print; its width is respected.
    """
    title = spec.report.title or title_of(spec.name)
    console.print(Text(terminal_label(title), style="bold"))
    console.print(Text(NOT_A_FIT, style="bold yellow"))
    console.print()
    for claim in describe_prior(summary, spec):
        console.print(Text(terminal_label(f"- {claim}")))
    console.print()
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("parameter", overflow="ellipsis", no_wrap=True)
    table.add_column("prior")
    table.add_column("median", justify="right", no_wrap=True)
    table.add_column(f"central {100 * summary.prob:g}%", justify="right", no_wrap=True)
    for row in describe_parameters(summary, spec, priors):
        interval = f"{significant(row.lower)} to {significant(row.upper)}"
        texts = (row.name, row.prior, significant(row.median), interval)
        table.add_row(*(Text(terminal_label(text)) for text in texts))
    console.print(table)
