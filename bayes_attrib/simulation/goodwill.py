"""From impressions to sales: users tire of repetition, remember, and respond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bayes_attrib.simulation.audiences import Audiences

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class UserResponse:
    """How impressions work on users.

    With n impressions of campaign e today and R remembered ones, the goodwill of user u grows by
    effect_e sensitivity_u fatigue log(1 + n / (fatigue + R)): impression by impression, the next
    one works fatigue / (fatigue + R) times as well as the first. R counts own impressions fully and
    those of other campaigns by ``cross_fatigue``. Goodwill fades by ``carry_over`` a day. The
    response is 1 - exp(-goodwill / scale), or goodwill / scale where there is no ceiling.

    Attributes
    ----------
    memory : float
        Part of the remembered impressions that is left a day later.
    fatigue : float
        Remembered impressions at which the next one works half as well.
    cross_fatigue : float
        Weight of impressions of other campaigns in what is remembered.
    carry_over : float
        Part of goodwill that is left a day later.
    has_ceiling : bool
        Whether the response has a ceiling.
    """

    memory: float
    fatigue: float
    cross_fatigue: float
    carry_over: float
    has_ceiling: bool


def goodwill_of_days(
    response: UserResponse,
    audiences: Audiences,
    effect: FloatArray,
    impressions: Sequence[npt.NDArray[np.uint16]],
) -> npt.NDArray[np.float32]:
    """Goodwill that campaigns have built in users.

    Parameters
    ----------
    response : UserResponse
        How impressions work.
    audiences : Audiences
        The pairs of users and campaigns.
    effect : ndarray, shape (n_campaigns,)
        Effect of a fresh impression of a campaign; 0 makes it as if it had not been, but
        for the fatigue of others: leave its impressions out as well.
    impressions : sequence of ndarray, each of shape (n_pairs,)
        Impressions by day.

    Returns
    -------
    ndarray of float32, shape (n_days, n_pairs)
        Goodwill of the pair's user that the pair's campaign has built.
    """
    user, n_users = audiences.user, len(audiences.activity)
    strength = response.fatigue * effect[audiences.campaign] * audiences.sensitivity[user]
    remembered = np.zeros(len(user))
    goodwill = np.zeros(len(user))
    days = np.empty((len(impressions), len(user)), dtype=np.float32)
    for day, seen in enumerate(impressions):
        of_all = np.bincount(user, weights=remembered, minlength=n_users)[user]
        tired = (1 - response.cross_fatigue) * remembered + response.cross_fatigue * of_all
        goodwill *= response.carry_over
        goodwill += strength * np.log1p(seen / (response.fatigue + tired))
        remembered = response.memory * (remembered + seen)
        days[day] = goodwill
    return days


def additive_credit(
    response: UserResponse, audiences: Audiences, goodwill: npt.NDArray[np.float32], scale: float
) -> FloatArray:
    """Share each user's response of a day in proportion to the goodwill of the campaigns.

    Parameters
    ----------
    response : UserResponse
        Whether there is a ceiling.
    audiences : Audiences
        The pairs.
    goodwill : ndarray, shape (n_days, n_pairs)
        Goodwill by day and pair.
    scale : float
        Goodwill at which a response with a ceiling has reached 63% of it.

    Returns
    -------
    ndarray, shape (n_days, n_campaigns)
        Sums over users; summed over campaigns they are the response of the day.
    """
    user, n_users = audiences.user, len(audiences.activity)
    n_campaigns = int(audiences.campaign.max()) + 1
    credit = np.empty((len(goodwill), n_campaigns))
    for day, built in enumerate(goodwill):
        part = built / scale
        if response.has_ceiling:
            whole = np.bincount(user, weights=part, minlength=n_users)
            # (1 - exp(-x)) / x, which tends to 1 as x goes to zero.
            slope = np.where(whole > 0, -np.expm1(-whole) / np.where(whole > 0, whole, 1.0), 1.0)
            part = part * slope[user]
        credit[day] = np.bincount(audiences.campaign, weights=part, minlength=n_campaigns)
    return credit


def incremental_credit(
    response: UserResponse,
    audiences: Audiences,
    effect: FloatArray,
    impressions: Sequence[npt.NDArray[np.uint16]],
    scale: float,
) -> FloatArray:
    """Share the response of a day in proportion to what is lost without each campaign.

    The same users see the same impressions of the other campaigns; what they remember, how tired
    they are, and how far their response has gone are theirs without the campaign. A campaign that
    would be missed by nobody, as it tires users of better ones, has no credit.

    Parameters
    ----------
    response : UserResponse
        How impressions work.
    audiences : Audiences
        The pairs.
    effect : ndarray, shape (n_campaigns,)
        Effect of a fresh impression.
    impressions : sequence of ndarray, each of shape (n_pairs,)
        Impressions by day.
    scale : float
        Goodwill at which a response with a ceiling has reached 63% of it.

    Returns
    -------
    ndarray, shape (n_days, n_campaigns)
        Credit; summed over campaigns it is the response of the day.
    """
    built = goodwill_of_days(response, audiences, effect, impressions)
    whole = additive_credit(response, audiences, built, scale).sum(axis=1)
    lost = np.empty((len(impressions), len(effect)))
    for campaign in range(len(effect)):
        others = audiences.campaign != campaign
        left = [np.where(others, seen, 0).astype(np.uint16) for seen in impressions]
        built = goodwill_of_days(response, audiences, effect, left)
        without = additive_credit(response, audiences, built, scale).sum(axis=1)
        lost[:, campaign] = np.maximum(whole - without, 0.0)
    sums = lost.sum(axis=1, keepdims=True)
    return whole[:, np.newaxis] * np.divide(lost, sums, out=np.zeros_like(lost), where=sums > 0)
