"""Users, the audiences of campaigns, and the impressions that they see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_OBJECTIVES: Final = ("brand", "traffic", "conversion")
_LOG_CLICK_RATE: Final = {"brand": -0.45, "traffic": 0.35, "conversion": 0.10}
_CLICK_RATE: Final = 0.018
_CLICK_SPREAD: Final = 0.35  # sd of the log click rate within an objective
_CLICK_SD: Final = 0.48  # of the log click rate over all campaigns: that of objectives included


@dataclass(frozen=True, eq=False)
class Campaigns:
    """What campaigns are and do; every array has shape (n_campaigns,) unless it says so.

    Attributes
    ----------
    objective : ndarray of str
        One of brand, traffic, conversion.
    effect : ndarray
        Goodwill that a fresh impression builds in an average user.
    click_rate : ndarray
        Clicks per impression.
    cost : ndarray
        Money per impression.
    pressure : ndarray, shape (n_campaigns, n_days)
        Expected impressions per member of the audience.
    """

    objective: npt.NDArray[np.str_]
    effect: FloatArray
    click_rate: FloatArray
    cost: FloatArray
    pressure: FloatArray


@dataclass(frozen=True, eq=False)
class Audiences:
    """Pairs of a user and a campaign that may reach it, sorted by campaign and then by user.

    Attributes
    ----------
    user, campaign : ndarray of int, shape (n_pairs,)
        The pair.
    activity : ndarray, shape (n_users,)
        Impressions that a user sees, next to the average user; mean 1.
    sensitivity : ndarray, shape (n_users,)
        Goodwill that an impression builds, next to the average user; mean 1.
    """

    user: IntArray
    campaign: IntArray
    activity: FloatArray
    sensitivity: FloatArray


def draw_campaigns(
    n_campaigns: int,
    n_days: int,
    effect_spread: float,
    click_correlation: float,
    rng: np.random.Generator,
) -> Campaigns:
    """Draw campaigns.

    Objectives shift the click rate. The logarithms of effect and click rate have the given
    correlation and the effect's the given sd. About half of the campaigns run all the time, the
    others for 8 days to six tenths of the window; the first always runs, so that no day is without
    delivery.

    Parameters
    ----------
    n_campaigns, n_days : int
        Sizes.
    effect_spread : float
        Standard deviation of the log effect.
    click_correlation : float
        Correlation of log effect and log click rate.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Campaigns
        What they are and do.
    """
    objective = np.array(_OBJECTIVES)[rng.integers(0, len(_OBJECTIVES), size=n_campaigns)]
    shift = np.array([_LOG_CLICK_RATE[name] for name in objective])
    log_click = shift + _CLICK_SPREAD * rng.standard_normal(n_campaigns)
    own = rng.standard_normal(n_campaigns)
    mixed = click_correlation * log_click / _CLICK_SD + np.sqrt(1 - click_correlation**2) * own
    level = rng.lognormal(np.log(0.25), 0.7, size=n_campaigns)
    noise = rng.lognormal(0.0, 0.25, size=(n_campaigns, n_days))
    week = 1.0 + 0.2 * np.sin(2 * np.pi * (np.arange(n_days) / 7 + rng.random((n_campaigns, 1))))
    return Campaigns(
        objective,
        np.exp(effect_spread * mixed),
        _CLICK_RATE * np.exp(log_click),
        rng.lognormal(np.log(0.014), 0.2, size=n_campaigns),
        level[:, np.newaxis] * noise * week * _running(n_campaigns, n_days, rng),
    )


def _running(n_campaigns: int, n_days: int, rng: np.random.Generator) -> FloatArray:
    """Return 1 while a campaign runs all the time, more while a burst runs, and else 0."""
    always = rng.random(n_campaigns) < 0.5
    always[0] = True
    length = rng.integers(8, max(9, int(0.6 * n_days)), size=n_campaigns)
    start = rng.integers(0, np.maximum(1, n_days - length // 2))
    day = np.arange(n_days)
    inside = (day >= start[:, np.newaxis]) & (day < (start + length)[:, np.newaxis])
    return np.where(always[:, np.newaxis], 1.0, 1.6 * inside)


def draw_audiences(n_users: int, n_campaigns: int, rng: np.random.Generator) -> Audiences:
    """Draw users and who of them may be reached by which campaign.

    Users have two interests and a campaign a direction in their plane: its audience are the users
    furthest along it, blurred by chance, from a seventh to two thirds of all. Near directions
    share users.

    Parameters
    ----------
    n_users, n_campaigns : int
        Sizes.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Audiences
        The pairs, and what users are like.
    """
    interest = rng.standard_normal((n_users, 2))
    angle = rng.uniform(0, 2 * np.pi, size=n_campaigns)
    direction = np.stack([np.cos(angle), np.sin(angle)])
    score = interest @ direction + 0.7 * rng.standard_normal((n_users, n_campaigns))
    part = rng.uniform(1 / 7, 2 / 3, size=n_campaigns)
    least = np.array([np.quantile(score[:, e], 1 - part[e]) for e in range(n_campaigns)])
    campaign, user = np.nonzero((score >= least).T)
    activity = rng.gamma(1.5, 1 / 1.5, size=n_users)
    sensitivity = rng.lognormal(-0.125, 0.5, size=n_users)
    return Audiences(user, campaign, activity, sensitivity)


def draw_impressions(
    campaigns: Campaigns, audiences: Audiences, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.uint16]]:
    """Yield the impressions of each pair, day by day.

    They are Poisson with mean pressure times the user's activity.

    Parameters
    ----------
    campaigns : Campaigns
        Their pressure.
    audiences : Audiences
        The pairs.
    rng : Generator
        Source of randomness.

    Yields
    ------
    ndarray of int, shape (n_pairs,)
        Impressions of a day.
    """
    activity = audiences.activity[audiences.user]
    for pressure in campaigns.pressure.T:
        mean = pressure[audiences.campaign] * activity
        seen = np.zeros(len(mean), dtype=np.uint16)
        some = np.flatnonzero(mean)
        seen[some] = rng.poisson(mean[some])
        yield seen
