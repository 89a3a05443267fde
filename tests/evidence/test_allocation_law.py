"""Amounts given their total, family by family, against brute force.

The reference starts from the law of independent pair amounts and conditions it on their sum: by
enumeration of all splits for counts, by numerical conditioning of densities for money. It knows
nothing of multinomial, Dirichlet or Beta laws, and nothing of Markov chains. Each statistical test
fails by chance with probability 1e-6 over the choice of its seed (see ``two_stage``).
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import integrate, stats
from total_laws import COUNTS, base_key
from two_stage import is_accepted, smallest

from bayes_attrib import names
from bayes_attrib.model.families import FAMILIES, Cells

NB_PAIR = FAMILIES["negative_binomial", "pair"]
GAMMA_AGGREGATE = FAMILIES["gamma", "aggregate"]
GAMMA_PAIR = FAMILIES["gamma", "pair"]
LOGNORMAL_PAIR = FAMILIES["lognormal", "pair_approximation"]
PI = 0.3

every_family = pytest.mark.parametrize(
    "family", FAMILIES.values(), ids=lambda family: f"{family.name}-{family.level}"
)
count_family = pytest.mark.parametrize("key", COUNTS, ids=str)
SLOW = [family for family in FAMILIES.values() if family.level == "pair_approximation"]


def draw(family, mu, totals, dispersion, size, rng):
    """Amounts of aggregates with the expectations of a nested list, a list of (n_edges, size)."""
    noise = dict.fromkeys(family.parameters, np.full(size, dispersion)) | {"pi": np.full(size, PI)}
    noise["sigma_total"] = np.full(size, min(dispersion, 5.0))
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in mu])])
    wide = np.repeat(np.concatenate(mu)[:, np.newaxis], size, axis=1)
    cells = Cells(np.asarray(totals, dtype=float), indptr, wide)
    return np.split(family.draw_amounts(cells, noise, rng), indptr[1:-1])


# Counts: enumeration ----------------------------------------------------------------------------


def joint_mass(key, mu, dispersion, amounts):
    """Probability of pair amounts, before anything is known of their sum."""
    if base_key(key) != key:
        base = joint_mass(base_key(key), mu, dispersion, amounts)
        return PI * (not any(amounts)) + (1 - PI) * base
    if key == ("poisson", None):
        return np.prod(stats.poisson.pmf(amounts, mu))
    if key == ("negative_binomial", "pair"):
        return np.prod(stats.nbinom.pmf(amounts, np.divide(mu, dispersion), 1 / (1 + dispersion)))

    def given_factor(g):
        law = stats.gamma.pdf(g, dispersion, scale=1 / dispersion)
        return law * np.prod(stats.poisson.pmf(amounts, g * np.asarray(mu)))

    value, error = integrate.quad(given_factor, 0, np.inf, epsabs=0, epsrel=1e-8)
    assert error < 1e-6 * value
    return value


def conditional_masses(key, mu, dispersion, total):
    """Every split of a total among the entities, and its probability given the total."""
    splits = [z for z in product(range(total + 1), repeat=len(mu)) if sum(z) == total]
    masses = np.array([joint_mass(key, mu, dispersion, z) for z in splits])
    return splits, masses / masses.sum()


def split_p_value(splits, masses, drawn):
    """Chi-square of the frequencies of splits; splits expected less than 5 times are pooled."""
    base = int(drawn.max()) + 2
    weights = base ** np.arange(drawn.shape[0])
    codes, counts = np.unique((weights @ drawn).astype(int), return_counts=True)
    seen = dict(zip(codes, counts, strict=True))
    observed = np.array([seen.pop(int(weights @ np.array(z)), 0) for z in splits])
    assert not seen, "amounts outside of the splits of the total"
    expected = masses * drawn.shape[1]
    rare = expected < 5
    if rare.any():
        observed = np.append(observed[~rare], observed[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    return stats.chisquare(observed, expected).pvalue


COUNT_CASES = [
    (([1.2, 3.0], [0.5, 2.0, 1.1], [4.0, 0.3]), (4, 6, 0), 0.7),
    (([0.05, 0.01, 0.2], [30.0, 10.0]), (5, 6), 2.5),
]


@pytest.mark.statistical
@pytest.mark.parametrize("case", COUNT_CASES)
@count_family
def test_counts_given_their_total(key, case):
    mu, totals, dispersion = case
    laws = [conditional_masses(key, m, dispersion, y) for m, y in zip(mu, totals, strict=True)]

    def p_value(rng, size):
        drawn = draw(FAMILIES[key], mu, totals, dispersion, size, rng)
        return smallest([split_p_value(*law, z) for law, z in zip(laws, drawn, strict=True)])

    assert is_accepted(p_value, size=40_000, seed=1)


# Money: numerical conditioning --------------------------------------------------------------------


def conditional_cdf(log_densities, total, least=1.0):
    """Distribution function of the first of three independent amounts given their sum.

    ``log_densities`` are functions of the logarithm of an amount; constants cancel. ``least`` is
    the smallest power of an amount that its density starts with, if that is below 1.

    With z1 = total u and z2 = (total - z1) v, where logit u and logit v are hyperbolic sines of
    evenly spaced points, the integrand is smooth and decays fast at both ends however singular the
    densities are.
    """
    reach = np.arcsinh(45.0 / min(1.0, least))
    points, step = np.linspace(-reach, reach, 1201, retstep=True)
    logit, log_slope = np.sinh(points), np.log(np.cosh(points))
    log_u, log_rest = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)

    log_y = np.log(total)
    rest = log_y + log_rest[:, np.newaxis]
    log_joint = (
        log_densities[0](log_y + log_u)[:, np.newaxis]
        + log_densities[1](rest + log_u)
        + log_densities[2](rest + log_rest)
        + (log_y + log_u + log_rest + log_slope)[:, np.newaxis]  # of z1 by its point
        + (rest + log_u + log_rest + log_slope)  # of z2 by its point
    )
    marginal = np.exp(log_joint - log_joint.max()).sum(axis=1)
    distribution = integrate.cumulative_simpson(marginal, dx=step, initial=0.0)
    distribution /= distribution[-1]
    return lambda z: np.interp(np.log(z) - np.log(total - z), logit, distribution)


def gamma_cdf(shapes, total):
    """Of the first of three Gamma amounts with scale 1."""

    def log_density(shape):
        return lambda log_z: (shape - 1) * log_z - np.exp(log_z)

    return conditional_cdf([log_density(shape) for shape in shapes], total, min(shapes))


def lognormal_cdf(mu, sigma, total):
    """Of the first of three lognormal amounts with means mu and log-sd sigma."""

    def log_density(mean):
        return lambda log_z: -log_z - (log_z - np.log(mean) + sigma**2 / 2) ** 2 / (2 * sigma**2)

    return conditional_cdf([log_density(mean) for mean in mu], total)


@pytest.mark.parametrize("shapes", [(4.0, 10.0, 2.2), (0.7, 1.7, 0.4), (0.02, 0.03, 0.01)])
def test_conditioning_gives_the_beta_law_of_theory(shapes):
    total = 3.0
    amounts = total * np.linspace(0.01, 0.99, 99)
    theory = stats.beta.cdf(amounts / total, shapes[0], shapes[1] + shapes[2])
    np.testing.assert_allclose(gamma_cdf(np.array(shapes), total)(amounts), theory, atol=1e-4)


@pytest.mark.statistical
@pytest.mark.parametrize("phi", [0.5, 3.0])
def test_gamma_amounts_given_their_total(phi):
    mu, total = np.array([2.0, 5.0, 1.1]), 7.5
    orders = [(0, 1, 2), (1, 0, 2), (2, 0, 1)]
    cdfs = [gamma_cdf(mu[list(order)] / phi, total / phi) for order in orders]

    def p_value(rng, size):
        other, drawn = draw(GAMMA_PAIR, ([3.0, 1.0], mu), (0.4, total), phi, size, rng)
        assert other.shape == (2, size)
        tests = [
            stats.kstest(drawn[order[0]] / phi, cdf).pvalue
            for order, cdf in zip(orders, cdfs, strict=True)
        ]
        return smallest(tests)

    assert is_accepted(p_value, size=20_000, seed=2)


@pytest.mark.statistical
def test_gamma_amounts_of_tiny_concentration():
    """Most draws give nearly all to one entity: compare how often the first gets half or more."""
    shapes, total = np.array([0.02, 0.03, 0.01]), 4.0
    chance = 1.0 - gamma_cdf(shapes, total)(total / 2)

    def p_value(rng, size):
        (drawn,) = draw(GAMMA_PAIR, [shapes], [total], 1.0, size, rng)
        return stats.binomtest(int((drawn[0] > total / 2).sum()), size, chance).pvalue

    assert is_accepted(p_value, size=20_000, seed=3)


@pytest.mark.statistical
@pytest.mark.parametrize("total", [2.5, 7.0, 30.0])
@pytest.mark.parametrize("sigma", [0.3, 1.2])
def test_lognormal_amounts_given_their_total(sigma, total):
    """Totals far below, near and far above their expectation, 8.1."""
    mu = np.array([2.0, 5.0, 1.1])
    orders = [(0, 1, 2), (1, 0, 2), (2, 0, 1)]
    cdfs = [lognormal_cdf(mu[list(order)], sigma, total) for order in orders]

    def p_value(rng, size):
        (drawn,) = draw(LOGNORMAL_PAIR, [mu], [total], sigma, size, rng)
        return smallest(
            [
                stats.kstest(drawn[order[0]], cdf).pvalue
                for order, cdf in zip(orders, cdfs, strict=True)
            ]
        )

    assert is_accepted(p_value, size=10_000, seed=10)


def test_a_common_factor_leaves_no_noise_in_the_allocation():
    """z_eb = g_b mu_eb: given the sum, every amount is known."""
    rng = np.random.default_rng(4)
    mu, factor = rng.lognormal(size=(6, 50)), rng.gamma(2.0, size=(2, 50))
    indptr = np.array([0, 2, 6])
    amounts = mu * np.repeat(factor, np.diff(indptr), axis=0)
    for draw_index in range(50):
        totals = np.add.reduceat(amounts[:, draw_index], indptr[:-1])
        cells = Cells(totals, indptr, mu[:, [draw_index]])
        found = GAMMA_AGGREGATE.draw_amounts(cells, {names.ALPHA: np.array([2.0])}, rng)
        np.testing.assert_allclose(found[:, 0], amounts[:, draw_index], rtol=1e-12)


# Every family: the edges of what can happen ------------------------------


def check_conservation(family, drawn, totals):
    for amounts, total in zip(drawn, totals, strict=True):
        assert np.isfinite(amounts).all()
        assert (amounts >= 0).all()
        if family.counts:
            np.testing.assert_array_equal(amounts, np.round(amounts))
            np.testing.assert_array_equal(amounts.sum(axis=0), total)
        else:
            sums = np.ascontiguousarray(amounts.T).sum(axis=1)  # along memory: NumPy adds pairwise
            np.testing.assert_allclose(sums, total, rtol=1e-12)


@pytest.mark.parametrize("dispersion", [1e-6, 0.7, 1e4])
@every_family
def test_every_draw_conserves_every_total(family, dispersion):
    rng = np.random.default_rng(5)
    mu = [rng.lognormal(1.0, 2.0, size=n) for n in (1, 2, 7, 300)]
    totals = [3.0, 0.0, 250.0, 12345.0]
    drawn = draw(family, mu, totals, dispersion, 200, rng)
    check_conservation(family, drawn, totals)
    assert not drawn[1].any()


@every_family
def test_a_sole_entity_gets_all(family):
    (drawn,) = draw(family, [[1e-8]], [17.0], 1e4, 100, np.random.default_rng(6))
    np.testing.assert_array_equal(drawn, 17.0)


@every_family
def test_huge_totals(family):
    rng, totals = np.random.default_rng(7), [1e9, 2.0**50]
    mu = [[4e8, 5e8, 1e-3], [1.0, 1.0, 2.0]]
    drawn = draw(family, mu, totals, 1e-3, 500, rng)
    check_conservation(family, drawn, totals)
    if family not in SLOW:  # a lognormal total above its expectation is not split in proportion
        np.testing.assert_allclose(drawn[0].mean(axis=1) / 1e9, [4 / 9, 5 / 9, 0], atol=1e-3)


@pytest.mark.parametrize("concentration", [1e-4, 1e-12, 1e-200])
@pytest.mark.parametrize("family", [NB_PAIR, GAMMA_PAIR], ids=["counts", "money"])
def test_tiny_concentrations_are_safe(family, concentration):
    mu = [[concentration, 3 * concentration, concentration], [concentration]]
    drawn = draw(family, mu, [40.0, 5.0], 1.0, 5000, np.random.default_rng(8))
    check_conservation(family, drawn, [40.0, 5.0])
    winner = (drawn[0] > 39.99).mean(axis=1)  # one entity takes nearly all, in proportion to mu
    np.testing.assert_allclose(winner, [0.2, 0.6, 0.2], atol=0.04)


@every_family
def test_an_aggregate_with_very_many_entities(family):
    """Rounding of a sum of shares must not reach the tolerance of the multinomial sampler."""
    rng = np.random.default_rng(9)
    n = 30_000 if family in SLOW else 300_000
    mu = [rng.lognormal(0.0, 2.0, size=n)]
    check_conservation(family, draw(family, mu, [1e6], 0.5, 2, rng), [1e6])
    mu = [np.full(n, 0.1)]
    check_conservation(family, draw(family, mu, [1e6], 0.5, 2, rng), [1e6])
