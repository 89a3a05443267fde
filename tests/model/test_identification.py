"""Which entities the exposures cannot tell apart, on cases small enough to see."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.model.identification import indistinguishable_entities


def found(make_data, exposure):
    """Sets of column numbers."""
    exposure = np.asarray(exposure, dtype=float)
    totals = np.where(exposure.sum(axis=1) > 0, 5.0, 0.0)
    sets = indistinguishable_entities(make_data(exposure, totals))
    return [tuple(int(name.removeprefix("campaign ")) for name in names) for names in sets]


@pytest.mark.parametrize(
    ("exposure", "expected"),
    [
        ([[1, 1]], [(0, 1)]),
        ([[1, 2], [3, 6]], [(0, 1)]),
        ([[1, 2], [3, 5]], []),
        ([[1, 0], [0, 1]], []),
        ([[1, 1], [1, 0]], []),
        ([[1, 2, 3, 4], [1, 5, 3, 10]], [(0, 2), (1, 3)]),
        ([[0, 1, 2, 0], [4, 0, 0, 1], [0, 2, 4, 0]], [(0, 3), (1, 2)]),
        ([[1, 1, 2], [1, 1, 2], [1, 1, 0]], [(0, 1)]),
    ],
)
def test_proportional_exposures(make_data, exposure, expected):
    assert found(make_data, exposure) == expected


def test_proportionality_survives_rounding_and_scale(make_data):
    base = np.random.default_rng(1).lognormal(0.0, 2.0, size=12)
    columns = [base, base / 3.0, 1e9 * base, base * np.linspace(1.0, 1.001, 12), 1e-7 * base]
    assert found(make_data, np.stack(columns, axis=1)) == [(0, 1, 2, 4)]


def test_entities_without_exposure_are_no_set(make_data):
    assert found(make_data, [[1, 0, 0], [2, 0, 0]]) == []


def test_bricks_by_hand(make_data):
    """Two bricks of 100 and 60 units; H2 and H3 are visited alike in both."""
    assert found(make_data, [[2, 3, 3, 0], [0, 1, 1, 2]]) == [(1, 2)]
