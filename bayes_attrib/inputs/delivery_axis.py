"""Where the periods of delivery and of aggregates stand on one axis of equal steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib.citing import listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Tables
from bayes_attrib.timeline import ISO_FORMS, arrange

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class DeliveryAxis:
    """Periods in steps from the first period of the aggregates, which is 0.

    Attributes
    ----------
    step : mapping of str to int
        Step of every period; negative before the first period of the aggregates.
    last : int
        Step of the last period of the aggregates.
    """

    step: dict[str, int]
    last: int

    def of(self, periods: pd.Series) -> IntArray:
        """Return the step of each period, shape (n_rows,)."""
        return np.asarray(periods.map(self.step), dtype=np.int64)


def read_delivery_axis(tables: Tables, period: str) -> tuple[DeliveryAxis | None, list[Finding]]:
    """Put the periods of aggregates and of delivery on one axis.

    Labels that are no numbers and in none of ISO's forms, such as ``W01``, are taken in the order
    in which the aggregates name them.

    Parameters
    ----------
    tables : Tables
        Tables with whole keys.
    period : str
        Key column that tells the time.

    Returns
    -------
    axis : DeliveryAxis or None
        The axis; None where there are faults.
    findings : list of Finding
        Periods without a place, or between the steps.
    """
    aggregates = list(dict.fromkeys(tables.aggregates[period]))
    delivered = list(dict.fromkeys(tables.exposures[period]))
    timeline = arrange([*aggregates, *delivered])
    if not timeline.labels:
        step = {label: at for at, label in enumerate(aggregates)}
        lost = [label for label in delivered if label not in step]
        findings = list(_unplaced(tables, period, lost))
    elif timeline.unplaced:
        step, findings = {}, list(_unplaced(tables, period, list(timeline.unplaced)))
    else:
        position = dict(zip(timeline.labels, timeline.positions, strict=True))
        step, findings = _steps(position, aggregates, tables, period)
    if findings:
        return None, findings
    return DeliveryAxis(step, max(step[label] for label in aggregates)), []


def _steps(
    position: dict[str, float], aggregates: list[str], tables: Tables, period: str
) -> tuple[dict[str, int], list[Finding]]:
    own = np.sort([position[label] for label in aggregates])
    every = np.sort(list(position.values()))
    gaps = np.diff(own if len(own) > 1 else every)
    width = float(gaps.min()) if len(gaps) else 1.0
    exact = {label: (at - own[0]) / width for label, at in position.items()}
    step = {label: round(at) for label, at in exact.items()}
    between = [label for label, at in exact.items() if abs(at - step[label]) > _TOLERANCE]
    if not between:
        return step, []
    first, second = (label for label in sorted(aggregates, key=position.__getitem__)[:2])
    message = (
        "carry-over needs periods at equal steps, and the smallest step between aggregates is "
        f"{width:g}; these stand between the steps: {listed([quote(label) for label in between])}"
    )
    remedy = (
        "write delivery by the periods of the aggregates, and give every aggregate a period of one "
        f"length, as {quote(first)} and {quote(second)} have"
    )
    where = f"{tables.aggregates.name}, column {quote(period)}"
    return step, [Finding("irregular-periods", "error", where, message, remedy)]


def _unplaced(tables: Tables, period: str, lost: list[str]) -> Iterator[Finding]:
    for table in (tables.aggregates, tables.exposures):
        periods = table[period].drop_duplicates()
        yield from row_findings(
            "unordered-period",
            table,
            periods.index[periods.isin(lost)].to_numpy(),
            f"{quote(period)} has no place in the order of the other periods",
            "write every period once, all as numbers or all in one form of ISO's: " + ISO_FORMS,
            show=period,
        )
