"""Leave-one-out figures: sums, labels of unreliable totals, and what is refused."""

import numpy as np
import pytest

from bayes_attrib.errors import FitError
from bayes_attrib.inference import TotalDraws
from bayes_attrib.inference.loo import LooResult, loo_of, psis_loo
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import FAMILIES

SHAPE, RATE = 2.0, 0.5
EXPOSURE = np.array([1.0, 2.0, 0.5, 4.0, 1.0, 3.0])
TOTALS = np.array([3.0, 9.0, 0.0, 21.0, 5.0, 10.0])


def one_entity(rng, n_draws):
    """Poisson totals of one entity with a Gamma(SHAPE, RATE) prior, and draws of its posterior."""
    data = AggregateData.from_dense(EXPOSURE[:, np.newaxis], TOTALS)
    rate = rng.gamma(SHAPE + TOTALS.sum(), 1.0 / (RATE + EXPOSURE.sum()), n_draws)
    return TotalDraws(data, FAMILIES["poisson", None], EXPOSURE[:, np.newaxis] * rate, {})


def test_sums_and_standard_error():
    loo = psis_loo(one_entity(np.random.default_rng(0), 4000))
    assert loo.labels.tolist() == ["b1", "b2", "b3", "b4", "b5", "b6"]
    assert loo.elpd == pytest.approx(loo.pointwise.sum())
    assert loo.se == pytest.approx(np.sqrt(6) * np.std(loo.pointwise, ddof=1))
    assert 0.5 < loo.p_loo < 2.0  # one parameter
    assert loo.n_bad == 0
    assert loo.check().status == "ok"
    assert loo.check().detail == f"worst k {loo.pareto_k.max():.2f}"


def test_total_that_alone_informs_its_entity_is_named():
    """Without its only total an entity follows its wide prior, far from where its draws are."""
    rng = np.random.default_rng(1)
    data = AggregateData.from_dense([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [9.0, 11.0, 800.0])
    known, lonely = rng.gamma(20.0, 0.5, 4000), rng.gamma(801.0, 1.0, 4000)
    mu = np.stack([known, known, lonely])
    loo = psis_loo(TotalDraws(data, FAMILIES["poisson", None], mu, {}))
    assert loo.bad_labels == ("b3",)
    check = loo.check()
    assert (check.status, check.value, check.detail) == ("warn", 1, "k above 0.70: b3")
    plain = loo.as_dict()
    assert plain["n_bad_pareto_k"] == 1
    assert plain["bad_pareto_k"] == ["b3"]
    assert plain["worst_pareto_k"] == pytest.approx(loo.worst_k)


def test_few_draws_lower_the_threshold():
    loo = psis_loo(one_entity(np.random.default_rng(2), 100))
    assert loo.threshold == pytest.approx(0.5)


def test_constant_density_is_exact_and_never_bad():
    loo = loo_of(np.full((2, 50), -1.5), np.array(["a", "b"], dtype=object))
    np.testing.assert_allclose(loo.pointwise, -1.5)
    assert loo.p_loo == pytest.approx(0.0, abs=1e-12)
    assert loo.n_bad == 0
    assert loo.as_dict()["worst_pareto_k"] is None


def test_chain_that_is_stuck_in_the_tail_is_bad_not_an_error():
    row = np.concatenate([np.random.default_rng(0).normal(-2.0, 0.1, 300), np.full(100, -5.0)])
    loo = loo_of(np.stack([row, row[::-1]]), np.array(["x", "y"], dtype=object))
    assert loo.bad_labels == ("x", "y")
    np.testing.assert_allclose(loo.pointwise, -np.log(np.mean(np.exp(-row))))


def test_impossible_total_is_named():
    log_density = np.zeros((3, 10))
    log_density[1, 4] = -np.inf
    with pytest.raises(FitError, match=r"1 of 3 totals have no finite log density .*: y;"):
        loo_of(log_density, np.array(["x", "y", "z"], dtype=object))


def test_k_that_is_not_a_number_is_bad():
    labels = np.array(["x", "y"], dtype=object)
    loo = LooResult(np.zeros(2), np.array([0.1, np.nan]), np.zeros(2), labels, 1000)
    assert loo.is_bad.tolist() == [False, True]
