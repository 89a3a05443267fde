from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayes_attrib.report import RunFolder, parameters
from bayes_attrib.report.parameters import summarise_parameters

MakeRun = Callable[..., Path]


def test_parameters_come_in_the_models_order_then_effects(make_run: MakeRun) -> None:
    run = RunFolder.load(make_run(family="negative_binomial"))
    found = summarise_parameters(run)
    assert [p.name for p in found] == [
        "intercept",
        "sigma_type",
        "sigma_entity",
        "phi",
        *(f"effect_type[<i>type</i> {i}]" for i in range(3)),
    ]
    assert [p.prior for p in found[:4]] == [
        "Normal(mu=0, sigma=1)",
        "",
        "HalfNormal(sigma=0.5)",
        "",
    ]
    assert all(p.meaning for p in found)


@pytest.mark.parametrize("kind", ["hdi", "eti"])
def test_numbers_are_those_of_the_draws(make_run: MakeRun, kind: str) -> None:
    folder = make_run(kind=kind, n_draws=4000)
    run = RunFolder.load(folder)
    with xr.open_datatree(folder / "posterior.nc", engine="h5netcdf") as tree:
        draws = np.sort(tree["posterior"]["sigma_entity"].to_numpy().ravel())
    found = next(p for p in summarise_parameters(run) if p.name == "sigma_entity")
    assert found.mean == pytest.approx(draws.mean())
    inside = ((draws >= found.lower) & (draws <= found.upper)).mean()
    assert inside == pytest.approx(0.94, abs=0.002)
    if kind == "eti":
        assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(draws, [0.03, 0.97])))
    else:
        assert found.upper - found.lower < np.diff(np.quantile(draws, [0.03, 0.97]))[0]


def test_many_levels_would_bury_the_parameters(
    nasty_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "MAX_LEVELS", 2)
    found = summarise_parameters(RunFolder.load(nasty_run))
    assert [p.name for p in found] == ["intercept", "sigma_type", "sigma_entity"]


def test_a_posterior_without_draws_has_no_parameters(make_run: MakeRun) -> None:
    folder = make_run(("a", "b"))
    empty = xr.DataTree.from_dict({"observed_data": xr.Dataset({"total": ("aggregate", [1.0])})})
    empty.to_netcdf(folder / "posterior.nc", engine="h5netcdf")
    assert summarise_parameters(RunFolder.load(folder)) == ()
