"""The laws of amounts in slots: mass is kept in every draw, and moments are those of the theory."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from bayes_attrib.attribution import summarise
from bayes_attrib.attribution.downscaling import (
    Profiles,
    SplitLaw,
    round_slots,
    slot_draws,
    slot_summaries,
)
from bayes_attrib.attribution.downscaling.split import dirichlet, split_counts
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.spec import IntervalSpec

INTERVAL = IntervalSpec(kind="hdi", prob=0.94)
LAWS = {
    "known, money": SplitLaw(counts=False),
    "uncertain, money": SplitLaw(counts=False, concentration=7.0),
    "known, counts": SplitLaw(counts=True),
    "uncertain, counts": SplitLaw(counts=True, concentration=7.0),
}
FALSE_ALARM = 1e-6
"""Chance that a right law fails any one test of moments; each compares a handful of them."""


def make_profiles(weights, of_cell):
    weights = [np.asarray(row, dtype=float) for row in weights]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in weights])])
    slot = np.concatenate([np.arange(len(row)) for row in weights])
    return Profiles.of_weights(of_cell, indptr, slot, np.concatenate(weights))


def all_draws(amounts, profiles, law, **options):
    """Draws of all rows in one array, with their cells and entries."""
    blocks = list(slot_draws(DrawMatrix.of(amounts), profiles, law, **options))
    return tuple(
        np.concatenate([getattr(block, name) for block in blocks])
        for name in ("amounts", "cell", "entry")
    )


@st.composite
def cells_and_profiles(draw):
    weight = st.one_of(st.just(0.0), st.floats(1e-6, 1e6))
    profile = st.lists(weight, min_size=1, max_size=12).filter(lambda row: sum(row) > 0)
    weights = draw(st.lists(profile, min_size=1, max_size=4))
    of_cell = draw(st.lists(st.integers(-1, len(weights) - 1), min_size=1, max_size=6))
    scale = draw(st.sampled_from([0.0, 1.0, 40.0, 1e6]))
    seed = draw(st.integers(0, 2**32))
    return weights, of_cell, scale, seed


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("concentration", [None, 0.05, 30.0])
@given(case=cells_and_profiles(), most=st.sampled_from([6, 60, 2_000_000]))
@settings(max_examples=60, deadline=None)
def test_mass_is_kept_in_every_draw(counts, concentration, case, most):
    weights, of_cell, scale, seed = case
    rng = np.random.default_rng(seed)
    amounts = rng.gamma(1.0, 1.0, (len(of_cell), 9)) * scale
    amounts = np.rint(amounts) if counts else amounts
    profiles = make_profiles(weights, of_cell)
    if not len(profiles.cells):
        assert list(slot_draws(DrawMatrix.of(amounts), profiles, SplitLaw(counts))) == []
        return
    law = SplitLaw(counts, concentration, seed)
    drawn, cell, entry = all_draws(amounts, profiles, law, most_elements=most)
    assert len(drawn) == profiles.n_rows
    assert (drawn >= 0).all()
    assert (drawn[profiles.share[entry] == 0] == 0).all()
    sums = np.zeros_like(amounts)
    np.add.at(sums, cell, drawn)
    chosen = profiles.cells
    if counts:
        assert np.array_equal(drawn, np.rint(drawn))
        assert np.array_equal(sums[chosen], amounts[chosen])
    else:
        np.testing.assert_allclose(sums[chosen], amounts[chosen], rtol=1e-12, atol=0)


def require_moments(drawn, mean, variance):
    """Hold means and variances of independent draws, rows by draws, against theory.

    The bounds are normal quantiles at the false-alarm rate, shared between all comparisons, times
    Monte-Carlo standard errors; that of a variance comes from the draws' own fourth moments.
    """
    n = drawn.shape[1]
    bound = norm.isf(FALSE_ALARM / (4 * len(drawn)))
    z_mean = (drawn.mean(axis=1) - mean) / np.sqrt(variance / n)
    squares = (drawn - mean[:, np.newaxis]) ** 2
    z_variance = (squares.mean(axis=1) - variance) / (squares.std(axis=1) / math.sqrt(n))
    assert np.abs(z_mean).max() < bound
    assert np.abs(z_variance).max() < bound


def variance_in_slots(amount, share, law):
    """Variance in each slot, given the amount of the cell."""
    spread = share * (1 - share)
    c = law.concentration
    if law.counts:
        return amount * spread * (1.0 if c is None else (c + amount) / (c + 1))
    return amount**2 * spread * (0.0 if c is None else 1 / (c + 1))


@pytest.mark.parametrize("name", ["uncertain, money", "known, counts", "uncertain, counts"])
@pytest.mark.parametrize("amount", [1.0, 3.0, 250.0])
@pytest.mark.parametrize("most", [2_000_000, 120_000])
def test_moments_of_a_cell_with_a_fixed_amount(name, amount, most):
    law, n = LAWS[name], 40_000
    share = np.array([0.4, 0.3, 0.15, 0.1, 0.04, 0.01])
    profiles = make_profiles([share], [0])
    amounts = np.full((1, n), amount)
    drawn, _, _ = all_draws(amounts, profiles, law, most_elements=most)  # in one stage, and in two
    require_moments(drawn, amount * share, variance_in_slots(amount, share, law))


@pytest.mark.parametrize("name", ["uncertain, money", "uncertain, counts"])
def test_moments_of_a_cell_whose_amount_varies(name):
    """The variance is E[var given the amount] + var(amount) share**2."""
    law, n = LAWS[name], 60_000
    rng = np.random.default_rng(4)
    amount = rng.negative_binomial(5, 0.1, size=n).astype(float)
    mean, second = 45.0, 45.0**2 + 450.0
    share = np.array([0.5, 0.3, 0.2])
    drawn, _, _ = all_draws(amount[np.newaxis], make_profiles([share], [0]), law)
    c, spread = 7.0, share * (1 - share)
    within = spread * second / (c + 1)
    if law.counts:
        within = spread * (c * mean + second) / (c + 1)
    require_moments(drawn, mean * share, within + 450.0 * share**2)


def test_a_wrong_concentration_would_be_found():
    law = LAWS["uncertain, counts"]
    share = np.array([0.5, 0.3, 0.2])
    drawn, _, _ = all_draws(np.full((1, 40_000), 50.0), make_profiles([share], [0]), law)
    wrong = SplitLaw(counts=True, concentration=8.0)
    with pytest.raises(AssertionError):
        require_moments(drawn, 50.0 * share, variance_in_slots(50.0, share, wrong))


@pytest.mark.parametrize("amount", [4.0, 40.0])  # placed one by one, and by binomials
@pytest.mark.parametrize("columns", ["one law", "a law per draw"])
def test_counts_have_the_multinomial_law(amount, columns):
    """Pearson's statistic over the slots of pooled items, with the false-alarm rate above."""
    n, share = 5_000, np.array([0.05, 0.1, 0.15, 0.2, 0.3] + [0.02] * 10)
    shares = share[:, np.newaxis] if columns == "one law" else np.tile(share[:, np.newaxis], n)
    drawn = split_counts(np.full(n, amount), shares, np.random.default_rng(6))
    expected = amount * n * share
    statistic = ((drawn.sum(axis=1) - expected) ** 2 / expected).sum()
    assert statistic < chi2.isf(FALSE_ALARM, len(share) - 1)
    assert np.array_equal(drawn.sum(axis=0), np.full(n, amount))


@pytest.mark.parametrize("concentration", [1e-6, 1e-3, 0.3])
def test_very_uncertain_profiles_put_all_into_one_slot(concentration):
    share, n = np.array([0.5, 0.3, 0.2]), 4_000
    drawn = dirichlet(concentration * share, n, np.random.default_rng(3))
    assert np.isfinite(drawn).all()
    np.testing.assert_allclose(drawn.sum(axis=0), 1.0, rtol=1e-12)
    bound = norm.isf(FALSE_ALARM / 6)
    se = np.sqrt(share * (1 - share) / (concentration + 1) / n)
    assert (np.abs(drawn.mean(axis=1) - share) < bound * se).all()


def test_cells_with_one_profile_share_its_draws():
    law = SplitLaw(counts=False, concentration=5.0)
    profiles = make_profiles([[1, 2, 3], [1, 2, 3]], [0, 1, 0])
    drawn, cell, _ = all_draws(np.ones((3, 50)), profiles, law)
    assert np.array_equal(drawn[cell == 0], drawn[cell == 2])
    assert not np.array_equal(drawn[cell == 0], drawn[cell == 1])


@pytest.mark.parametrize("name", LAWS)
def test_draws_depend_neither_on_blocks_nor_on_other_cells(name):
    rng = np.random.default_rng(1)
    amounts = np.rint(rng.gamma(2.0, 20.0, (5, 30)))
    profiles = make_profiles([[1, 2, 3, 0], [4, 1, 1, 1]], [0, 1, 0, 1, 1])
    alone = make_profiles([[1, 2, 3, 0], [4, 1, 1, 1]], [-1, -1, -1, 1, -1])
    whole, cell, _ = all_draws(amounts, profiles, LAWS[name])
    small, _, _ = all_draws(amounts, profiles, LAWS[name], most_elements=4 * 30)
    one, _, _ = all_draws(amounts, alone, LAWS[name])
    assert np.array_equal(whole, small)
    assert np.array_equal(whole[cell == 3], one)


@pytest.mark.parametrize("kind", ["hdi", "eti"])
@pytest.mark.parametrize("name", LAWS)
def test_summaries_are_those_of_the_draws(name, kind):
    rng = np.random.default_rng(2)
    amounts = np.rint(rng.gamma(2.0, 50.0, (4, 200)))
    profiles = make_profiles([[1, 2, 3, 0], [4, 1, 1]], [0, 1, -1, 0])
    interval = IntervalSpec(kind=kind, prob=0.9)
    drawn, cell, entry = all_draws(amounts, profiles, LAWS[name])
    expected = summarise(drawn, interval)
    [found] = slot_summaries(DrawMatrix.of(amounts), profiles, LAWS[name], interval)
    assert np.array_equal(found.cell, cell)
    assert np.array_equal(found.entry, entry)
    for end in ("mean", "sd", "lower", "upper"):
        np.testing.assert_allclose(
            getattr(found.summary, end), getattr(expected, end), rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("largest", [30_000.0, 40_000.0, 3e9])
def test_counts_of_any_size_are_summarised(largest):
    amounts = np.linspace(0.0, largest, 101).round()[np.newaxis]
    law = SplitLaw(counts=True)
    profiles = make_profiles([[1.0]], [0])
    [found] = slot_summaries(DrawMatrix.of(amounts), profiles, law, INTERVAL)
    expected = summarise(amounts, INTERVAL)
    assert found.summary.lower == expected.lower
    assert found.summary.upper == expected.upper


def test_a_single_draw_has_no_sd():
    law = SplitLaw(counts=True)
    [found] = slot_summaries(
        DrawMatrix.of(np.array([[3.0]])), make_profiles([[1, 1]], [0]), law, INTERVAL
    )
    assert np.isnan(found.summary.sd).all()
    assert found.summary.mean.sum() == 3.0


@given(case=cells_and_profiles(), decimals=st.sampled_from([0, 2]))
@settings(max_examples=150, deadline=None)
def test_rounded_slots_add_up_to_rounded_cells(case, decimals):
    """Whatever was added to or taken off a cell in rounding, at most a unit."""
    weights, of_cell, scale, seed = case
    rng = np.random.default_rng(seed)
    profiles = make_profiles(weights, of_cell)
    amounts = rng.gamma(1.0, 1.0, len(of_cell)) * scale
    exact = amounts * 10.0**decimals
    units = (np.floor(exact) + (rng.random(len(exact)) < 0.5)).astype(np.int64)
    cells = profiles.cells
    cell = np.repeat(cells, profiles.sizes)
    entry = np.concatenate(
        [np.arange(profiles.n_rows)[:0]]
        + [np.arange(*profiles.indptr[[p, p + 1]]) for p in profiles.of_cell[cells]]
    ).astype(int)
    share = profiles.share[entry]
    means = amounts[cell] * share
    rounded = round_slots(means, cell, profiles.slot[entry], units, share=share)
    sums = np.zeros(len(units), dtype=np.int64)
    np.add.at(sums, cell, rounded)
    assert np.array_equal(sums[cells], units[cells])
    assert (rounded >= 0).all()
    scaled = units[cell] * share
    assert (np.abs(rounded - scaled) <= 1.0 + 1e-6 * scaled).all()


@pytest.mark.parametrize("weights", [[[0.0, 0.0]], [[1.0, -1.0]], [[1.0, math.nan]], [[]]])
def test_weights_that_are_no_profile_are_refused(weights):
    with pytest.raises(ValueError, match="profile"):
        make_profiles(weights, [0])


def test_shares_survive_extreme_weights():
    profiles = make_profiles([[1e308, 1e308, 1e308], [5e-324, 0.0, 5e-324]], [0, 1])
    np.testing.assert_allclose(profiles.share, [1 / 3] * 3 + [0.5, 0.0, 0.5])
