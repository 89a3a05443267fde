"""Scenarios ``mmm_three_channels`` and ``mmm_retail``: weekly sales and spends of known effect.

Sales are base, trend, season, promotions, noise, and for each channel a Hill curve of geometrically
adstocked spend. Spends are independent of everything else, so that what a mix model finds is told
by the model alone. The table ``series`` is what ``bayes-attrib mmm`` reads; the other three hold
the truth: contributions of channels as amounts inside the media's total of every week.
"""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from bayes_attrib import names
from bayes_attrib.exposure import carry_over, geometric_weights, hill, normalised
from bayes_attrib.simulation.options import ScenarioOptions
from bayes_attrib.simulation.tables import Scenario, Tables
from bayes_attrib.spec import Columns

FloatArray = npt.NDArray[np.float64]

SERIES_TABLE: Final = "series"
_FIRST_WEEK: Final = "2023-01-02"
_WEEKS_IN_YEAR: Final = 52
_BLOCK: Final = 6
"""Weeks of a block without spend."""


class MediaChannel(NamedTuple):
    """A channel: spend of a week in the unit of sales, and what it brings.

    Attributes
    ----------
    name : str
        Its name.
    low, high : float
        Spend of a week is uniform between them.
    decay : float
        Of the geometric adstock, whose weights sum to one.
    slope, half_saturation, ceiling : float
        Hill curve of adstocked spend; the last two in money.
    """

    name: str
    low: float
    high: float
    decay: float
    slope: float
    half_saturation: float
    ceiling: float


THREE: Final = (
    MediaChannel("tv", 2_000, 20_000, 0.5, 2.0, 10_000, 15_000),
    MediaChannel("search", 2_000, 20_000, 0.2, 2.5, 12_000, 25_000),
    MediaChannel("social", 2_000, 20_000, 0.7, 3.0, 8_000, 10_000),
)
FIVE: Final = (
    MediaChannel("tv", 10_000, 70_000, 0.6, 1.8, 35_000, 180_000),
    MediaChannel("search", 5_000, 45_000, 0.3, 1.4, 22_000, 120_000),
    MediaChannel("social", 4_000, 36_000, 0.4, 1.5, 18_000, 100_000),
    MediaChannel("display", 3_000, 27_000, 0.5, 1.6, 14_000, 80_000),
    MediaChannel("radio", 2_000, 22_000, 0.35, 1.5, 10_000, 70_000),
)


class MmmLabOptions(ScenarioOptions):
    """Sizes, noise, and what else moves sales."""

    n_weeks: Annotated[int, Field(ge=30, le=1_000, description="number of weeks")] = 104
    dark_blocks: Annotated[
        int, Field(ge=0, le=20, description="blocks of six weeks without spend, by channel")
    ] = 0
    l_max: Annotated[int, Field(ge=1, le=52, description="weeks in which spend works")] = 13
    base: Annotated[float, Field(ge=0, description="sales without media")] = 5_000.0
    trend: Annotated[float, Field(description="change of the base from first to last week")] = 0.0
    season: Annotated[float, Field(ge=0, description="amplitude over the year")] = 4_000.0
    promotion: Annotated[float, Field(description="effect of a promotion")] = 8_000.0
    promotion_weeks: Annotated[float, Field(ge=0, le=1, description="part of the weeks")] = 0.15
    noise: Annotated[float, Field(gt=0, description="standard deviation of noise")] = 1_000.0

    @property
    def columns(self) -> Columns:
        """Weeks are aggregates, channels are entities."""
        return Columns(aggregate=("week",), entity="channel")


class RetailOptions(MmmLabOptions):
    """The same with the sizes of a retailer."""

    dark_blocks: Annotated[
        int, Field(ge=0, le=20, description="blocks of six weeks without spend, by channel")
    ] = 3
    l_max: Annotated[int, Field(ge=1, le=52, description="weeks in which spend works")] = 8
    base: Annotated[float, Field(ge=0, description="sales without media")] = 250_000.0
    trend: Annotated[float, Field(description="change of the base from first to last week")] = (
        60_000.0
    )
    season: Annotated[float, Field(ge=0, description="amplitude over the year")] = 40_000.0
    promotion: Annotated[float, Field(description="effect of a promotion")] = 50_000.0
    noise: Annotated[float, Field(gt=0, description="standard deviation of noise")] = 15_000.0


def draw_mmm(
    options: MmmLabOptions, channels: tuple[MediaChannel, ...], rng: np.random.Generator
) -> Tables:
    """Draw spends and sales.

    Parameters
    ----------
    options : MmmLabOptions
        Sizes and noise.
    channels : tuple of MediaChannel
        What spends bring.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Tables
        Weeks with the media's ``total``; week and channel with ``spend``, ``exposure`` (saturated
        adstock) and ``amount`` (contribution); channels with their ``spend`` and ``rate_true``,
        their ceilings; and ``series`` with ``week``, ``sales``, a spend for each channel, and
        ``promotion``.
    """
    of_spend, of_promotion, of_noise = rng.spawn(3)
    n = options.n_weeks
    spend = np.stack(
        [
            _spend(channel, options, stream)
            for channel, stream in zip(channels, of_spend.spawn(len(channels)), strict=True)
        ],
        axis=1,
    )
    exposure = np.stack(
        [_exposure(channel, options, spend[:, i]) for i, channel in enumerate(channels)], axis=1
    )
    amount = exposure * [channel.ceiling for channel in channels]
    promoted = (of_promotion.random(n) < options.promotion_weeks).astype(np.int64)
    if not promoted.any():
        promoted[n // 2] = int(options.promotion_weeks > 0)
    week = np.arange(n)
    rest = options.base + options.trend * week / max(n - 1, 1)
    rest = rest + options.season * np.sin(2.0 * np.pi * week / _WEEKS_IN_YEAR)
    rest = rest + options.promotion * promoted + of_noise.normal(0.0, options.noise, size=n)
    labels = pd.date_range(_FIRST_WEEK, periods=n, freq="W-MON").strftime("%Y-%m-%d")
    series = pd.DataFrame({"week": labels, "sales": np.round(rest + amount.sum(axis=1), 2)})
    for i, channel in enumerate(channels):
        series[channel.name] = spend[:, i]
    series["promotion"] = promoted
    keys = [channel.name for channel in channels]
    exposures = pd.DataFrame(
        {
            "week": labels.repeat(len(keys)),
            "channel": keys * n,
            "spend": spend.ravel(),
            names.EXPOSURE: exposure.ravel(),
            names.AMOUNT: amount.ravel(),
        }
    )
    return Tables(
        pd.DataFrame({"week": labels, names.TOTAL: amount.sum(axis=1)}),
        exposures,
        pd.DataFrame(
            {
                "channel": keys,
                "spend": spend.sum(axis=0),
                "rate_true": [channel.ceiling for channel in channels],
            }
        ),
        {SERIES_TABLE: series},
    )


def _spend(channel: MediaChannel, options: MmmLabOptions, rng: np.random.Generator) -> FloatArray:
    """Return whole money by week. The first week is never dark, so that every week has media."""
    spend = np.rint(rng.uniform(channel.low, channel.high, size=options.n_weeks))
    for _ in range(options.dark_blocks):
        start = int(rng.integers(1, max(2, options.n_weeks - _BLOCK)))
        spend[start : start + _BLOCK] = 0.0
    return spend


def _exposure(channel: MediaChannel, options: MmmLabOptions, spend: FloatArray) -> FloatArray:
    weights = normalised(geometric_weights(channel.decay, l_max=options.l_max))
    return hill(carry_over(spend, weights), channel.half_saturation, channel.slope)


MMM_THREE_CHANNELS: Final = Scenario(
    name="mmm_three_channels",
    description="Weekly sales told by three channels with Hill curves, a promotion and a season.",
    options=MmmLabOptions,
    draw=lambda options, rng: draw_mmm(options, THREE, rng),
)
MMM_RETAIL: Final = Scenario(
    name="mmm_retail",
    description="Weekly sales of a retailer told by five channels, promotions, trend and season.",
    options=RetailOptions,
    draw=lambda options, rng: draw_mmm(options, FIVE, rng),
)
