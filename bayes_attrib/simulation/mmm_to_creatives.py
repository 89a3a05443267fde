"""Scenario ``mmm_to_creatives``: channels of a mix model, campaigns and creatives below them.

What a channel adds to sales follows its adstocked, saturated delivery, as a mix model assumes; but
creatives differ in what a unit of it is worth, which no mix model sees. Totals are those of a mix
model that knows the curve exactly: the same multiple of it in every cell of a channel.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, model_validator

from bayes_attrib import names
from bayes_attrib.exposure import (
    ChannelTransform,
    DeliveryColumns,
    GeometricAdstock,
    LogisticSaturation,
    build_exposures,
)
from bayes_attrib.simulation.labels import mondays, numbered
from bayes_attrib.simulation.options import ScenarioOptions
from bayes_attrib.simulation.rounding import round_significant
from bayes_attrib.simulation.tables import Scenario, Tables
from bayes_attrib.spec import Columns

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Channel(NamedTuple):
    """A channel: sales of a fully saturated week, carry-over, and steepness of the curve."""

    name: str
    ceiling: float
    decay: float
    steepness: float
    cost: float  # per thousand impressions


CHANNELS: Final = (
    Channel("Video", ceiling=3000.0, decay=0.55, steepness=1.6, cost=12.0),
    Channel("Social", ceiling=2000.0, decay=0.25, steepness=2.4, cost=5.0),
)
GEOS: Final = ("north", "south")
OBJECTIVES: Final = ("brand", "sale")
FORMATS: Final = ("short", "long")
LAGS: Final = 8
"""Periods over which delivery works, its own included."""

MOST_EDGES: Final = 20_000_000

COLUMNS: Final = Columns(aggregate=("channel", "week", "geo"), entity="creative")


class MmmToCreativesOptions(ScenarioOptions):
    """Sizes, and how much creatives differ."""

    n_campaigns: Annotated[
        int, Field(ge=1, le=1000, description="number of campaigns in each of the two channels")
    ] = 3
    n_creatives: Annotated[
        int, Field(ge=1, le=1000, description="number of creatives in each campaign")
    ] = 3
    n_weeks: Annotated[int, Field(ge=10, le=10_000, description="number of weeks")] = 104
    sigma_campaign: Annotated[
        float, Field(ge=0, le=3, description="sd of the log rates of campaigns in a channel")
    ] = 0.6
    sigma_creative: Annotated[
        float, Field(ge=0, le=3, description="sd of the log rates of creatives in a campaign")
    ] = 0.4
    signal: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="correlation of the platform's conversions per impression with log rates",
        ),
    ] = 0.7
    total_cv: Annotated[
        float,
        Field(ge=0, le=1, description="sd of the totals that is stated, relative to them"),
    ] = 0.1

    @property
    def columns(self) -> Columns:
        """Column names of the tables."""
        return COLUMNS

    @property
    def n_edges(self) -> int:
        """Largest number of rows of the exposures table."""
        per_channel = self.n_campaigns * self.n_creatives
        return len(CHANNELS) * per_channel * self.n_weeks * len(GEOS)

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Self:
        if self.n_edges > MOST_EDGES:
            raise ValueError(
                f"2 channels x n_campaigns x n_creatives x n_weeks x 2 geos is {self.n_edges:,} "
                f"rows, more than the {MOST_EDGES:,} that fit in memory with ease"
            )
        return self


def draw_mmm_to_creatives(options: MmmToCreativesOptions, rng: np.random.Generator) -> Tables:
    """Draw creatives, their delivery, and what they add to sales.

    Parameters
    ----------
    options : MmmToCreativesOptions
        Sizes, and how much creatives differ.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Tables
        Cells (channel, week, geo) with ``total``, what a mix model would find, in money, and
        ``total_sd``, the uncertainty that it would state; one row per cell and creative at work
        with ``impressions``, ``spend``, ``exposure`` and ``amount``; creatives.
    """
    drawn = [
        _draw_channel(channel, options, stream)
        for channel, stream in zip(CHANNELS, rng.spawn(len(CHANNELS)), strict=True)
    ]
    parts = zip(*(tables[:3] for tables in drawn), strict=True)
    return Tables(*(pd.concat(tables, ignore_index=True) for tables in parts))


def _draw_channel(
    channel: Channel, options: MmmToCreativesOptions, rng: np.random.Generator
) -> Tables:
    of_creatives, of_delivery = rng.spawn(2)
    creatives = _draw_creatives(channel, options, of_creatives)
    weeks = mondays(options.n_weeks)
    impressions = _draw_impressions(options, of_delivery)
    creative, geo, week = np.nonzero(impressions)
    delivery = pd.DataFrame(
        {
            "channel": pd.Index([channel.name] * len(week), dtype="str"),
            "week": weeks.take(week),
            "geo": pd.Index(GEOS, dtype="str").take(geo),
            "creative": pd.Index(creatives["creative"]).take(creative),
            "impressions": impressions[creative, geo, week],
        }
    )
    edges = _exposures(channel, delivery, weeks, float(impressions.sum(axis=0).max()))
    edges["spend"] = np.round(edges["impressions"] * channel.cost / 1000.0, 2)
    rate = creatives.set_index("creative")["rate_true"].loc[edges["creative"]].to_numpy()
    edges["amount"] = round_significant(rate * edges["exposure"].to_numpy())
    cell = list(COLUMNS.aggregate)
    totals = edges.groupby(cell, sort=False)[names.EXPOSURE].sum().reset_index()
    curve = totals.pop(names.EXPOSURE).to_numpy()
    totals["total"] = round_significant(curve * edges["amount"].sum() / curve.sum())
    totals["total_sd"] = round_significant(options.total_cv * totals["total"].to_numpy())
    order = [*cell, "creative", "impressions", "spend", names.EXPOSURE, "amount"]
    return Tables(totals, edges[order], creatives)


def _exposures(
    channel: Channel, delivery: pd.DataFrame, weeks: pd.Index[str], scale: float
) -> pd.DataFrame:
    """Return effective exposures by the channel's curve, in whole weeks and both geos."""
    transform = ChannelTransform(
        GeometricAdstock(decay=channel.decay, l_max=LAGS),
        LogisticSaturation(steepness=channel.steepness),
        scale=scale,
    )
    edges = build_exposures(
        delivery,
        {channel.name: transform},
        columns=DeliveryColumns("creative", "channel", "week", delivery="impressions", geo="geo"),
        periods=weeks.tolist(),
        semantics="channel_curve",
    )
    edges[names.EXPOSURE] = round_significant(edges[names.EXPOSURE].to_numpy())
    edges["impressions"] = edges["impressions"].astype(np.int64)
    return edges[edges[names.EXPOSURE] > 0].reset_index(drop=True)


def _draw_creatives(
    channel: Channel, options: MmmToCreativesOptions, rng: np.random.Generator
) -> pd.DataFrame:
    """Return creatives; their rates average to the channel's ceiling."""
    n_campaigns, n_each = options.n_campaigns, options.n_creatives
    n = n_campaigns * n_each
    campaign = np.repeat(np.arange(n_campaigns), n_each)
    log_rate = options.sigma_campaign * rng.standard_normal(n_campaigns)[campaign]
    log_rate += options.sigma_creative * rng.standard_normal(n)
    rate = np.exp(log_rate)
    spread = float(log_rate.std())
    known = (log_rate - log_rate.mean()) / spread if spread > 0 else np.zeros(n)
    noise = rng.standard_normal(n)
    reported = options.signal * known + np.sqrt(1.0 - options.signal**2) * noise
    named = numbered(f"{channel.name} ", n_campaigns)
    return pd.DataFrame(
        {
            "creative": [f"{named[c]}.{i % n_each + 1}" for i, c in enumerate(campaign.tolist())],
            "campaign": named.take(campaign),
            "channel": pd.Index([channel.name] * n, dtype="str"),
            "objective": pd.Index(OBJECTIVES, dtype="str").take(campaign % len(OBJECTIVES)),
            "format": pd.Index(FORMATS, dtype="str").take(np.arange(n) % len(FORMATS)),
            "conversion_rate": np.round(0.002 * np.exp(0.5 * reported), 6),
            # Rounded before use: the truth is what the table says.
            "rate_true": np.round(channel.ceiling * rate / rate.mean(), 6),
        }
    )


def _draw_impressions(options: MmmToCreativesOptions, rng: np.random.Generator) -> IntArray:
    """Return whole impressions, shape (n_creatives, n_geos, n_weeks).

    Creatives run in flights of six weeks on average with pauses of four between them, the first one
    always, so that no week is without delivery. A wave of half a year goes over all.
    """
    n = options.n_campaigns * options.n_creatives
    shape = (n, len(GEOS), options.n_weeks)
    size = 40_000.0 * rng.lognormal(0.0, 0.5, (n, 1, 1))
    size = size * rng.lognormal(0.0, 0.3, (1, len(GEOS), 1))
    wave = 1.0 + 0.4 * np.sin(2 * np.pi * (np.arange(options.n_weeks) / 26 + rng.random()))
    delivered = np.rint(size * wave * rng.lognormal(0.0, 0.3, shape))
    on_air = _draw_flights(shape, rng)
    on_air[0] = True
    return np.where(on_air, np.maximum(delivered, 1.0), 0.0).astype(np.int64)


def _draw_flights(shape: tuple[int, int, int], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return whether creatives are on air: a chain that stops after six weeks on average."""
    on_air = np.empty(shape, dtype=bool)
    on_air[..., 0] = rng.random(shape[:2]) < 0.6
    for week in range(1, shape[2]):
        draw = rng.random(shape[:2])
        on_air[..., week] = np.where(on_air[..., week - 1], draw > 1 / 6, draw < 1 / 4)
    return on_air


MMM_TO_CREATIVES: Final = Scenario(
    name="mmm_to_creatives",
    description="What channels add to sales by week and geo, earned by creatives of campaigns.",
    options=MmmToCreativesOptions,
    draw=draw_mmm_to_creatives,
)
