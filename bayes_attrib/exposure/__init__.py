"""Delivery in, effective exposure out."""

from bayes_attrib.exposure.adstock import geometric_adstock
from bayes_attrib.exposure.saturation import hill

__all__ = ["geometric_adstock", "hill"]
