"""Rounded cells add up to the unit, whatever the amounts, and the last bits decide nothing."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.attribution.rounding import LARGEST_TOTAL, round_cells, to_minor_units
from bayes_attrib.errors import RoundingError

N_RUNS = 1000
"""Random runs per property; they are the same on every machine (derandomised)."""

WEIGHTS = st.one_of(
    st.just(0),
    st.integers(1, 9),
    st.integers(1, 10**9),
    st.sampled_from([1, 1, 1, 10**12]),  # equal shares, and the tiny beside the huge
)
TOTALS = st.one_of(st.just(0), st.integers(1, 30), st.integers(1, 10**11))


@st.composite
def runs(draw):
    """Exact amounts in minor units as fractions, by aggregate, with their whole totals."""
    exact, totals, aggregate = [], [], []
    for b in range(draw(st.integers(1, 5))):
        weights = draw(st.lists(WEIGHTS, min_size=1, max_size=12))
        total = draw(TOTALS) if any(weights) else 0
        whole = sum(weights) or 1
        exact += [Fraction(total * weight, whole) for weight in weights]
        totals.append(total)
        aggregate += [b] * len(weights)
    return exact, np.array(totals), np.array(aggregate), draw(st.integers(0, 3))


def amounts_of(exact, decimals):
    return np.array([float(amount / 10**decimals) for amount in exact])


def by_fractions(exact, totals, aggregate):
    """Largest remainders in exact arithmetic; ties by amount, then by place."""
    rounded = [int(amount) for amount in exact]
    for b, total in enumerate(totals.tolist()):
        cells = np.flatnonzero(aggregate == b).tolist()
        left = total - sum(rounded[i] for i in cells)
        cells.sort(key=lambda i: (rounded[i] - exact[i], -exact[i], i))
        for i in cells[:left]:
            rounded[i] += 1
    return rounded


@settings(max_examples=N_RUNS, derandomize=True, deadline=None)
@given(runs())
def test_cells_add_up_are_not_negative_and_move_by_less_than_a_unit(run):
    exact, totals, aggregate, decimals = run
    rounded = round_cells(
        amounts_of(exact, decimals), totals, aggregate, np.arange(len(exact)), decimals
    )
    sums = np.zeros_like(totals)
    np.add.at(sums, aggregate, rounded)
    assert sums.tolist() == totals.tolist()
    assert rounded.dtype == np.int64
    assert rounded.min() >= 0
    for unit, amount in zip(rounded.tolist(), exact, strict=True):
        # Doubles hold totals of up to 1e11 units to 1e-4 of a unit, and the grid to 1e-3 * 1/2.
        assert abs(unit - amount) < Fraction(1001, 1000)


@settings(max_examples=N_RUNS, derandomize=True, deadline=None)
@given(runs(), st.randoms(use_true_random=False))
def test_order_of_cells_decides_nothing(run, random):
    exact, totals, aggregate, decimals = run
    amounts, key = amounts_of(exact, decimals), np.arange(len(exact))
    shuffled = key.copy()
    random.shuffle(shuffled)
    rounded = round_cells(amounts, totals, aggregate, key, decimals)
    again = round_cells(amounts[shuffled], totals, aggregate[shuffled], shuffled, decimals)
    assert again.tolist() == rounded[shuffled].tolist()


@settings(max_examples=N_RUNS, derandomize=True, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12),
    st.sampled_from([1, 7, 8]),
    st.integers(0, 10**6),
    st.integers(0, 2**32 - 1),
)
def test_noise_of_floating_point_decides_nothing(numerators, parts, large, seed):
    """Equal remainders, as equal shares make them, stay equal under the last bits of amounts."""
    exact = [Fraction(n, parts) for n in [*numerators, large * parts]]
    total = round(sum(exact))
    noise = 1.0 + 1e-12 * np.random.default_rng(seed).uniform(-1, 1, len(exact))
    where, key, totals = np.zeros(len(exact), int), np.arange(len(exact)), [total]
    amounts = np.array([float(amount) / 100 for amount in exact])
    rounded = round_cells(amounts, totals, where, key, 2)
    assert round_cells(amounts * noise, totals, where, key, 2).tolist() == rounded.tolist()
    assert rounded.tolist() == by_fractions(exact, np.array(totals), where)


@settings(max_examples=N_RUNS, derandomize=True, deadline=None)
@given(st.floats(-1e9, 1e9), st.integers(0, 3))
def test_totals_are_rounded_half_to_even_as_written(value, decimals):
    step = Decimal(10) ** -decimals
    written = Decimal(repr(value)).quantize(step, rounding=ROUND_HALF_EVEN)
    assert to_minor_units([value], decimals).tolist() == [int(written * 10**decimals)]


@pytest.mark.parametrize(
    ("value", "decimals", "units"),
    [
        (2.675, 2, 268),  # its double is 2.67499999999999982236431605997495353221893310546875
        (2.665, 2, 266),
        (0.125, 2, 12),
        (1e10, 2, 10**12),
        (-3.505, 2, -350),
        (0.5, 0, 0),
        (1.5, 0, 2),
    ],
)
def test_ties_of_totals(value, decimals, units):
    assert to_minor_units([value], decimals).tolist() == [units]


def test_worked_example_of_the_documents():
    """10.00 over three equal cells and one of half their size: 2.857 three times, and 1.429."""
    amounts = np.array([2.0, 2.0, 2.0, 1.0]) / 7.0 * 10.0
    rounded = round_cells(amounts, [1000], [0, 0, 0, 0], [3, 1, 2, 0], 2)
    assert rounded.tolist() == [285, 286, 286, 143]
    assert sum(round(100 * amount) for amount in amounts) == 1001


def test_ties_go_to_the_larger_amount_then_to_the_smaller_key():
    assert round_cells([0.5, 1.5, 1.0], [3], [0, 0, 0], [0, 1, 2], 0).tolist() == [0, 2, 1]
    assert round_cells([0.5, 0.5], [1], [0, 0], [1, 0], 0).tolist() == [0, 1]


@pytest.mark.parametrize("total", [0.004, 10.005, 10.015, 123456.789, 1e9 + 0.005])
@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.5], [0.999, 0.001], [1 / 3] * 3, [1.0, 0.0]])
def test_totals_that_are_no_whole_cents(total, shares):
    units = to_minor_units([total], 2)
    amounts = np.array(shares) * total
    n = len(shares)
    rounded = round_cells(amounts, units, [0] * n, range(n), 2)
    assert rounded.sum() == units[0]
    assert np.all(np.abs(rounded - 100 * amounts) < 1 + 1e-3)


def test_empty_aggregates_and_no_cells():
    assert round_cells([1.0], [0, 1, 0], [1], [0], 0).tolist() == [1]
    assert round_cells([], [0, 0], [], [], 2).tolist() == []
    assert to_minor_units([], 2).tolist() == []


def test_largest_totals_are_exact():
    n = 1000
    amounts = np.full(n, LARGEST_TOTAL / 100 / n)
    rounded = round_cells(amounts, [LARGEST_TOTAL], np.zeros(n, int), np.arange(n), 2)
    assert rounded.tolist() == [LARGEST_TOTAL // n] * n


def test_a_million_cells():
    rng = np.random.default_rng(1)
    aggregate = np.sort(rng.integers(0, 50_000, 1_000_000))
    weight = rng.lognormal(size=len(aggregate))
    totals = to_minor_units(rng.lognormal(6, 2, 50_000), 2)
    totals[np.bincount(aggregate, minlength=50_000) == 0] = 0
    exact = weight / np.bincount(aggregate, weight)[aggregate] * totals[aggregate] / 100
    rounded = round_cells(exact, totals, aggregate, np.arange(len(aggregate)), 2)
    sums = np.zeros_like(totals)
    np.add.at(sums, aggregate, rounded)
    assert np.array_equal(sums, totals)
    assert np.abs(rounded - 100 * exact).max() < 1.0


@pytest.mark.parametrize(
    ("amounts", "totals", "message"),
    [
        ([1.0, -0.5], [0], r"cell 1 has the amount -0\.5 in minor units"),
        ([1.0, np.nan], [1], r"cell 1 has the amount nan in minor units"),
        ([1.0, 2.0], [4], r"cells of aggregate 0 add up to 3 minor units, and its total is 4"),
    ],
)
def test_what_cannot_be_rounded_is_an_error(amounts, totals, message):
    with pytest.raises(RoundingError, match=message):
        round_cells(amounts, totals, [0, 0], [0, 1], 0)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e12])
def test_totals_that_cannot_be_held_are_errors(value):
    with pytest.raises(RoundingError, match=r"cannot be rounded to 2 decimals"):
        to_minor_units([1.0, value], 2)
