from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_attrib.report import numbers
from bayes_attrib.report.numbers import AmountFormat, round_to_sum


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (1234567.891, 2, "1,234,567.89"),
        (-0.0004, 2, "0.00"),
        (-1.5, 1, "−1.5"),
        (0.0, 0, "0"),
        (math.nan, 1, "–"),
        (math.inf, 1, "–"),
    ],
)
def test_fixed(value: float, decimals: int, text: str) -> None:
    assert numbers.fixed(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.012345, "0.0123"),
        (12.345, "12.3"),
        (123456.7, "123,457"),
        (2.3e-13, "2.30E−13"),
        (-0.5, "−0.500"),
        (400.0, "400"),
        (math.nan, "–"),
    ],
)
def test_significant(value: float, text: str) -> None:
    assert numbers.significant(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.01, "1.01"), (0.01, "0.01"), (1.00341, "1.003"), (12345.6, "12,346"), (math.nan, "–")],
)
def test_shortest(value: float, text: str) -> None:
    assert numbers.shortest(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (950, "950"), (9500, "9,500"), (12500, "12.5k"), (2e6, "2M"), (1.5e9, "1.5B")],
)
def test_compact(value: float, text: str) -> None:
    assert numbers.compact(value) == text


@given(
    st.lists(st.floats(0.0, 1e7), min_size=1, max_size=60),
    st.integers(0, 2),
)
def test_rounded_columns_add_up_and_move_nothing_by_a_unit(
    values: list[float], decimals: int
) -> None:
    rounded = round_to_sum(values, decimals)
    unit = 10.0**-decimals
    assert round(rounded.sum() / unit) == round(math.fsum(values) / unit)
    assert np.all(np.abs(rounded - values) < unit * (1 + 1e-6))


def test_naive_rounding_would_not_add_up_where_this_does() -> None:
    thirds = [100 / 3] * 3
    assert sum(round(x) for x in thirds) == 99
    assert round_to_sum(thirds, 0).tolist() == [34.0, 33.0, 33.0]


def test_missing_amounts_take_no_part() -> None:
    rounded = round_to_sum([0.5, math.nan, 0.5], 0)
    assert np.isnan(rounded[1])
    assert np.nansum(rounded) == 1.0
    assert numbers.fixed_column([0.5, math.nan, 0.5], 0) == ["1", "–", "0"]


@pytest.mark.parametrize(
    ("amounts", "counts", "currency", "mean", "bound"),
    [
        ([100.0, 300.0], True, False, 0, 0),
        ([0.4, 2.3], True, False, 1, 0),
        ([12.5, 20.0], False, True, 2, 2),
        ([50_000.0, 2_000.0], False, True, 0, 0),
        ([0.02, 0.03], False, False, 4, 4),
        ([np.nan, np.nan], False, False, 2, 2),
    ],
)
def test_decimals_follow_the_size_of_amounts(
    amounts: list[float], counts: bool, currency: bool, mean: int, bound: int
) -> None:
    unit = "EUR" if currency else "units"
    chosen = AmountFormat.choose(np.array(amounts), counts=counts, unit=unit, currency=currency)
    assert (chosen.mean_decimals, chosen.bound_decimals) == (mean, bound)


def test_a_currency_stands_where_the_language_puts_it() -> None:
    money = AmountFormat(0, 0, "EUR", currency=True, share_decimals=1)
    units = AmountFormat(0, 0, "boxes", currency=False, share_decimals=1)
    assert money.with_unit(1234.4) == money.with_currency(1234.4) == "€1,234"
    assert units.with_unit(1234.4) == "1,234 boxes"
    assert units.with_currency(1234.4) == "1,234"


def test_plural() -> None:
    assert numbers.plural(1, "entity", "entities") == "1 entity"
    assert numbers.plural(1200, "entity", "entities") == "1,200 entities"
    assert numbers.plural(0, "week") == "0 weeks"
