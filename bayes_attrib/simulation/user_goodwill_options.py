"""Options of the scenario ``user_goodwill``."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from bayes_attrib.simulation.options import ScenarioOptions
from bayes_attrib.spec import Columns

MOST_CELLS: Final = 200_000_000
"""Most pairs of a user and a campaign, times days, that are simulated."""

COLUMNS: Final = Columns(aggregate=("date",), entity="campaign")

Credit = Literal["additive", "incremental"]


class UserGoodwillOptions(ScenarioOptions):
    """Sizes, users' memory and response, and what clicks tell."""

    n_users: Annotated[
        int, Field(ge=100, le=1_000_000, description="number of users of the platform")
    ] = 10_000
    n_campaigns: Annotated[int, Field(ge=2, le=100, description="number of campaigns")] = 7
    n_days: Annotated[int, Field(ge=14, le=3650, description="number of days")] = 120
    credit: Annotated[
        Credit,
        Field(
            description='whose the sales are: "additive" shares each user\'s response of a day in '
            'proportion to the goodwill that each campaign has built; "incremental" takes what is '
            "lost without the campaign, scaled to the total of the day"
        ),
    ] = "additive"
    memory_days: Annotated[
        float,
        Field(gt=0, le=365, description="days after which 1/e of impressions are remembered"),
    ] = 7.0
    fatigue: Annotated[
        float,
        Field(
            gt=0,
            le=1e6,
            description="remembered impressions at which the next one works half as well",
        ),
    ] = 4.0
    cross_fatigue: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="how much an impression of another campaign tires, next to one of its own",
        ),
    ] = 0.25
    carry_over: Annotated[
        float, Field(ge=0, lt=1, description="part of goodwill that is left a day later")
    ] = 0.6
    saturation: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="mean goodwill of users who have any, in units of the goodwill at which "
            "the response has reached 63% of its ceiling; 0 is a response without a ceiling",
        ),
    ] = 0.4
    effect_spread: Annotated[
        float,
        Field(ge=0, le=2, description="sd of the logarithm of the effect of a fresh impression"),
    ] = 0.35
    click_correlation: Annotated[
        float,
        Field(
            ge=-1,
            le=1,
            description="correlation of the logarithms of that effect and of the click rate",
        ),
    ] = 0.5
    sales_share: Annotated[
        float,
        Field(gt=0, lt=0.9, description="part of all sales that the channel brings about"),
    ] = 0.2
    noise: Annotated[
        float, Field(ge=0, le=1, description="sd of the relative noise of a day's other sales")
    ] = 0.04

    @property
    def columns(self) -> Columns:
        """Column names of the tables."""
        return COLUMNS

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Self:
        cells = self.n_users * self.n_campaigns * self.n_days
        if cells > MOST_CELLS:
            raise ValueError(
                f"n_users x n_campaigns x n_days is {cells:,}, more than the "
                f"{MOST_CELLS:,} that fit in memory with ease"
            )
        return self
