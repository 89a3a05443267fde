"""From events to totals and exposures: the tables that a fit splits, on the same conversions.

Totals are all conversions of a period and place, touched or not. Exposures are all touches, those
of customers who never converted among them: counting the touches of converters alone would make
every touchpoint look as if it worked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import listed, nearest, quote
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.journeys.events import TICKS_PER_DAY, Events
from bayes_attrib.journeys.periods import Calendar
from bayes_attrib.spec.journeys import CUSTOMER_DAYS, JourneySpec

_SPREAD_AT_LEAST = 1e-9  # the rest of a touch, whose place would not matter


@dataclass(frozen=True, eq=False)
class TotalTables:
    """Tables of a data folder.

    Attributes
    ----------
    aggregates : DataFrame
        Period[, geo], total, and customer days: customers who were seen in the place, times days
        of the period that the events cover; the exposure of what no touch explains.
    exposures : DataFrame
        Period[, geo], touchpoint, and touches as exposure; pairs with none are left out.
    entities : DataFrame
        Touchpoints with their groups.
    """

    aggregates: pd.DataFrame
    exposures: pd.DataFrame
    entities: pd.DataFrame


def tabulate_totals(events: Events, spec: JourneySpec) -> TotalTables:
    """Add up touches and conversions by period and place.

    Parameters
    ----------
    events : Events
        Touches and conversions.
    spec : JourneySpec
        Periods, outcome, carry-over, and touchpoints to leave out.

    Returns
    -------
    TotalTables
        Tables that ``fit`` takes with the spec beside them.

    Raises
    ------
    DataError
        If a touchpoint to be left out is not there, none is left, or values are asked for and not
        known.
    """
    kept = _kept(events, spec)
    times = (events.touches.time, events.conversions.time)
    calendar = Calendar.spanning(
        spec.totals.period,
        min(int(found.min()) for found in times),
        max(int(found.max()) for found in times),
    )
    cells = _Cells(events, spec, calendar)
    aggregates = cells.keys.assign(
        **{names.TOTAL: cells.totals(), CUSTOMER_DAYS: cells.customer_days()}
    )
    exposure = cells.exposures()[kept]
    point, cell = np.nonzero(exposure)
    order = np.lexsort((point, cell))
    point, cell = point[order], cell[order]
    labels = np.asarray(events.touchpoints, dtype=object)[kept]
    exposures = cells.keys.iloc[cell].reset_index(drop=True)
    exposures[spec.columns.touchpoint] = labels[point]
    exposures[names.EXPOSURE] = exposure[point, cell]
    entities = pd.DataFrame({spec.columns.touchpoint: labels})
    for column, groups in (events.groups or {}).items():
        entities[column] = np.asarray(groups, dtype=object)[kept]
    return TotalTables(aggregates, exposures, entities)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Periods within places, numbered one after the other."""

    events: Events
    spec: JourneySpec
    calendar: Calendar

    @property
    def n_geos(self) -> int:
        return max(len(self.events.geos), 1)

    @property
    def keys(self) -> pd.DataFrame:
        n = len(self.calendar)
        labels = np.asarray(self.calendar.labels, dtype=object)
        found: dict[str, npt.NDArray[np.object_]] = {}
        found[self.spec.totals.period] = np.tile(labels, self.n_geos)
        if self.spec.columns.geo is not None:
            geos = np.asarray(self.events.geos, dtype=object)
            found[self.spec.columns.geo] = np.repeat(geos, n)
        return pd.DataFrame(found)

    def totals(self) -> FloatArray:
        conversions = self.events.conversions
        cell = self.calendar.places(conversions.time)
        if conversions.geo is not None:
            cell = cell + conversions.geo.astype(np.int64) * len(self.calendar)
        worth = conversions.value if self.spec.totals.outcome == "value" else None
        found = np.bincount(cell, weights=worth, minlength=len(self.calendar) * self.n_geos)
        return found.astype(np.float64)

    def customer_days(self) -> FloatArray:
        events = self.events
        if events.touches.geo is None or events.conversions.geo is None:
            customers = np.array([float(events.n_customers)])
        else:
            seen = [
                table.customer.astype(np.int64) * self.n_geos + table.geo
                for table in (events.touches, events.conversions)
                if table.geo is not None
            ]
            pairs = pd.unique(np.concatenate(seen))
            customers = np.bincount(pairs % self.n_geos, minlength=self.n_geos).astype(np.float64)
        return np.outer(customers, self.calendar.days).ravel()

    def exposures(self) -> FloatArray:
        """Return touches, or what of them works, shape (n_touchpoints, n_cells)."""
        touches, n_periods = self.events.touches, len(self.calendar)
        period = self.calendar.places(touches.time)
        row = touches.touchpoint.astype(np.int64) * self.n_geos
        if touches.geo is not None:
            row += touches.geo
        shape = (len(self.events.touchpoints), self.n_geos * n_periods)
        half_life = self.spec.totals.carry_over_half_life_days * TICKS_PER_DAY
        if half_life == 0:
            return self._counted(row, period, None).reshape(shape)
        total = np.zeros(shape)
        left = np.ones(len(touches))
        for later in range(n_periods):
            here = np.flatnonzero((period + later < n_periods) & (left > _SPREAD_AT_LEAST))
            if not len(here):
                break
            end = self.calendar.starts[period[here] + later + 1]
            still = np.exp2((touches.time[here] - end) / half_life)
            added = self._counted(row[here], period[here] + later, left[here] - still)
            total += added.reshape(shape)
            left[here] = still
        return total

    def _counted(self, row: IntArray, period: IntArray, weights: FloatArray | None) -> FloatArray:
        n_periods = len(self.calendar)
        size = len(self.events.touchpoints) * self.n_geos * n_periods
        return np.bincount(row * n_periods + period, weights, minlength=size).astype(np.float64)


def _kept(events: Events, spec: JourneySpec) -> IntArray:
    """Return positions of the touchpoints that get exposure."""
    findings = [
        Finding(
            "unknown-touchpoint",
            "error",
            "totals.exclude in the spec",
            f"there is no touchpoint {quote(name)}",
            f"{_meant(name, events)}the touchpoints are "
            f"{listed([quote(known) for known in events.touchpoints])}",
        )
        for name in spec.totals.exclude
        if name not in events.touchpoints
    ]
    if spec.totals.outcome == "value" and events.conversions.value is None:
        message = f"the conversions have no column {quote(spec.columns.value)}"
        remedy = "add it, name another with columns.value, or write outcome = 'conversions'"
        findings.append(
            Finding("missing-column", "error", "totals.outcome in the spec", message, remedy)
        )
    kept = [i for i, name in enumerate(events.touchpoints) if name not in spec.totals.exclude]
    if not kept:
        message = "all touchpoints are excluded, and nothing is left to be credited"
        findings.append(
            Finding("no-touchpoints", "error", "totals.exclude in the spec", message, "keep some")
        )
    if findings:
        raise DataError("the totals cannot be made:", findings)
    return np.array(kept, dtype=np.int64)


def _meant(name: str, events: Events) -> str:
    near = nearest(name, events.touchpoints)
    return f"did you mean {quote(near)}? " if near else ""
