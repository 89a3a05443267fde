"""Nested Laplace approximations against NUTS, on shipped data.

Errors of means are in posterior sds. Both sides have about 1,000 effective draws or more, so noise
alone gives a root mean square of .04 over rates and .1 at worst; the bounds leave .07 for bias, of
which .02 was seen against longer chains.
"""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib import names
from bayes_attrib.inference import SamplerSettings, fit_nuts
from bayes_attrib.inference.laplace import LaplaceSettings, fit_laplace
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.model import build_model
from bayes_attrib.spec import load_spec

CASES = {"hcp_brick": 0.08, "hcp_brick_money": 0.08}


@pytest.mark.sampling
@pytest.mark.statistical
@pytest.mark.parametrize("name", CASES)
def test_rates_shares_and_parameters(root, name):
    spec = load_spec(root / "models" / f"{name}.toml")
    data = read_tables(spec, DataSource(folder=root / "data" / name)).data
    near = fit_laplace(data, spec, LaplaceSettings(draws=1500, seed=1))
    sampled = fit_nuts(build_model(data, spec), SamplerSettings(600, 300, 2, seed=1))
    same_variables(near.posterior, sampled.posterior)
    gap, ratio = compare(sampled.draws(names.RATE), near.draws(names.RATE))
    assert np.sqrt(np.mean(gap**2)) < CASES[name]
    assert 0.92 < np.median(ratio) < 1.10
    exposure = np.asarray(data.exposure.sum(axis=0)).ravel()[:, None]
    indicator = data.groupings["specialty"].indicator
    shares = [
        share_of_groups(indicator, exposure * fit.draws(names.RATE)) for fit in (sampled, near)
    ]
    assert np.abs(compare(*shares)[0]).max() < 0.25
    for parameter in spec.parameters:
        gap, ratio = compare(
            np.atleast_2d(sampled.draws(parameter)), np.atleast_2d(near.draws(parameter))
        )
        assert np.abs(gap).max() < 0.25, parameter
        assert (np.abs(np.log(ratio)) < 0.3).all(), parameter


def same_variables(first, second):
    assert {n: v.dims for n, v in first.items()} == {n: v.dims for n, v in second.items()}
    for dim in set(first.dims) - {names.CHAIN, names.DRAW}:
        assert list(first[dim].to_numpy()) == list(second[dim].to_numpy())


def share_of_groups(indicator, amounts):
    groups = indicator @ amounts
    return groups / groups.sum(axis=0)


def compare(sampled, near):
    """Differences of means in sds, and ratios of sds."""
    sd = sampled.std(axis=1)
    return (near.mean(axis=1) - sampled.mean(axis=1)) / sd, near.std(axis=1) / sd
