from __future__ import annotations

import numpy as np

from bayes_attrib.baselines.conjugate_gradients import by_diagonal, conjugate_gradients


def test_it_solves_a_definite_system():
    root = np.random.default_rng(1).normal(size=(6, 6))
    matrix, right_side = root @ root.T + np.eye(6), np.arange(6.0)
    found, is_positive = conjugate_gradients(
        lambda v: matrix @ v, right_side, by_diagonal(matrix.diagonal()), tolerance=1e-12
    )
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right_side), rtol=1e-9)
    assert is_positive


def test_a_matrix_that_is_not_definite_is_said_and_known_progress_kept():
    found, is_positive = conjugate_gradients(
        lambda v: -v, np.array([1.0, 2.0]), np.copy, tolerance=1e-3
    )
    np.testing.assert_array_equal(found, [0, 0])
    assert not is_positive


def test_zeros_on_the_diagonal_stay_put():
    found, _ = conjugate_gradients(
        lambda v: np.array([2.0, 0.0]) * v,
        np.array([4.0, 1.0]),
        by_diagonal(np.array([2.0, 0.0])),
        1e-9,
    )
    np.testing.assert_allclose(found, [2.0, 0.0])
