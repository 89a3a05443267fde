"""The pass over all cells: conservation in every draw, and tables that follow from draws."""

import importlib

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bayes_attrib.attribution import allocate, attribute
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.inference import DrawMatrix, ExpectedDraws, draw_matrix
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.spec import IntervalSpec

INTERVAL = IntervalSpec(kind="hdi", prob=0.9)
N_DRAWS = 200
COLUMNS = [
    *("level", "name", "exposure", "n_aggregates"),
    *("amount_mean", "amount_sd", "amount_lower", "amount_upper"),
    *("share_mean", "share_lower", "share_upper"),
    *("rate_mean", "rate_lower", "rate_upper"),
    *("expected_amount_lower", "expected_amount_upper"),
    *("em_amount", "em_share", "proportional_amount", "proportional_share"),
    *("interval_kind", "interval_prob", "truth_amount"),
]


def make_data(*, counts=True, seed=0):
    """40 aggregates, 12 entities; an aggregate of total zero and an entity lack exposure."""
    rng = np.random.default_rng(seed)
    dense = rng.gamma(1.0, size=(40, 12)) * (rng.random((40, 12)) < 0.4)
    dense[:, 5] = 0.0
    dense[7] = 0.0
    dense[8, 0] = 1.0
    exposure = sp.csr_array(dense)
    totals = rng.poisson(50, size=40).astype(float) * (dense.sum(axis=1) > 0)
    totals[8] = 0.0 if counts else totals[8]
    if not counts:
        totals = totals * 1.37
    return AggregateData(
        aggregate_keys=pd.DataFrame({"week": [f"w{i}" for i in range(40)], "geo": "north"}),
        totals=totals,
        entity_key="who",
        entity_names=np.array([f"e{i}" for i in range(12)], dtype=object),
        exposure=exposure,
        groupings={"kind": Grouping.from_labels("kind", ["a", "b", "c"] * 4)},
        truth=exposure.data * 2.0,
    )


def draw_means(data, seed=1):
    rates = np.random.default_rng(seed).lognormal(size=(data.n_entities, N_DRAWS))
    return ExpectedDraws(data, DrawMatrix.of(rates))


def noise_of(family):
    values = {"alpha": 2.5, "phi": 2.5, "sigma_total": 0.6, "pi": 0.3}
    return {name: np.full(N_DRAWS, values[name]) for name in family.parameters}


@pytest.fixture(params=sorted(FAMILIES, key=str), ids=str)
def family(request):
    return FAMILIES[request.param]


def run(data, family, seed=3):
    return attribute(
        draw_means(data),
        family,
        noise_of(family),
        baselines={"em": fit_em(data), "proportional": fit_proportional(data)},
        interval=INTERVAL,
        rng=np.random.default_rng(seed),
    )


def test_every_draw_conserves_every_total(family):
    data = make_data(counts=family.counts)
    allocation = allocate(
        draw_means(data),
        family,
        noise_of(family),
        interval=INTERVAL,
        rng=np.random.default_rng(0),
    )
    assert allocation.largest_residual <= (0.0 if family.counts else 1e-10)
    amounts = allocation.amounts.rows(slice(None))
    np.testing.assert_allclose(amounts.sum(axis=0), data.grand_total, rtol=1e-12)
    if family.counts:
        np.testing.assert_array_equal(amounts, np.round(amounts))
        np.testing.assert_array_equal(amounts.sum(axis=0), data.grand_total)


def test_means_of_cells_sum_to_totals_and_shares_to_one(family):
    data = make_data(counts=family.counts)
    cells = run(data, family).cells
    sums = cells.groupby("week", sort=False)[["amount_mean", "share_mean"]].sum()
    totals = pd.Series(data.totals, index=data.aggregate_keys["week"]).loc[sums.index]
    np.testing.assert_allclose(sums["amount_mean"], totals, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(sums["share_mean"], 1.0, rtol=1e-12)


def test_blocks_change_nothing_but_memory(monkeypatch):
    data, family = make_data(), FAMILIES["poisson", None]
    whole = run(data, family)
    module = importlib.import_module("bayes_attrib.inference.expected_draws")
    monkeypatch.setattr(module, "BLOCK_ELEMENTS", 3 * N_DRAWS)
    monkeypatch.setattr(draw_matrix, "BLOCK_ELEMENTS", 3 * N_DRAWS)
    monkeypatch.setattr(draw_matrix, "IN_MEMORY_ELEMENTS", 1)
    in_blocks = run(data, family)
    pd.testing.assert_frame_equal(whole.cells, in_blocks.cells)
    pd.testing.assert_frame_equal(whole.table, in_blocks.table, rtol=1e-12)


def test_scratch_file_behaves_as_memory():
    rng = np.random.default_rng(0)
    scratch = DrawMatrix(50, 8, in_memory_elements=0)
    memory = DrawMatrix(50, 8)
    for _ in range(20):
        index = rng.choice(50, size=7, replace=False)
        values = rng.normal(size=(7, 8))
        scratch.add(index, values)
        memory.add(index, values)
    np.testing.assert_array_equal(scratch.rows(slice(None)), memory.rows(slice(None)))
    np.testing.assert_array_equal(scratch.rows(np.array([3, 1])), memory.rows(np.array([3, 1])))
    stacked = np.concatenate([block for _, block in scratch.blocks()])
    np.testing.assert_array_equal(stacked, memory.rows(slice(None)))


def test_expected_amounts_are_totals_times_shares():
    data, family = make_data(), FAMILIES["poisson", None]
    rates = draw_means(data).rates
    result = run(data, family)
    for d in (0, 17, N_DRAWS - 1):
        rate = rates.rows(slice(None))[:, d]
        split = data.sum_to_entities(data.split_totals(rate))
        np.testing.assert_allclose(result.expected_amounts.rows(slice(None))[:, d], split)


def test_allocation_adds_its_own_uncertainty():
    data = make_data()
    table = run(data, FAMILIES["poisson", None]).table.query("level == 'entity' and exposure > 0")
    width = table["amount_upper"] - table["amount_lower"]
    expected = table["expected_amount_upper"] - table["expected_amount_lower"]
    assert width.sum() > expected.sum()


def test_table_columns_and_order():
    table = run(make_data(), FAMILIES["poisson", None]).table
    assert list(table.columns) == COLUMNS
    assert table["level"].tolist() == ["entity"] * 12 + ["kind"] * 3
    assert set(table["interval_kind"]) == {"hdi"}


def test_roll_ups_are_recomputed_from_draws():
    data = make_data()
    table = run(data, FAMILIES["poisson", None]).table.set_index(["level", "name"])
    entities, kinds = table.loc["entity"], table.loc["kind"]
    members = {kind: [f"e{i}" for i in range(12) if "abc"[i % 3] == kind] for kind in "abc"}
    for kind, names in members.items():
        own = entities.loc[names]
        for column in ("amount_mean", "em_amount", "proportional_amount", "truth_amount"):
            assert kinds.loc[kind, column] == pytest.approx(own[column].sum())
        added_width = (own["amount_upper"] - own["amount_lower"]).sum()
        assert kinds.loc[kind, "amount_upper"] - kinds.loc[kind, "amount_lower"] < added_width
        columns = [i for i in range(12) if "abc"[i % 3] == kind]
        reached = (data.exposure.toarray()[:, columns].sum(axis=1) > 0).sum()
        assert kinds.loc[kind, "n_aggregates"] == reached


def test_rate_of_a_level_is_weighted_by_exposure():
    data = make_data()
    table = run(data, FAMILIES["poisson", None]).table.set_index(["level", "name"])
    rates = draw_means(data).rates.rows(slice(None))
    exposure = data.exposure.toarray().sum(axis=0)
    chosen = [0, 3, 6, 9]
    mean = (exposure[chosen] @ rates[chosen]).mean() / exposure[chosen].sum()
    assert table.loc[("kind", "a"), "rate_mean"] == pytest.approx(mean)


def test_entity_without_exposure_gets_nothing_and_keeps_its_rate():
    row = run(make_data(), FAMILIES["poisson", None]).table.query("name == 'e5'").iloc[0]
    assert (row["amount_mean"], row["amount_upper"], row["n_aggregates"]) == (0.0, 0.0, 0)
    assert row["rate_mean"] > 0


def test_cells_hold_keys_under_the_users_names():
    cells = run(make_data(), FAMILIES["poisson", None]).cells
    assert list(cells.columns[:4]) == ["week", "geo", "who", "exposure"]
    assert list(cells.columns[-3:]) == ["em_amount", "proportional_amount", "truth_amount"]


def test_same_generator_gives_same_amounts(family):
    data = make_data(counts=family.counts)
    pd.testing.assert_frame_equal(run(data, family, seed=9).cells, run(data, family, seed=9).cells)
