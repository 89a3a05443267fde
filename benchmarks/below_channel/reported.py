"""What a platform reports of campaigns, and the exposure that is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.exposure import GeometricAdstock
from bayes_attrib.simulation import SimulatedTables

FloatArray = npt.NDArray[np.float64]

METRICS = ("reach", "clicks", "impressions", "spend")

FATIGUE = 4.0
"""Remembered impressions per user at which the next one works half as well."""

MEMORY_DAYS = 7.0
"""Days after which 1/e of impressions are remembered."""

CROSS_FATIGUE = 0.25
"""How much an impression of another campaign tires, next to one of its own."""

L_MAX = 12


@dataclass(frozen=True, eq=False)
class Reported:
    """Reports of the campaigns of one channel; no truth is in here.

    Attributes
    ----------
    dates, campaigns : list of str
        Their labels.
    metrics : dict of str to ndarray, each of shape (n_days, n_campaigns)
        ``reach``, ``clicks``, ``impressions`` and ``spend``.
    cumulative_reach : ndarray, shape (n_days, n_campaigns)
        Users that were reached up to each day.
    shared : ndarray, shape (n_campaigns, n_campaigns)
        Users that two campaigns have both reached in the whole window.
    mix_input : DataFrame
        What the mix model is fitted to: ``date``, two channels, ``trend``, ``y``.
    """

    dates: list[str]
    campaigns: list[str]
    metrics: dict[str, FloatArray]
    cumulative_reach: FloatArray
    shared: FloatArray
    mix_input: pd.DataFrame

    @property
    def channel(self) -> str:
        """The channel of the campaigns."""
        return "social"

    def delivery(self) -> pd.DataFrame:
        """Return the table that ``import-mmm`` reads: spend by campaign and day."""
        day, campaign = np.nonzero(self.metrics["spend"])
        return pd.DataFrame(
            {
                "campaign": np.asarray(self.campaigns, dtype=object)[campaign],
                "channel": self.channel,
                "period": np.asarray(self.dates, dtype=object)[day],
                "delivery": self.metrics["spend"][day, campaign],
            }
        )


def read_credibility(folder: Path) -> Reported:
    """Read the inputs of pymc-marketing's example; the file of truth is not opened.

    Parameters
    ----------
    folder : Path
        Folder ``data`` of the source distribution of pymc-marketing 1.3.0.
    """
    daily = pd.read_csv(folder / "credibility_campaign_daily_metrics.csv")
    reach = pd.read_csv(folder / "credibility_campaign_cumulative_reach.csv", index_col="date")
    shared = pd.read_csv(folder / "credibility_audience_overlap_matrix.csv", index_col="campaign")
    mix_input = pd.read_csv(folder / "credibility_mmm_input_data.csv")
    dates, campaigns = mix_input["date"].tolist(), shared.index.tolist()
    return Reported(
        dates,
        campaigns,
        {name: _grid(daily, name, dates, campaigns) for name in METRICS},
        reach.loc[dates, campaigns].to_numpy(np.float64),
        shared.loc[campaigns, campaigns].to_numpy(np.float64),
        mix_input,
    )


def read_credibility_truth(folder: Path, reported: Reported) -> FloatArray:
    """Return true contributions, shape (n_days, n_campaigns): for scoring, after the fit."""
    truth = pd.read_csv(
        folder / "credibility_ground_truth_campaign_contributions.csv", index_col="date"
    )
    return truth.loc[reported.dates, reported.campaigns].to_numpy(np.float64)


def reported_of_world(world: SimulatedTables) -> Reported:
    """Return what the platform reports in a simulated world, without its truth."""
    days, rows, entities = world.aggregates, world.exposures, world.entities
    dates, campaigns = days["date"].tolist(), entities["campaign"].tolist()
    cumulative = _grid(rows, "cumulative_reach", dates, campaigns)
    renamed = days.rename(columns={"spend": "social", "other_spend": "search", "sales": "y"})
    return Reported(
        dates,
        campaigns,
        {name: _grid(rows, name, dates, campaigns) for name in METRICS},
        np.maximum.accumulate(cumulative, axis=0),
        entities[[f"shared_{name}" for name in campaigns]].to_numpy(np.float64),
        renamed[["date", "social", "search", "trend", "y"]],
    )


def truth_of_world(world: SimulatedTables, reported: Reported) -> FloatArray:
    """Return true amounts of a simulated world, shape (n_days, n_campaigns)."""
    return _grid(world.exposures, "amount", reported.dates, reported.campaigns)


def _grid(table: pd.DataFrame, column: str, dates: list[str], campaigns: list[str]) -> FloatArray:
    wide = table.pivot_table(index="date", columns="campaign", values=column, aggfunc="sum")
    return wide.reindex(index=dates, columns=campaigns).fillna(0.0).to_numpy(np.float64)


def effective_reach(reported: Reported, cross_fatigue: float = CROSS_FATIGUE) -> FloatArray:
    """Users reached by a campaign on a day, each counted by how little tired it is.

    Of the N users that a campaign has reached so far, each sees i impressions today and remembers
    R: its own of the last days, and ``cross_fatigue`` times those of other campaigns, which the
    part shared / reached of its users have seen. Impression by impression the next one works
    FATIGUE / (FATIGUE + R) times as well as a fresh one, so the day is worth
    N FATIGUE log(1 + i / (FATIGUE + R)) fresh impressions.

    Parameters
    ----------
    reported : Reported
        Impressions, cumulative reach, and users shared by campaigns.
    cross_fatigue : float
        How much an impression of another campaign tires, next to one of its own.

    Returns
    -------
    ndarray, shape (n_days, n_campaigns)
        Fresh impressions that the day's are worth; at most the impressions themselves.
    """
    impressions = reported.metrics["impressions"]
    reached = np.maximum(reported.cumulative_reach, 1.0)
    overlap = reported.shared / np.maximum(np.diag(reported.shared), 1.0)[:, np.newaxis]
    np.fill_diagonal(overlap, 0.0)
    remembered = np.zeros(impressions.shape[1])
    worth = np.empty_like(impressions)
    for day, seen in enumerate(impressions):
        of_user = remembered / reached[day]
        tired = FATIGUE + of_user + cross_fatigue * overlap @ of_user
        worth[day] = reached[day] * FATIGUE * np.log1p(seen / reached[day] / tired)
        remembered = np.exp(-1 / MEMORY_DAYS) * (remembered + seen)
    return worth


def carried_over(delivery: FloatArray, decay: float) -> FloatArray:
    """Carry delivery of each campaign over as the mix model does, shape (n_days, n_campaigns)."""
    weights = GeometricAdstock(decay=decay, l_max=L_MAX).weights()
    return np.array([np.convolve(x, weights)[: len(x)] for x in delivery.T]).T


def log_clicks_per_reach(reported: Reported) -> FloatArray:
    """Return log(clicks / reach), both summed over days, shape (n_campaigns,)."""
    sums = {name: reported.metrics[name].sum(axis=0) for name in ("clicks", "reach")}
    return np.asarray(np.log(np.maximum(sums["clicks"], 0.5) / sums["reach"]))
