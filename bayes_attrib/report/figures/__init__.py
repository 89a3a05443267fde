"""Figures of a run, each made by a function that returns a matplotlib figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from matplotlib.figure import Figure

from bayes_attrib.report.figures.comparison import plot_comparison
from bayes_attrib.report.figures.em_comparison import plot_em_comparison
from bayes_attrib.report.figures.forest import plot_forest
from bayes_attrib.report.figures.over_time import plot_over_time
from bayes_attrib.report.figures.posterior_predictive import plot_posterior_predictive
from bayes_attrib.report.figures.prior_predictive import plot_prior_predictive
from bayes_attrib.report.figures.ranks import plot_ranks
from bayes_attrib.report.figures.ridge import plot_ridge
from bayes_attrib.report.figures.shrinkage import plot_shrinkage
from bayes_attrib.report.figures.tie_out import plot_tie_out

__all__ = [
    "FIGURES",
    "plot_comparison",
    "plot_em_comparison",
    "plot_forest",
    "plot_over_time",
    "plot_posterior_predictive",
    "plot_prior_predictive",
    "plot_ranks",
    "plot_ridge",
    "plot_shrinkage",
    "plot_tie_out",
]

FIGURES: Final[Mapping[str, Callable[..., Figure]]] = MappingProxyType(
    {
        "forest": plot_forest,
        "tie_out": plot_tie_out,
        "ridge": plot_ridge,
        "shrinkage": plot_shrinkage,
        "em_comparison": plot_em_comparison,
        "ranks": plot_ranks,
        "comparison": plot_comparison,
        "over_time": plot_over_time,
        "posterior_predictive": plot_posterior_predictive,
        "prior_predictive": plot_prior_predictive,
    }
)
"""Every figure by its name, in the order in which one reads them. To add one, add a line."""
