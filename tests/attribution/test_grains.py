"""Amounts at any grain: sums of the same draws, in the order that people expect."""

import importlib

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bayes_attrib.attribution import allocate, allocation_rng, draw_grains, grain_of
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.inference import DrawMatrix, ExpectedDraws
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.spec import IntervalSpec

N_DRAWS = 30
TIMES = ("2026-02", "2025-11", "2026-01")


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    keys = pd.DataFrame(
        [(geo, month) for geo in ("north", "east") for month in TIMES], columns=["geo", "month"]
    )
    dense = rng.gamma(1.0, size=(6, 4)) * (rng.random((6, 4)) < 0.7)
    dense[:, 0] = 1.0
    return AggregateData(
        aggregate_keys=keys,
        totals=rng.poisson(30, size=6).astype(float),
        entity_key="who",
        entity_names=np.array(list("dbca"), dtype=object),
        exposure=sp.csr_array(dense),
        groupings={"kind": Grouping.from_labels("kind", ["y", "x", "y", "x"])},
    )


def means(data):
    rates = np.random.default_rng(1).lognormal(size=(data.n_entities, N_DRAWS))
    return ExpectedDraws(data, DrawMatrix.of(rates))


def draw(data, *grains):
    found = [grain_of(data, by) for by in grains]
    return draw_grains(means(data), FAMILIES["poisson", None], {}, found, allocation_rng(3))


def test_rows_stand_in_the_order_of_entities_levels_and_time(data):
    assert grain_of(data, ["who"]).labels["who"].tolist() == list("dbca")
    assert grain_of(data, ["kind"]).labels["kind"].tolist() == ["x", "y"]
    assert grain_of(data, ["month"]).labels["month"].tolist() == sorted(TIMES)
    assert grain_of(data, ["geo"]).labels["geo"].tolist() == ["north", "east"]
    both = grain_of(data, ["geo", "month"]).labels
    assert both.to_numpy().tolist() == [[g, m] for g in ("north", "east") for m in sorted(TIMES)]


def test_whole_is_a_grain(data):
    (whole,) = draw(data, [])
    assert whole.labels.shape == (1, 0)
    np.testing.assert_allclose(whole.amounts.rows(slice(None)), data.grand_total)


def test_grains_are_sums_of_the_same_draws(data):
    fine, by_who, by_kind, by_month = draw(data, ["who", "month"], ["entity"], ["kind"], ["month"])
    amounts, labels = fine.amounts.rows(slice(None)), fine.labels
    for coarse, column in ((by_who, "who"), (by_month, "month")):
        name = coarse.labels.columns[0]
        for i, label in enumerate(coarse.labels[name]):
            own = (labels[column] == label).to_numpy()
            np.testing.assert_array_equal(
                coarse.amounts.rows(np.array([i]))[0], amounts[own].sum(axis=0)
            )
    of_kind = dict(zip("dbca", ["y", "x", "y", "x"], strict=True))
    kinds = labels["who"].map(of_kind).to_numpy()
    for i, label in enumerate(by_kind.labels["kind"]):
        np.testing.assert_array_equal(
            by_kind.amounts.rows(np.array([i]))[0], amounts[kinds == label].sum(axis=0)
        )
    months = by_month.amounts.rows(slice(None)), by_month.expected_amounts.rows(slice(None))
    for label, amount, expected in zip(by_month.labels["month"], *months, strict=True):
        total = data.totals[(data.aggregate_keys["month"] == label).to_numpy()].sum()
        np.testing.assert_array_equal(amount, total)
        np.testing.assert_allclose(expected, total)


def test_draws_equal_those_of_the_allocation_also_in_many_blocks(data, monkeypatch):
    interval = IntervalSpec()
    whole = allocate(
        means(data), FAMILIES["poisson", None], {}, interval=interval, rng=allocation_rng(3)
    )
    (entities,) = draw(data, ["entity"])
    np.testing.assert_array_equal(
        entities.amounts.rows(slice(None)), whole.amounts.rows(slice(None))
    )
    np.testing.assert_allclose(
        entities.expected_amounts.rows(slice(None)), whole.expected_amounts.rows(slice(None))
    )
    module = importlib.import_module("bayes_attrib.inference.expected_draws")
    monkeypatch.setattr(module, "BLOCK_ELEMENTS", 3 * N_DRAWS)
    (in_blocks,) = draw(data, ["entity"])
    np.testing.assert_array_equal(
        in_blocks.amounts.rows(slice(None)), entities.amounts.rows(slice(None))
    )


def test_unknown_grain_is_an_error_that_lists_the_known_ones(data):
    with pytest.raises(
        UnknownNameError,
        match="there is no grain 'week' in this run; it has 'entity', 'kind', 'geo', 'month'",
    ):
        grain_of(data, ["week"])
