"""Variational inference: draws from a normal law that was fitted to the posterior."""

from bayes_attrib.inference.variational.advi import AdviSettings, Rank, fit_advi
from bayes_attrib.inference.variational.checks import variational_checks, variational_findings
from bayes_attrib.inference.variational.pathfinder import PathfinderSettings, fit_pathfinder

__all__ = [
    "AdviSettings",
    "PathfinderSettings",
    "Rank",
    "fit_advi",
    "fit_pathfinder",
    "variational_checks",
    "variational_findings",
]
