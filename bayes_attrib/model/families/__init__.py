"""Likelihood families; each is one class with its marginal, predictive and allocation law."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from bayes_attrib.model.families.base import Cells, Draws, Family
from bayes_attrib.model.families.gamma import GammaAggregate, GammaPair
from bayes_attrib.model.families.negative_binomial import (
    NegativeBinomialAggregate,
    NegativeBinomialPair,
)
from bayes_attrib.model.families.poisson import Poisson
from bayes_attrib.spec import LikelihoodSpec

_ALL: tuple[Family, ...] = (
    Poisson(),
    NegativeBinomialAggregate(),
    NegativeBinomialPair(),
    GammaAggregate(),
    GammaPair(),
)

FAMILIES: Final = MappingProxyType({(family.name, family.level): family for family in _ALL})
"""Every family by its name and level."""


def get_family(likelihood: LikelihoodSpec) -> Family:
    """Return the family that a spec names."""
    return FAMILIES[likelihood.family, likelihood.level]


__all__ = ["FAMILIES", "Cells", "Draws", "Family", "get_family"]
