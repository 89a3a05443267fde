"""A PyMC model in, posterior draws and a verdict out."""

from bayes_attrib.inference.chain_store import ChainStore
from bayes_attrib.inference.diagnostics import (
    Check,
    Diagnostics,
    entities_to_check,
    sampling_checks,
)
from bayes_attrib.inference.nuts import SamplerSettings, fit_nuts
from bayes_attrib.inference.posterior_fit import PosteriorFit, load_tree, save_tree
from bayes_attrib.inference.predictive import dispersion_check
from bayes_attrib.inference.progress import ProgressBar, ProgressListener, Silent

__all__ = [
    "ChainStore",
    "Check",
    "Diagnostics",
    "PosteriorFit",
    "ProgressBar",
    "ProgressListener",
    "SamplerSettings",
    "Silent",
    "dispersion_check",
    "entities_to_check",
    "fit_nuts",
    "load_tree",
    "sampling_checks",
    "save_tree",
]
