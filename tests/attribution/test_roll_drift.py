"""The drift check: p-values that are what they say, weights that agree with exact posteriors."""

import math

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.attribution.rolling.reweighting import reweight, shifts
from bayes_attrib.attribution.rolling.surprise import Figures, compare_totals
from bayes_attrib.baselines.held_rates import split_by_held_rates
from bayes_attrib.inputs import AggregateData

N_AGGREGATES, N_REPLICATES, N_WORLDS = 8, 400, 400


def families():
    halves = np.kron(np.eye(2), np.ones(N_AGGREGATES // 2))
    return [
        Figures("level", ["all"], np.ones((1, N_AGGREGATES))),
        Figures("scatter", ["all"], None),
        Figures("half", ["first", "second"], halves),
        Figures("aggregate", [f"b{i}" for i in range(N_AGGREGATES)], np.eye(N_AGGREGATES)),
    ]


def totals(rng, n, *, level=0.0, first=0.0):
    """Totals that depend on each other through a common rate; shape (n_aggregates, n)."""
    common = rng.normal(0.0, 1.0, n)
    noise = rng.normal(0.0, 1.0, (N_AGGREGATES, n))
    noise[: N_AGGREGATES // 2] += first
    return np.exp(common + level + noise)


def p_values(seed, n_worlds=N_WORLDS, **change):
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n_worlds):
        observed = totals(rng, 1, **change)[:, 0]
        found.append(compare_totals(observed, totals(rng, N_REPLICATES), families()))
    return found


@pytest.mark.statistical
def test_the_joint_p_value_is_uniform_where_nothing_has_changed():
    """False alarms of this test: 0.3%, three binomial bands of 99.9%."""
    p = np.array([found.p_value for found in p_values(1)])
    for rate in (0.05, 0.01, 0.5):
        low, high = stats.binom.ppf([0.0005, 0.9995], N_WORLDS, rate)
        assert low <= np.sum(p <= rate) <= high, rate


@pytest.mark.statistical
def test_each_family_keeps_its_own_rate():
    """False alarms of this test: 0.4%, four binomial bands of 99.9%."""
    worlds = p_values(2)
    for place in range(4):
        p = np.array([found.families[place].p_value for found in worlds])
        low, high = stats.binom.ppf([0.0005, 0.9995], N_WORLDS, 0.05)
        assert low <= np.sum(p <= 0.05) <= high, worlds[0].families[place].family


def test_what_has_changed_is_found_and_named():
    worlds = p_values(3, 60, first=5.0)
    assert np.mean([found.p_value < 0.05 for found in worlds]) > 0.9
    named = [min(found.families, key=lambda test: test.p_value) for found in worlds]
    assert np.mean([test.family in {"half", "scatter", "level"} for test in named]) > 0.8
    halves = [found.families[2] for found in worlds]
    assert np.mean([test.label == "first" and test.score > 0 for test in halves]) > 0.9
    lower = p_values(4, 60, level=-4.0)
    assert np.mean([found.families[0].score < -2 for found in lower]) > 0.9


def test_ties_count_half():
    replicates = np.tile([0.0, 1.0, 1.0, 2.0], (2, 25))
    found = compare_totals(np.array([1.0, 5.0]), replicates, [Figures("level", ["all"], None)])
    assert found.pit[0] == pytest.approx(0.5, abs=0.01)
    assert found.pit[1] > 0.99


@pytest.mark.statistical
def test_weighted_draws_agree_with_the_exact_posterior():
    """Gamma-Poisson: both posteriors are known. False alarms of this test: about 1e-4."""
    rng = np.random.default_rng(5)
    shape, rate = 40.0, 4.0
    draws = rng.gamma(shape, 1.0 / rate, 4000)
    new = np.array([11.0, 14.0])
    log_density = stats.poisson.logpmf(new[:, np.newaxis], draws)
    found = reweight(log_density)
    assert found.is_reliable
    exact = stats.gamma(shape + new.sum(), scale=1.0 / (rate + len(new)))
    error = exact.std() / math.sqrt(found.effective_draws)
    assert abs(found.mean(draws[np.newaxis])[0] - exact.mean()) < 4 * error
    assert found.sd(draws[np.newaxis])[0] == pytest.approx(exact.std(), rel=0.1)
    wanted = (exact.mean() - draws.mean()) / draws.std()
    moved = shifts(np.vstack([draws, np.full(4000, 0.3)]), found)
    assert moved[0] == pytest.approx(wanted, abs=4 * error / draws.std())
    assert moved[1] == 0.0


def test_weights_collapse_where_totals_are_far_from_all_draws():
    rng = np.random.default_rng(6)
    draws = rng.gamma(400.0, 0.025, 2000)
    found = reweight(stats.poisson.logpmf(np.full((20, 1), 40.0), draws))
    assert not found.is_reliable
    assert found.effective_draws < 100


def test_totals_that_say_nothing_move_nothing():
    found = reweight(np.zeros((3, 500)))
    assert found.is_reliable
    assert found.effective_draws == pytest.approx(500)


def test_draws_under_which_a_total_is_impossible_get_no_weight():
    log_density = np.random.default_rng(7).normal(size=(1, 1000))
    log_density[0, :400] = -np.inf
    found = reweight(log_density)
    assert found.is_reliable
    assert found.weights[:400].max() < 1e-12
    nothing = reweight(np.full((1, 1000), -np.inf))
    assert not nothing.is_reliable
    stuck = reweight(np.repeat([[0.0, 1.0]], 500, axis=0).reshape(1, -1))
    assert not stuck.is_reliable
    assert stuck.weights.sum() == pytest.approx(1.0)


def test_held_rates_split_totals_and_fall_back_on_exposure():
    exposure = [[1.0, 3.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    data = AggregateData.from_dense(exposure, [10.0, 6.0, 0.0])
    fit = split_by_held_rates(data, np.array([2.0, 0.0, 0.0]))
    np.testing.assert_allclose(fit.amount, [10.0, 0.0, 3.0, 3.0, 0.0, 0.0])
    np.testing.assert_allclose(fit.entity_amount, [10.0, 3.0, 3.0])
