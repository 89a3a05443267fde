"""The Hill curve against its textbook formula."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.exposure import hill


def test_equals_the_ratio_of_powers():
    delivery = np.array([0.0, 1e-6, 0.2, 0.35, 1.0, 40.0])
    for half, slope in ((0.35, 1.2), (0.25, 1.4), (3.0, 0.5)):
        wanted = [x**slope / (x**slope + half**slope) for x in delivery.tolist()]
        np.testing.assert_allclose(hill(delivery, half, slope), wanted, rtol=1e-12)


def test_half_saturation_gives_one_half_and_nothing_gives_nothing():
    assert hill([0.0, 0.35], 0.35, 1.2).tolist() == [0.0, 0.5]


def test_extreme_values_neither_overflow_nor_vanish():
    got = hill([1e300, 1e-300], 1.0, 3.0)
    assert got[0] == 1.0
    assert hill(1e-100, 1.0, 3.0) == pytest.approx(1e-300, rel=1e-12)


def test_parameters_broadcast():
    delivery = np.full((2, 3), 2.0)
    got = hill(delivery, np.array([[2.0], [1.0]]), 1.0)
    np.testing.assert_allclose(got, [[0.5] * 3, [2 / 3] * 3], rtol=1e-15)


@pytest.mark.parametrize(("half", "slope", "name"), [(0, 1, "half_saturation"), (1, -2, "slope")])
def test_parameters_must_be_positive(half, slope, name):
    with pytest.raises(ValueError, match=f"{name} must be positive"):
        hill([1.0], half, slope)


def test_negative_delivery_is_refused():
    with pytest.raises(ValueError, match=r"got -0\.5 at position \(1,\)"):
        hill([1.0, -0.5], 1.0, 1.0)
