"""Fits in, draws of shares and amounts and their summaries out."""

from bayes_attrib.attribution.allocation import Allocation, allocate, allocation_rng
from bayes_attrib.attribution.grains import Grain, GrainDraws, draw_grains, grain_of
from bayes_attrib.attribution.intervals import Summary, interval_of, summarise
from bayes_attrib.attribution.tables import AttributionResult, attribute

__all__ = [
    "Allocation",
    "AttributionResult",
    "Grain",
    "GrainDraws",
    "Summary",
    "allocate",
    "allocation_rng",
    "attribute",
    "draw_grains",
    "grain_of",
    "interval_of",
    "summarise",
]
