from __future__ import annotations

import numpy as np

from bayes_attrib.baselines.newton import MOST_STEPS, polish

SCALES = np.array([1.0, 100.0, 1e4])


def test_one_step_on_a_quadratic():
    found = polish(
        lambda x: (0.5 * SCALES @ x**2, SCALES * x),
        lambda _, v: SCALES * v,
        np.ones(3),
        tolerance=1e-9,
    )
    np.testing.assert_allclose(found.point, 0, atol=1e-6)
    assert found.steps == 1
    assert found.predicted_gain < 1e-9


def test_predicted_gain_is_the_distance_from_the_minimum():
    found = polish(
        lambda x: (0.5 * SCALES @ x**2, SCALES * x),
        lambda _, v: SCALES * v,
        np.ones(3),
        tolerance=1e9,
    )
    assert found.steps == 0
    assert abs(found.predicted_gain - 0.5 * SCALES.sum()) < 1e-6


def test_steps_that_overshoot_are_halved():
    """sqrt(1 + x^2) from far out: full Newton steps diverge."""
    found = polish(
        lambda x: (np.sqrt(1 + x @ x), x / np.sqrt(1 + x @ x)),
        lambda x, v: v / (1 + x @ x) ** 1.5,
        np.array([3.0]),
        tolerance=1e-12,
    )
    assert abs(found.point[0]) < 1e-5
    assert found.predicted_gain <= 1e-12


def test_a_saddle_is_no_minimum():
    signs = np.array([1.0, -1.0])
    found = polish(
        lambda x: (0.5 * signs @ x**2, signs * x),
        lambda _, v: signs * v,
        np.array([0.0, 1e-3]),
        tolerance=1e-3,
    )
    assert found.predicted_gain == np.inf


def test_it_gives_up_in_the_end():
    """exp(-x) falls for ever, by a factor e a step."""
    found = polish(
        lambda x: (np.exp(-x[0]), -np.exp(-x)),
        lambda x, v: np.exp(-x) * v,
        np.zeros(1),
        tolerance=1e-12,
    )
    assert found.steps == MOST_STEPS
    assert found.predicted_gain > 1e-12


def test_it_stays_where_no_length_of_step_helps():
    """A gradient that lies about the loss, as rounding can make one."""
    found = polish(
        lambda x: (np.sum(np.abs(x)) + 1, -np.ones(2)), lambda _, v: v, np.zeros(2), tolerance=1e-9
    )
    np.testing.assert_array_equal(found.point, [0, 0])
    assert found.predicted_gain == 1.0
