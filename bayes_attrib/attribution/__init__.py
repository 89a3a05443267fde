"""Fits in, draws of shares and amounts and their summaries out."""

from bayes_attrib.attribution.allocation import Allocation, allocate
from bayes_attrib.attribution.intervals import Summary, interval_of, summarise
from bayes_attrib.attribution.tables import AttributionResult, attribute

__all__ = [
    "Allocation",
    "AttributionResult",
    "Summary",
    "allocate",
    "attribute",
    "interval_of",
    "summarise",
]
