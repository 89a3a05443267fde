"""Every configuration that was tried, on worlds of development; printed as a table.

``python -m below_channel.development`` from the folder ``benchmarks``. The totals say nothing
about rates, so shares come from exposures and draws of the prior; neither a mix model nor a
sampler is needed. Carry-over is .5 for all, and days count by their exposure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from below_channel.reported import (
    Reported,
    carried_over,
    effective_reach,
    log_clicks_per_reach,
    reported_of_world,
    truth_of_world,
)
from below_channel.scores import score_draws
from below_channel.worlds import DEVELOPMENT_SEEDS, make_world

FloatArray = npt.NDArray[np.float64]

_DECAY = 0.5
_N_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Configuration:
    """What was tried: an exposure, the prior of the elasticity of clicks, and of the spread."""

    exposure: str
    clicks: tuple[float, float]
    spread: float


def configurations() -> Iterator[Configuration]:
    """Yield all of them."""
    for exposure in ("reach", "impressions", "effective reach alone", "effective reach"):
        for clicks in ((0.0, 0.0), (0.25, 0.0), (0.25, 0.25)):
            for spread in (0.3, 0.5):
                yield Configuration(exposure, clicks, spread)
    for clicks in ((0.15, 0.15), (0.2, 0.2), (0.25, 0.2)):
        for spread in (0.35, 0.4):
            yield Configuration("effective reach", clicks, spread)


def exposure_of(reported: Reported, name: str) -> FloatArray:
    """Return an exposure, summed over days, shape (n_campaigns,)."""
    if name == "effective reach":
        delivery = effective_reach(reported)
    elif name == "effective reach alone":
        delivery = effective_reach(reported, cross_fatigue=0.0)
    else:
        delivery = reported.metrics[name]
    return np.asarray(carried_over(delivery, _DECAY).sum(axis=0))


def prior_shares(reported: Reported, configuration: Configuration, seed: int) -> FloatArray:
    """Draw shares, shape (n_campaigns, n_draws)."""
    rng = np.random.default_rng(seed)
    clicks = log_clicks_per_reach(reported)
    mean, sd = configuration.clicks
    elasticity = mean + sd * rng.standard_normal(_N_DRAWS)
    spread = configuration.spread * np.abs(rng.standard_normal(_N_DRAWS))
    rest = spread * rng.standard_normal((len(clicks), _N_DRAWS))
    log_rate = elasticity * (clicks - clicks.mean())[:, np.newaxis] + rest
    exposure = exposure_of(reported, configuration.exposure)
    amount = exposure[:, np.newaxis] * np.exp(log_rate)
    return np.asarray(amount / amount.sum(axis=0))


def main() -> None:
    worlds = [make_world(seed) for seed in DEVELOPMENT_SEEDS]
    cases = [(reported_of_world(world), world) for world in worlds]
    truths = [truth_of_world(world, reported).sum(axis=0) for reported, world in cases]
    print("| exposure | elasticity | spread | MAE | CRPS | Spearman | held | width |")
    print("|---|---|---|---|---|---|---|---|")
    for tried in configurations():
        rows = [
            score_draws(prior_shares(reported, tried, world.seed), truth / truth.sum())
            for (reported, world), truth in zip(cases, truths, strict=True)
        ]
        scores = pd.DataFrame(rows)
        held = scores["covered"].sum() / sum(map(len, truths))
        mean = scores.mean()
        print(
            f"| {tried.exposure} | {tried.clicks[0]:g}, {tried.clicks[1]:g} | {tried.spread:g} "
            f"| {mean['mae']:.4f} | {mean['crps']:.4f} | {mean['spearman']:.3f} | {held:.3f} "
            f"| {mean['width']:.3f} |"
        )


if __name__ == "__main__":
    main()
