"""The compiled multinomial has the law of NumPy's, for every size of total and probability.

Chi-square tests hold 200,000 draws against exact probabilities. Each fails a correct algorithm with
probability 1e-6, so the file does with less than 2e-5; seeds are fixed, so it always or never does.
"""

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.model.families import FAMILIES, Cells
from bayes_attrib.model.families.multinomial_kernel import LARGEST_MEAN, draw_multinomial

N_DRAWS = 200_000
ALARM = 1e-6

PAIRS = {
    "one": (1, 0.3),
    "rare": (50, 1e-9),
    "likely": (5, 0.9),
    "almost sure": (40, 1 - 1e-9),
    "even": (40, 0.5),
    "below the limit of inversion": (1000, 0.999 * LARGEST_MEAN / 1000),
    "above it": (1000, 1.001 * LARGEST_MEAN / 1000),
    "many and rare": (10**7, 2e-6),
    "large": (100_000, 0.7),
}


def draw(total, weights, n_draws, seed=1):
    wide = np.tile(np.asarray(weights, dtype=float)[:, np.newaxis], (1, n_draws))
    indptr = np.array([0, len(weights)])
    return draw_multinomial(np.array([float(total)]), indptr, wide, np.random.default_rng(seed))


def chi_square_p(found, law, n):
    """P-value of counts, cells of few expected draws put together."""
    low, high = (int(x) for x in law.ppf([1e-12, 1 - 1e-12]))
    edges = np.unique(law.ppf(np.linspace(0.02, 0.98, 49)))
    edges = np.concatenate([[low - 1], edges[(edges > low - 1) & (edges < high)], [np.inf]])
    expected = n * np.diff(law.cdf(edges))
    counts = np.diff([np.sum(found <= edge) for edge in edges])
    assert counts.sum() == n
    if len(counts) == 1:
        return 1.0
    statistic = np.sum((counts - expected) ** 2 / expected)
    return stats.chi2.sf(statistic, len(counts) - 1)


@pytest.mark.parametrize("pair", PAIRS)
def test_amounts_of_two_edges_are_binomial(pair):
    total, p = PAIRS[pair]
    first, second = draw(total, [p, 1.0 - p], N_DRAWS)
    np.testing.assert_array_equal(first + second, total)
    assert chi_square_p(first, stats.binom(total, p), N_DRAWS) > ALARM


def test_amounts_of_several_edges_are_multinomial():
    total, p = 4, np.array([0.5, 0.2, 0.25, 0.05])
    found = draw(total, 7.0 * p, N_DRAWS).T.astype(int)
    outcomes, counts = np.unique(found, axis=0, return_counts=True)
    every = np.array([o for o in np.ndindex(5, 5, 5, 5) if sum(o) == total])
    expected = N_DRAWS * stats.multinomial(total, p).pmf(every)
    seen = {tuple(o): c for o, c in zip(outcomes.tolist(), counts, strict=True)}
    counts = np.array([seen.get(tuple(o), 0) for o in every.tolist()])
    assert counts.sum() == N_DRAWS
    common = expected > 5
    parts = [np.append(x[common], x[~common].sum()) for x in (counts, expected)]
    statistic = np.sum((parts[0] - parts[1]) ** 2 / parts[1])
    assert stats.chi2.sf(statistic, common.sum()) > ALARM


def test_the_last_of_many_edges_has_its_share():
    """Errors of a chain of conditional draws would gather at its end."""
    weights = np.arange(1.0, 41.0)
    found = draw(300, weights, N_DRAWS)[-1]
    assert chi_square_p(found, stats.binom(300, weights[-1] / weights.sum()), N_DRAWS) > ALARM


def test_totals_are_met_by_every_draw_of_every_aggregate():
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 9, size=50)
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    totals = rng.integers(0, 10 ** rng.integers(0, 9, size=50)).astype(float)
    weights = rng.gamma(0.3, size=(indptr[-1], 60)) + 1e-300
    amounts = draw_multinomial(totals, indptr, weights, rng)
    assert (amounts >= 0).all()
    assert (amounts == np.rint(amounts)).all()
    sums = np.add.reduceat(amounts, indptr[:-1], axis=0)
    np.testing.assert_array_equal(sums, np.tile(totals[:, np.newaxis], (1, 60)))


def test_what_has_no_weight_gets_nothing():
    amounts = draw(25, [0.0, 1.0, 0.0, 2.0], 1000)
    assert (amounts[[0, 2]] == 0).all()


def test_blocks_of_aggregates_change_nothing():
    rng = np.random.default_rng(5)
    totals, weights = np.array([12.0, 0.0, 70.0]), rng.gamma(2.0, size=(9, 40))
    indptr = np.array([0, 4, 5, 9])
    whole = draw_multinomial(totals, indptr, weights, np.random.default_rng(1))
    parts = np.random.default_rng(1)
    first = draw_multinomial(totals[:2], indptr[:3], weights[:5], parts)
    last = draw_multinomial(totals[2:], indptr[2:] - 5, weights[5:], parts)
    np.testing.assert_array_equal(np.vstack([first, last]), whole)


def test_families_of_counts_use_it_for_many_cells():
    rng = np.random.default_rng(6)
    mu, totals, indptr = rng.gamma(2.0, size=(6, 30)), np.array([9.0, 40.0]), np.array([0, 2, 6])
    cells = Cells(totals, indptr, mu, of_many=True)
    found = FAMILIES["poisson", None].draw_amounts(cells, {}, np.random.default_rng(7))
    wanted = draw_multinomial(totals, indptr, cells.shares, np.random.default_rng(7))
    np.testing.assert_array_equal(found, wanted)
