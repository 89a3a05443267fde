"""A spec of journeys: columns of the tables, what belongs to a journey, heuristics, totals."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bayes_attrib import names
from bayes_attrib.spec.closed import Closed, ColumnList, ColumnName, fault
from bayes_attrib.spec.load import load_closed

Days = Annotated[float, Field(gt=0.0, le=36_500.0)]
Part = Annotated[float, Field(ge=0.0, le=1.0)]
Outcome = Literal["conversions", "value"]
Orders = Annotated[
    tuple[Annotated[int, Field(ge=1, le=3)], ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
]

CUSTOMER_DAYS: Final = "customer_days"
_COLUMNS_OF_TOTALS: Final = (
    "day",
    "week",
    "month",
    names.TOTAL,
    names.EXPOSURE,
    names.AMOUNT,
    CUSTOMER_DAYS,
)


class JourneyColumns(Closed):
    """The user's own column names.

    Attributes
    ----------
    customer : str
        Whose journey it is: key of a customer or of a journey, in both tables.
    time : str
        When it was, in both tables.
    touchpoint : str
        What was touched and gets credit, such as a channel or a campaign.
    groups : tuple of str
        Columns of the touches that group touchpoints, such as the channel of a campaign.
    value : str
        Column of the conversions with what each is worth; it may be missing from the file unless
        the spec names it.
    geo : str or None
        Column of both tables with the place, for totals by place.
    """

    customer: ColumnName = "customer"
    time: ColumnName = "time"
    touchpoint: ColumnName = "channel"
    groups: ColumnList = ()
    value: ColumnName = "value"
    geo: ColumnName | None = None

    @property
    def value_required(self) -> bool:
        """Whether the spec itself names the column of values."""
        return "value" in self.model_fields_set

    @model_validator(mode="after")
    def _differ(self) -> Self:
        used = [self.customer, self.time, self.touchpoint, *self.groups, self.value]
        used += [] if self.geo is None else [self.geo]
        twice = sorted({name for name in used if used.count(name) > 1})
        if twice:
            raise fault(
                f"one column cannot play two roles: {', '.join(twice)}",
                "name a column of its own for each role",
            )
        written = [self.touchpoint, *self.groups, *([] if self.geo is None else [self.geo])]
        taken = [name for name in written if name in _COLUMNS_OF_TOTALS]
        if taken:
            raise fault(
                f"{', '.join(map(repr, taken))} is a column of the totals that journeys become",
                f"rename the column; they need {', '.join(_COLUMNS_OF_TOTALS)} for themselves",
            )
        return self


class JourneyRules(Closed):
    """What belongs to a journey.

    Attributes
    ----------
    look_back_days : float
        Touches longer before the conversion play no part.
    reuse_touches : bool
        Whether a touch counts for every conversion that follows within the window. By default a
        conversion ends a journey, and what was touched before is not looked at again.
    """

    look_back_days: Days = 30.0
    reuse_touches: bool = False


class HeuristicsSpec(Closed):
    """Parameters of the heuristics.

    Attributes
    ----------
    half_life_days : float
        Time decay: a touch that is earlier by this time gets half of the credit.
    first_weight, last_weight : float
        Position-based: parts of the first and of the last touch; those between share the rest.
    markov_orders : tuple of int
        Orders of the Markov chains, of 1, 2 and 3.
    permutations : int
        Shapley beyond 12 touchpoints: how many orders of touchpoints are drawn, an even number.
    seed : int
        Seed of these orders.
    """

    half_life_days: Days = 7.0
    first_weight: Part = 0.4
    last_weight: Part = 0.4
    markov_orders: Orders = (1, 2, 3)
    permutations: Annotated[int, Field(ge=4, le=1_000_000, multiple_of=2)] = 1000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1

    @model_validator(mode="after")
    def _weights_are_parts(self) -> Self:
        if self.first_weight + self.last_weight > 1.0:
            total = self.first_weight + self.last_weight
            raise fault(
                f"first_weight and last_weight add up to {total:g}, more than the whole",
                "lower them until they add up to 1 at most; the touches between get the rest",
            )
        return self

    @model_validator(mode="after")
    def _orders_differ(self) -> Self:
        if len(set(self.markov_orders)) < len(self.markov_orders):
            raise fault("markov_orders names an order twice", "name each order once")
        return self


class JourneyTotals(Closed):
    """How journeys become totals and exposures for a fit.

    Attributes
    ----------
    period : {"day", "week", "month"}
        Length of a period; weeks begin on Mondays.
    outcome : {"conversions", "value"}
        What is added up.
    exclude : tuple of str
        Touchpoints that get no exposure, because they are results of demand and not its cause.
    carry_over_half_life_days : float
        A touch's exposure is spread over the time after it, half of it within this time; 0 leaves
        it in the period of the touch.
    """

    period: Literal["day", "week", "month"] = "week"
    outcome: Outcome = "conversions"
    exclude: ColumnList = ()
    carry_over_half_life_days: Annotated[float, Field(ge=0.0, le=3650.0)] = 0.0


class JourneySpec(Closed):
    """A whole spec of journeys, as a versioned, frozen value; every key has a default."""

    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = "journeys"
    columns: JourneyColumns = JourneyColumns()
    journeys: JourneyRules = JourneyRules()
    heuristics: HeuristicsSpec = HeuristicsSpec()
    totals: JourneyTotals = JourneyTotals()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the spec, defaults included."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def load_journey_spec(path: str | Path) -> JourneySpec:
    """Load a spec of journeys from a TOML file.

    Parameters
    ----------
    path : str or Path
        A file such as ``models/journeys.toml``.

    Returns
    -------
    JourneySpec
        The validated, frozen spec.

    Raises
    ------
    SpecError
        If the file cannot be read, is not TOML, or leaves the vocabulary. Every fault is listed.
    """
    return load_closed(path, JourneySpec)
