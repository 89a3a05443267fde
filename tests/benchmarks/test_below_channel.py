"""Scores, exposures and draws of the credibility benchmark against slow or exact computations."""

import numpy as np
import pytest
from below_channel.commands import paired_amounts
from below_channel.known_error import DAY_SD, LEVEL_SD, draw_known_error
from below_channel.reported import (
    Reported,
    carried_over,
    effective_reach,
    log_clicks_per_reach,
    reported_of_world,
    truth_of_world,
)
from below_channel.scores import crps, n_covered, score_draws, score_point
from below_channel.worlds import DEVELOPMENT_SEEDS, EVALUATION_SEEDS, world_options
from numpy.testing import assert_allclose
from scipy import stats

from bayes_attrib.simulation import simulate


@pytest.fixture(scope="module")
def world():
    return simulate("user_goodwill", seed=3, options={"n_users": 500, "n_days": 20})


@pytest.fixture(scope="module")
def reported(world) -> Reported:
    return reported_of_world(world)


def test_crps_equals_the_double_sum():
    rng = np.random.default_rng(1)
    draws, truth = rng.normal(size=(3, 40)), np.array([0.1, -2.0, 5.0])
    slow = [
        np.abs(x - y).mean() - np.abs(x[:, np.newaxis] - x).mean() / 2
        for x, y in zip(draws, truth, strict=True)
    ]
    assert_allclose(crps(draws, truth), np.mean(slow), rtol=1e-12)


@pytest.mark.parametrize("truth", [0.0, 1.5, -3.0])
def test_crps_of_a_normal_law_is_the_known_one(truth):
    # Gneiting and Raftery 2007, equation 20. Draws at the quantiles of their ranks: no chance.
    draws = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)[np.newaxis]
    exact = truth * (2 * stats.norm.cdf(truth) - 1) + 2 * stats.norm.pdf(truth) - np.pi**-0.5
    assert_allclose(crps(draws, [truth]), exact, atol=1e-4)


def test_a_split_without_draws_has_its_error_as_crps():
    share, truth = np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.7, 0.2])
    point = score_point(share, truth)
    assert_allclose(point["mae"], 0.4 / 3)
    assert point["crps"] == point["mae"]
    assert_allclose(crps(share[:, np.newaxis], truth), point["mae"])
    assert_allclose(point["spearman"], 1.0)


def test_intervals_count_those_that_hold_the_truth():
    draws = np.linspace(0, 1, 101) + np.array([[0.0], [0.1], [0.2]])
    assert n_covered(draws, [0.5, 1.5, -0.1]) == 1
    scores = score_draws(draws, [0.5, 1.5, -0.1])
    assert scores["covered"] == 1
    assert_allclose(scores["spearman"], -0.5)
    assert_allclose(scores["width"], 0.94)


def test_paired_amounts_add_up_to_a_draw_of_the_totals():
    rng = np.random.default_rng(2)
    rates, exposure = rng.gamma(2, size=(3, 50)), rng.gamma(2, size=(8, 3))
    totals = rng.gamma(2, size=(8, 25))
    amounts = paired_amounts(rates, exposure, totals)
    assert amounts.shape == (3, 50)
    assert_allclose(np.sort(amounts.sum(axis=0)), np.sort(np.tile(totals.sum(axis=0), 2)))
    alone = paired_amounts(np.ones((3, 50)), exposure * [1, 0, 0], totals)
    assert_allclose(alone[0], amounts.sum(axis=0))
    assert not alone[1:].any()


def test_effective_reach_equals_a_loop_over_days_and_campaigns(reported):
    found = effective_reach(reported)
    seen, reached = reported.metrics["impressions"], reported.cumulative_reach
    n_days, n = seen.shape
    for e in range(n):
        for day in range(n_days):
            past = np.exp(-np.arange(day, 0, -1) / 7)  # of days 0, ..., day - 1
            remembered = past @ seen[:day] / np.maximum(reached[day], 1)
            tired = 4 + remembered[e]
            for other in range(n):
                if other != e:
                    part = reported.shared[e, other] / reported.shared[e, e]
                    tired += 0.25 * part * remembered[other]
            users = max(reached[day, e], 1)
            expected = users * 4 * np.log(1 + seen[day, e] / users / tired)
            assert_allclose(found[day, e], expected, rtol=1e-10, atol=1e-12)
    assert (found <= seen).all()


def test_carry_over_is_the_mix_models():
    found = carried_over(np.eye(20)[:, :2], 0.5)
    weights = 0.5 ** np.arange(12)
    assert_allclose(found[:12, 0], weights / weights.sum())
    assert not found[12:, 0].any()
    assert_allclose(found[1:, 1], found[:-1, 0])


def test_reports_of_a_world_are_those_of_its_tables(world, reported):
    assert_allclose(truth_of_world(world, reported).sum(axis=1), world.aggregates["total"])
    spend = reported.delivery().groupby("period")["delivery"].sum()
    assert_allclose(spend, reported.mix_input.set_index("date").loc[spend.index, "social"])
    assert (np.diff(reported.cumulative_reach, axis=0) >= 0).all()
    clicks = world.exposures.groupby("campaign")[["clicks", "reach"]].sum()
    expected = np.log(clicks["clicks"] / clicks["reach"])
    assert_allclose(log_clicks_per_reach(reported), expected)


def test_the_known_error_is_of_the_declared_size():
    # One estimate per seed; the sd of its log error at one day has a standard error of 1/sqrt(2n).
    truth = np.full(5, 100.0)
    n = 400
    estimate = [
        np.log(draw_known_error(truth, seed)).mean(axis=1) - np.log(truth) for seed in range(n)
    ]
    size = np.hypot(LEVEL_SD, DAY_SD)
    assert abs(np.std(estimate, axis=0) / size - 1).max() < 4 / np.sqrt(2 * n)
    draws = np.log(draw_known_error(truth, 1))
    assert abs(draws.std(axis=1) / size - 1).max() < 4 / np.sqrt(2 * draws.shape[1])


def test_no_world_serves_both_development_and_evaluation():
    assert not set(DEVELOPMENT_SEEDS) & set(EVALUATION_SEEDS)
    assert len(EVALUATION_SEEDS) >= 20
    assert world_options(1) == world_options(1) != world_options(2)
