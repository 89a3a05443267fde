from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.baselines.marginals import GammaMarginal, PoissonMarginal

TOTALS, EXPECTED = np.array([3.0, 1.0, 12.0]), np.array([2.5, 4.0, 9.0])
LAWS = {
    "poisson": (PoissonMarginal(), stats.poisson),
    "gamma": (GammaMarginal(2.7, is_free=False), lambda mu: stats.gamma(2.7, scale=mu / 2.7)),
}


@pytest.fixture(params=LAWS)
def law(request):
    return LAWS[request.param]


def log_density(frozen, totals):
    return (frozen.logpmf if hasattr(frozen.dist, "logpmf") else frozen.logpdf)(totals)


def test_log_likelihood_is_scipys(law):
    marginal, reference = law
    wanted = log_density(reference(EXPECTED), TOTALS).sum()
    assert marginal.log_likelihood(TOTALS, EXPECTED) == pytest.approx(wanted, rel=1e-12)


def test_gain_is_the_rise_of_the_log_likelihood(law):
    marginal, _ = law
    change = np.array([0.3, -1.2, 2.0])
    wanted = marginal.log_likelihood(TOTALS, EXPECTED + change) - marginal.log_likelihood(
        TOTALS, EXPECTED
    )
    assert marginal.gain(TOTALS, EXPECTED, change) == pytest.approx(wanted, rel=1e-10)


def test_slope_is_the_derivative(law):
    marginal, _ = law
    step = 1e-5
    gains = [marginal.gain(TOTALS, EXPECTED, sign * step * np.eye(3)[1]) for sign in (1, -1)]
    slope = marginal.slope(TOTALS, EXPECTED)[1]
    assert slope == pytest.approx((gains[0] - gains[1]) / (2 * step), rel=1e-6)


def test_information_is_one_over_the_variance(law):
    marginal, reference = law
    np.testing.assert_allclose(marginal.information(EXPECTED), 1 / reference(EXPECTED).var())


def test_free_alpha_is_the_maximum_likelihood():
    marginal = GammaMarginal(1.0, is_free=True).refit(TOTALS, EXPECTED)
    relative = TOTALS / EXPECTED
    for factor in (0.99, 1.01):
        other = GammaMarginal(factor * marginal.alpha, is_free=True)
        assert other.log_likelihood(relative, np.ones(3)) < marginal.log_likelihood(
            relative, np.ones(3)
        )


def test_fixed_parameters_stay(law):
    marginal, _ = law
    assert marginal.refit(TOTALS, EXPECTED) is marginal


def test_a_perfect_fit_has_no_alpha():
    with pytest.raises(ValueError, match=r"fit all 3 totals exactly.* give alpha"):
        GammaMarginal(1.0, is_free=True).refit(TOTALS, TOTALS)
