"""A PyMC model in, its log density as native code out; the code outlives data and process."""

from bayes_attrib.inference.density.cache import cache_folder, compiled_density
from bayes_attrib.inference.density.compiled import Density, data_values
from bayes_attrib.inference.density.frame import Centre

__all__ = ["Centre", "Density", "cache_folder", "compiled_density", "data_values"]
