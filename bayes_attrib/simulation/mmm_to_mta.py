"""Scenario ``mmm_to_mta``: contributions of channels, earned by the campaigns inside them.

Totals are what a marketing mix model would report per channel, week and geo. Campaigns deliver
impressions, which work through geometric adstock and a Hill curve.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, model_validator

from bayes_attrib.exposure import geometric_adstock, hill
from bayes_attrib.simulation.labels import numbered
from bayes_attrib.simulation.options import ScenarioOptions
from bayes_attrib.simulation.rounding import round_significant
from bayes_attrib.simulation.tables import Scenario, Tables
from bayes_attrib.spec import Columns

FloatArray = npt.NDArray[np.float64]


class Channel(NamedTuple):
    """Response of a channel: money per unit of effective exposure, carry-over and saturation."""

    name: str
    scale: float
    decay: float
    half_saturation: float  # in medians of the channel's positive impressions
    slope: float


CHANNELS: Final = (
    Channel("Search", scale=120.0, decay=0.40, half_saturation=0.35, slope=1.2),
    Channel("Social", scale=80.0, decay=0.65, half_saturation=0.25, slope=1.4),
)
FAMILIES: Final = ("A", "B", "C")
OBJECTIVES: Final = ("Awareness", "Consideration", "Conversion")
MOST_EDGES: Final = 20_000_000

COLUMNS: Final = Columns(aggregate=("channel", "week", "geo"), entity="campaign")


class MmmToMtaOptions(ScenarioOptions):
    """Sizes, delivery and noise of the scenario."""

    n_campaigns: Annotated[
        int, Field(ge=1, le=10_000, description="number of campaigns in each of the two channels")
    ] = 6
    n_weeks: Annotated[int, Field(ge=1, le=10_000, description="number of weeks")] = 52
    n_geos: Annotated[int, Field(ge=1, le=10_000, description="number of geos")] = 5
    seasonality: Annotated[
        float,
        Field(ge=0, lt=1, description="amplitude of the yearly wave in delivery, around 1"),
    ] = 0.3
    dark_weeks: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="probability that a campaign is off air in a geo and week, after week 1",
        ),
    ] = 0.08
    alpha: Annotated[
        float,
        Field(
            ge=0.1,
            le=1e6,
            description="shape of the Gamma noise of totals; their CV is 1 / sqrt(alpha)",
        ),
    ] = 20.0

    @property
    def columns(self) -> Columns:
        """Column names of the tables."""
        return COLUMNS

    @property
    def n_edges(self) -> int:
        """Number of rows of the exposures table."""
        return len(CHANNELS) * self.n_campaigns * self.n_weeks * self.n_geos

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Self:
        if self.n_edges > MOST_EDGES:
            raise ValueError(
                f"2 channels x n_campaigns x n_weeks x n_geos is {self.n_edges:,} rows, more than "
                f"the {MOST_EDGES:,} that fit in memory with ease"
            )
        return self


def draw_mmm_to_mta(options: MmmToMtaOptions, rng: np.random.Generator) -> Tables:
    """Draw campaigns, their delivery, and the contributions of their channels.

    Parameters
    ----------
    options : MmmToMtaOptions
        Sizes, delivery and noise.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Tables
        Cells (channel, week, geo) with ``total`` in money; one row per cell and campaign with
        ``impressions``, ``exposure`` (dimensionless) and ``amount`` (money); campaigns.
    """
    drawn = [
        _draw_channel(channel, options, stream)
        for channel, stream in zip(CHANNELS, rng.spawn(len(CHANNELS)), strict=True)
    ]
    parts = zip(*(tables[:3] for tables in drawn), strict=True)
    return Tables(*(pd.concat(tables, ignore_index=True) for tables in parts))


def _draw_channel(channel: Channel, options: MmmToMtaOptions, rng: np.random.Generator) -> Tables:
    of_campaigns, of_delivery, of_noise = rng.spawn(3)
    campaigns = _draw_campaigns(channel, options.n_campaigns, of_campaigns)
    impressions = _draw_impressions(options, of_delivery)
    median = np.median(impressions[impressions > 0])
    carried = geometric_adstock(impressions / median, channel.decay)
    exposure = round_significant(hill(carried, channel.half_saturation, channel.slope))
    noise = of_noise.gamma(options.alpha, 1.0 / options.alpha, size=impressions.shape[1:])
    rate = campaigns["rate_true"].to_numpy()
    amount = round_significant(rate[:, np.newaxis, np.newaxis] * exposure * noise)
    cells = _cells(channel, options)
    edges = cells.loc[cells.index.repeat(options.n_campaigns)].reset_index(drop=True)
    edges["campaign"] = np.tile(campaigns["campaign"].to_numpy(), len(cells))
    for name, values in (
        ("impressions", impressions.astype(np.int64)),
        ("exposure", exposure),
        ("amount", amount),
    ):
        edges[name] = np.moveaxis(values, 0, -1).ravel()  # geo, week, campaign: the order of rows
    cells["total"] = amount.sum(axis=0).ravel()
    return Tables(cells, edges, campaigns)


def _draw_campaigns(channel: Channel, n_campaigns: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return campaigns; their rates average to the channel's scale."""
    rate = rng.lognormal(0.0, 0.6, size=n_campaigns)
    return pd.DataFrame(
        {
            "campaign": numbered(f"{channel.name}_C", n_campaigns),
            "channel": pd.Index([channel.name] * n_campaigns, dtype="str"),
            "creative_family": pd.Index(FAMILIES).take(rng.integers(0, 3, size=n_campaigns)),
            "objective": pd.Index(OBJECTIVES).take(rng.integers(0, 3, size=n_campaigns)),
            # Rounded before use: the truth is what the table says.
            "rate_true": np.round(channel.scale * rate / rate.mean(), 6),
        }
    )


def _draw_impressions(options: MmmToMtaOptions, rng: np.random.Generator) -> FloatArray:
    """Return whole impressions, shape (n_campaigns, n_geos, n_weeks).

    Campaigns and geos differ in size, a wave of one year goes over all, and cells scatter. Nobody
    is dark in the first week, so that carry-over leaves no cell without any exposure.
    """
    shape = (options.n_campaigns, options.n_geos, options.n_weeks)
    of_campaign = rng.lognormal(0.0, 0.5, size=(options.n_campaigns, 1, 1))
    of_geo = rng.lognormal(0.0, 0.4, size=(1, options.n_geos, 1))
    phase = rng.uniform(0.0, 2.0 * np.pi)
    season = 1.0 + options.seasonality * np.sin(
        2.0 * np.pi * np.arange(options.n_weeks) / 52 + phase
    )
    scatter = rng.lognormal(0.0, 0.25, size=shape)
    on_air = rng.random(shape) >= options.dark_weeks
    on_air[..., 0] = True
    delivered = np.rint(100_000.0 * of_campaign * of_geo * season * scatter)
    return np.where(on_air, np.maximum(delivered, 1.0), 0.0)


def _cells(channel: Channel, options: MmmToMtaOptions) -> pd.DataFrame:
    """Return the keys of a channel's cells, weeks within geos."""
    weeks = numbered("W", options.n_weeks, width=2)
    geos = numbered("G", options.n_geos)
    n = options.n_weeks * options.n_geos
    return pd.DataFrame(
        {
            "channel": pd.Index([channel.name] * n, dtype="str"),
            "week": weeks.take(np.tile(np.arange(options.n_weeks), options.n_geos)),
            "geo": geos.take(np.repeat(np.arange(options.n_geos), options.n_weeks)),
        }
    )


MMM_TO_MTA: Final = Scenario(
    name="mmm_to_mta",
    description="Incremental contributions of channels by week and geo, earned by campaigns.",
    options=MmmToMtaOptions,
    draw=draw_mmm_to_mta,
)
