"""Sizes and switches of the scenario ``hcp_brick``."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from bayes_attrib.simulation.options import ScenarioOptions
from bayes_attrib.spec import Columns

NoiseFamily = Literal["poisson", "negative_binomial", "gamma", "lognormal"]

MOST_VISITED: Final = 5_000_000

NOISE: Final = MappingProxyType(
    {
        "poisson": (),
        "negative_binomial": ("alpha", "phi"),
        "gamma": ("alpha", "phi"),
        "lognormal": ("sigma_total", "sigma_pair"),
    }
)
"""Options that hold the dispersion of each family: of aggregates, and of pairs."""


class HcpBrickOptions(ScenarioOptions):
    """Sizes and switches of the scenario; every switch is off by default."""

    n_entities: Annotated[int, Field(ge=1, le=MOST_VISITED, description="number of HCPs")] = 400
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
            le=1e6,
            description="overdispersion of pairs: counts are negative binomial with variance "
            "mean * (1 + phi), money is Gamma with variance mean * phi; none if left out",
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
    family: Annotated[
        NoiseFamily | None,
        Field(
            description="noise of the amounts; gamma and lognormal make money, and the column "
            "'sales' in place of 'units'. If left out: counts, which are negative_binomial where "
            "alpha or phi is set and else poisson",
        ),
    ] = None
    sigma_total: Annotated[
        float | None,
        Field(
            gt=0,
            le=3,
            description="log-scale sd of lognormal noise of mean 1 that multiplies all amounts of "
            "a brick",
        ),
    ] = None
    sigma_pair: Annotated[
        float | None,
        Field(
            gt=0,
            le=3,
            description="log-scale sd of lognormal noise of mean 1 that multiplies the amount of "
            "one HCP in one brick",
        ),
    ] = None
    price: Annotated[
        float, Field(ge=1e-3, le=1e6, description="money per unit, for the families of money")
    ] = 1.0
    sigma_entity: Annotated[
        float,
        Field(
            ge=0,
            le=3,
            description="sd of the HCPs' own effects on the log rate, beside specialty, seniority "
            "and potential",
        ),
    ] = 0.0
    outlier: Annotated[
        float,
        Field(
            ge=1e-3,
            le=1e3,
            description="multiplies the expected amounts in one brick, the one in which most is "
            "expected",
        ),
    ] = 1.0
    n_periods: Annotated[
        int,
        Field(ge=1, le=1200, description="number of months; with two or more, totals are monthly"),
    ] = 1
    drift_sd: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="sd of the monthly steps of a random walk on the log rate of each "
            "specialty, centred over the months",
        ),
    ] = 0.0

    @property
    def noise(self) -> NoiseFamily:
        """The family, inferred from the dispersion where it is left out."""
        if self.family is not None:
            return self.family
        return "poisson" if self.alpha is None and self.phi is None else "negative_binomial"

    @property
    def is_money(self) -> bool:
        """Whether amounts are money rather than counts."""
        return self.noise in ("gamma", "lognormal")

    @property
    def columns(self) -> Columns:
        """Column names of the tables: sales or units, by brick or by brick and month."""
        return Columns(
            aggregate=("brick_id",) if self.n_periods == 1 else ("brick_id", "month"),
            entity="hcp_id",
            total="sales" if self.is_money else "units",
            exposure="visits",
            amount="amount",
        )

    @model_validator(mode="after")
    def _dispersion_fits_the_family(self) -> Self:
        wanted, family = NOISE[self.noise], self.noise
        given = [n for names in NOISE.values() for n in names if getattr(self, n) is not None]
        given = list(dict.fromkeys(given))
        foreign = [name for name in given if name not in wanted]
        if foreign:
            takes = f"takes {' or '.join(wanted)}" if wanted else "has no dispersion"
            raise ValueError(f"family {family!r} {takes}; got {', '.join(foreign)}")
        if wanted and not given:
            raise ValueError(f"family {family!r} needs {wanted[0]}, or {wanted[1]}, to be set")
        if len(given) > 1:
            raise ValueError(
                f"{wanted[0]} puts the overdispersion on bricks and {wanted[1]} on pairs: "
                "set one of the two"
            )
        return self

    @model_validator(mode="after")
    def _price_is_of_money(self) -> Self:
        if self.price != 1.0 and not self.is_money:
            raise ValueError(
                f"a price of {self.price:g} makes money, which is no {self.noise}: "
                "set family to gamma or lognormal"
            )
        return self

    @model_validator(mode="after")
    def _months_hold(self) -> Self:
        if self.drift_sd > 0 and self.n_periods == 1:
            raise ValueError(
                f"a drift_sd of {self.drift_sd:g} needs time to drift in: "
                "set n_periods to 2 or more"
            )
        if self.n_entities * self.n_periods > MOST_VISITED:
            raise ValueError(
                f"n_entities x n_periods is {self.n_entities * self.n_periods:,}, more than the "
                f"{MOST_VISITED:,} that fit in memory with ease"
            )
        return self
