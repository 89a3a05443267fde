"""A run beyond what memory is given to: the same tables, and the same reports of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import h5netcdf
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from audited_runs import invented_nuts, make_spec, write_data

from bayes_attrib import names
from bayes_attrib.inference import PosteriorFit, draw_files, draw_matrix, large_rates
from bayes_attrib.inputs import DataSource
from bayes_attrib.report import RunFolder
from bayes_attrib.report.comparison_run import compare
from bayes_attrib.report.html import render_html
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.workflow import FitPlan, fit_to_folder
from bayes_attrib.workflow.verify_run import verify_run

SINGLE = (names.CHAIN, names.DRAW, names.ENTITY)


def rounded_nuts(*args, **kwargs) -> PosteriorFit:
    """Invented draws whose rates need no more than single precision."""
    fit = invented_nuts(*args, **kwargs)
    rates = fit.posterior[names.RATE].to_numpy().astype(np.float32).astype(np.float64)
    found = {names.RATE: (SINGLE, rates), names.LOG_RATE: (SINGLE, np.log(rates))}
    return _with(fit, fit.posterior.assign(found))


def single_nuts(*args, **kwargs) -> PosteriorFit:
    """The same draws as a large fit leaves them: single precision, and no logarithms."""
    fit = rounded_nuts(*args, **kwargs)
    found = {names.RATE: (SINGLE, fit.posterior[names.RATE].to_numpy().astype(np.float32))}
    return _with(fit, fit.posterior.drop_vars(names.LOG_RATE).assign(found))


def _with(fit: PosteriorFit, posterior: xr.Dataset) -> PosteriorFit:
    groups = {name: node.to_dataset() for name, node in fit.tree.children.items()}
    return PosteriorFit(xr.DataTree.from_dict({**groups, "posterior": posterior}), fit.method)


def write_run(run: Path, data: Path, sampler) -> Path:
    plan = FitPlan(spec=make_spec(), source=DataSource(folder=data))
    with mock.patch("bayes_attrib.workflow.methods.sampling.fit_nuts", sampler):
        fit_to_folder(plan, run)
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[Path, Path]:
    """The same fit within the limits of memory, and beyond all of them."""
    folder = tmp_path_factory.mktemp("large")
    data = write_data(folder / "data")
    ordinary = write_run(folder / "ordinary", data, rounded_nuts)
    with no_memory():
        return ordinary, write_run(folder / "large", data, single_nuts)


@contextmanager
def no_memory() -> Iterator[None]:
    """Lower every limit, so that blocks hold a few rows, and matrices go to scratch files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_rates, "MOST_DOUBLES", 1)
        patch.setattr(draw_matrix, "IN_MEMORY_ELEMENTS", 1)
        for module in (draw_matrix, draw_files):
            patch.setattr(module, "BLOCK_ELEMENTS", 3 * 200)
        yield


def test_tables_are_those_of_the_same_fit_in_memory(runs):
    ordinary, large = runs
    for file in ("attribution.csv", "cells.parquet"):
        read = pd.read_csv if file.endswith("csv") else pd.read_parquet
        # Sums over entities are added up in blocks, in another order.
        pd.testing.assert_frame_equal(read(ordinary / file), read(large / file), rtol=1e-12)


def test_rates_are_stored_once_in_single_precision_and_in_blocks(runs):
    with h5netcdf.File(runs[1] / "posterior.nc") as file:
        rate = file["posterior"]["rate"]
        assert rate.dtype == np.float32
        assert rate.chunks == (4, 50, 3)
        assert "log_rate" not in file["posterior"].variables


@pytest.mark.parametrize("limits", ["lowered", "as they are"])
def test_a_large_run_verifies(runs, limits):
    with no_memory() if limits == "lowered" else nullcontext():
        found = verify_run(runs[1])
    assert {outcome.status for outcome in found.outcomes} <= {"ok", "not recorded", "not checked"}
    checked = {outcome.name for outcome in found.outcomes if outcome.status == "ok"}
    assert {"recomputed.amount", "recomputed.share", "recomputed.rate"} <= checked


def test_a_changed_rate_of_a_large_run_is_found(runs, tmp_path):
    run = shutil.copytree(runs[1], tmp_path / "run")
    with h5netcdf.File(run / "posterior.nc", "a") as file:
        rate = file["posterior"]["rate"]
        rate[0, 0, 0] = np.float32(1.5) * rate[0, 0, 0]
    with no_memory():
        found = verify_run(run)
    assert any(outcome.status == "failed" for outcome in found.outcomes)


@pytest.mark.parametrize("on", ["rate", "amount"])
def test_comparisons_are_those_of_the_same_fit_in_memory(runs, on):
    ordinary, large = runs
    with no_memory():
        (again,) = compare(large, on=on, allow_unconverged=True).groups
    (wanted,) = compare(ordinary, on=on, allow_unconverged=True).groups
    pd.testing.assert_frame_equal(again.prob_greater, wanted.prob_greater)


def test_roll_ups_of_rates_are_those_in_memory(runs):
    ordinary, large = runs
    with no_memory():
        labels, rates = RunDraws.load(RunFolder.load(large)).rates("kind")
    wanted_labels, wanted = RunDraws.load(RunFolder.load(ordinary)).rates("kind")
    assert labels == wanted_labels
    np.testing.assert_allclose(rates, wanted, rtol=1e-12)


def test_the_page_of_a_large_run_shows_the_same_numbers(runs):
    ordinary, large = runs
    with no_memory():
        page = render_html(RunFolder.load(large))
    shown, wanted = (
        [line for line in text.splitlines() if line.startswith('<tr><th scope="row"><bdi>')]
        for text in (page, render_html(RunFolder.load(ordinary)))
    )
    assert len(wanted) > 16
    assert shown == wanted
