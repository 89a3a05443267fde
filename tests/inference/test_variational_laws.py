"""Normal laws and their ascent on targets whose best law is known exactly; nothing is compiled."""

import numpy as np
import pytest

from bayes_attrib.errors import FitError
from bayes_attrib.inference.variational.ascent import (
    BATCH,
    WINDOW,
    Ascent,
    ascend,
    rise_in_standard_errors,
)
from bayes_attrib.inference.variational.normal_laws import FullRank, MeanField

MEAN = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[1.0, 0.5, 0.0], [0.5, 0.5, 0.05], [0.0, 0.05, 0.04]])
LOG_MASS = 3.25


class Normal:
    """A normal density times exp(LOG_MASS), so that the bound has a known maximum."""

    start = np.zeros(3)
    n_elements = 3

    def __init__(self):
        self.precision = np.linalg.inv(COVARIANCE)
        self.constant = LOG_MASS - 0.5 * np.linalg.slogdet(2 * np.pi * COVARIANCE)[1]

    def __call__(self, point):
        gap = self.precision @ (point - MEAN)
        return self.constant - 0.5 * float((point - MEAN) @ gap), -gap


class Broken(Normal):
    """Has no density beyond a wall."""

    def __call__(self, point):
        value, slope = super().__call__(point)
        return (np.nan if point[0] > 0.3 else value), slope


class Moving(Normal):
    """Lies elsewhere, and lower, after so many evaluations, but returns for the settling."""

    def __init__(self, n_before):
        super().__init__()
        self.n_left = n_before

    def __call__(self, point):
        self.n_left -= 1
        is_away = -WINDOW * BATCH <= self.n_left < 0
        value, slope = super().__call__(point - 5 * is_away)
        return value - 100 * is_away, slope


def climbed(target, law, most_steps=20_000, least_steps=1_000, seed=1):
    told = []
    rngs = (np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1]))
    ascent = ascend(
        target,
        law,
        pace=0.01,
        most_steps=most_steps,
        least_steps=least_steps,
        rngs=rngs,
        tell=told.append,
    )
    assert sum(told) == BATCH * len(ascent.bounds)
    return ascent


def full_rank():
    law = FullRank(MeanField(Normal.start, 0.3))
    law.parameters[2] += np.tril(np.arange(9.0).reshape(3, 3), -1) / 10
    return law


@pytest.mark.parametrize("law", [MeanField(Normal.start, 0.3), full_rank()], ids=["mean", "full"])
def test_gradient_is_that_of_the_path(law):
    target, eps = Normal(), np.array([0.3, -1.2, 0.7])
    fixed = law.with_parameters([values.copy() for values in law.parameters])
    _, log_sd, *rest = fixed.parameters
    scale = np.exp(log_sd)[:, np.newaxis] * (np.eye(3) + (rest[0] if rest else 0.0))

    def along_path():
        point = law.draw(eps)
        standard = np.linalg.solve(scale, point - fixed.parameters[0])
        return target(point)[0] - fixed.log_density(standard)

    gradients = law.gradient(eps, target(law.draw(eps))[1])
    for part, (values, gradient) in enumerate(zip(law.parameters, gradients, strict=True)):
        numeric = np.zeros_like(values)
        free = np.tril(np.ones((3, 3), bool), -1) if part == 2 else np.ones(3, bool)
        for at in zip(*np.nonzero(free), strict=True):
            sides = []
            for step in (1e-6, -1e-6):
                values[at] += step
                sides.append(along_path())
                values[at] -= step
            numeric[at] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("law", [MeanField(MEAN, 0.3), full_rank()], ids=["mean", "full"])
def test_log_density_is_that_of_the_draw(law):
    rng = np.random.default_rng(5)
    eps = rng.standard_normal(3)
    columns = np.column_stack([law.draw(unit) for unit in np.eye(3)])
    scale = columns - law.draw(np.zeros(3))[:, np.newaxis]
    gap = np.linalg.solve(scale, law.draw(eps) - law.parameters[0])
    expected = -0.5 * gap @ gap - np.linalg.slogdet(scale)[1] - 1.5 * np.log(2 * np.pi)
    assert law.log_density(eps) == pytest.approx(expected)


def test_independent_elements_arrive_at_the_best_law():
    """The best independent law of a normal one has its mean and the inverse of its precisions."""
    ascent = climbed(Normal(), MeanField(Normal.start, 0.1), least_steps=10_000)
    mean, log_sd = ascent.law.parameters
    best = 1 / np.sqrt(np.diag(np.linalg.inv(COVARIANCE)))
    np.testing.assert_allclose((mean - MEAN) / best, 0, atol=0.1)
    np.testing.assert_allclose(np.exp(log_sd) / best, 1, atol=0.1)
    assert ascent.rise <= 2
    gap = 0.5 * (
        np.log(np.diag(np.linalg.inv(COVARIANCE))).sum() + np.linalg.slogdet(COVARIANCE)[1]
    )
    assert ascent.best[0] == pytest.approx(LOG_MASS - gap, abs=0.15)


def test_correlated_elements_arrive_at_the_truth_and_the_bound_at_the_evidence():
    near = climbed(Normal(), MeanField(Normal.start, 0.1)).law
    law = climbed(Normal(), FullRank(near), seed=2).law
    points = np.column_stack([law.draw(unit) for unit in np.eye(3)]) - law.parameters[0][:, None]
    deviation = np.sqrt(np.diag(COVARIANCE))
    np.testing.assert_allclose((law.parameters[0] - MEAN) / deviation, 0, atol=0.05)
    found = points @ points.T / np.outer(deviation, deviation)
    np.testing.assert_allclose(found, COVARIANCE / np.outer(deviation, deviation), atol=0.05)
    target, rng = Normal(), np.random.default_rng(3)
    weights = [target(law.draw(e))[0] - law.log_density(e) for e in rng.standard_normal((50, 3))]
    assert np.mean(weights) == pytest.approx(LOG_MASS, abs=0.02)
    assert np.std(weights) < 0.05


def test_standardised_slopes_tell_how_far_the_mean_is_off():
    best = 1 / np.sqrt(np.diag(np.linalg.inv(COVARIANCE)))
    law = MeanField(MEAN - [best[0], 0, 0], 1.0)
    law.parameters[1][:] = np.log(best)
    target, rng = Normal(), np.random.default_rng(4)
    eps = rng.standard_normal((4000, 3))
    shifts = np.array([law.standardised(e, target(law.draw(e))[1]) for e in eps])
    errors = shifts.std(axis=0) / np.sqrt(len(eps))
    assert abs(shifts.mean(axis=0)[0] - 1) < 5 * errors[0]


def test_a_climb_that_runs_out_of_steps_says_that_the_bound_still_rose():
    ascent = climbed(Normal(), MeanField(MEAN + 30, 0.1), most_steps=2 * WINDOW * BATCH)
    assert ascent.n_search == 2 * WINDOW
    assert ascent.rise > 2
    assert climbed(Normal(), MeanField(MEAN, 0.1), most_steps=BATCH).rise == np.inf


def test_settling_starts_where_the_bound_was_highest():
    """After a thousand steps all points are made far worse; settling does not start from there."""
    ascent = climbed(Moving(2 * WINDOW * BATCH), MeanField(MEAN, 0.1), least_steps=BATCH)
    assert ascent.n_search == 3 * WINDOW
    assert np.abs(ascent.law.parameters[0] - MEAN).max() < 0.5


def test_no_density_stops_the_ascent_with_a_remedy():
    with pytest.raises(FitError, match=r"bound of ADVI is nan at step .*lower the learning rate"):
        climbed(Broken(), MeanField(Normal.start, 0.1))


def test_rise_counts_standard_errors():
    rng = np.random.default_rng(0)
    level = rng.normal(size=2 * WINDOW)
    rising = level + np.repeat([0.0, 50.0], WINDOW)
    assert abs(rise_in_standard_errors(level)) < 4
    assert rise_in_standard_errors(rising) > 50
    assert rise_in_standard_errors(rising[:-1]) == np.inf
    assert rise_in_standard_errors(np.repeat([0.0, 1.0], WINDOW)) == np.inf


def test_best_window():
    bounds = np.concatenate([np.full(WINDOW, 1.0), np.full(WINDOW, 5.0), np.full(WINDOW, 2.0)])
    assert Ascent(MeanField(MEAN, 1.0), bounds, WINDOW).best == (5.0, 0.0)
