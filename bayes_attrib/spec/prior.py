"""Priors by name: the distributions that a spec may name, and where they live."""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bayes_attrib.spec.closed import fault

Support = Literal["real", "positive", "unit"]

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
        "Beta": ("alpha", "beta"),
    }
)
"""Distributions that a prior may name, with their parameters in PyMC's parameterisation."""

_UNBOUNDED_PARAMETERS: Final = frozenset({"mu"})
_REAL: Final = frozenset({"Normal", "StudentT"})


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
            raise fault(
                f"unknown distribution {self.dist!r}",
                f"{hint}known distributions: {', '.join(PRIOR_PARAMETERS)}",
            )
        wanted = PRIOR_PARAMETERS[self.dist]
        given = self.parameters
        if set(given) != set(wanted):
            raise fault(
                f"{self.dist} takes {', '.join(wanted)}; got {', '.join(given) or 'nothing'}",
                f'write {{ dist = "{self.dist}", {", ".join(f"{key} = ..." for key in wanted)} }}',
            )
        for key, number in given.items():
            if key not in _UNBOUNDED_PARAMETERS and number <= 0:
                raise fault(
                    f"{key} of {self.dist} must be positive; got {number:g}",
                    "write a positive number",
                )
        return self

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters of the distribution, by PyMC's names."""
        return {key: float(value) for key, value in (self.__pydantic_extra__ or {}).items()}

    @property
    def support(self) -> Support:
        """Where the distribution lives: all real numbers, positive ones, or between 0 and 1."""
        if self.dist in _REAL:
            return "real"
        return "unit" if self.dist == "Beta" else "positive"


def distributions_on(support: Support) -> tuple[str, ...]:
    """Return the distributions whose draws are legal for a parameter with this support.

    A parameter on the real line takes any of them but is only given those that reach both signs.
    """
    if support == "real":
        return tuple(sorted(_REAL))
    if support == "unit":
        return ("Beta",)
    return tuple(sorted(set(PRIOR_PARAMETERS) - _REAL))
