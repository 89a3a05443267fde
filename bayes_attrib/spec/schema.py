"""The closed vocabulary of a spec, as frozen pydantic models.

A spec says *which* model is meant; how it is built lives in :mod:`bayes_attrib.model`. It holds no
data paths and no code, so it outlives the quarter it was written for.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bayes_attrib import names

FamilyName = Literal["poisson", "negative_binomial", "gamma"]
Level = Literal["aggregate", "pair"]
Parameterisation = Literal["auto", "centered", "noncentered"]

LEVELS: Final = MappingProxyType(
    {
        "poisson": (),
        "negative_binomial": ("aggregate", "pair"),
        "gamma": ("aggregate", "pair"),
    }
)
"""Levels at which each family can place its extra noise; empty where it has none."""

DISPERSION: Final = MappingProxyType(
    {
        ("poisson", None): None,
        ("negative_binomial", "aggregate"): names.ALPHA,
        ("negative_binomial", "pair"): names.PHI,
        ("gamma", "aggregate"): names.ALPHA,
        ("gamma", "pair"): names.PHI,
    }
)
"""The dispersion parameter of each family and level."""

PRIOR_PARAMETERS: Final = MappingProxyType(
    {
        "Normal": ("mu", "sigma"),
        "StudentT": ("nu", "mu", "sigma"),
        "HalfNormal": ("sigma",),
        "HalfStudentT": ("nu", "sigma"),
        "HalfCauchy": ("beta",),
        "Exponential": ("lam",),
        "Gamma": ("alpha", "beta"),
        "InverseGamma": ("alpha", "beta"),
        "LogNormal": ("mu", "sigma"),
        "Weibull": ("alpha", "beta"),
    }
)
"""Distributions that a prior may name, with their parameters in PyMC's parameterisation."""

POSITIVE_PRIORS: Final = frozenset(PRIOR_PARAMETERS) - {"Normal", "StudentT"}

_UNBOUNDED_PARAMETERS: Final = frozenset({"mu"})


def _one_or_many(value: Any) -> Any:
    """Let a single key column be written as a plain string; TOML arrays become tuples."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _array(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _fault(message: str, remedy: str) -> PydanticCustomError:
    """Make an error that carries its remedy; text goes in as context, so braces stay braces."""
    return PydanticCustomError("spec_fault", "{message}", {"message": message, "remedy": remedy})


ColumnName = Annotated[str, Field(min_length=1)]
KeyColumns = Annotated[tuple[ColumnName, ...], BeforeValidator(_one_or_many), Field(min_length=1)]
ColumnList = Annotated[tuple[ColumnName, ...], BeforeValidator(_array)]


class _Closed(BaseModel):
    """Frozen, strict, and closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Columns(_Closed):
    """The user's own column names.

    Attributes
    ----------
    aggregate : tuple of str
        Key column(s) that identify an aggregate, in both tables.
    entity : str
        Key column of the unit that gets credit.
    total, exposure, amount : str
        Observed total, known exposure, and known true amount where there is one.
    """

    aggregate: KeyColumns
    entity: ColumnName
    total: ColumnName = names.TOTAL
    exposure: ColumnName = names.EXPOSURE
    amount: ColumnName = names.AMOUNT

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        used = [*self.aggregate, self.entity, self.total, self.exposure, self.amount]
        twice = sorted({name for name in used if used.count(name) > 1})
        if twice:
            raise _fault(
                f"one column cannot play two roles: {', '.join(twice)}",
                "name a column of its own for each role",
            )
        return self


class LikelihoodSpec(_Closed):
    """Noise family of the totals, and the level at which extra noise lives."""

    family: FamilyName = "poisson"
    level: Level | None = None

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
        if self.level is not None and self.level not in LEVELS[self.family]:
            raise _fault(f"family {self.family!r} has no level", "remove the key 'level'")
        return self

    @property
    def dispersion(self) -> str | None:
        """Name of the dispersion parameter, or None where the family has none."""
        return DISPERSION[self.family, self.level]

    @property
    def counts(self) -> bool:
        """Whether totals must be whole numbers."""
        return self.family in ("poisson", "negative_binomial")


class GeometrySpec(_Closed):
    """Override of the parameterisation that would be chosen from the data's information."""

    entity: Parameterisation = "auto"
    groups: Parameterisation = "auto"


class RatesSpec(_Closed):
    """Structure of the log rates: which grouping columns they are pooled over."""

    pooling: ColumnList = ()
    geometry: GeometrySpec = GeometrySpec()

    @model_validator(mode="after")
    def _groups_are_usable(self) -> Self:
        twice = sorted({g for g in self.pooling if self.pooling.count(g) > 1})
        if twice:
            raise _fault(f"pooling names a column twice: {', '.join(twice)}", "name it once")
        reserved = sorted(set(self.pooling) & names.RESERVED_GROUPS)
        if reserved:
            raise _fault(
                f"pooling column {', '.join(map(repr, reserved))} collides with a name that the "
                "model needs itself",
                "rename the column in the spec and in the entities table",
            )
        return self


class PriorSpec(BaseModel):
    """A prior by name: a distribution and its parameters."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    dist: str
    __pydantic_extra__: dict[str, float] = Field(init=False)

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        if self.dist not in PRIOR_PARAMETERS:
            near = difflib.get_close_matches(self.dist, PRIOR_PARAMETERS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise _fault(
                f"unknown distribution {self.dist!r}",
                f"{hint}known distributions: {', '.join(PRIOR_PARAMETERS)}",
            )
        wanted = PRIOR_PARAMETERS[self.dist]
        given = self.parameters
        if set(given) != set(wanted):
            raise _fault(
                f"{self.dist} takes {', '.join(wanted)}; got {', '.join(given) or 'nothing'}",
                f'write {{ dist = "{self.dist}", {", ".join(f"{key} = ..." for key in wanted)} }}',
            )
        for key, number in given.items():
            if key not in _UNBOUNDED_PARAMETERS and number <= 0:
                raise _fault(
                    f"{key} of {self.dist} must be positive; got {number:g}",
                    "write a positive number",
                )
        return self

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters of the distribution, by PyMC's names."""
        return {key: float(value) for key, value in (self.__pydantic_extra__ or {}).items()}

    @property
    def positive(self) -> bool:
        """Whether the distribution only gives positive values."""
        return self.dist in POSITIVE_PRIORS


class InferenceSpec(_Closed):
    """How the posterior is computed."""

    method: Literal["auto", "nuts"] = "nuts"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    draws: Annotated[int, Field(ge=1)] = 1000
    tune: Annotated[int, Field(ge=1)] = 500
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    target_accept: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95


class IntervalSpec(_Closed):
    """Kind and probability of the intervals that are reported.

    ``hdi`` is the narrowest interval of that probability, ``eti`` the equal-tailed one.
    """

    kind: Literal["hdi", "eti"] = "hdi"
    prob: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.94


class ReportSpec(_Closed):
    """What readers of the run see."""

    interval: IntervalSpec = IntervalSpec()
    title: str | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


class ModelSpec(_Closed):
    """A whole model, as a versioned, frozen value.

    Two specs with the same :attr:`digest` describe the same computation.
    """

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    columns: Columns
    likelihood: LikelihoodSpec = LikelihoodSpec()
    rates: RatesSpec = RatesSpec()
    priors: Annotated[dict[str, PriorSpec], Field(default_factory=dict)]
    inference: InferenceSpec = InferenceSpec()
    report: ReportSpec = ReportSpec()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that take a prior, in the model's order."""
        found = [names.INTERCEPT, *map(names.sigma_of, self.rates.pooling), names.SIGMA_ENTITY]
        if self.likelihood.dispersion:
            found.append(self.likelihood.dispersion)
        return tuple(found)

    @model_validator(mode="after")
    def _priors_name_parameters(self) -> Self:
        for name, prior in self.priors.items():
            if name not in self.parameters:
                near = difflib.get_close_matches(name, self.parameters, n=1, cutoff=0.8)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise _fault(
                    f"priors.{name}: this model has no parameter {name!r}",
                    f"{hint}it has {', '.join(self.parameters)}; 'likelihood' and 'rates.pooling' "
                    "decide which there are",
                )
            if name != names.INTERCEPT and not prior.positive:
                raise _fault(
                    f"priors.{name}: {prior.dist} gives negative values, and {name} is positive",
                    f"use one of {', '.join(sorted(POSITIVE_PRIORS))}",
                )
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the spec, defaults included."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
