"""Classical fits beside the Bayesian one, for comparison only: points without intervals."""

from bayes_attrib.mmm_fit.classical.design import ClassicalFit
from bayes_attrib.mmm_fit.classical.least_squares import fit_least_squares
from bayes_attrib.mmm_fit.classical.ridge import fit_ridge

__all__ = ["ClassicalFit", "fit_least_squares", "fit_ridge"]
