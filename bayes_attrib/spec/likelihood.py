"""The section ``[likelihood]``: which noise the totals have."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, Literal, Self

from pydantic import model_validator

from bayes_attrib import names
from bayes_attrib.spec.closed import Closed, fault
from bayes_attrib.spec.formula import FormulaText

FamilyName = Literal[
    "poisson",
    "negative_binomial",
    "gamma",
    "lognormal",
    "zero_inflated_poisson",
    "zero_inflated_negative_binomial",
    "hurdle_gamma",
    "hurdle_lognormal",
    "given",
]
Level = Literal["aggregate", "pair", "pair_approximation"]

LEVELS: Final = MappingProxyType(
    {
        "poisson": (),
        "negative_binomial": ("aggregate", "pair"),
        "gamma": ("aggregate", "pair"),
        "lognormal": ("aggregate", "pair_approximation"),
        "zero_inflated_poisson": (),
        "zero_inflated_negative_binomial": ("aggregate", "pair"),
        "hurdle_gamma": ("aggregate", "pair"),
        "hurdle_lognormal": ("aggregate", "pair_approximation"),
        "given": (),
    }
)
"""Levels at which each family can place its extra noise, the default first; empty without any.

A lognormal of pairs has no closed law of the sum; its level says that it is an approximation.
"""

_NOISE: Final = MappingProxyType(
    {
        ("poisson", None): (),
        ("negative_binomial", "aggregate"): (names.ALPHA,),
        ("negative_binomial", "pair"): (names.PHI,),
        ("gamma", "aggregate"): (names.ALPHA,),
        ("gamma", "pair"): (names.PHI,),
        ("lognormal", "aggregate"): (names.SIGMA_TOTAL,),
        ("lognormal", "pair_approximation"): (names.SIGMA_TOTAL,),
        ("given", None): (),
    }
)
"""The noise parameters of each family without excess zeros, and level."""

WITH_PAIR_LAW: Final = frozenset(
    {("poisson", None), ("negative_binomial", "pair"), ("gamma", "pair")}
)
"""Families and levels of independent amounts whose law given their sum is exact."""

_PREFIXES: Final = ("zero_inflated_", "hurdle_")


class LikelihoodSpec(Closed):
    """Noise family of the totals, and the level at which extra noise lives.

    Attributes
    ----------
    family : str
        Noise of the totals; ``"given"`` where they are split but say nothing about rates.
    level : str or None
        Whether extra noise belongs to aggregates or to pairs, where the family has both.
    zero_covariates : str or None
        Formula over columns of the aggregates table that the probability of a zero depends on.
    amounts : {"marginal", "explicit"}
        Whether the amounts are integrated out of the posterior or sampled with the parameters; the
        latter needs a family whose amounts are independent.
    """

    family: FamilyName = "poisson"
    level: Level | None = None
    zero_covariates: FormulaText | None = None
    amounts: Literal["marginal", "explicit"] = "marginal"

    @model_validator(mode="before")
    @classmethod
    def _default_level(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("level") is None:
            levels = LEVELS.get(value.get("family", "poisson"), ())
            if levels:
                return {**value, "level": levels[0]}
        return value

    @model_validator(mode="after")
    def _level_fits(self) -> Self:
        levels = LEVELS[self.family]
        if self.level is not None and not levels:
            raise fault(f"family {self.family!r} has no level", "remove the key 'level'")
        if self.level is not None and self.level not in levels:
            remedy = f"its levels are {' and '.join(map(repr, levels))}"
            if self.level == "pair":
                remedy += "; sums of lognormals are not lognormal, hence the name"
            raise fault(f"family {self.family!r} has no level {self.level!r}", remedy)
        return self

    @model_validator(mode="after")
    def _zeros_are_modelled(self) -> Self:
        if self.zero_covariates is not None and not self.excess_zeros:
            raise fault(
                f"family {self.family!r} has no probability of a zero for covariates to act on",
                "remove 'zero_covariates', or choose a zero_inflated_* or hurdle_* family",
            )
        return self

    @model_validator(mode="after")
    def _amounts_have_a_law(self) -> Self:
        if self.amounts == "explicit" and (self.family, self.level) not in WITH_PAIR_LAW:
            at = "" if self.level is None else f" at level {self.level!r}"
            raise fault(
                f"amounts cannot be sampled explicitly with family {self.family!r}{at}: they are "
                "not independent, or have no exact law given their total",
                "remove 'amounts', which integrates them out; or choose family 'poisson', or "
                "'negative_binomial' or 'gamma' with level 'pair'",
            )
        return self

    @property
    def base_family(self) -> str:
        """The family without its excess zeros."""
        return next(
            (self.family.removeprefix(p) for p in _PREFIXES if self.family.startswith(p)),
            self.family,
        )

    @property
    def excess_zeros(self) -> bool:
        """Whether the family gives zeros a probability of their own."""
        return self.base_family != self.family

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the noise parameters."""
        found = _NOISE[self.base_family, self.level]
        if self.excess_zeros:
            found = (*found, names.PI)
        return (*found, names.BETA_ZERO) if self.zero_covariates is not None else found

    @property
    def counts(self) -> bool:
        """Whether totals must be whole numbers."""
        return self.base_family in ("poisson", "negative_binomial")

    @property
    def zeros_allowed(self) -> bool:
        """Whether a total can be zero where entities have exposure."""
        return self.counts or self.excess_zeros or not self.informs_rates

    @property
    def informs_rates(self) -> bool:
        """Whether totals are observations that rates are inferred from."""
        return self.family != "given"
