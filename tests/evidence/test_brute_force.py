"""The whole way from data to amounts against numerical integration, on a tiny case.

Means and variances of the intercept, sigma, log rates, rates, dispersion, the probability of a
zero and amounts are compared in Monte-Carlo standard errors. Each comparison of a family fails by
chance with probability 1e-6 over the choice of its seed (see ``two_stage``).
"""

from __future__ import annotations

import numpy as np
import pytest
from monte_carlo_error import p_value_of, scores_against_exact
from tiny_posterior import Resolution, Tiny, moments
from two_stage import is_accepted, is_rejected_at_once

SIZE = 2000
CASES = [
    Tiny("poisson", None),
    Tiny("negative_binomial", "aggregate"),
    Tiny("gamma", "pair"),
    Tiny("lognormal", "aggregate"),
    Tiny("zero_inflated_poisson", None),
    Tiny("hurdle_gamma", "pair"),
]
every_case = pytest.mark.parametrize("tiny", CASES, ids=lambda tiny: tiny.family)


def comparison(tiny, reference):
    """P-value of draws from the package against the exact moments of a reference."""

    def p_value(rng, size):
        draws = tiny.draws(size, int(rng.integers(2**31)))
        return p_value_of(scores_against_exact(draws, moments(reference)))

    return p_value


@every_case
def test_integration_error_is_negligible(tiny):
    fine, coarse = moments(tiny), moments(tiny, Resolution(0.25, 0.6, 36))
    for name, (mean, variance) in fine.items():
        assert abs(coarse[name][0] - mean) < 2e-3 * np.sqrt(variance), name
        assert abs(coarse[name][1] / variance - 1) < 2e-3, name
    total = sum(fine[f"amount_{entity}"][0] for entity in "AB")
    assert total == pytest.approx(tiny.totals.sum(), rel=1e-12)


@pytest.mark.sampling
@pytest.mark.statistical
@every_case
def test_posterior_and_amounts(tiny):
    assert is_accepted(comparison(tiny, tiny), size=SIZE, seed=1)


@pytest.mark.sampling
@pytest.mark.statistical
@pytest.mark.parametrize("fault", [{"entity_sd": 0.8}, {"intercept_mean": 0.3}], ids=str)
def test_a_reference_that_differs_is_told_apart(fault):
    """The test above has power: draws do not pass for those of a slightly different model."""
    tiny = CASES[0]
    assert is_rejected_at_once(comparison(tiny, Tiny("poisson", None, **fault)), size=SIZE, seed=1)
