"""What every draw says about the increments that lift tests measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from bayes_attrib.inference.expected_draws import ExpectedDraws
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families import get_family
from bayes_attrib.model.lift_terms import LiftParts
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class LiftMoments:
    """Normal laws of measured increments, one for each test and draw.

    Attributes
    ----------
    mean, variance : ndarray, shape (n_tests, n_draws)
        In the unit of the totals, and its square; the standard error of the measurement is part of
        the variance.
    """

    mean: FloatArray
    variance: FloatArray

    def log_density(self, increments: FloatArray) -> FloatArray:
        """Log density of increments, shape (n_tests,), in every draw: (n_tests, n_draws)."""
        gap = increments[:, np.newaxis] - self.mean
        return np.asarray(-0.5 * (gap**2 / self.variance + np.log(2 * math.pi * self.variance)))

    def below(self, test: int, value: float) -> FloatArray:
        """Probability, in every draw, that a test measures less than a value."""
        return np.asarray(ndtr((value - self.mean[test]) / np.sqrt(self.variance[test])))


def lift_moments(
    expected: ExpectedDraws, spec: ModelSpec, noise: Mapping[str, FloatArray]
) -> LiftMoments:
    """Return the laws of the increments of all tests in every draw.

    Parameters
    ----------
    expected : ExpectedDraws
        Expected amounts of a fit, and its data with their tests.
    spec : ModelSpec
        Gives the family.
    noise : mapping of str to ndarray, shape (n_draws,)
        Draws of the family's parameters.

    Returns
    -------
    LiftMoments
        In the order of the tests.
    """
    data, parts = expected.data, LiftParts.of(expected.data)
    amounts, mu = np.empty((2, len(parts.aggregate), expected.n_draws))
    members = np.split(parts.edge, np.flatnonzero(np.diff(parts.part)) + 1)
    for part in range(len(members)):
        aggregate = parts.aggregate[part]
        first, last = data.exposure.indptr[aggregate : aggregate + 2].tolist()
        of_edges = expected.amounts(slice(first, last))
        amounts[part] = of_edges[members[part] - first].sum(axis=0)
        mu[part] = of_edges.sum(axis=0)
    return LiftMoments(*parts.moments(amounts, mu, get_family(spec.likelihood), noise))


def increments_of(data: AggregateData) -> FloatArray:
    """Return the increments that the tests of data measured, shape (n_tests,)."""
    return np.array([test.increment for test in data.lift_tests])
