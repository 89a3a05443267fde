"""AggregateData and ModelSpec in, a plain PyMC model out."""

from bayes_attrib.model.build import build_model
from bayes_attrib.model.geometry import Geometry, choose_geometry
from bayes_attrib.model.lift_terms import add_lift_tests
from bayes_attrib.model.priors import resolve_priors

__all__ = [
    "Geometry",
    "add_lift_tests",
    "build_model",
    "choose_geometry",
    "resolve_priors",
]
