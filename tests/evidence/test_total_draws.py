"""Predictive draws and moment estimates of every family, against SciPy's laws.

Each test fails by chance with probability 1e-6 over the choice of its seed (see ``two_stage``).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from two_stage import is_accepted, smallest

from bayes_attrib.model.families import FAMILIES

pytestmark = pytest.mark.statistical

LAWS = {
    ("poisson", None): lambda mu, _: stats.poisson(mu),
    ("negative_binomial", "aggregate"): lambda mu, a: stats.nbinom(a, 1 / (1 + mu / a)),
    ("negative_binomial", "pair"): lambda mu, phi: stats.nbinom(mu / phi, 1 / (1 + phi)),
    ("gamma", "aggregate"): lambda mu, alpha: stats.gamma(alpha, scale=mu / alpha),
    ("gamma", "pair"): lambda mu, phi: stats.gamma(mu / phi, scale=phi),
}

MU = np.array([0.4, 6.0, 150.0])
DISPERSION = np.array([0.3, 8.0])

every_family = pytest.mark.parametrize("key", list(FAMILIES), ids=str)
dispersed_family = pytest.mark.parametrize(
    "key", [key for key, family in FAMILIES.items() if family.dispersion], ids=str
)


def draw_totals(key, mu, dispersion, size, rng):
    """Totals, shape (len(mu), len(dispersion), size), in one call: draws differ in dispersion."""
    family = FAMILIES[key]
    by_name = {family.dispersion: np.repeat(dispersion, size)} if family.dispersion else {}
    wide = np.repeat(mu[:, np.newaxis], len(dispersion) * size, axis=1)
    return family.draw_totals(wide, by_name, rng).reshape(len(mu), len(dispersion), size)


def fit_p_value(law, sample):
    """Kolmogorov-Smirnov for densities, chi-square over bins of at least 5 expected for counts."""
    if isinstance(law.dist, stats.rv_continuous):
        return stats.kstest(sample, law.cdf).pvalue
    edges = np.unique(law.ppf(np.linspace(0, 1, 21)[1:-1]))
    cumulative = np.concatenate([[0.0], law.cdf(edges), [1.0]])
    expected = np.diff(cumulative) * len(sample)
    observed = np.bincount(np.searchsorted(edges, sample), minlength=len(expected))
    keep = expected > 0
    assert expected[keep].min() > 5
    return stats.chisquare(observed[keep], expected[keep]).pvalue


@every_family
def test_totals_follow_their_law(key):
    def p_value(rng, size):
        drawn = draw_totals(key, MU, DISPERSION, size, rng)
        assert np.isfinite(drawn).all()
        return smallest(
            [
                fit_p_value(LAWS[key](mu, dispersion), drawn[i, j])
                for i, mu in enumerate(MU)
                for j, dispersion in enumerate(DISPERSION)
            ]
        )

    assert is_accepted(p_value, size=20_000, seed=1)


@every_family
def test_moments_of_totals(key):
    def p_value(rng, size):
        drawn = draw_totals(key, MU, DISPERSION, size, rng)
        mu = MU[:, np.newaxis]
        variance = np.stack([FAMILIES[key].variance(MU, d) for d in DISPERSION], axis=1)
        mean_z = (drawn.mean(-1) - mu) / np.sqrt(variance / size)
        squares = (drawn - mu[..., np.newaxis]) ** 2
        square_z = (squares.mean(-1) - variance) / (squares.std(-1) / np.sqrt(size))
        return smallest(2 * stats.norm.sf(np.abs([mean_z, square_z])))

    assert is_accepted(p_value, size=200_000, seed=2)


@dispersed_family
@pytest.mark.parametrize("truth", [0.8, 12.0])
def test_moment_estimate_finds_the_dispersion(key, truth):
    """Standard errors come from 60 independent data sets of 2,000 totals each."""

    def p_value(rng, size):
        mu = rng.lognormal(3.0, 0.7, size=2000)
        totals = draw_totals(key, mu, np.array([truth]), size, rng)[:, 0, :]
        estimates = np.array([FAMILIES[key].moment_dispersion(y, mu) for y in totals.T])
        bias = estimates.mean() - truth
        # A variance estimate is inverted to alpha: allow the bias of order 1 / n that this has.
        allowed = 3 * estimates.var(ddof=1) / truth
        z = max(abs(bias) - allowed, 0.0) / (estimates.std(ddof=1) / np.sqrt(size))
        assert np.median(np.abs(estimates / truth - 1)) < 0.1
        return 2 * stats.norm.sf(z)

    assert is_accepted(p_value, size=60, seed=3)


def test_moment_estimate_without_dispersion():
    assert FAMILIES["poisson", None].moment_dispersion(np.ones(3), np.ones(3)) == 0.0


@dispersed_family
def test_moment_estimate_is_usable_when_totals_equal_their_expectations(key):
    family, mu = FAMILIES[key], np.array([3.0, 10.0, 50.0])
    estimate = family.moment_dispersion(mu, mu)
    assert np.isfinite(family.variance(mu, estimate)).all()
    assert (family.variance(mu, estimate) > 0).all()
