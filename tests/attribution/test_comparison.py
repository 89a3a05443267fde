"""Comparisons against naive loops over draws, ties included, and laws that must hold for any."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bayes_attrib.attribution import intervals, ranking
from bayes_attrib.attribution.comparison import ComparisonRule, compare_draws
from bayes_attrib.attribution.pairwise import Conclusion, Equivalence
from bayes_attrib.attribution.ranking import holders_of_best
from bayes_attrib.spec import IntervalSpec

ETI80 = IntervalSpec(kind="eti", prob=0.8)


def continuous():
    rng = np.random.default_rng(3)
    return rng.lognormal(size=(7, 1)) * rng.lognormal(0.0, 0.4, size=(7, 90))


def tied():
    """Small counts: zeros, ties of two and more, and draws in which all are equal."""
    counts = np.random.default_rng(4).poisson(1.2, size=(7, 90)).astype(float)
    counts[:, :3] = 2.0
    return counts


DRAWS = {"continuous": continuous(), "tied": tied()}
each_kind = pytest.mark.parametrize("draws", DRAWS.values(), ids=DRAWS)


def naive_ranks(draws):
    """Probability of every rank: all orders of tied rows are equally likely, draw by draw."""
    n_rows, n_draws = draws.shape
    probability = np.zeros((n_rows, n_rows))
    for values in draws.T:
        for i, value in enumerate(values):
            above = sum(other > value for other in values)
            alike = sum(other == value for other in values)
            for rank in range(above, above + alike):
                probability[i, rank] += 1 / alike / n_draws
    return probability


@each_kind
def test_ranks_are_those_of_a_loop_over_draws(draws):
    ranks = compare_draws(draws, ComparisonRule(top_k=3)).ranking
    expected = naive_ranks(draws)
    np.testing.assert_allclose(ranks.probability, expected, atol=1e-12)
    np.testing.assert_allclose(ranks.prob_best, expected[:, 0], atol=1e-12)
    np.testing.assert_allclose(ranks.prob_top, expected[:, :3].sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(ranks.expected, expected @ np.arange(1, 8), atol=1e-12)


@each_kind
def test_intervals_of_ranks_are_those_of_mean_ranks(draws):
    ranks = compare_draws(draws, ComparisonRule(interval=ETI80)).ranking
    above = (draws[np.newaxis] > draws[:, np.newaxis]).sum(axis=1)
    alike = (draws[np.newaxis] == draws[:, np.newaxis]).sum(axis=1)
    middle = above + (1 + alike) / 2
    np.testing.assert_allclose(ranks.lower, np.quantile(middle, 0.1, axis=1), atol=1e-6)
    np.testing.assert_allclose(ranks.upper, np.quantile(middle, 0.9, axis=1), atol=1e-6)


def test_tied_leaders_share_the_first_place():
    ranks = compare_draws(np.array([[2.0], [2.0], [1.0]]), ComparisonRule(top_k=1)).ranking
    assert ranks.prob_best.tolist() == [0.5, 0.5, 0.0]
    assert ranks.prob_top.tolist() == [0.5, 0.5, 0.0]
    assert ranks.expected.tolist() == [1.5, 1.5, 3.0]


@each_kind
def test_pairs_are_those_of_a_loop_over_draws(draws):
    found = compare_draws(draws)
    n_draws = draws.shape[1]
    for i, j in itertools.product(range(7), repeat=2):
        wins = sum(
            1.0 if a > b else 0.5 if a == b else 0.0 for a, b in zip(*draws[[i, j]], strict=True)
        )
        assert found.prob_greater[i, j] == pytest.approx(wins / n_draws, abs=1e-12)
    pairs = found.pairs
    assert list(zip(pairs.first, pairs.second, strict=True)) == list(
        itertools.combinations(range(7), 2)
    )
    for p, (i, j) in enumerate(itertools.combinations(range(7), 2)):
        equal = sum(max(a, b) <= 1.1 * min(a, b) for a, b in zip(*draws[[i, j]], strict=True))
        assert pairs.prob_equal[p] == pytest.approx(equal / n_draws, abs=1e-12)
        assert pairs.difference_mean[p] == pytest.approx(draws[i].mean() - draws[j].mean())


def test_losses_are_those_of_a_loop_over_draws():
    for draws in DRAWS.values():
        losses = [[max(values) - value for value in values] for values in draws.T.tolist()]
        np.testing.assert_allclose(compare_draws(draws).expected_loss, np.mean(losses, axis=0))


def test_differences_and_ratios_have_the_intervals_of_the_house():
    draws = DRAWS["continuous"]
    for spec in (ETI80, IntervalSpec(kind="hdi", prob=0.94)):
        pairs = compare_draws(draws, ComparisonRule(interval=spec)).pairs
        first, second = draws[pairs.first], draws[pairs.second]
        lower, upper = intervals.interval_of(first - second, spec)
        np.testing.assert_allclose(pairs.difference_lower, lower)
        np.testing.assert_allclose(pairs.difference_upper, upper)
        lower, upper = intervals.interval_of(first / second, spec)
        np.testing.assert_allclose(pairs.ratio_lower, lower)
        np.testing.assert_allclose(pairs.ratio_upper, upper)
        np.testing.assert_allclose(pairs.ratio_median, np.median(first / second, axis=1))


def test_ratio_over_a_draw_of_zero_is_not_a_number():
    draws = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 1.0]])
    pairs = compare_draws(draws, ComparisonRule(interval=ETI80)).pairs
    assert np.isnan(pairs.ratio_median).tolist() == [True, False, False]
    assert np.isnan(pairs.ratio_upper).tolist() == [True, False, False]


def test_rows_that_are_opposed_in_the_joint_draws_are_told_apart_from_rows_that_are_not():
    """The marginals of both pairs are the same; only what belongs together differs."""
    values = np.linspace(1.0, 2.0, 101)
    together = compare_draws(np.vstack([values + 0.01, values]))
    opposed = compare_draws(np.vstack([values[::-1] + 0.01, values]))
    assert together.prob_greater[0, 1] == 1.0
    assert opposed.prob_greater[0, 1] == pytest.approx(0.5, abs=0.02)


def test_conclusions_follow_the_rule_in_its_order():
    n = 200
    base = np.full(n, 10.0)
    barely = base * 1.3
    barely[:10] = 5.0  # greater in exactly 95% of draws
    short = base * 1.3
    short[:11] = 5.0
    close = base * 1.05  # surely greater, and practically equal
    draws = np.vstack([base, barely, short, close])
    pairs = compare_draws(draws, ComparisonRule(prob=0.95)).pairs
    columns = (pairs.first.tolist(), pairs.second.tolist(), pairs.conclusion)
    found = {(i, j): conclusion for i, j, conclusion in zip(*columns, strict=True)}
    assert found[0, 1] == Conclusion.LESS
    assert found[0, 2] == Conclusion.OPEN
    assert found[0, 3] == Conclusion.EQUAL
    assert found[1, 3] == Conclusion.GREATER
    # 0 is less than 1 but for 10 of 200 draws, 1 greater than 3 but for the same 10.
    assert pairs.expected_errors == pytest.approx(10 / n + 10 / n)
    strict = compare_draws(draws, ComparisonRule(prob=0.96)).pairs
    assert [c for c in strict.conclusion if c in {"greater", "less"}] == []
    by_difference = ComparisonRule(Equivalence(0.4, "difference"))
    assert compare_draws(draws, by_difference).pairs.conclusion[2] == Conclusion.LESS


def test_practical_equality_does_not_depend_on_the_order():
    first, second = np.array([1.0, 1.1, 0.0, 0.0, 1.2]), np.array([1.1, 1.0, 0.0, 1.0, 1.0])
    region = Equivalence(0.1)
    assert region.holds(first, second).tolist() == [True, True, True, False, False]
    assert region.holds(second, first).tolist() == [True, True, True, False, False]


def test_fewest_rows_that_hold_the_best_are_found():
    probability = np.array([0.02, 0.6, 0.28, 0.1])
    assert holders_of_best(probability, 0.6).tolist() == [1]
    assert holders_of_best(probability, 0.95).tolist() == [1, 2, 3]
    assert holders_of_best(np.full(4, 0.25), 0.75).tolist() == [0, 1, 2]
    for size in range(1, 4):  # no smaller set would do
        largest = max(sum(some) for some in itertools.combinations(probability, size))
        wanted = len(holders_of_best(probability, 0.95))
        assert (largest >= 0.95) == (size >= wanted)


def test_many_rows_keep_pairs_of_the_largest_only_and_the_rest_as_before():
    draws = np.random.default_rng(5).lognormal(size=(40, 60))
    whole, cut = compare_draws(draws), compare_draws(draws, most_detailed=6)
    largest = np.sort(np.argsort(-draws.mean(axis=1))[:6])
    assert cut.detailed.tolist() == largest.tolist()
    assert len(cut.pairs.first) == 15
    np.testing.assert_array_equal(cut.prob_greater, whole.prob_greater[np.ix_(largest, largest)])
    np.testing.assert_array_equal(cut.ranking.probability, whole.ranking.probability[largest])
    np.testing.assert_array_equal(cut.ranking.prob_best, whole.ranking.prob_best)
    np.testing.assert_array_equal(cut.expected_loss, whole.expected_loss)


@each_kind
def test_blocks_change_nothing(draws, monkeypatch):
    whole = compare_draws(draws)
    monkeypatch.setattr(ranking, "BLOCK_ELEMENTS", 50)
    blocked = compare_draws(draws)
    np.testing.assert_allclose(blocked.ranking.probability, whole.ranking.probability, atol=1e-12)
    np.testing.assert_allclose(blocked.ranking.prob_top, whole.ranking.prob_top, atol=1e-12)
    np.testing.assert_array_equal(blocked.ranking.lower, whole.ranking.lower)


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(2, 6), st.integers(1, 9)),
        elements=st.integers(0, 4).map(float) | st.floats(0.0, 1e6),
    ),
    st.integers(1, 8),
)
def test_laws_of_any_comparison(draws, top_k):
    found = compare_draws(draws, ComparisonRule(top_k=top_k))
    n_rows = len(draws)
    matrix, ranks = found.prob_greater, found.ranking
    np.testing.assert_allclose(matrix + matrix.T, 1.0, atol=1e-12)
    np.testing.assert_allclose(ranks.probability.sum(axis=0), 1.0, atol=1e-12)
    np.testing.assert_allclose(ranks.probability.sum(axis=1), 1.0, atol=1e-12)
    assert ranks.probability.min() >= 0.0
    assert math.isclose(ranks.prob_best.sum(), 1.0, abs_tol=1e-12)
    assert math.isclose(ranks.prob_top.sum(), min(top_k, n_rows), abs_tol=1e-12)
    assert math.isclose(ranks.expected.sum(), n_rows * (n_rows + 1) / 2, abs_tol=1e-9)
    # A row's expected rank is one plus the expected number of rows above it.
    np.testing.assert_allclose(ranks.expected, 0.5 + (1 - matrix).sum(axis=1), atol=1e-9)
    assert found.expected_loss.min() >= -1e-9 * draws.max()
    assert ranks.prob_best[found.best_set].sum() >= found.rule.prob - 1e-9


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        (np.ones((1, 5)), r"needs two rows and a draw; got shape \(1, 5\)"),
        (np.ones((3, 0)), r"needs two rows and a draw; got shape \(3, 0\)"),
        (np.array([[1.0], [-1.0]]), "finite and not negative"),
        (np.array([[1.0], [np.nan]]), "finite and not negative"),
        (np.array([[1.0], [np.inf]]), "finite and not negative"),
    ],
)
def test_draws_that_cannot_be_compared_are_refused(draws, message):
    with pytest.raises(ValueError, match=message):
        compare_draws(draws)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ComparisonRule(prob=0.5), "prob lies between 0.5 and 1, both excluded; got 0.5"),
        (lambda: ComparisonRule(prob=1.0), "got 1.0"),
        (lambda: ComparisonRule(top_k=0), "top_k is at least 1; got 0"),
        (lambda: Equivalence(-0.1), "practical equivalence is 0 or more wide; got -0.1"),
        (lambda: Equivalence(math.nan), "0 or more wide; got nan"),
    ],
)
def test_rules_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
