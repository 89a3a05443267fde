"""Scenario ``user_goodwill``: campaigns of one channel, worked out user by user.

Campaigns reach overlapping audiences of users. Impressions build goodwill, the less the more
of them a user remembers; goodwill carries over, and users respond to it. The channel's total of a
day is the sum over users. Nothing in it is of the form that any model of this package assumes.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.exposure import geometric_adstock
from bayes_attrib.simulation.audiences import (
    Audiences,
    Campaigns,
    draw_audiences,
    draw_campaigns,
    draw_impressions,
)
from bayes_attrib.simulation.goodwill import (
    UserResponse,
    additive_credit,
    goodwill_of_days,
    incremental_credit,
)
from bayes_attrib.simulation.labels import FIRST_YEAR, numbered
from bayes_attrib.simulation.rounding import round_significant
from bayes_attrib.simulation.tables import Scenario, Tables
from bayes_attrib.simulation.user_goodwill_options import UserGoodwillOptions

FloatArray = npt.NDArray[np.float64]

_SALES_OF_DAY: Final = 10_000.0
_OTHER_SHARE: Final = 0.10  # of all sales, brought about by the other channel
_OTHER_CARRY_OVER: Final = 0.5
_CONVERSIONS_PER_CLICK: Final = 0.03


@dataclass(frozen=True, eq=False)
class _Reported:
    """What the platform reports; shape (n_days, n_campaigns) unless it says so.

    ``shared`` has shape (n_campaigns, n_campaigns): users that both campaigns have reached.
    """

    impressions: FloatArray
    reach: FloatArray
    cumulative_reach: FloatArray
    shared: FloatArray


def draw_user_goodwill(options: UserGoodwillOptions, rng: np.random.Generator) -> Tables:
    """Draw users, campaigns, what the platform reports, and sales.

    Parameters
    ----------
    options : UserGoodwillOptions
        Sizes, memory, response and noise.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Tables
        Days with ``total`` (expected incremental sales of the channel, in money), ``sales`` (all
        sales, with noise), ``spend``, ``other_spend`` (of another channel) and ``trend``; one row
        per day and campaign from its first delivery on, with ``impressions``, ``reach`` (users that
        saw it that day), ``cumulative_reach`` (up to that day), ``clicks``, ``conversions`` (as the
        platform claims them), ``spend``, ``exposure`` (reach with the carry-over of goodwill) and
        ``amount`` (money); campaigns with their objective, reported rates, and users shared with
        every other campaign.
    """
    of_campaigns, of_users, of_views, of_reports, of_sales = rng.spawn(5)
    campaigns = draw_campaigns(
        options.n_campaigns,
        options.n_days,
        options.effect_spread,
        options.click_correlation,
        of_campaigns,
    )
    audiences = draw_audiences(options.n_users, options.n_campaigns, of_users)
    views = list(draw_impressions(campaigns, audiences, of_views))
    credit = _credit(options, campaigns, audiences, views)
    whole = _SALES_OF_DAY * options.sales_share * options.n_days
    amount = round_significant(credit * whole / credit.sum())
    reported = _reported(audiences, views)
    exposures = _exposures(options, campaigns, reported, amount, of_reports)
    spend = exposures.groupby("date")["spend"].sum()
    aggregates = _days(options, amount.sum(axis=1), spend, of_sales)
    return Tables(aggregates, exposures, _entities(options, campaigns, reported, exposures))


def _credit(
    options: UserGoodwillOptions,
    campaigns: Campaigns,
    audiences: Audiences,
    views: list[npt.NDArray[np.uint16]],
) -> FloatArray:
    """Return the credit by day and campaign, in no particular unit."""
    response = UserResponse(
        float(np.exp(-1 / options.memory_days)),
        options.fatigue,
        options.cross_fatigue,
        options.carry_over,
        options.saturation > 0,
    )
    built = goodwill_of_days(response, audiences, campaigns.effect, views)
    of_users = np.array(
        [np.bincount(audiences.user, weights=day, minlength=options.n_users) for day in built]
    )
    mean = float(of_users[of_users > 0].mean())
    scale = mean / options.saturation if options.saturation > 0 else mean
    if options.credit == "additive":
        return additive_credit(response, audiences, built, scale)
    return incremental_credit(response, audiences, campaigns.effect, views, scale)


def _reported(audiences: Audiences, views: list[npt.NDArray[np.uint16]]) -> _Reported:
    n_campaigns = int(audiences.campaign.max()) + 1
    campaign = audiences.campaign
    ever = np.zeros(len(campaign), dtype=bool)
    rows = []
    for seen in views:
        ever |= seen > 0
        rows.append(
            [
                np.bincount(campaign, weights=values, minlength=n_campaigns)
                for values in (seen, seen > 0, ever)
            ]
        )
    impressions, reach, cumulative = np.moveaxis(np.array(rows), 1, 0)
    member = np.zeros((len(audiences.activity), n_campaigns))
    member[audiences.user[ever], campaign[ever]] = 1.0
    return _Reported(impressions, reach, cumulative, member.T @ member)


def _exposures(
    options: UserGoodwillOptions,
    campaigns: Campaigns,
    reported: _Reported,
    amount: FloatArray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return one row per day and campaign, from the campaign's first delivery on."""
    exposure = geometric_adstock(reported.reach.T, options.carry_over, normalise=True).T
    clicks = rng.binomial(
        reported.impressions.astype(np.int64), np.minimum(1, campaigns.click_rate)
    )
    by_click = _CONVERSIONS_PER_CLICK * rng.lognormal(0.0, 0.4, size=options.n_campaigns)
    columns = {
        "impressions": reported.impressions.astype(np.int64),
        "reach": reported.reach.astype(np.int64),
        "cumulative_reach": reported.cumulative_reach.astype(np.int64),
        "clicks": clicks,
        "conversions": rng.binomial(clicks, np.minimum(1, by_click)),
        "spend": np.round(reported.impressions * campaigns.cost, 2),
        "exposure": round_significant(exposure),
        "amount": amount,
    }
    day, campaign = np.nonzero(reported.cumulative_reach > 0)
    return pd.DataFrame(
        {
            "date": _dates(options.n_days).take(day),
            "campaign": numbered("C", options.n_campaigns).take(campaign),
            **{name: values[day, campaign] for name, values in columns.items()},
        }
    )


def _days(
    options: UserGoodwillOptions, total: FloatArray, spend: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Return days: the channel's total, all sales, and what else made them."""
    n_days = options.n_days
    trend = np.arange(n_days) / (n_days - 1)
    other_spend = np.round(rng.lognormal(np.log(250), 0.4, size=n_days), 2)
    carried = geometric_adstock(other_spend, _OTHER_CARRY_OVER, normalise=True)
    of_other = np.tanh(carried / carried.max())
    of_other *= _SALES_OF_DAY * _OTHER_SHARE / of_other.mean()
    base = _SALES_OF_DAY * (1 - options.sales_share - _OTHER_SHARE) * (1 + 0.05 * (trend - 0.5))
    noise = _SALES_OF_DAY * options.noise * rng.standard_normal(n_days)
    dates = _dates(n_days)
    return pd.DataFrame(
        {
            "date": dates,
            "total": total,
            "sales": np.round(np.maximum(base + of_other + total + noise, 0.0), 2),
            "spend": np.round(spend.reindex(dates, fill_value=0.0).to_numpy(), 2),
            "other_spend": other_spend,
            "trend": trend,
        }
    )


def _entities(
    options: UserGoodwillOptions, campaigns: Campaigns, reported: _Reported, exposures: pd.DataFrame
) -> pd.DataFrame:
    labels = numbered("C", options.n_campaigns)
    sums = exposures.groupby("campaign")[
        ["impressions", "reach", "clicks", "exposure", "amount"]
    ].sum()
    sums = sums.reindex(labels, fill_value=0)
    return pd.DataFrame(
        {
            "campaign": labels,
            "objective": pd.Index(campaigns.objective, dtype="str"),
            "frequency": (sums["impressions"] / sums["reach"]).to_numpy(),
            "click_rate": (sums["clicks"] / sums["impressions"]).to_numpy(),
            **{
                f"shared_{label}": shared.astype(np.int64)
                for label, shared in zip(labels, reported.shared, strict=True)
            },
            "effect_true": campaigns.effect,
            "rate_true": (sums["amount"] / sums["exposure"]).to_numpy(),
        }
    )


def _dates(n_days: int) -> pd.Index[str]:
    first = dt.date(FIRST_YEAR, 1, 1)
    return pd.Index(
        [(first + dt.timedelta(days=i)).isoformat() for i in range(n_days)], dtype="str"
    )


USER_GOODWILL: Final = Scenario(
    name="user_goodwill",
    description="Days of one channel, earned user by user: overlap, fatigue, goodwill.",
    options=UserGoodwillOptions,
    draw=draw_user_goodwill,
)
