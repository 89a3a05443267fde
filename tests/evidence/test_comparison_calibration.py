"""Of pairs called better with some probability, as many are truly better.

Rates have a known Gamma prior and every entity its own Poisson total, so the posterior is exact:
Gamma(shape + total, rate + exposure). Worlds are drawn from the prior. From each world at most one
pair is asked about for each bin of probabilities, chosen blindly to the truth, so trials of a bin
are independent, and the number that came true has the law of a sum of independent trials with the
claimed probabilities. Its exact tails give the p-value, with Bonferroni's rule over bins. The
false-alarm rate of each test is 1e-6 (see ``two_stage``).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from two_stage import is_accepted, is_rejected_at_once, smallest

from bayes_attrib.attribution.comparison import ComparisonRule, compare_draws
from bayes_attrib.attribution.pairwise import Conclusion, Equivalence

pytestmark = pytest.mark.statistical

SHAPE, RATE = 3.0, 1.5
N_ENTITIES, N_DRAWS = 6, 1500
BINS = ((0.5, 0.6), (0.6, 0.8), (0.8, 0.9), (0.9, 0.99))


def world(rng, *, width=1.0):
    """True rates and exact posterior draws; a width below 1 pretends to know more."""
    truth = rng.gamma(SHAPE, 1 / RATE, N_ENTITIES)
    exposure = rng.lognormal(1.0, 0.8, N_ENTITIES)
    totals = rng.poisson(truth * exposure)
    shape = (SHAPE + totals)[:, np.newaxis]
    draws = rng.gamma(shape, 1 / (RATE + exposure)[:, np.newaxis], (N_ENTITIES, N_DRAWS))
    centre = draws.mean(axis=1, keepdims=True)
    return truth, np.maximum(centre + width * (draws - centre), 0.0)


def law_of_sum(prob):
    """Probabilities of 0, 1, ... successes in independent trials, by convolution."""
    law = np.ones(1)
    for p in prob:
        law = np.convolve(law, [1 - p, p])
    return law


def p_value(claimed, came_true):
    """Of the number that came true, two-sided, given the claimed probabilities."""
    if len(claimed) < 50:
        raise AssertionError(f"only {len(claimed)} trials: too few to test anything")
    law, n_true = law_of_sum(claimed), int(np.sum(came_true))
    return min(1.0, 2 * min(law[: n_true + 1].sum(), law[n_true:].sum()))


def pairs_p_value(rng, size, *, width=1.0):
    claims = {edges: ([], []) for edges in BINS}
    for _ in range(size):
        truth, draws = world(rng, width=width)
        pairs = compare_draws(draws).pairs
        turned = pairs.prob_greater < 0.5
        prob = np.where(turned, pairs.prob_less, pairs.prob_greater)
        right = (truth[pairs.first] > truth[pairs.second]) != turned
        for (low, high), (claimed, came_true) in claims.items():
            held = np.flatnonzero((prob >= low) & (prob < high))
            if len(held):
                i = rng.choice(held)
                claimed.append(prob[i])
                came_true.append(right[i])
    return smallest([p_value(*claim) for claim in claims.values()])


def test_law_of_a_sum_is_binomial_for_equal_trials():
    np.testing.assert_allclose(law_of_sum([0.3] * 9), stats.binom.pmf(range(10), 9, 0.3))


def test_pairs_are_right_as_often_as_claimed():
    assert is_accepted(pairs_p_value, size=250, seed=31)


def test_draws_that_are_too_sure_are_found_out():
    def too_sure(rng, size):
        return pairs_p_value(rng, size, width=0.5)

    assert is_rejected_at_once(too_sure, size=250, seed=31)


def best_p_value(rng, size, *, choose=None):
    """Is the likeliest best one the best, is it of the top, and does the set hold the best?"""
    claims = {name: ([], []) for name in ("best", "top", "set")}
    rule = ComparisonRule(prob=0.8, top_k=2)
    for _ in range(size):
        truth, draws = world(rng)
        found = compare_draws(draws, rule)
        best, ranking = int(truth.argmax()), found.ranking
        leader = int(ranking.prob_best.argmax()) if choose is None else choose(draws)
        n_above = int((truth > truth[leader]).sum())
        outcomes = {
            "best": (ranking.prob_best.max(), leader == best),
            "top": (ranking.prob_top[leader], n_above < rule.top_k),
            "set": (ranking.prob_best[found.best_set].sum(), best in found.best_set),
        }
        for name, (prob, came_true) in outcomes.items():
            claims[name][0].append(prob)
            claims[name][1].append(came_true)
    return smallest([p_value(*claim) for claim in claims.values()])


def test_best_top_and_set_hold_as_often_as_claimed():
    assert is_accepted(best_p_value, size=250, seed=32)


def test_another_than_the_likeliest_best_is_found_out():
    def largest_draw(draws):
        return int(draws.max(axis=1).argmax())

    def wrong_leader(rng, size):
        return best_p_value(rng, size, choose=largest_draw)

    assert is_rejected_at_once(wrong_leader, size=250, seed=32)


def equality_p_value(rng, size, *, asked=0.4):
    """One pair of each world: are they within a factor of 1.4 as often as claimed?"""
    rule = ComparisonRule(Equivalence(0.4))
    claimed, came_true = [], []
    for _ in range(size):
        truth, draws = world(rng)
        claimed.append(compare_draws(draws[:2], rule).pairs.prob_equal[0])
        came_true.append(truth[:2].max() <= (1 + asked) * truth[:2].min())
    return p_value(claimed, came_true)


def test_pairs_are_practically_equal_as_often_as_claimed():
    assert is_accepted(equality_p_value, size=400, seed=33)


def test_another_region_than_that_of_the_claim_is_found_out():
    def wider(rng, size):
        return equality_p_value(rng, size, asked=0.8)

    assert is_rejected_at_once(wider, size=400, seed=33)


def losses_p_value(rng, size, *, part=1.0):
    """Does the choice of least loss cost as much, on average, as it says? By the t-test."""
    residuals = []
    for _ in range(size):
        truth, draws = world(rng)
        found = compare_draws(draws)
        leader = int(found.expected_loss.argmin())
        residuals.append(truth.max() - truth[leader] - part * found.expected_loss[leader])
    z = np.mean(residuals) / (np.std(residuals, ddof=1) / np.sqrt(size))
    return 2 * stats.t.sf(abs(z), size - 1)


def test_losses_are_what_they_are_expected_to_be():
    assert is_accepted(losses_p_value, size=400, seed=34)


def test_half_the_loss_is_found_out():
    def half(rng, size):
        return losses_p_value(rng, size, part=0.5)

    assert is_rejected_at_once(half, size=400, seed=34)


def test_conclusions_err_no_more_than_they_say():
    """Over all worlds: wrong orders beside their expected number, one pair of each world."""

    def of_order(rng, size):
        claimed, came_true = [], []
        while len(claimed) < size:
            truth, draws = world(rng)
            pairs = compare_draws(draws[:2], ComparisonRule(prob=0.8)).pairs
            if pairs.conclusion[0] in {Conclusion.GREATER, Conclusion.LESS}:
                claimed.append(pairs.expected_errors)
                said = pairs.conclusion[0] == Conclusion.GREATER
                came_true.append((truth[0] > truth[1]) != said)
        return p_value(claimed, came_true)

    assert is_accepted(of_order, size=300, seed=35)
