"""Declarative specs: TOML in, a frozen :class:`ModelSpec` out."""

from bayes_attrib.spec.load import load_spec, parse_plain, parse_spec
from bayes_attrib.spec.schema import (
    Columns,
    GeometrySpec,
    InferenceSpec,
    IntervalSpec,
    LikelihoodSpec,
    ModelSpec,
    PriorSpec,
    RatesSpec,
    ReportSpec,
)

__all__ = [
    "Columns",
    "GeometrySpec",
    "InferenceSpec",
    "IntervalSpec",
    "LikelihoodSpec",
    "ModelSpec",
    "PriorSpec",
    "RatesSpec",
    "ReportSpec",
    "load_spec",
    "parse_plain",
    "parse_spec",
]
