"""Declarative specs: TOML in, a frozen :class:`ModelSpec` out."""

from bayes_attrib.spec.exposure import ExposureSpec
from bayes_attrib.spec.likelihood import LikelihoodSpec
from bayes_attrib.spec.load import load_spec, parse_plain, parse_spec
from bayes_attrib.spec.prior import PriorSpec
from bayes_attrib.spec.rates import DriftSpec, GeometrySpec, RatesSpec, UnattributedSpec
from bayes_attrib.spec.schema import (
    Columns,
    InferenceSpec,
    IntervalSpec,
    ModelSpec,
    ReportSpec,
)
from bayes_attrib.spec.totals import TotalsSpec, TotalUncertainty

__all__ = [
    "Columns",
    "DriftSpec",
    "ExposureSpec",
    "GeometrySpec",
    "InferenceSpec",
    "IntervalSpec",
    "LikelihoodSpec",
    "ModelSpec",
    "PriorSpec",
    "RatesSpec",
    "ReportSpec",
    "TotalUncertainty",
    "TotalsSpec",
    "UnattributedSpec",
    "load_spec",
    "parse_plain",
    "parse_spec",
]
