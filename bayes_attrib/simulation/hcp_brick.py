"""Scenario ``hcp_brick``: sales of bricks, earned by the physicians who practise in them.

Physicians (HCPs) differ in specialty, seniority and potential; a representative visits each of them
in one or several bricks; only the sales of whole bricks, in units or in money, are observed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.simulation.hcp_brick_noise import draw_amounts, draw_factors
from bayes_attrib.simulation.hcp_brick_options import HcpBrickOptions
from bayes_attrib.simulation.labels import iso_months, numbered
from bayes_attrib.simulation.sampling import sample_distinct
from bayes_attrib.simulation.tables import Scenario, Tables

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SPECIALTIES: Final = ("GP", "CARDIO", "ENDO", "ONCO", "PULMO")
SPECIALTY_SHARES: Final = (0.45, 0.18, 0.15, 0.12, 0.10)
SPECIALTY_EFFECTS: Final = (0.0, 0.25, 0.15, 0.35, 0.10)  # on the log rate


def draw_hcp_brick(options: HcpBrickOptions, rng: np.random.Generator) -> Tables:
    """Draw HCPs, their bricks, visits and sales.

    Each step has a random stream of its own, so that a switch changes nothing but what it is about.

    Parameters
    ----------
    options : HcpBrickOptions
        Sizes and switches.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Tables
        Bricks, by month if there are several, with ``units`` or ``sales``; pairs with ``visits``,
        ``amount`` (units or money) and, where rates drift, ``drift_true`` (on the log rate); HCPs
        with covariates.
    """
    of_hcps, of_network, of_visits, of_bricks, of_amounts, of_drift = rng.spawn(6)
    n_months = options.n_periods
    hcps = _draw_hcps(options, of_hcps)
    met_hcp, met_brick = _draw_network(options, of_network)
    visits = _draw_visits(options, hcps, met_hcp, of_visits).T.ravel()
    hcp, brick = np.repeat(met_hcp, n_months), np.repeat(met_brick, n_months)
    month = np.tile(np.arange(n_months), len(met_hcp))
    specialty = pd.Index(SPECIALTIES).get_indexer(pd.Index(hcps["specialty"]))[hcp]
    drift = _draw_drift(options, of_drift)[specialty, month]
    expected = hcps["rate_true"].to_numpy()[hcp] * np.exp(drift) * visits
    cell = brick * n_months + month
    factor = draw_factors(options, expected, cell, of_bricks)
    amount = draw_amounts(options, expected * factor[cell], of_amounts)
    keys = _cells(options)
    total = np.zeros(len(keys), dtype=amount.dtype)
    np.add.at(total, cell, amount)
    edges = keys.take(cell).reset_index(drop=True)
    edges.insert(0, "hcp_id", pd.Index(hcps["hcp_id"]).take(hcp))
    edges["visits"], edges["amount"] = visits, amount
    if options.drift_sd > 0:
        edges["drift_true"] = drift
    return Tables(keys.assign(**{options.columns.total: total}), edges, hcps)


def _draw_hcps(options: HcpBrickOptions, rng: np.random.Generator) -> pd.DataFrame:
    n_hcps = options.n_entities
    specialty = rng.choice(len(SPECIALTIES), size=n_hcps, p=SPECIALTY_SHARES)
    seniority = rng.integers(0, 20, size=n_hcps, endpoint=True)
    # Rounded before use: the truth is what the table says, and the same on every processor.
    potential = np.maximum(np.round(rng.lognormal(0.0, 0.6, size=n_hcps), 4), 1e-4)
    effect = np.array(SPECIALTY_EFFECTS)[specialty]
    log_rate = -0.3 + 0.2 * seniority / 10 + 0.55 * np.log1p(potential) + effect
    (of_own_effects,) = rng.spawn(1)
    log_rate += options.sigma_entity * of_own_effects.standard_normal(n_hcps)
    return pd.DataFrame(
        {
            "hcp_id": numbered("HCP", n_hcps),
            "specialty": pd.Index(SPECIALTIES, dtype="str").take(specialty),
            "seniority": seniority,
            "potential": potential,
            "rate_true": np.round(options.price * np.exp(log_rate), 6),
        }
    )


def _draw_network(options: HcpBrickOptions, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Return the HCP and the brick of every pair; popular bricks have more HCPs."""
    popularity = rng.lognormal(0.0, 0.7, size=options.n_aggregates)
    n_bricks = np.clip(rng.poisson(2.5, size=options.n_entities), 1, options.n_aggregates)
    return sample_distinct(n_bricks, popularity, rng)


def _draw_visits(
    options: HcpBrickOptions, hcps: pd.DataFrame, hcp: IntArray, rng: np.random.Generator
) -> FloatArray:
    """Return visits per month and pair, shape (n_periods, n_pairs).

    Some visits go to the HCP wherever met, some to the HCP in this brick; at least 0.5 in all.
    """
    effect = hcps["specialty"].map(dict(zip(SPECIALTIES, SPECIALTY_EFFECTS, strict=True)))
    attraction = np.exp(options.visits_on_specialty * effect.to_numpy(dtype=np.float64))
    attraction *= hcps["potential"].to_numpy() ** options.visits_on_potential
    mean_here = ((1.0 + 0.15 * hcps["seniority"].to_numpy()) * attraction)[hcp]
    months = [
        rng.poisson(2.5 * attraction)[hcp] + rng.poisson(mean_here)
        for _ in range(options.n_periods)
    ]
    return np.maximum(np.stack(months), 0.5)


def _draw_drift(options: HcpBrickOptions, rng: np.random.Generator) -> FloatArray:
    """Return additions to the log rate, shape (n_specialties, n_periods), of mean zero per row."""
    steps = rng.standard_normal((len(SPECIALTIES), options.n_periods))
    path = options.drift_sd * np.cumsum(steps, axis=1)
    # Rounded before use, like the rates.
    return np.round(path - path.mean(axis=1, keepdims=True), 6)


def _cells(options: HcpBrickOptions) -> pd.DataFrame:
    """Return the keys of the aggregates, months within bricks."""
    bricks, n_months = numbered("B", options.n_aggregates), options.n_periods
    keys = pd.DataFrame({"brick_id": bricks.repeat(n_months)})
    if n_months > 1:
        keys["month"] = iso_months(n_months).take(np.arange(len(keys)) % n_months)
    return keys


HCP_BRICK: Final = Scenario(
    name="hcp_brick",
    description="Sales of bricks, in units or money, earned by the physicians who are visited "
    "in them.",
    options=HcpBrickOptions,
    draw=draw_hcp_brick,
)
