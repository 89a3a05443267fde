"""The dispersion check: silent where the family holds, plain-spoken where it does not."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xarray as xr

from bayes_attrib.inference import PosteriorFit, dispersion_check
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import FAMILIES

N_AGGREGATES, N_DRAWS, RATE = 200, 400, 10.0
POISSON = FAMILIES["poisson", None]
PAIR = FAMILIES["negative_binomial", "pair"]


def make_case(draw_totals, seed=0):
    """One entity with a known rate: totals from a law, and draws of the rate close to the truth."""
    rng = np.random.default_rng(seed)
    data = AggregateData(
        aggregate_keys=pd.DataFrame({"week": [str(b) for b in range(N_AGGREGATES)]}),
        totals=draw_totals(rng),
        entity_key="who",
        entity_names=np.array(["x"], dtype=object),
        exposure=sp.csr_array(np.ones((N_AGGREGATES, 1))),
    )
    shape = (2, N_DRAWS // 2, 1)
    rate = data.totals.mean() * np.exp(rng.normal(0, 0.02, size=shape))
    posterior = xr.Dataset(
        {
            "rate": (("chain", "draw", "entity"), rate),
            "phi": (("chain", "draw"), np.full(shape[:2], 3.0)),
        }
    )
    fit = PosteriorFit(xr.DataTree.from_dict({"posterior": posterior}), "nuts")
    return fit, data


def counting_noise(rng):
    return rng.poisson(RATE, N_AGGREGATES).astype(float)


def bursts(rng):
    return rng.negative_binomial(RATE / 3.0, 1 / (1 + 3.0), N_AGGREGATES).astype(float)


@pytest.mark.parametrize(("totals", "family"), [(counting_noise, POISSON), (bursts, PAIR)])
def test_totals_of_the_family_pass(totals, family):
    fit, data = make_case(totals)
    check, findings = dispersion_check(fit, data, family, np.random.default_rng(1))
    assert check.status == "ok"
    assert findings == ()


def test_bursts_under_poisson_are_told_with_the_figure_and_the_remedy():
    fit, data = make_case(bursts)
    check, (finding,) = dispersion_check(fit, data, POISSON, np.random.default_rng(1))
    assert check.status == "warn"
    ratio = np.mean((data.totals - data.totals.mean()) ** 2) / data.totals.mean()
    assert f"spread {ratio:.1f}" in finding.message.replace(f"{ratio:.2f}", f"{ratio:.1f}")
    assert "too narrow" in finding.message
    assert 'family = "negative_binomial"' in finding.remedy


def test_too_little_spread_is_told_as_well():
    fit, data = make_case(lambda _: np.full(N_AGGREGATES, RATE))
    check, (finding,) = dispersion_check(fit, data, PAIR, np.random.default_rng(1))
    assert check.status == "warn"
    assert "too wide" in finding.message
    assert "at pair level" in finding.message
