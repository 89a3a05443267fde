"""Checks of the periods over which rates drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bayes_attrib.citing import counted, listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.keys import is_blank
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.timeline import ISO_FORMS, Timeline, arrange

_FEWEST: Final = 3


def check_periods(tables: Tables) -> Iterator[Finding]:
    """Yield periods that cannot be put in order, too few of them, and gaps between them."""
    drift = tables.spec.rates.drift
    if drift is None:
        return
    table, column = tables.aggregates.whole(), drift.period
    periods = table[column][~is_blank(table[column])].drop_duplicates()
    timeline = arrange(periods)
    if timeline.unplaced:
        yield from row_findings(
            "unordered-period",
            table,
            periods.index[periods.isin(timeline.unplaced)].to_numpy(),
            f"{quote(column)} has no place in the order of the other periods",
            "write every period once, all as numbers or all in one form of ISO's: " + ISO_FORMS,
            show=column,
        )
    elif len(timeline.labels) < _FEWEST:
        yield Finding(
            "few-periods",
            "error",
            f"{table.name}, column {quote(column)}",
            f"{counted(len(timeline.labels), 'period')} "
            f"({listed([quote(label) for label in timeline.labels])}) cannot show a drift",
            f"remove rates.drift from the spec, or give at least {_FEWEST} periods",
        )
    elif timeline.gaps:
        yield _gaps(table, column, timeline)


def _gaps(table: Table, column: str, timeline: Timeline) -> Finding:
    gaps = [f"{quote(earlier)} to {quote(later)}" for earlier, later in timeline.gaps]
    return Finding(
        "uneven-periods",
        "warning",
        f"{table.name}, column {quote(column)}",
        f"the periods are not evenly spaced: {listed(gaps)}; the drift takes each for one step",
        "add the periods that are missing, or read the drift across these gaps with care",
    )
