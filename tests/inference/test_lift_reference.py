"""Judgement of lift tests without sampling: against normal laws that are known in closed form."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from bayes_attrib.inference import DrawMatrix, ExpectedDraws, PosteriorFit
from bayes_attrib.inference.lift_constants import lift_constants, lift_tests_of
from bayes_attrib.inference.lift_findings import lift_checks
from bayes_attrib.inference.lift_moments import LiftMoments, lift_moments
from bayes_attrib.inference.lift_reference import (
    LIFT_GROUP,
    LiftReference,
    is_reliable,
    weighted_sd,
    weights_without_tests,
)
from bayes_attrib.inference.lift_summary import judge_tests
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.lift_test import LiftTest
from bayes_attrib.model.identification import indistinguishable_entities
from bayes_attrib.spec import parse_plain

N = 4000


def with_tests(*measured):
    """Two entities and two totals; each (increment, error, edges) is a test."""
    data = AggregateData.from_dense([[1.0, 1.0], [2.0, 1.0]], [10.0, 12.0])
    tests = tuple(
        LiftTest(f"t{i}", "e1", "w1", "w2", increment, error, 1.0, np.array(edges))
        for i, (increment, error, edges) in enumerate(measured)
    )
    return dataclasses.replace(data, lift_tests=tests)


def moments_of(draws, errors):
    """Laws of increments whose means are draws, shape (n_tests, n_draws)."""
    means = np.atleast_2d(draws)
    variance = np.broadcast_to(np.atleast_1d(errors)[:, np.newaxis] ** 2, means.shape)
    return LiftMoments(means, np.array(variance))


def refitted(moments):
    n = moments.mean.shape[1]
    some = np.ones(2)
    return LiftReference("refit", 2.0, moments, np.full(n, -np.log(n)), 4, some, 0.4 * some)


def test_moments_of_draws_by_hand():
    data = with_tests((3.0, 1.0, [0, 2]), (4.0, 2.0, [3]))
    spec = parse_plain(
        {
            "schema_version": 1,
            "name": "lift",
            "columns": {"aggregate": "aggregate", "entity": "entity"},
            "likelihood": {"family": "gamma", "level": "pair"},
        },
        source="test",
    )
    rates = np.array([[1.0, 3.0, 0.5], [2.0, 1.0, 1.5]])
    phi = np.array([0.5, 2.0, 1.0])
    expected = ExpectedDraws(data, DrawMatrix.of(rates))
    found = lift_moments(expected, spec, {"phi": phi})
    for d in range(3):
        a, b = rates[:, d]
        shares = np.array([a / (a + b), 2 * a / (2 * a + b)])
        mus = np.array([a + b, 2 * a + b])
        assert found.mean[0, d] == pytest.approx(shares @ [10, 12])
        assert found.mean[1, d] == pytest.approx((1 - shares[1]) * 12)
        own = np.array([100, 144]) * shares * (1 - shares) / (1 + mus / phi[d])
        assert found.variance[0, d] == pytest.approx(1.0 + own.sum())
        assert found.variance[1, d] == pytest.approx(4.0 + own[1])


@pytest.mark.statistical
def test_weights_take_a_test_out_of_the_draws():
    """Normal prior, normal test: 5 Monte-Carlo errors in mean and sd; chance below 1e-5."""
    rng = np.random.default_rng(2)
    prior_sd, error, measured = 1.0, 1.2, 1.5
    variance = 1 / (1 / prior_sd**2 + 1 / error**2)
    draws = rng.normal(variance * measured / error**2, np.sqrt(variance), N)
    data = with_tests((measured, error, [0]))
    log_weights, k = weights_without_tests(moments_of(draws, error), data)
    assert is_reliable(log_weights, k)
    weights = np.exp(log_weights)
    effective = 1 / np.sum(weights**2)
    assert abs(weights @ draws) < 5 * prior_sd / np.sqrt(effective)
    sd = weighted_sd(draws[np.newaxis], weights)[0]
    assert abs(sd - prior_sd) < 5 * prior_sd / np.sqrt(2 * effective)


def test_weights_of_a_strong_test_are_not_relied_on():
    draws = np.random.default_rng(3).normal(3.0, 0.05, N)
    data = with_tests((3.0, 0.05, [0]), (3.0, 0.05, [0]))
    log_weights, k = weights_without_tests(moments_of(np.tile(draws, (2, 1)), [0.05, 0.05]), data)
    assert not is_reliable(log_weights, k)


def test_tests_of_whole_totals_need_no_weights():
    data = with_tests((21.0, 1.0, [0, 1, 2, 3]))
    log_weights, k = weights_without_tests(moments_of(np.full(N, 22.0), 1.0), data)
    assert is_reliable(log_weights, k)
    assert np.ptp(log_weights) == 0.0


def tails(shift, n, seed, *, n_draws=800, error=0.5):
    """Tail probabilities of experiments whose truth is a draw of the model, or shifted from it."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(n):
        draws = rng.normal(5.0, 1.0, n_draws)
        measured = rng.normal(5.0, 1.0) + shift + rng.normal(0.0, error)
        moments = moments_of(draws, error)
        data = with_tests((measured, error, [0]))
        (judged,) = judge_tests(data, moments, refitted(moments), 0.94)
        found.append(
            (judged.by_model.tail, judged.by_model.lower < measured < judged.by_model.upper)
        )
    return np.array(found)


@pytest.mark.statistical
def test_false_alarms_come_as_often_as_stated():
    """Of 800 tests of a right model 1% and 10% are below .01 and .1; bounds at 1e-5 each."""
    found = tails(0.0, 800, seed=5)
    for level in (0.01, 0.1, 0.5):
        n = int(np.sum(found[:, 0] < level))
        low, high = stats.binom.ppf([5e-6, 1 - 5e-6], len(found), level)
        assert low <= n <= high, level
    low, high = stats.binom.ppf([5e-6, 1 - 5e-6], len(found), 0.94)
    assert low <= found[:, 1].sum() <= high


def test_planted_conflicts_are_found():
    """Six sds off, no test of a hundred passes."""
    assert np.all(tails(7.0, 100, seed=6)[:, 0] < 0.01)


def test_tests_foretell_each_other():
    rng = np.random.default_rng(7)
    wide = rng.normal(5.0, 3.0, N)
    fitted = moments_of(np.tile(rng.normal(6.0, 0.2, N), (3, 1)), [0.5, 0.5, 0.5])
    before = moments_of(np.tile(wide, (3, 1)), [0.5, 0.5, 0.5])
    agree = judge_tests(
        with_tests((6.0, 0.5, [0]), (6.2, 0.5, [0]), (5.8, 0.5, [0])), fitted, refitted(before), 0.9
    )
    assert all(j.by_others.tail > 0.1 for j in agree)
    assert all(j.by_others.sd < 0.5 * j.by_model.sd for j in agree)
    odd = judge_tests(
        with_tests((6.0, 0.5, [0]), (6.2, 0.5, [0]), (9.5, 0.5, [0])), fitted, refitted(before), 0.9
    )
    assert odd[2].by_others.tail < 0.001
    assert odd[2].by_model.tail > 0.1


def fit_of(data, how="refit"):
    """Draws of a fit with a kept reference in which test 0 is foretold near 5."""
    rng = np.random.default_rng(8)
    rates = rng.lognormal(sigma=0.1, size=(4, 250, 2))
    moments = moments_of(
        rng.normal(5.0, 0.5, (len(data.lift_tests), 1000)),
        [test.standard_error for test in data.lift_tests],
    )
    reference = dataclasses.replace(refitted(moments), how=how)
    coords = {"entity": data.entity_names.astype(str)}
    posterior = xr.Dataset({"rate": (("chain", "draw", "entity"), rates)}, coords=coords)
    tree = xr.DataTree.from_dict({"posterior": posterior, LIFT_GROUP: reference.dataset(data)})
    return PosteriorFit(tree, "nuts"), reference


SPEC = {
    "schema_version": 1,
    "name": "lift",
    "columns": {"aggregate": "aggregate", "entity": "entity"},
}


def test_findings_name_conflicts_with_values():
    data = with_tests((9.5, 0.4, [0]), (5.1, 0.4, [0]))
    fit, _ = fit_of(data)
    checks, findings = lift_checks(fit, data, parse_plain(SPEC, source="test"))
    by_name = {check.name: check for check in checks}
    assert by_name["lift_conflict_p_value"].status == "warn"
    assert by_name["lift_conflict_p_value"].detail.startswith("worst: t0, +")
    assert by_name["max_rhat_without_lift_tests"].status == "ok"
    (conflict,) = [f for f in findings if f.code == "lift-test-conflict"]
    assert "'t0' (e1, w1 to w2) measured 9.5 with a standard error of 0.4" in conflict.message
    assert "the experiment contradicts the totals and priors" in conflict.message
    (informed,) = [f for f in findings if f.code == "informed-by-lift-tests"]
    assert "e1 60%, e2 60%" in informed.message
    noisy = [f for f in findings if f.code == "amounts-do-not-know-lift-test"]
    assert len(noisy) == 2  # binomial noise of about 1.6 beside errors of .4


def test_without_a_reference_nothing_is_claimed():
    data = with_tests((9.5, 9.0, [0]))
    fit, _ = fit_of(data, how="none")
    checks, findings = lift_checks(fit, data, parse_plain(SPEC, source="test"))
    assert checks == ()
    assert [f.code for f in findings] == ["lift-tests-not-judged"]
    bare = PosteriorFit(xr.DataTree.from_dict({"posterior": fit.posterior}), "nuts")
    assert lift_checks(bare, data, parse_plain(SPEC, source="test")) == ((), ())


def test_reference_and_tests_survive_the_file():
    data = with_tests((9.5, 0.4, [0, 2]), (-1.0, 2.0, [3]))
    fit, reference = fit_of(data)
    again = LiftReference.of(fit)
    assert (again.how, again.n_chains, again.pareto_k) == ("refit", 4, 2.0)
    np.testing.assert_array_equal(again.moments.mean, reference.moments.mean)
    np.testing.assert_array_equal(again.log_weights, reference.log_weights)
    np.testing.assert_array_equal(again.informed, [0.6, 0.6])
    constants = xr.Dataset(lift_constants(data))
    read = lift_tests_of(constants)
    for test, other in zip(data.lift_tests, read, strict=True):
        np.testing.assert_array_equal(test.edges, other.edges)
        assert (test.name, test.subject, test.window) == (other.name, other.subject, other.window)
        assert (test.increment, test.ratio) == (other.increment, other.ratio)
    assert lift_constants(AggregateData.from_dense([[1.0, 1.0]], [2.0])) == {}
    assert lift_tests_of(xr.Dataset()) == ()


@pytest.mark.parametrize(
    ("edges", "alike"),
    [
        ([], [("e1", "e2", "e3")]),
        ([0, 3], [("e2", "e3")]),
        ([0, 1], [("e1", "e2")]),
        ([0, 1, 2], [("e1", "e2", "e3")]),
    ],
    ids=["no test", "of one", "of two alike", "of whole totals"],
)
def test_a_lift_test_tells_entities_apart(edges, alike):
    data = AggregateData.from_dense([[1.0, 2.0, 1.0], [3.0, 6.0, 3.0]], [4.0, 9.0])
    if edges:
        test = LiftTest("t", "e1", "", "", 1.0, 1.0, 1.0, np.array(edges))
        data = dataclasses.replace(data, lift_tests=(test,))
    assert indistinguishable_entities(data) == alike
