"""Assertions about priors and fits, for your own tests.

Each raises :class:`ModelAssertionError`, an ``AssertionError`` that carries the figures and says
what to change. All are deterministic for a seed; those that compare samples state how often they
fail without a cause.
"""

from bayes_attrib.testing.failure import ModelAssertionError
from bayes_attrib.testing.fits import assert_conserves_totals, assert_converged
from bayes_attrib.testing.priors import (
    assert_no_dominant_entity,
    assert_prior_covers_totals,
    assert_prior_parameter_within,
    assert_prior_totals_within,
)
from bayes_attrib.testing.symmetry import assert_symmetric_prior

__all__ = [
    "ModelAssertionError",
    "assert_conserves_totals",
    "assert_converged",
    "assert_no_dominant_entity",
    "assert_prior_covers_totals",
    "assert_prior_parameter_within",
    "assert_prior_totals_within",
    "assert_symmetric_prior",
]
