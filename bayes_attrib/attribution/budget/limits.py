"""What a split may spend on each entity, and what sums it has to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bayes_attrib.attribution.budget.plan import Plan
from bayes_attrib.citing import listed, nearest, quote
from bayes_attrib.errors import DataError, Finding

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Limits:
    """Bounds of the spend of entities, in money, and the sums of groups of them.

    Attributes
    ----------
    lower, upper : ndarray, shape (n_entities,)
        Least and most that each may spend.
    group : ndarray of int, shape (n_entities,)
        Which sum each entity belongs to.
    total : ndarray, shape (n_groups,)
        What the entities of each group spend together.
    """

    lower: FloatArray
    upper: FloatArray
    group: IntArray
    total: FloatArray

    def nearest(self, spend: FloatArray) -> FloatArray:
        """Return the closest spend that keeps all limits, shape (n_entities,).

        Projection onto a box and a sum: clipping of spend plus one number per group, which is
        found by bisection.
        """
        found = np.empty_like(spend)
        for number, total in enumerate(self.total):
            here = self.group == number
            lower, upper, wished = self.lower[here], self.upper[here], spend[here]
            low, high = float((lower - wished).min()), float((upper - wished).max())
            for _ in range(200):
                middle = 0.5 * (low + high)
                if np.clip(wished + middle, lower, upper).sum() < total:
                    low = middle
                else:
                    high = middle
            found[here] = np.clip(wished + 0.5 * (low + high), lower, upper)
        return found


def limits_of(
    plan: Plan,
    *,
    across_channels: bool = False,
    total: float | None = None,
    max_change: float | None = None,
    minimum: Mapping[str, float] | None = None,
    maximum: Mapping[str, float] | None = None,
) -> Limits:
    """Return the limits of a plan's split.

    Parameters
    ----------
    plan : Plan
        What is spent now.
    across_channels : bool
        Whether money may move between channels; each keeps its own sum otherwise.
    total : float, optional
        Money to spend; that of the plan unless given. Channels that keep their sums share it as
        they do in the plan.
    max_change : float, optional
        Largest change of an entity's spend, relative to the plan: .3 for 30% up or down.
    minimum, maximum : mapping of str to float, optional
        Bounds in money by entity.

    Returns
    -------
    Limits
        Bounds that can be kept.

    Raises
    ------
    DataError
        If an entity is unknown, bounds cross, or no split keeps them all.
    """
    minimum, maximum = minimum or {}, maximum or {}
    _require_known(plan, (*minimum, *maximum))
    lower, upper = np.zeros(len(plan.cost)), np.full(len(plan.cost), np.inf)
    if max_change is not None:
        lower, upper = plan.cost * max(0.0, 1.0 - max_change), plan.cost * (1.0 + max_change)
    for e, name in enumerate(plan.entities):
        lower[e] = max(lower[e], minimum.get(name, 0.0))
        upper[e] = min(upper[e], maximum.get(name, np.inf))
    channels, group = np.unique(plan.channel.astype(str), return_inverse=True)
    if across_channels:
        channels, group = np.array(["all channels"]), np.zeros(len(plan.cost), dtype=np.int64)
    sums = np.bincount(group, weights=plan.cost).astype(np.float64)
    if total is not None:
        sums = sums * (total / sums.sum())
    limits = Limits(lower, upper, group.astype(np.int64), sums)
    _require_possible(plan, limits, list(map(str, channels)))
    return replace(limits, upper=np.minimum(upper, sums[group]))  # there is no more than the sum


def _require_known(plan: Plan, named: tuple[str, ...]) -> None:
    strangers = [name for name in dict.fromkeys(named) if name not in plan.entities]
    if strangers:
        guess = nearest(strangers[0], list(plan.entities))
        hint = f"did you mean {quote(guess)}? " if guess else ""
        raise _fault(
            "unknown-entity",
            f"there are bounds for {listed([quote(name) for name in strangers])}, which the plan "
            "does not have",
            f"{hint}the plan has {listed([quote(name) for name in plan.entities])}",
        )


def _require_possible(plan: Plan, limits: Limits, channels: list[str]) -> None:
    lower, upper = limits.lower, limits.upper
    crossed = np.flatnonzero(lower > upper)
    if len(crossed):
        e = int(crossed[0])
        raise _fault(
            "crossed-bounds",
            f"{quote(plan.entities[e])} must spend at least {lower[e]:.6g} and at most "
            f"{upper[e]:.6g}; its plan is {plan.cost[e]:.6g}",
            "lower the minimum, raise the maximum, or allow a larger change",
        )
    least, most = (np.bincount(limits.group, weights=bound) for bound in (lower, upper))
    for channel, total, low, high in zip(channels, limits.total, least, most, strict=True):
        tolerance = 1e-9 * max(1.0, total)
        if low > total + tolerance or high < total - tolerance:
            raise _fault(
                "impossible-total",
                f"{channel}: {total:.6g} is to be spent, and bounds allow {low:.6g} to {high:.6g}",
                "change the total, the bounds or the largest change",
            )


def _fault(code: str, message: str, remedy: str) -> DataError:
    headline = "no split keeps these limits:"
    return DataError(headline, [Finding(code, "error", "limits", message, remedy)])
