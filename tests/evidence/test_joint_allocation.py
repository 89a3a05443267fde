"""A joint test of the allocation, in the manner of Geweke (2004, JASA 99).

Parameters are drawn from a prior, amounts from their law, totals as their sums; then the amounts
are drawn anew given parameters and totals. If the allocation is exact, old and new amounts have
the same joint law with parameters and totals, so no function of them changes its mean, and an old
amount has a uniform rank among new ones. Each test fails by chance with probability 1e-6 over the
choice of its seed (see ``two_stage``); sabotaged allocations show that it finds faults.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from total_laws import base_key
from two_stage import is_accepted, is_rejected_at_once, smallest

from bayes_attrib.model.families import FAMILIES, Cells
from bayes_attrib.model.families.cells import shares_of
from bayes_attrib.model.families.lognormal_pairs import LognormalPairApproximation

pytestmark = pytest.mark.statistical

N_ENTITIES = 3
N_PRIOR_DRAWS = 40
N_REDRAWS = 9
SIZE = 40_000
LOGNORMAL = ("lognormal", "aggregate")


def draw_lognormals(mu, sigma, rng, shape):
    return mu * np.exp(sigma * rng.standard_normal(shape) - sigma**2 / 2)


LAWS = {
    ("poisson", None): lambda mu, _, rng: rng.poisson(mu),
    ("negative_binomial", "aggregate"): lambda mu, noise, rng: rng.poisson(
        mu * rng.gamma(noise["alpha"], 1 / noise["alpha"], size=(1, mu.shape[1]))
    ),
    ("negative_binomial", "pair"): lambda mu, noise, rng: rng.negative_binomial(
        mu / noise["phi"], 1 / (1 + noise["phi"])
    ),
    ("gamma", "aggregate"): lambda mu, noise, rng: (
        mu * rng.gamma(noise["alpha"], 1 / noise["alpha"], size=(1, mu.shape[1]))
    ),
    ("gamma", "pair"): lambda mu, noise, rng: rng.gamma(mu / noise["phi"], noise["phi"]),
    ("lognormal", "aggregate"): lambda mu, noise, rng: draw_lognormals(
        mu, noise["sigma_total"], rng, (1, mu.shape[1])
    ),
    ("lognormal", "pair_approximation"): lambda mu, noise, rng: draw_lognormals(
        mu, noise["sigma_total"], rng, mu.shape
    ),
}
"""Draws amounts, shape (n_entities, n_aggregates), from expectations of that shape."""

FIXED = [key for key in FAMILIES if base_key(key) in {("gamma", "aggregate"), LOGNORMAL}]
NOISY = [key for key in FAMILIES if key not in FIXED]
SIZES = dict.fromkeys(NOISY, SIZE) | {key: 8000 for key in NOISY if "lognormal" in key[0]}
"""A Markov chain per amount is dear: fewer aggregates must do where amounts are lognormal."""


def draw_noise(rng):
    """Draw parameters of all families from a prior."""
    return {
        "alpha": rng.lognormal(0.0, 1.0),
        "phi": rng.lognormal(0.0, 1.0),
        "sigma_total": rng.lognormal(-0.5, 0.4),
        "pi": rng.beta(2.0, 4.0),
    }


def draw_amounts(key, mu, noise, rng):
    """Draw amounts before anything is known of their sum."""
    amounts = LAWS[base_key(key)](mu, noise, rng).astype(float)
    return amounts if base_key(key) == key else amounts * (rng.random(mu.shape[1]) > noise["pi"])


def redraw(family, mu, totals, noise, rng):
    """Amounts given totals, shape (n_entities, n_aggregates, N_REDRAWS), by the package."""
    n_aggregates = mu.shape[1]
    indptr = np.arange(0, N_ENTITIES * n_aggregates + 1, N_ENTITIES)
    wide = np.repeat(mu.T.ravel()[:, np.newaxis], N_REDRAWS, axis=1)
    by_name = {name: np.full(N_REDRAWS, noise[name]) for name in family.parameters}
    drawn = family.draw_amounts(Cells(totals, indptr, wide), by_name, rng)
    return np.moveaxis(drawn.reshape(n_aggregates, N_ENTITIES, N_REDRAWS), 1, 0)


def simulate(key, size, rng, *, family=None, bias=1.0):
    """Expectations, old amounts and new amounts of ``size`` aggregates.

    ``family`` replaces the allocation by that of another family, ``bias`` multiplies what the
    allocation believes to be the first entity's rate.
    """
    family = family or FAMILIES[key]
    expectations, old, new = [], [], []
    for _ in range(N_PRIOR_DRAWS):
        noise = draw_noise(rng)
        rate = rng.lognormal(0.0, 0.7, size=(N_ENTITIES, 1))
        exposure = rng.gamma(2.0, 3.0, size=(N_ENTITIES, size // N_PRIOR_DRAWS))
        mu = rate * exposure
        amounts = draw_amounts(key, mu, noise, rng)
        believed = mu * np.array([[bias], [1.0], [1.0]])
        expectations.append(mu)
        old.append(amounts)
        new.append(redraw(family, believed, amounts.sum(axis=0), noise, rng))
    return tuple(np.concatenate(parts, axis=1) for parts in (expectations, old, new))


def moment_p_value(mu, old, new):
    """Mean changes of several functions of amounts, totals and parameters, in standard errors.

    Given parameters and totals, old and new amounts are exchangeable: changes have mean zero and
    are independent between aggregates.
    """
    positive = old.sum(axis=0) > 0
    old, new = old[:, positive], new[:, positive]
    totals, log_share = old.sum(axis=0), np.log(mu / mu.sum(axis=0))[:, positive]
    log_excess = np.log(totals / mu.sum(axis=0)[positive])
    change = new.mean(axis=-1) - old
    changes = np.concatenate(
        [
            change,
            change / totals,
            change / totals * log_share,
            change / totals * log_share * log_excess,
            ((new**2).mean(axis=-1) - old**2) / totals**2,
            (new == 0.0).mean(axis=-1) - (old == 0.0),
            [((new[0] * new[1]).mean(axis=-1) - old[0] * old[1]) / totals**2],
        ]
    )
    scale = np.sqrt((changes**2).sum(axis=1))
    z = changes.sum(axis=1)[scale > 0] / scale[scale > 0]
    return smallest(2 * stats.norm.sf(np.abs(z)))


def rank_p_value(old, new, rng):
    """Ranks of old amounts among new ones, ties broken by lot, against uniformity."""
    below = (new < old[..., np.newaxis]).sum(axis=-1)
    ties = (new == old[..., np.newaxis]).sum(axis=-1)
    ranks = below + rng.integers(0, ties + 1)
    counts = (np.bincount(row, minlength=N_REDRAWS + 1) for row in ranks)
    return smallest([stats.chisquare(count).pvalue for count in counts])


def joint_p_value(key, **sabotage):
    def p_value(rng, size):
        mu, old, new = simulate(key, size, rng, **sabotage)
        np.testing.assert_allclose(new.sum(axis=0), np.repeat(old.sum(0)[:, None], N_REDRAWS, 1))
        return smallest([moment_p_value(mu, old, new), rank_p_value(old, new, rng)])

    return p_value


@pytest.mark.parametrize("key", NOISY, ids=str)
def test_amounts_keep_their_joint_law(key):
    assert is_accepted(joint_p_value(key), size=SIZES[key], seed=1)


@pytest.mark.parametrize("key", FIXED, ids=str)
def test_amounts_without_noise_are_recovered(key):
    _, old, new = simulate(key, 4000, np.random.default_rng(2))
    np.testing.assert_allclose(new, np.repeat(old[..., np.newaxis], N_REDRAWS, 2), rtol=1e-12)


@pytest.mark.parametrize("key", [key for key in LAWS if SIZES.get(key) == SIZE], ids=str)
def test_a_bias_of_three_percent_is_found(key):
    assert is_rejected_at_once(joint_p_value(key, bias=1.03), size=SIZE, seed=3)


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        (("negative_binomial", "pair"), ("negative_binomial", "aggregate")),
        (("gamma", "pair"), ("gamma", "aggregate")),
        (("lognormal", "pair_approximation"), ("lognormal", "aggregate")),
    ],
    ids=str,
)
def test_noise_at_the_wrong_level_is_found(key, wrong):
    assert is_rejected_at_once(joint_p_value(key, family=FAMILIES[wrong]), size=2000, seed=4)


def test_a_bias_is_found_where_there_is_no_noise():
    _, old, new = simulate(("gamma", "aggregate"), 4000, np.random.default_rng(5), bias=1.03)
    assert np.median(np.abs(new[0, :, 0] / old[0] - 1)) > 0.01


class RescaledLognormals(LognormalPairApproximation):
    """Rescales independent lognormals to their total, as if the total said nothing of them."""

    def draw_amounts(self, cells, parameters, rng):
        noise = rng.standard_normal(cells.mu.shape)
        weights = cells.mu * np.exp(parameters["sigma_total"] * noise)
        return cells.scaled_by_totals(shares_of(cells.indptr, weights))


def test_rescaled_lognormals_are_found():
    key = ("lognormal", "pair_approximation")
    p_value = joint_p_value(key, family=RescaledLognormals())
    assert is_rejected_at_once(p_value, size=8000, seed=6)
