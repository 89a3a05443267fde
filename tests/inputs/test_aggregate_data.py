"""The invariants of AggregateData, and its arithmetic against dense loops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bayes_attrib.inputs import AggregateData, Grouping

DENSE = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 2.5], [0.0, 0.0, 0.0]])


def fields(**changes):
    return {
        "aggregate_keys": pd.DataFrame({"brick_id": ["B1", "B2", "B3"]}),
        "totals": np.array([12.0, 7.0, 0.0]),
        "entity_key": "hcp_id",
        "entity_names": np.array(["H1", "H2", "H3"], dtype=object),
        "exposure": sp.csr_array(DENSE),
        "groupings": {"specialty": Grouping.from_labels("specialty", ["GP", "GP", "CARDIO"])},
        "truth": np.array([8.0, 4.0, 3.0, 4.0]),
    } | changes


def build(**changes):
    return AggregateData(**fields(**changes))


def test_sizes_and_edges():
    data = build()
    assert (data.n_aggregates, data.n_entities, data.n_edges) == (3, 3, 4)
    assert data.edge_aggregate.tolist() == [0, 0, 1, 1]
    assert data.edge_entity.tolist() == [0, 1, 1, 2]
    assert data.is_exposed.tolist() == [True, True, False]
    assert data.grand_total == 19
    assert data.reference_rate == pytest.approx(19 / 8.5, rel=1e-15)


def test_arithmetic_against_loops():
    data, rate = build(), np.array([2.0, 0.5, 4.0])
    amounts = DENSE * rate
    mu = amounts.sum(axis=1)
    np.testing.assert_allclose(data.expected_totals(rate), mu, rtol=1e-14)
    np.testing.assert_allclose(data.expected_amounts(rate), amounts[DENSE > 0], rtol=1e-14)
    split = [
        data.totals[b] * amounts[b, e] / mu[b] for b, e in zip(*np.nonzero(DENSE), strict=True)
    ]
    np.testing.assert_allclose(data.split_totals(rate), split, rtol=1e-14)
    np.testing.assert_allclose(
        data.sum_to_entities(data.expected_amounts(rate)), amounts.sum(axis=0), rtol=1e-14
    )


def test_expected_totals_of_many_draws_at_once():
    data, rates = build(), np.random.default_rng(1).gamma(2.0, size=(3, 5))
    found = data.expected_totals(rates)
    assert found.shape == (3, 5)
    for draw in range(5):
        np.testing.assert_allclose(found[:, draw], DENSE @ rates[:, draw], rtol=1e-14)


def test_labels_join_keys_and_stay_unique():
    keys = pd.DataFrame({"channel": ["TV", "TV / 1", "TV"], "week": ["1 / 2", "2", "3"]})
    labels = build(aggregate_keys=keys).aggregate_labels
    assert labels.tolist() == ["'TV' / '1 / 2'", "'TV / 1' / '2'", "'TV' / '3'"]
    plain = keys.replace({"channel": {"TV / 1": "Search"}})
    labels = build(aggregate_keys=plain).aggregate_labels
    assert labels.tolist() == ["TV / 1 / 2", "Search / 2", "TV / 3"]


def test_everything_is_frozen_and_nothing_is_aliased():
    totals = np.array([12.0, 7.0, 0.0])
    data = build(totals=totals)
    totals[0] = 99
    assert data.totals[0] == 12
    for array in (data.totals, data.exposure.data, data.entity_names, data.truth):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(TypeError):
        data.groupings["other"] = None
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.totals = totals


@pytest.mark.parametrize(
    ("changes", "requirement"),
    [
        ({"totals": np.array([12.0, -7.0, 0.0])}, "totals are finite and not negative"),
        ({"totals": np.array([12.0, np.nan, 0.0])}, "totals are finite and not negative"),
        ({"totals": np.array([12.0, 7.0, 1.0])}, "positive totals have exposure"),
        ({"aggregate_keys": pd.DataFrame({"b": ["B1", "B2"]})}, "aggregate_keys has one row"),
        ({"aggregate_keys": pd.DataFrame({"b": ["B1", "B2", "B1"]})}, "keys are unique"),
        ({"entity_names": np.array(["H1", "H2"], dtype=object)}, "one name per column"),
        ({"entity_names": np.array(["H1", "H2", "H1"], dtype=object)}, "names are unique"),
        ({"exposure": sp.csr_array(-DENSE)}, "stored exposures are finite and positive"),
        ({"truth": np.array([1.0])}, "truth has one amount per stored exposure"),
        ({"groupings": {"g": Grouping.from_labels("g", ["a", "b"])}}, "groupings cover"),
        (
            {"aggregate_groupings": {"g": Grouping.from_labels("g", ["a", "b"])}},
            "aggregate_groupings cover",
        ),
        ({"entity_covariates": pd.DataFrame({"x": [1.0, 2.0]})}, "covariates have one row per"),
        ({"pair_covariates": pd.DataFrame({"x": [1.0, 2.0]})}, "covariates have one row per"),
        ({"aggregate_covariates": pd.DataFrame({"x": [1.0]})}, "covariates have one row per"),
        (
            {"entity_covariates": pd.DataFrame({"x": [1.0] * 3}), "has_unattributed": True},
            "covariates have one row per",
        ),
    ],
)
def test_broken_invariants_are_named(changes, requirement):
    with pytest.raises(ValueError, match=requirement):
        build(**changes)


def test_stored_zeros_and_duplicate_exposures_are_refused():
    stored_zero = sp.csr_array(DENSE)
    stored_zero.data[0] = 0
    with pytest.raises(ValueError, match="finite and positive"):
        build(exposure=stored_zero)
    twice = sp.csr_array((np.ones(3), np.array([1, 0, 1]), np.array([0, 3, 3, 3])), shape=(3, 3))
    with pytest.raises(ValueError, match="has duplicates"):
        build(exposure=twice, truth=None)


def test_unsorted_exposures_are_sorted_together_with_what_belongs_to_them():
    sorted_ = build()
    order = np.array([1, 0, 3, 2])
    data = build(
        exposure=sp.csr_array(
            (DENSE[DENSE > 0][order], np.array([1, 0, 2, 1]), np.array([0, 2, 4, 4])), shape=(3, 3)
        ),
        truth=np.array([8.0, 4.0, 3.0, 4.0])[order],
        pair_covariates=pd.DataFrame({"position": np.arange(4)[order]}),
    )
    assert data.exposure.toarray().tolist() == DENSE.tolist()
    assert data.edge_entity.tolist() == sorted_.edge_entity.tolist()
    assert data.truth.tolist() == sorted_.truth.tolist()
    assert data.pair_covariates["position"].tolist() == [0, 1, 2, 3]


def test_dense_arrays_are_enough_for_a_small_problem():
    truth = np.array([[8, 4, 0], [0, 3, 4], [0, 0, 0]])
    groups = {"specialty": ["GP", "GP", "CARDIO"]}
    data = AggregateData.from_dense(
        DENSE, [12, 7, 0], entity_names=["H1", "H2", "H3"], groupings=groups, truth=truth
    )
    same = build()
    assert data.exposure.toarray().tolist() == DENSE.tolist()
    assert data.n_edges == 4
    assert data.totals.tolist() == same.totals.tolist()
    assert data.entity_names.tolist() == same.entity_names.tolist()
    assert data.truth.tolist() == same.truth.tolist()
    assert data.groupings["specialty"].levels == ("CARDIO", "GP")
    assert data.aggregate_labels.tolist() == ["b1", "b2", "b3"]
    assert AggregateData.from_dense([[1, 2]], [3]).entity_names.tolist() == ["e1", "e2"]
    named = AggregateData.from_dense([[1]], [3], aggregate_names=["north"])
    assert named.aggregate_keys.to_dict("list") == {"aggregate": ["north"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [3]), "must be a matrix"),
        (([[1, -2]], [3]), "zero or more"),
        (([[1, np.nan]], [3]), "finite numbers"),
        (([[1, 2]], [3, 4]), "totals has one value per row"),
        (([[0, 0]], [3]), "positive totals have exposure"),
    ],
)
def test_dense_arrays_that_are_no_data(arguments, message):
    with pytest.raises(ValueError, match=message):
        AggregateData.from_dense(*arguments)
    with pytest.raises(ValueError, match=r"truth has the shape \(1, 1\)"):
        AggregateData.from_dense([[1, 2]], [3], truth=[[1]])


def test_what_is_unattributed_is_set_apart():
    levels = ("CARDIO", "GP", "unattributed")
    grouping = Grouping("specialty", levels, np.array([1, 0, 2]))
    data = build(has_unattributed=True, groupings={"specialty": grouping})
    assert data.n_attributable == 2
    assert data.attributable_grouping("specialty").levels == ("CARDIO", "GP")
    assert data.attributable_grouping("specialty").codes.tolist() == [1, 0]
    assert data.reference_rate == pytest.approx(19 / 6, rel=1e-15)  # without the 2.5 of the last
    whole = build()
    assert whole.attributable_grouping("specialty") is whole.groupings["specialty"]


def test_grouping_sorts_levels_and_sums_entities():
    grouping = Grouping.from_labels("specialty", ["GP", "CARDIO", "GP"])
    assert grouping.levels == ("CARDIO", "GP")
    assert grouping.codes.tolist() == [1, 0, 1]
    assert (grouping.indicator @ np.array([1.0, 10.0, 100.0])).tolist() == [10, 101]


def test_grouping_uses_each_of_its_levels():
    with pytest.raises(ValueError, match="codes must use each of the levels"):
        Grouping("g", ("a", "b"), np.array([0, 0]))
