from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from bayes_attrib.report import RunFolder
from bayes_attrib.report.reconciliation import METHODS, Reconciliation, reconcile

MakeRun = Callable[..., Path]

COLUMNS = ["store", "week", *(column for _, column in METHODS)]


def _reconcile(folder: Path) -> Reconciliation:
    run = RunFolder.load(folder)
    return reconcile(run, run.read_cells(COLUMNS))


@pytest.mark.parametrize("observed", [True, False])
@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_a_sound_run_adds_up(make_run: MakeRun, family: str, observed: bool) -> None:
    folder = make_run(family=family, observed=observed)
    sums = _reconcile(folder)
    truth = pd.read_parquet(folder / "cells.parquet")["truth_amount"].sum()
    assert sums.adds_up
    assert sums.totals_from == ("observed" if observed else "proportional")
    assert sums.total_to_attribute == pytest.approx(truth)
    assert sums.total_in_input == sums.total_to_attribute
    assert [s.method for s in sums.sums] == ["posterior mean", "EM", "proportional split"]
    assert all(s.largest_in_aggregate < 1e-9 * truth for s in sums.sums)


def test_excluded_totals_lead_back_to_the_input(make_run: MakeRun) -> None:
    repairs = [
        {"repair": "drop-a", "total_excluded": 12.5},
        {"repair": "drop-b", "rows": 3},
        {"repair": "drop-c", "total_excluded": 0.5},
    ]
    sums = _reconcile(make_run(repairs=repairs))
    assert sums.total_excluded == 13.0
    assert sums.total_in_input == sums.total_to_attribute + 13.0
    assert sums.adds_up


def test_credit_moved_between_aggregates_is_seen_although_the_sum_is_right(
    make_run: MakeRun,
) -> None:
    folder = make_run()
    run = RunFolder.load(folder)
    cells = run.read_cells(COLUMNS)
    cells.loc[0, "amount_mean"] += 2.0
    cells.loc[len(cells) - 1, "amount_mean"] -= 2.0
    sums = reconcile(run, cells)
    posterior, em, _ = sums.sums
    assert not sums.adds_up
    assert not posterior.adds_up
    assert posterior.largest_in_aggregate == pytest.approx(2.0)
    assert posterior.difference == pytest.approx(0.0, abs=1e-9)
    assert em.adds_up


def test_credit_that_is_lost_or_missing_does_not_add_up(make_run: MakeRun) -> None:
    run = RunFolder.load(make_run())
    cells = run.read_cells(COLUMNS)
    table = run.attribution.copy()
    table.loc[0, "amount_mean"] -= 1.0
    table.loc[1, "em_amount"] = float("nan")
    short = dataclasses.replace(run, attribution=table)
    posterior, em, _ = reconcile(short, cells).sums
    assert posterior.difference == pytest.approx(-1.0)
    assert not posterior.adds_up
    assert em.difference != pytest.approx(0.0, abs=1e-6)
    assert not em.adds_up
    cells["proportional_amount"] = float("nan")
    assert not reconcile(run, cells).sums[2].adds_up


def test_totals_that_belong_to_other_aggregates_are_not_taken(make_run: MakeRun) -> None:
    folder = make_run()
    with xr.open_datatree(folder / "posterior.nc", engine="h5netcdf") as tree:
        loaded = tree.load()
    labels = [f"elsewhere {i}" for i in range(loaded["observed_data"].sizes["aggregate"])]
    renamed = loaded["observed_data"].to_dataset().assign_coords(aggregate=labels)
    loaded["observed_data"] = xr.DataTree(renamed)
    loaded.to_netcdf(folder / "posterior.nc", engine="h5netcdf")
    assert _reconcile(folder).totals_from == "proportional"


def test_quoted_labels_are_found_too(make_run: MakeRun) -> None:
    folder = make_run()
    with xr.open_datatree(folder / "posterior.nc", engine="h5netcdf") as tree:
        loaded = tree.load()
    plain = loaded["observed_data"]["aggregate"].to_numpy().astype(str)
    quoted = [" / ".join(map(repr, label.split(" / "))) for label in plain]
    renamed = loaded["observed_data"].to_dataset().assign_coords(aggregate=quoted)
    loaded["observed_data"] = xr.DataTree(renamed)
    loaded.to_netcdf(folder / "posterior.nc", engine="h5netcdf")
    sums = _reconcile(folder)
    assert sums.totals_from == "observed"
    assert sums.adds_up
