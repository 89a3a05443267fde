"""Likelihood families; each is one class with its marginal, predictive and allocation law."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from bayes_attrib.model.families.base import Draws, Family, Parameters
from bayes_attrib.model.families.cells import Cells
from bayes_attrib.model.families.excess_zeros import ExcessZeros
from bayes_attrib.model.families.gamma import GammaAggregate, GammaPair
from bayes_attrib.model.families.given import Given, require_law
from bayes_attrib.model.families.lognormal import LognormalAggregate
from bayes_attrib.model.families.lognormal_pairs import LognormalPairApproximation
from bayes_attrib.model.families.negative_binomial import (
    NegativeBinomialAggregate,
    NegativeBinomialPair,
)
from bayes_attrib.model.families.poisson import Poisson
from bayes_attrib.spec import LikelihoodSpec

_WITHOUT_EXCESS: tuple[Family, ...] = (
    Poisson(),
    NegativeBinomialAggregate(),
    NegativeBinomialPair(),
    GammaAggregate(),
    GammaPair(),
    LognormalAggregate(),
    LognormalPairApproximation(),
)
_ALL = (*_WITHOUT_EXCESS, *map(ExcessZeros, _WITHOUT_EXCESS))

FAMILIES: Final = MappingProxyType({(family.name, family.level): family for family in _ALL})
"""Every family with a law of the totals, by its name and level."""

_GIVEN: Final = Given()


def get_family(likelihood: LikelihoodSpec) -> Family:
    """Return the family that a spec names."""
    if not likelihood.informs_rates:
        return _GIVEN
    return FAMILIES[likelihood.family, likelihood.level]


__all__ = ["FAMILIES", "Cells", "Draws", "Family", "Parameters", "get_family", "require_law"]
