"""Scenario ``journeys``: touches and conversions of customers, with what each touch caused.

Touches come in flights that differ by channel, place and week. Each causes conversions of its own,
some days later, beside those that would have come anyway (a cluster process: Hawkes 1971), so the
conversions that a channel caused are those that would be gone without it. Customers who are about
to convert, whatever the cause, look the brand up first: these touches of brand search stand last
in their journeys and cause nothing.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, model_validator

from bayes_attrib import names
from bayes_attrib.journeys.events import TICKS_PER_DAY, Conversions, Events, Touches
from bayes_attrib.journeys.periods import Calendar
from bayes_attrib.journeys.total_tables import tabulate_totals
from bayes_attrib.simulation.labels import numbered
from bayes_attrib.simulation.options import ScenarioOptions
from bayes_attrib.simulation.tables import Scenario, Tables
from bayes_attrib.spec import Columns
from bayes_attrib.spec.journeys import JourneyColumns, JourneySpec, JourneyTotals

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Channel(NamedTuple):
    """A channel: touches of a customer in a week, and conversions that a touch causes."""

    name: str
    weekly_touches: float
    effect: float


BRAND_SEARCH: Final = "Brand search"
CHANNELS: Final = (
    Channel("Display", weekly_touches=0.30, effect=0.015),
    Channel("Email", weekly_touches=0.12, effect=0.060),
    Channel("Search", weekly_touches=0.10, effect=0.090),
    Channel("Social", weekly_touches=0.20, effect=0.040),
    Channel("Video", weekly_touches=0.18, effect=0.080),
)
MEAN_DELAY_DAYS: Final = 2.0
HALF_LIFE_DAYS: Final = MEAN_DELAY_DAYS * float(np.log(2.0))
_FIRST_MONDAY: Final = int(np.datetime64("2024-12-30", "D").astype(np.int64))
_SECOND: Final = TICKS_PER_DAY // 86_400

COLUMNS: Final = Columns(aggregate=("week", "geo"), entity="channel")


class JourneysOptions(ScenarioOptions):
    """Sizes, and how much of what is seen follows from demand."""

    n_customers: Annotated[int, Field(ge=100, le=10_000_000, description="number of customers")] = (
        1000
    )
    n_weeks: Annotated[int, Field(ge=4, le=520, description="number of weeks")] = 26
    n_geos: Annotated[int, Field(ge=1, le=100, description="number of geos")] = 4
    base_rate: Annotated[
        float,
        Field(gt=0, le=10, description="conversions of a customer in a week that no touch causes"),
    ] = 0.04
    brand_search: Annotated[
        float,
        Field(
            ge=0, le=1, description="part of all conversions that a touch of brand search precedes"
        ),
    ] = 0.4
    effects: Annotated[
        float, Field(ge=0, le=1, description="sd of the logarithm of effects around the usual ones")
    ] = 0.2
    flights: Annotated[
        float,
        Field(ge=0, le=2, description="sd of the logarithm of touches over channels, geos, weeks"),
    ] = 0.8

    @property
    def columns(self) -> Columns:
        """Column names of the tables of totals."""
        return COLUMNS

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Self:
        expected = self.n_customers * self.n_weeks * sum(c.weekly_touches for c in CHANNELS)
        if expected > 50_000_000:
            raise ValueError(
                f"n_customers x n_weeks gives about {expected:,.0f} touches, more than the "
                "50,000,000 that fit in memory with ease"
            )
        return self


def draw_journeys(options: JourneysOptions, rng: np.random.Generator) -> Tables:
    """Draw customers, their touches, and their conversions.

    Parameters
    ----------
    options : JourneysOptions
        Sizes, and what follows from demand.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Tables
        Totals by week and geo with the exposures of all channels but brand search, ``amount``
        being the conversions that a channel caused; and two tables more, ``touches`` (customer,
        time, channel, geo) and ``conversions`` (customer, time, value, geo, and ``cause``, the
        channel or ``none``: for scoring, never for attribution).
    """
    of_customers, of_touches, of_causes, of_values, of_effects = rng.spawn(5)
    factor = of_effects.lognormal(0.0, options.effects, len(CHANNELS))
    effect = np.round(np.array([channel.effect for channel in CHANNELS]) * factor, 6)
    geo = np.sort(of_customers.integers(0, options.n_geos, options.n_customers))
    touch = _draw_touches(options, geo, of_touches)
    bought = _draw_conversions(options, touch, effect, of_causes)
    searches = _draw_searches(options, bought, of_causes)
    touch = pd.concat([touch, searches], ignore_index=True)
    touch = touch.sort_values(["time", "customer"], kind="stable", ignore_index=True)
    bought = bought.sort_values(["time", "customer"], kind="stable", ignore_index=True)
    bought["value"] = np.round(of_values.gamma(4.0, 15.0, len(bought)), 2)
    return _tables(options, geo, touch, bought, effect)


def _draw_touches(
    options: JourneysOptions, geo: IntArray, rng: np.random.Generator
) -> pd.DataFrame:
    """Return customer, time and channel of touches that owe nothing to demand."""
    first = np.searchsorted(geo, np.arange(options.n_geos + 1))
    size = np.diff(first)
    parts = []
    for code, channel in enumerate(CHANNELS):
        shape = (options.n_geos, options.n_weeks)
        s = options.flights
        flight = rng.lognormal(-0.5 * s**2, s, shape) if s else np.ones(shape)
        count = rng.poisson(channel.weekly_touches * size[:, np.newaxis] * flight)
        place, week = (np.repeat(index.ravel(), count.ravel()) for index in np.indices(shape))
        customer = first[place] + np.floor(rng.random(len(place)) * size[place]).astype(np.int64)
        time = _start() + 7 * TICKS_PER_DAY * week + _seconds(rng.random(len(place)) * 7)
        parts.append(pd.DataFrame({"customer": customer, "time": time, "channel": code}))
    return pd.concat(parts, ignore_index=True)


def _draw_conversions(
    options: JourneysOptions, touch: pd.DataFrame, effect: FloatArray, rng: np.random.Generator
) -> pd.DataFrame:
    """Return customer, time and cause of conversions; -1 is what no touch caused."""
    end = _start() + 7 * TICKS_PER_DAY * options.n_weeks
    caused = touch.loc[touch.index.repeat(rng.poisson(effect[touch["channel"]]))]
    # A minute at least, so that the cause stands before what it causes.
    delay = _seconds(rng.exponential(MEAN_DELAY_DAYS, len(caused))) + 60 * _SECOND
    n_base = rng.poisson(options.base_rate * options.n_customers * options.n_weeks)
    base = pd.DataFrame(
        {
            "customer": rng.integers(0, options.n_customers, n_base),
            "time": _start() + _seconds(rng.random(n_base) * 7 * options.n_weeks),
            "cause": -1,
        }
    )
    result = pd.DataFrame(
        {
            "customer": caused["customer"].to_numpy(),
            "time": caused["time"].to_numpy() + delay,
            "cause": caused["channel"].to_numpy(),
        }
    )
    both = pd.concat([base, result], ignore_index=True)
    return both[both["time"] < end].reset_index(drop=True)


def _draw_searches(
    options: JourneysOptions, bought: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return touches of brand search: up to an hour before a conversion, and causing none."""
    searched = bought[rng.random(len(bought)) < options.brand_search]
    before = _seconds(rng.uniform(1, 60, len(searched)) / 1440)
    time = np.maximum(searched["time"].to_numpy() - before, _start())
    return pd.DataFrame(
        {"customer": searched["customer"].to_numpy(), "time": time, "channel": len(CHANNELS)}
    )


def _tables(
    options: JourneysOptions,
    geo: IntArray,
    touch: pd.DataFrame,
    bought: pd.DataFrame,
    effect: FloatArray,
) -> Tables:
    channels = tuple(channel.name for channel in CHANNELS)
    points, geos = (*channels, BRAND_SEARCH), numbered("G", options.n_geos)
    customers = numbered("K", options.n_customers)
    order = np.argsort(points)
    place = np.empty(len(points), dtype=np.int32)
    place[order] = np.arange(len(points), dtype=np.int32)
    events = Events(
        touchpoints=tuple(points[i] for i in order),
        n_customers=options.n_customers,
        touches=Touches(
            touch["customer"].to_numpy(np.int32),
            touch["time"].to_numpy(),
            place[touch["channel"]],
            geo[touch["customer"]].astype(np.int32),
        ),
        conversions=Conversions(
            bought["customer"].to_numpy(np.int32),
            bought["time"].to_numpy(),
            bought["value"].to_numpy(),
            geo[bought["customer"]].astype(np.int32),
        ),
        geos=tuple(geos),
    )
    totals = tabulate_totals(events, SPEC)
    labels = np.asarray([*points, "none"], dtype=object)
    touches = pd.DataFrame(
        {
            "customer": customers.take(touch["customer"].to_numpy()),
            "time": _written(touch["time"]),
            "channel": labels[touch["channel"]],
            "geo": geos.take(geo[touch["customer"]]),
        }
    )
    conversions = pd.DataFrame(
        {
            "customer": customers.take(bought["customer"].to_numpy()),
            "time": _written(bought["time"]),
            "value": bought["value"],
            "geo": geos.take(geo[bought["customer"]]),
            "cause": labels[bought["cause"]],
        }
    )
    calendar = Calendar.spanning(
        "week",
        min(int(touch["time"].min()), int(bought["time"].min())),
        max(int(touch["time"].max()), int(bought["time"].max())),
    )
    weeks = np.asarray(calendar.labels, dtype=object)[calendar.places(bought["time"].to_numpy())]
    exposures = _with_truth(totals.exposures, conversions.assign(week=weeks))
    rates = dict(zip(channels, effect.tolist(), strict=True))
    entities = totals.entities.assign(rate_true=totals.entities["channel"].map(rates))
    others = {"touches": touches, "conversions": conversions}
    return Tables(totals.aggregates, exposures, entities, others)


def _with_truth(exposures: pd.DataFrame, conversions: pd.DataFrame) -> pd.DataFrame:
    """Add the conversions that each channel caused in each week and geo."""
    keys = ["week", "geo", "channel"]
    caused = conversions.rename(columns={"cause": "channel"}).groupby(keys).size()
    at = pd.MultiIndex.from_frame(exposures[keys])
    known = caused.reindex(at, fill_value=0).to_numpy(dtype=np.float64)
    return exposures.assign(**{names.AMOUNT: known})


def _start() -> int:
    return _FIRST_MONDAY * TICKS_PER_DAY


def _seconds(days: FloatArray) -> IntArray:
    """Return days as whole seconds, in microseconds."""
    return np.floor(days * 86_400).astype(np.int64) * _SECOND


def _written(ticks: pd.Series) -> npt.NDArray[np.str_]:
    return np.datetime_as_string(ticks.to_numpy().astype("datetime64[us]"), unit="s")


SPEC: Final = JourneySpec(
    columns=JourneyColumns(geo="geo"),
    totals=JourneyTotals(exclude=(BRAND_SEARCH,), carry_over_half_life_days=HALF_LIFE_DAYS),
)
"""The spec that makes totals of these journeys."""

JOURNEYS: Final = Scenario(
    name="journeys",
    description="Touches and conversions of customers, and totals that channels caused.",
    options=JourneysOptions,
    draw=draw_journeys,
)
