"""Scenario ``hcp_brick``: sales of bricks, earned by the physicians who practise in them.

Physicians (HCPs) differ in specialty, seniority and potential; a representative visits each of them
in one or several bricks; only the sales of whole bricks are observed.
"""

from __future__ import annotations

from typing import Annotated, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, model_validator

from bayes_attrib.simulation.labels import numbered
from bayes_attrib.simulation.options import ScenarioOptions
from bayes_attrib.simulation.sampling import sample_distinct
from bayes_attrib.simulation.tables import Scenario, Tables
from bayes_attrib.spec import Columns

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SPECIALTIES: Final = ("GP", "CARDIO", "ENDO", "ONCO", "PULMO")
SPECIALTY_SHARES: Final = (0.45, 0.18, 0.15, 0.12, 0.10)
SPECIALTY_EFFECTS: Final = (0.0, 0.25, 0.15, 0.35, 0.10)  # on the log rate

COLUMNS: Final = Columns(
    aggregate=("brick_id",), entity="hcp_id", total="units", exposure="visits", amount="amount"
)


class HcpBrickOptions(ScenarioOptions):
    """Sizes and switches of the scenario; every switch is off by default."""

    n_entities: Annotated[int, Field(ge=1, le=5_000_000, description="number of HCPs")] = 400
    n_aggregates: Annotated[int, Field(ge=1, le=1_000_000, description="number of bricks")] = 80
    alpha: Annotated[
        float | None,
        Field(
            ge=0.01,
            le=1e6,
            description="overdispersion of bricks: a Gamma factor of this shape and mean 1 "
            "multiplies all amounts of a brick; none if left out",
        ),
    ] = None
    phi: Annotated[
        float | None,
        Field(
            ge=1e-6,
            le=1e3,
            description="overdispersion of pairs: amounts are negative binomial with "
            "variance mean * (1 + phi); Poisson if left out",
        ),
    ] = None
    zero_inflation: Annotated[
        float, Field(ge=0, lt=1, description="probability that a brick sells nothing at all")
    ] = 0.0
    brick_effect_sd: Annotated[
        float,
        Field(ge=0, le=3, description="log-scale sd of a lognormal factor of mean 1 per brick"),
    ] = 0.0
    visits_on_potential: Annotated[
        float,
        Field(
            ge=-2,
            le=2,
            description="confounding: visit means are multiplied by potential to this power",
        ),
    ] = 0.0
    visits_on_specialty: Annotated[
        float,
        Field(
            ge=-5,
            le=5,
            description="confounding: visit means are multiplied by exp(this * the specialty's "
            "effect on the log rate)",
        ),
    ] = 0.0

    @model_validator(mode="after")
    def _one_overdispersion(self) -> Self:
        if self.alpha is not None and self.phi is not None:
            raise ValueError(
                "alpha puts the overdispersion on bricks and phi on pairs: set one of the two"
            )
        return self


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
        Bricks with ``units``; pairs with ``visits`` and ``amount`` (units); HCPs with covariates.
    """
    of_hcps, of_network, of_visits, of_bricks, of_amounts = rng.spawn(5)
    hcps = _draw_hcps(options.n_entities, of_hcps)
    hcp, brick = _draw_network(options, of_network)
    visits = _draw_visits(options, hcps, hcp, of_visits)
    factor = _draw_brick_factors(options, of_bricks)
    expected = hcps["rate_true"].to_numpy()[hcp] * visits * factor[brick]
    amount = _draw_amounts(expected, options.phi, of_amounts)
    units = np.zeros(options.n_aggregates, dtype=np.int64)
    np.add.at(units, brick, amount)
    bricks = numbered("B", options.n_aggregates)
    return Tables(
        aggregates=pd.DataFrame({"brick_id": bricks, "units": units}),
        exposures=pd.DataFrame(
            {
                "hcp_id": pd.Index(hcps["hcp_id"]).take(hcp),
                "brick_id": bricks.take(brick),
                "visits": visits,
                "amount": amount,
            }
        ),
        entities=hcps,
    )


def _draw_hcps(n_hcps: int, rng: np.random.Generator) -> pd.DataFrame:
    specialty = rng.choice(len(SPECIALTIES), size=n_hcps, p=SPECIALTY_SHARES)
    seniority = rng.integers(0, 20, size=n_hcps, endpoint=True)
    # Rounded before use: the truth is what the table says, and the same on every processor.
    potential = np.maximum(np.round(rng.lognormal(0.0, 0.6, size=n_hcps), 4), 1e-4)
    effect = np.array(SPECIALTY_EFFECTS)[specialty]
    log_rate = -0.3 + 0.2 * seniority / 10 + 0.55 * np.log1p(potential) + effect
    return pd.DataFrame(
        {
            "hcp_id": numbered("HCP", n_hcps),
            "specialty": pd.Index(SPECIALTIES, dtype="str").take(specialty),
            "seniority": seniority,
            "potential": potential,
            "rate_true": np.round(np.exp(log_rate), 6),
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
    """Return visits per pair: some to the HCP wherever met, some in this brick; at least 0.5."""
    effect = hcps["specialty"].map(dict(zip(SPECIALTIES, SPECIALTY_EFFECTS, strict=True)))
    attraction = np.exp(options.visits_on_specialty * effect.to_numpy(dtype=np.float64))
    attraction *= hcps["potential"].to_numpy() ** options.visits_on_potential
    everywhere = rng.poisson(2.5 * attraction)
    here = rng.poisson(((1.0 + 0.15 * hcps["seniority"].to_numpy()) * attraction)[hcp])
    return np.maximum(everywhere[hcp] + here, 0.5)


def _draw_brick_factors(options: HcpBrickOptions, rng: np.random.Generator) -> FloatArray:
    """Return what multiplies all amounts of a brick, of mean 1 but for zero inflation."""
    of_effect, of_gamma, of_zero = rng.spawn(3)
    n, sd = options.n_aggregates, options.brick_effect_sd
    factor = np.exp(sd * of_effect.standard_normal(n) - 0.5 * sd**2)
    if options.alpha is not None:
        factor *= of_gamma.gamma(options.alpha, 1.0 / options.alpha, size=n)
    return np.where(of_zero.random(n) < options.zero_inflation, 0.0, factor)


def _draw_amounts(expected: FloatArray, phi: float | None, rng: np.random.Generator) -> IntArray:
    """Return counts: Poisson, or a Gamma mixture of Poissons with variance mean * (1 + phi)."""
    if phi is not None:
        expected = phi * rng.standard_gamma(expected / phi)
    return rng.poisson(expected)


HCP_BRICK: Final = Scenario(
    name="hcp_brick",
    description="Unit sales of bricks, earned by the physicians who are visited in them.",
    options=HcpBrickOptions,
    columns=COLUMNS,
    draw=draw_hcp_brick,
)
