"""Predictive draws and moment estimates of every family, against SciPy's laws.

Each test fails by chance with probability 1e-6 over the choice of its seed (see ``two_stage``).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from total_laws import COUNTS, base_key, law_of
from two_stage import is_accepted, smallest

from bayes_attrib import names
from bayes_attrib.model.families import FAMILIES

pytestmark = pytest.mark.statistical

MU = np.array([0.4, 6.0, 150.0])
VALUES = {
    "alpha": np.array([0.3, 8.0]),
    "phi": np.array([0.3, 8.0]),
    "sigma_total": np.array([0.7, 0.2]),
    "pi": np.array([0.15, 0.6]),
    "herfindahl": np.array([0.2, 1.0]),
}
"""Values of the parameters; the first go together, and so do the second."""

every_family = pytest.mark.parametrize("key", list(FAMILIES), ids=str)
dispersed_family = pytest.mark.parametrize(
    "key", [k for k, family in FAMILIES.items() if family.parameters and base_key(k) == k], ids=str
)
excess_zero_family = pytest.mark.parametrize(
    "key", [key for key in FAMILIES if base_key(key) != key], ids=str
)


def values_at(i):
    return {name: values[i] for name, values in VALUES.items()}


def draw_totals(key, mu, size, rng, values=VALUES):
    """Totals, shape (len(mu), 2, size), in one call: draws differ in their parameters."""
    noise = {name: np.repeat(value, size) for name, value in values.items()}
    n_values = len(noise["pi"]) // size
    wide = np.repeat(mu[:, np.newaxis], n_values * size, axis=1)
    drawn = FAMILIES[key].draw_totals(wide, noise, rng)
    return drawn.reshape(len(mu), n_values, size)


def fit_p_value(law, counts, sample):
    """Kolmogorov-Smirnov for densities, chi-square over bins of at least 5 expected for counts."""
    if not counts:
        zeros = stats.binomtest(int((sample == 0).sum()), len(sample), law.cdf(0.0)).pvalue
        positive, below = sample[sample > 0], law.cdf(0.0)
        given = stats.kstest(positive, lambda y: (law.cdf(y) - below) / (1 - below)).pvalue
        return smallest([zeros, given])
    grid = np.arange(20_000.0)
    edges = np.unique(np.searchsorted(law.cdf(grid), np.linspace(0, 1, 21)[1:-1]))
    edges = edges[np.diff([0.0, *law.cdf(edges)]) * len(sample) > 5]
    expected = np.diff([0.0, *law.cdf(edges), 1.0]) * len(sample)
    observed = np.bincount(np.searchsorted(edges, sample), minlength=len(expected))
    assert expected.min() > 5
    return stats.chisquare(observed, expected).pvalue


@every_family
def test_totals_follow_their_law(key):
    def p_value(rng, size):
        drawn = draw_totals(key, MU, size, rng)
        assert np.isfinite(drawn).all()
        return smallest(
            [
                fit_p_value(law_of(key, mu, values_at(j)), key in COUNTS, drawn[i, j])
                for i, mu in enumerate(MU)
                for j in range(2)
            ]
        )

    assert is_accepted(p_value, size=20_000, seed=1)


@every_family
def test_moments_of_totals(key):
    family = FAMILIES[key]

    def p_value(rng, size):
        drawn = draw_totals(key, MU, size, rng)
        mean = np.stack([family.mean(MU, values_at(i)) for i in range(2)], axis=1)
        variance = np.stack([family.variance(MU, values_at(i)) for i in range(2)], axis=1)
        mean_z = (drawn.mean(-1) - mean) / np.sqrt(variance / size)
        squares = (drawn - mean[..., np.newaxis]) ** 2
        square_z = (squares.mean(-1) - variance) / (squares.std(-1) / np.sqrt(size))
        return smallest(2 * stats.norm.sf(np.abs([mean_z, square_z])))

    assert is_accepted(p_value, size=200_000, seed=2)


@excess_zero_family
def test_zeros_differ_between_aggregates(key):
    """pi of each aggregate and draw, as covariates of zeros make it."""
    rng, pi = np.random.default_rng(5), np.array([[0.0] * 4000, [0.5] * 4000, [1.0] * 4000])
    noise = {name: value[1] for name, value in VALUES.items()} | {"pi": pi}
    drawn = FAMILIES[key].draw_totals(np.full(pi.shape, 400.0), noise, rng)
    zeros = (drawn == 0).mean(axis=1)
    assert zeros[0] < 0.01
    assert abs(zeros[1] - 0.5) < 5 * 0.5 / np.sqrt(4000)
    assert zeros[2] == 1.0


TRUTHS = {"alpha": (0.8, 12.0), "phi": (0.8, 12.0), "sigma_total": (0.7, 0.2)}


@dispersed_family
@pytest.mark.parametrize("which", [0, 1])
def test_moment_estimate_finds_the_dispersion(key, which):
    """Standard errors come from 60 independent data sets of 2,000 totals each."""
    (name,) = FAMILIES[key].parameters
    truth = TRUTHS[name][which]

    def p_value(rng, size):
        mu = rng.lognormal(3.0, 0.7, size=2000)
        values = {name: np.array([truth]), "herfindahl": np.array([1.0]), "pi": np.array([0.0])}
        totals = draw_totals(key, mu, size, rng, values)[:, 0, :]
        estimates = np.array([FAMILIES[key].moment_parameters(y, mu)[name] for y in totals.T])
        bias = estimates.mean() - truth
        # A variance estimate is inverted to alpha: allow the bias of order 1 / n that this has.
        allowed = 3 * estimates.var(ddof=1) / truth
        z = max(abs(bias) - allowed, 0.0) / (estimates.std(ddof=1) / np.sqrt(size))
        assert np.median(np.abs(estimates / truth - 1)) < 0.1
        return 2 * stats.norm.sf(z)

    assert is_accepted(p_value, size=60, seed=3)


@excess_zero_family
def test_moment_estimate_tells_zeros_in_excess_from_others(key):
    """A rough estimate is enough here: it serves to judge how much totals say."""
    rng, truth = np.random.default_rng(4), {name: values[1] for name, values in TRUTHS.items()}
    truth |= {"pi": 0.3, "herfindahl": 1.0}
    mu = rng.lognormal(1.5, 0.7, size=20_000)
    totals = FAMILIES[key].draw_totals(mu, truth, rng)
    found = FAMILIES[key].moment_parameters(totals, mu)
    assert set(found) >= set(FAMILIES[key].parameters)
    assert found["pi"] == pytest.approx(0.3, abs=0.05)
    for name in set(FAMILIES[key].parameters) - {"pi"}:
        assert found[name] == pytest.approx(truth[name], rel=0.3)


def test_moment_estimate_without_dispersion():
    assert FAMILIES["poisson", None].moment_parameters(np.ones(3), np.ones(3)) == {}


@every_family
def test_moment_estimate_is_usable_when_totals_equal_their_expectations(key):
    family, mu = FAMILIES[key], np.array([3.0, 10.0, 50.0])
    estimate = family.moment_parameters(mu, mu)
    assert set(family.parameters) <= set(estimate)
    assert estimate.get(names.PI, 0.0) == 0.0
    assert np.isfinite(family.variance(mu, estimate)).all()
    assert (family.variance(mu, estimate) > 0).all()
