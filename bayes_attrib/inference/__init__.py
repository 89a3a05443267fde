"""A PyMC model in, posterior draws and a verdict out."""

from bayes_attrib.inference.chain_store import ChainStore
from bayes_attrib.inference.diagnostics import (
    Check,
    Diagnostics,
    entities_to_check,
    sampling_checks,
)
from bayes_attrib.inference.draw_files import load_open_tree, load_tree, save_tree
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inference.expected_draws import ExpectedDraws, expected_draws, noise_draws
from bayes_attrib.inference.nuts import SamplerSettings, fit_nuts
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inference.predictive import enough_draws, predictive_checks
from bayes_attrib.inference.prior import PriorDraws, sample_prior
from bayes_attrib.inference.progress import ProgressBar, ProgressListener, Silent
from bayes_attrib.inference.total_draws import TotalDraws, total_draws

__all__ = [
    "ChainStore",
    "Check",
    "Diagnostics",
    "DrawMatrix",
    "ExpectedDraws",
    "PosteriorFit",
    "PriorDraws",
    "ProgressBar",
    "ProgressListener",
    "SamplerSettings",
    "Silent",
    "TotalDraws",
    "enough_draws",
    "entities_to_check",
    "expected_draws",
    "fit_nuts",
    "load_open_tree",
    "load_tree",
    "noise_draws",
    "predictive_checks",
    "sample_prior",
    "sampling_checks",
    "save_tree",
    "total_draws",
]
