"""How often EM -+ 2 standard errors covers the amounts that were really earned.

Where the likelihood is regular, as often as it should: the laws of amounts and totals are exact,
so with many units the only approximation is that of normality. At the boundary, less often.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy import stats
from two_stage import is_accepted

from bayes_attrib.baselines import bootstrap_em, fit_em, information_errors
from bayes_attrib.inputs import AggregateData

pytestmark = pytest.mark.statistical

NOMINAL = stats.norm.cdf(2) - stats.norm.cdf(-2)


def make_world(rate):
    """Exposures of as many entities as rates in 25 aggregates, drawn once."""
    rng = np.random.default_rng(11)
    exposure = sp.csr_array(rng.lognormal(0, 1, (25, len(rate))))
    return AggregateData(
        aggregate_keys=pd.DataFrame({"week": [f"{b}" for b in range(25)]}),
        totals=np.ones(25),
        entity_key="campaign",
        entity_names=np.array([f"C{e}" for e in range(len(rate))], dtype=object),
        exposure=exposure,
    )


def covered_last(rate, rng, size, errors_of):
    """Number of simulated worlds whose interval covers the amount of the last entity."""
    world = make_world(rate)
    covered = 0
    for _ in range(size):
        amounts = rng.poisson(world.expected_amounts(rate))
        totals = np.bincount(world.edge_aggregate, weights=amounts)
        data = dataclasses.replace(world, totals=totals)
        lower, upper = errors_of(data, fit_em(data)).interval()
        truth = world.sum_to_entities(amounts)[-1]
        covered += bool(lower[-1] <= truth <= upper[-1])
    return covered


REGULAR = np.array([30.0, 50.0, 20.0])


@pytest.mark.parametrize(
    ("errors_of", "size"),
    [
        (information_errors, 200),
        (lambda data, fit: bootstrap_em(data, fit, seed=1, replicates=40), 30),
    ],
    ids=["information", "bootstrap"],
)
def test_nominal_coverage_where_the_likelihood_is_regular(errors_of, size):
    """False-alarm rate 1e-6, by two stages at 1e-3 of an exact binomial test."""

    def p_value(rng, n):
        covered = covered_last(REGULAR, rng, n, errors_of)
        return stats.binomtest(covered, n, NOMINAL).pvalue

    assert is_accepted(p_value, size=size, seed=21)


def test_no_error_at_the_boundary_is_no_coverage():
    """A rate so small that EM often sets it to zero: intervals cover far less than they claim."""
    rng = np.random.default_rng(22)
    covered = covered_last(np.array([30.0, 50.0, 0.5]), rng, 150, information_errors)
    assert stats.binomtest(covered, 150, NOMINAL, alternative="less").pvalue < 1e-9
