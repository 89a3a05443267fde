"""Nested Laplace approximations: independent draws near the posterior, without sampling it."""

from bayes_attrib.inference.laplace.checks import approximation_checks, approximation_findings
from bayes_attrib.inference.laplace.fit import (
    LaplaceSettings,
    build_posterior,
    explore,
    fit_laplace,
)
from bayes_attrib.inference.laplace.supported import require_supported

__all__ = [
    "LaplaceSettings",
    "approximation_checks",
    "approximation_findings",
    "build_posterior",
    "explore",
    "fit_laplace",
    "require_supported",
]
