from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayes_attrib.report import RunFolder
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
