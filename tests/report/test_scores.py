from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_attrib.report.scores import (
    interval_coverage,
    is_covered,
    shares_of,
    total_variation,
)

amounts = st.lists(st.floats(0.0, 1e9), min_size=2, max_size=20).filter(lambda x: sum(x) > 1e-6)


def test_total_variation_by_hand() -> None:
    assert total_variation([0.5, 0.3, 0.2], [0.2, 0.3, 0.5]) == pytest.approx(0.3)
    assert total_variation([1.0, 0.0], [0.0, 1.0]) == 1.0


@given(amounts)
def test_total_variation_is_the_share_that_would_have_to_move(values: list[float]) -> None:
    a = shares_of(values)
    b = shares_of(values[::-1])
    distance = total_variation(a, b)
    moved = sum(max(0.0, x - y) for x, y in zip(a, b, strict=True))  # what a gives too much
    assert distance == pytest.approx(moved, abs=1e-12)
    assert -1e-12 <= distance <= 1 + 1e-12
    assert total_variation(b, a) == distance


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [([0.5, 0.5], [1.0], "shapes"), ([0.5, np.nan], [0.5, 0.5], "finite")],
)
def test_total_variation_refuses(a: list[float], b: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        total_variation(a, b)


@pytest.mark.parametrize("values", [[0.0, 0.0], [1.0, np.nan], []])
def test_shares_need_a_positive_sum(values: list[float]) -> None:
    with pytest.raises(ValueError, match="positive, finite sum"):
        shares_of(values)


def test_ends_of_an_interval_belong_to_it_and_nan_is_not_covered() -> None:
    lower, upper = [1.0, 1.0, 1.0, 1.0, np.nan], [2.0, 2.0, 2.0, 2.0, 2.0]
    truth = [1.0, 2.0, 2.1, np.nan, 1.5]
    assert is_covered(lower, upper, truth).tolist() == [True, True, False, False, False]
    assert interval_coverage(lower, upper, truth) == pytest.approx(2 / 5)


def test_coverage_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no interval"):
        interval_coverage([], [], [])
