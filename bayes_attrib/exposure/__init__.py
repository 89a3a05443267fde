"""Delivery in, effective exposure out."""

from bayes_attrib.exposure.adstock import carry_over, geometric_adstock
from bayes_attrib.exposure.adstock_kinds import (
    ADSTOCKS,
    Adstock,
    BinomialAdstock,
    DelayedAdstock,
    GeometricAdstock,
    NoAdstock,
    WeibullCdfAdstock,
    WeibullPdfAdstock,
)
from bayes_attrib.exposure.build import SEMANTICS, Semantics, build_exposures
from bayes_attrib.exposure.channel_transform import ChannelTransform, TransformKey
from bayes_attrib.exposure.columns import DeliveryColumns
from bayes_attrib.exposure.increment import increment_ratio
from bayes_attrib.exposure.parse import parse_transforms
from bayes_attrib.exposure.saturation import hill, logistic, michaelis_menten, root, tanh
from bayes_attrib.exposure.saturation_kinds import (
    SATURATIONS,
    HillSaturation,
    LogisticSaturation,
    MichaelisMentenSaturation,
    NoSaturation,
    RootSaturation,
    Saturation,
    TanhSaturation,
)
from bayes_attrib.exposure.weights import (
    binomial_weights,
    delayed_weights,
    geometric_weights,
    normalised,
    weibull_cdf_weights,
    weibull_pdf_weights,
)

__all__ = [
    "ADSTOCKS",
    "SATURATIONS",
    "SEMANTICS",
    "Adstock",
    "BinomialAdstock",
    "ChannelTransform",
    "DelayedAdstock",
    "DeliveryColumns",
    "GeometricAdstock",
    "HillSaturation",
    "LogisticSaturation",
    "MichaelisMentenSaturation",
    "NoAdstock",
    "NoSaturation",
    "RootSaturation",
    "Saturation",
    "Semantics",
    "TanhSaturation",
    "TransformKey",
    "WeibullCdfAdstock",
    "WeibullPdfAdstock",
    "binomial_weights",
    "build_exposures",
    "carry_over",
    "delayed_weights",
    "geometric_adstock",
    "geometric_weights",
    "hill",
    "increment_ratio",
    "logistic",
    "michaelis_menten",
    "normalised",
    "parse_transforms",
    "root",
    "tanh",
    "weibull_cdf_weights",
    "weibull_pdf_weights",
]
