"""Journeys of customers: heuristic credit of their touches, and the totals that a fit splits."""

from bayes_attrib.journeys.build import Journeys, build_journeys
from bayes_attrib.journeys.credit import Credit, Credited, credit_journeys
from bayes_attrib.journeys.events import Conversions, Events, Touches

__all__ = [
    "Conversions",
    "Credit",
    "Credited",
    "Events",
    "Journeys",
    "Touches",
    "build_journeys",
    "credit_journeys",
]
