"""Fits with a lift test against numerical integration, and the moment matching against its law.

Means and variances are compared in Monte-Carlo standard errors. Each comparison of a family fails
by chance with probability 1e-6 over the choice of its seed (see ``two_stage``).
"""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from monte_carlo_error import p_value_of, scores_against_exact
from scipy import stats
from scipy.special import betaln, comb
from tiny_posterior import (
    EXPOSURE,
    TESTED,
    Lift,
    Resolution,
    Tiny,
    lift_density,
    moments,
    part_moments,
)
from two_stage import is_accepted, is_rejected_at_once

SIZE = 2000
CASES = [
    Tiny("gamma", "aggregate", lift=Lift(5.0, 0.6, ratio=0.8)),
    Tiny("gamma", "pair", lift=Lift(7.0, 1.0)),
    Tiny("negative_binomial", "pair", lift=Lift(3.0, 0.8)),
]
COARSE = Resolution(0.4, 1.0, 24)
AT_PAIRS = CASES[2]


def comparison(tiny, reference):
    """P-value of draws from the package against the exact moments of a reference."""

    def p_value(rng, size):
        draws = tiny.draws(size, int(rng.integers(2**31)))
        return p_value_of(scores_against_exact(draws, moments(reference)))

    return p_value


def name_of(tiny):
    return f"{tiny.family}-{tiny.level}"


@pytest.mark.sampling
@pytest.mark.statistical
@pytest.mark.parametrize("tiny", CASES[:2], ids=name_of)
def test_posterior_and_amounts_with_a_lift_test(tiny):
    assert is_accepted(comparison(tiny, tiny), size=SIZE, seed=1)


@pytest.mark.sampling
@pytest.mark.statistical
@pytest.mark.parametrize(
    "fault",
    [
        {"sign": -1.0},
        {"cells": ((0, 0),)},
        {"cells": ((0, 1), (1, 1))},
        {"ratio": 1.0},
        None,
    ],
    ids=["wrong sign", "wrong window", "wrong entity", "wrong ratio", "left out"],
)
def test_a_term_that_differs_is_told_apart(fault):
    """The test above has power: draws do not pass for those of a faulty term."""
    tiny = CASES[0]
    lift = None if fault is None else dataclasses.replace(tiny.lift, **fault)
    other = dataclasses.replace(tiny, lift=lift)
    assert is_rejected_at_once(comparison(tiny, other), size=SIZE, seed=1)


def test_integration_error_is_negligible():
    for tiny in CASES:
        fine, coarse = moments(tiny), moments(tiny, Resolution(0.25, 0.6, 36))
        for name, (mean, variance) in fine.items():
            assert abs(coarse[name][0] - mean) < 0.01 * np.sqrt(variance), (tiny, name)
            assert abs(coarse[name][1] / variance - 1) < 0.02, (tiny, name)


def _beta_binomial(z, n, a, b):
    """Mass of z; where sizes are too large for betaln, other factors of the grid are next to 0."""
    return np.exp(np.minimum(np.log(comb(n, z)) + betaln(z + a, n - z + b) - betaln(a, b), 0.0))


@cache
def exact_at_pairs(error):
    """Posterior mean and sd of log rates and of A's tested amount, by sums over all amounts.

    The measured increment is Normal(z, error) around the amount z itself, which is a sum of two
    beta-binomial variables; the amount is conditioned on the measurement too.
    """
    tiny = dataclasses.replace(AT_PAIRS, lift=Lift(3.0, error))
    x = np.arange(-6, 6.1, COARSE.step)
    nodes, weights = np.polynomial.legendre.leggauss(COARSE.n_sigma)
    sigma, weights = 3.5 * (nodes + 1), 3.5 * weights
    first, t, s = x[:, None, None], x[:, None], sigma[None, :]
    middle = np.log(tiny.totals.sum() / EXPOSURE.sum()) + np.sqrt(1 + s**2 / 2) * first
    log_rates = np.stack([middle + s * t / np.sqrt(2), middle - s * t / np.sqrt(2)])
    prior = stats.norm.pdf(first) * stats.norm.pdf(t) * stats.norm.pdf(s) * weights
    rates, sums = np.exp(log_rates), {"exact": np.zeros(5), "matched": np.zeros(5)}
    for v in np.arange(-5, 5.1, COARSE.dispersion_step):
        phi, density = np.exp(1.5 * v), prior * stats.norm.pdf(v)
        mus = [EXPOSURE[b, :, None, None, None] * rates for b in range(3)]
        for mu, y in zip(mus, tiny.totals, strict=True):
            size = mu.sum(axis=0) / phi
            density = density * stats.nbinom.pmf(y, size, 1 / (1 + phi))
        laws = [
            [
                _beta_binomial(z, int(tiny.totals[b]), mus[b][0] / phi, mus[b][1] / phi)
                for z in range(int(tiny.totals[b]) + 1)
            ]
            for b, _ in TESTED
        ]
        amount = [
            sum(
                laws[0][i] * laws[1][z - i]
                for i in range(len(laws[0]))
                if 0 <= z - i < len(laws[1])
            )
            for z in range(len(laws[0]) + len(laws[1]) - 1)
        ]
        mean, variance = part_moments(tiny, tiny.lift, rates, phi)
        square = variance + mean**2
        matched = density * lift_density(tiny, tiny.lift, rates, phi)
        seen = stats.norm.pdf(3.0, np.arange(len(amount)), error)
        exact = density * sum(s_ * p for s_, p in zip(seen, amount, strict=True))
        exact_mean = density * sum(
            z * s_ * p for z, (s_, p) in enumerate(zip(seen, amount, strict=True))
        )
        exact_square = density * sum(
            z**2 * s_ * p for z, (s_, p) in enumerate(zip(seen, amount, strict=True))
        )
        rate = log_rates[0]
        sums["exact"] += [
            a.sum() for a in (exact, exact * rate, exact * rate**2, exact_mean, exact_square)
        ]
        sums["matched"] += [
            a.sum()
            for a in (matched, matched * rate, matched * rate**2, matched * mean, matched * square)
        ]
    found = {}
    for kind, (mass, r, r2, z, z2) in sums.items():
        found[kind] = {
            "rate": (r / mass, np.sqrt(r2 / mass - (r / mass) ** 2)),
            "amount": (z / mass, np.sqrt(z2 / mass - (z / mass) ** 2)),
        }
    return found


def test_moment_matching_is_close_to_the_law_of_the_amount():
    """Means within .1 posterior sds and sds within 10%, for a precise test and for a vague one."""
    for error in (0.8, 2.0):
        found = exact_at_pairs(error)
        (mean, sd), (other, other_sd) = found["exact"]["rate"], found["matched"]["rate"]
        assert abs(other - mean) < 0.1 * sd
        assert abs(other_sd / sd - 1) < 0.1


def test_amounts_are_wider_than_if_they_knew_the_test():
    """Amounts follow totals and rates alone: never too certain, and too wide for precise tests."""
    widths = []
    for error in (0.8, 2.0, 5.0):
        found = exact_at_pairs(error)
        widths.append(found["matched"]["amount"][1] / found["exact"]["amount"][1])
    assert widths[0] > widths[1] > widths[2] > 1.0
    assert widths[2] < 1.1
