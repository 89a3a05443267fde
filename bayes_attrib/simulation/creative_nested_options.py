"""Sizes, spreads and noise of the scenario ``creative_nested``."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from bayes_attrib.simulation.options import ScenarioOptions
from bayes_attrib.spec import Columns

LEVELS: Final = ("channel", "platform", "format", "campaign")
MOST_CELLS: Final = 20_000_000

Size = Annotated[int, Field(ge=1, le=1_000_000)]
Spread = Annotated[float, Field(ge=0, le=3)]


class CreativeNestedOptions(ScenarioOptions):
    """Sizes of the tree, spreads of the rates, delivery and noise of the scenario."""

    n_channels: Size = Field(4, description="number of channels")
    n_platforms: Size = Field(9, description="number of platforms, over all channels")
    n_formats: Size = Field(20, description="number of formats, over all platforms")
    n_campaigns: Size = Field(44, description="number of campaigns, over all formats")
    n_creatives: Size = Field(120, description="number of creatives, over all campaigns")
    n_weeks: Annotated[int, Field(ge=1, le=520, description="number of weeks")] = 26
    n_geos: Annotated[int, Field(ge=1, le=10_000, description="number of geos")] = 3
    sigma_channel: Spread = Field(0.4, description="sd of channels on the log rate")
    sigma_platform: Spread = Field(0.3, description="sd of platforms around their channels")
    sigma_format: Spread = Field(0.3, description="sd of formats around their platforms")
    sigma_campaign: Spread = Field(0.3, description="sd of campaigns around their formats")
    sigma_entity: Spread = Field(0.4, description="sd of creatives around their campaigns")
    base_rate: Annotated[
        float,
        Field(
            ge=1e-6,
            le=1e6,
            description="typical contribution per unit of exposure: the rate where all effects "
            "are zero",
        ),
    ] = 40.0
    effect_log_seconds: Annotated[
        float,
        Field(ge=-3, le=3, description="effect of log(video_seconds / 15) on the log rate"),
    ] = 0.0
    effect_objective: Annotated[
        float,
        Field(
            ge=-3,
            le=3,
            description="effect of the objective on the log rate: half of it for Consideration, "
            "all of it for Conversion, none for Awareness",
        ),
    ] = 0.0
    sparse_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of creatives with next to no exposure: a week or two in one geo, "
            "at a twentieth of the usual exposure",
        ),
    ] = 0.5
    n_new: Annotated[
        int,
        Field(
            ge=0,
            le=1_000_000,
            description="number of creatives on their first day: one geo in the last week, at a "
            "seventh of the usual exposure",
        ),
    ] = 1
    total_level: Annotated[
        Literal["channel", "platform"],
        Field(description="level at which totals are known, by week and geo"),
    ] = "channel"
    family: Annotated[
        Literal["gamma", "poisson"],
        Field(
            description="noise: money, with a Gamma factor shared by all creatives of a total, or "
            "Poisson counts"
        ),
    ] = "gamma"
    alpha: Annotated[
        float,
        Field(
            ge=0.1,
            le=1e6,
            description="shape of the Gamma noise of totals; their CV is 1 / sqrt(alpha)",
        ),
    ] = 20.0

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of channels, platforms, formats, campaigns and creatives."""
        return (
            self.n_channels, self.n_platforms, self.n_formats, self.n_campaigns, self.n_creatives,
        )  # fmt: skip

    @property
    def spreads(self) -> tuple[float, ...]:
        """Standard deviation of each level around the one above it, creatives last."""
        return (
            self.sigma_channel, self.sigma_platform, self.sigma_format, self.sigma_campaign,
            self.sigma_entity,
        )  # fmt: skip

    @property
    def total_levels(self) -> tuple[str, ...]:
        """Key columns of a total beside week and geo."""
        return LEVELS[: LEVELS.index(self.total_level) + 1]

    @property
    def n_units(self) -> int:
        """Number of channels or platforms with totals of their own."""
        return self.sizes[len(self.total_levels) - 1]

    @property
    def n_sparse(self) -> int:
        """Number of creatives with next to no exposure."""
        return round(self.sparse_share * self.n_creatives)

    @property
    def columns(self) -> Columns:
        """Column names of the tables."""
        return Columns(aggregate=(*self.total_levels, "week", "geo"), entity="creative")

    @model_validator(mode="after")
    def _tree_branches(self) -> Self:
        levels = [f"n_{level}s" for level in (*LEVELS, "creative")]
        for (upper, n_upper), (lower, n_lower) in pairwise(zip(levels, self.sizes, strict=True)):
            if n_lower <= n_upper:
                raise ValueError(
                    f"{lower} is {n_lower:,} and {upper} is {n_upper:,}: take more of the former, "
                    "or each would be the only one of its parent"
                )
        return self

    @model_validator(mode="after")
    def _every_total_has_a_regular_creative(self) -> Self:
        most = self.n_creatives - self.n_units
        if self.n_sparse + self.n_new > most:
            raise ValueError(
                f"sparse_share and n_new make {self.n_sparse:,} + {self.n_new:,} creatives of "
                f"little exposure; at most {most:,} can be, as each {self.total_level} needs a "
                "creative that is always on"
            )
        return self

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Self:
        n_cells = self.n_creatives * self.n_weeks * self.n_geos
        if n_cells > MOST_CELLS:
            raise ValueError(
                f"n_creatives x n_weeks x n_geos is {n_cells:,}, more than the {MOST_CELLS:,} that "
                "fit in memory with ease"
            )
        return self

    @model_validator(mode="after")
    def _alpha_is_of_gamma(self) -> Self:
        if self.family == "poisson" and "alpha" in self.model_fields_set:
            raise ValueError("family 'poisson' has no alpha: leave it out, or take family 'gamma'")
        return self
