"""Rates of very many entities: single precision, files in blocks, and logarithms on demand."""

import numpy as np
import pytest
import scipy.sparse as sp
import xarray as xr

from bayes_attrib.inference import (
    DrawMatrix,
    PosteriorFit,
    draw_files,
    large_rates,
    load_tree,
    save_tree,
)
from bayes_attrib.inference.large_rates import RateDraws

SHAPE = (7, 12)


@pytest.fixture
def log_rates():
    return np.random.default_rng(4).normal(size=SHAPE)


@pytest.fixture
def beyond(monkeypatch):
    """Everything is large, and blocks hold two entities."""
    monkeypatch.setattr(large_rates, "MOST_DOUBLES", 1)
    monkeypatch.setattr(draw_files, "BLOCK_ELEMENTS", 2 * SHAPE[1])


def fit_of(variables):
    dims = ("chain", "draw", "entity")
    found = {name: (dims, np.moveaxis(v, -1, 0)[np.newaxis]) for name, v in variables.items()}
    posterior = xr.Dataset(found, {"entity": [f"e{i}" for i in range(SHAPE[0])]})
    posterior["intercept"] = (("chain", "draw"), np.zeros((1, SHAPE[1])))
    return PosteriorFit(xr.DataTree.from_dict({"posterior": posterior}), "laplace")


def test_few_draws_are_kept_as_they_are(log_rates):
    draws = RateDraws(*SHAPE)
    draws.add(log_rates[:, :5])
    draws.add(log_rates[:, 5:])
    found = draws.variables()
    np.testing.assert_array_equal(found["log_rate"], log_rates)
    np.testing.assert_array_equal(found["rate"], np.exp(log_rates))


@pytest.mark.usefixtures("beyond")
def test_many_draws_are_rounded_once(log_rates):
    found = RateDraws.of(log_rates).variables()
    assert list(found) == ["rate"]
    assert found["rate"].dtype == np.float32
    np.testing.assert_allclose(found["rate"], np.exp(log_rates), rtol=1e-7)


@pytest.mark.usefixtures("beyond")
def test_a_rate_that_single_precision_does_not_know_keeps_a_logarithm():
    found = RateDraws.of(np.array([[-1000.0, 0.0]])).variables()["rate"]
    assert np.isfinite(np.log(found)).all()


def test_a_draw_that_is_missing_is_noticed(log_rates):
    draws = RateDraws(*SHAPE)
    draws.add(log_rates[:, :5])
    with pytest.raises(AssertionError, match="5 of 12 draws"):
        draws.variables()


@pytest.mark.usefixtures("beyond")
def test_logarithms_are_taken_of_the_rates_that_are_kept(log_rates):
    fit = fit_of(RateDraws.of(log_rates).variables())
    rates = fit.posterior["rate"].to_numpy()[0].T.astype(np.float64)
    np.testing.assert_array_equal(fit.draws("log_rate"), np.log(rates))
    np.testing.assert_array_equal(fit.rate_matrix().rows(slice(None)), rates)
    np.testing.assert_array_equal(fit.draws("rate"), rates)


@pytest.mark.usefixtures("beyond")
def test_rates_are_not_copied_for_the_allocation(log_rates):
    variables = RateDraws.of(log_rates).variables()
    matrix = fit_of(variables).rate_matrix()
    variables["rate"][2, 3] = 99.0
    assert matrix.rows(np.array([2]))[0, 3] == 99.0


@pytest.mark.usefixtures("beyond")
def test_a_large_file_gives_back_what_went_in_and_equal_bytes(log_rates, tmp_path):
    tree = fit_of(RateDraws.of(log_rates).variables()).tree
    tree.attrs["name"] = "x"
    for name in ("first.nc", "second.nc"):
        save_tree(tree, tmp_path / name)
    assert (tmp_path / "first.nc").read_bytes() == (tmp_path / "second.nc").read_bytes()
    again = load_tree(tmp_path / "first.nc")
    assert again.attrs == {"name": "x"}
    wanted, found = (t["posterior"].to_dataset() for t in (tree, again))
    assert found["rate"].dtype == np.float32
    xr.testing.assert_equal(found, wanted)
    # All draws of an entity lie side by side, so that the allocation reads them without a copy.
    assert found["rate"].to_numpy()[0].T.flags["C_CONTIGUOUS"]


def test_a_small_file_gives_back_what_went_in(log_rates, tmp_path):
    tree = fit_of(RateDraws.of(log_rates).variables()).tree
    save_tree(tree, tmp_path / "small.nc")
    wanted, found = (t["posterior"].to_dataset() for t in (tree, load_tree(tmp_path / "small.nc")))
    xr.testing.assert_identical(found, wanted)


@pytest.mark.parametrize("limit", [0, 10**9], ids=["scratch file", "memory"])
def test_every_kth_draw_and_weighted_sums_of_a_matrix(limit):
    values = np.random.default_rng(1).normal(size=(9, 11))
    matrix = DrawMatrix(9, 11, in_memory_elements=limit)
    matrix.add(np.arange(9), values)
    np.testing.assert_array_equal(matrix.thinned(3).rows(slice(None)), values[:, ::3])
    weights = np.random.default_rng(2).normal(size=(2, 9))
    np.testing.assert_allclose(matrix.sums(sp.csr_array(weights)), weights @ values, rtol=1e-12)
