"""Totals that PyMC draws from a model against those that the family draws from the same values.

Given one prior draw of all parameters, both are independent draws from the law of the totals, so
the sign of their difference is a fair coin. Each test fails by chance with probability 1e-6 over
the choice of its seed (see ``two_stage``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xarray as xr
from scipy import stats
from two_stage import is_accepted, is_rejected_at_once, smallest

from bayes_attrib.inference import PosteriorFit, sample_prior, total_draws
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.spec import parse_plain

pytestmark = pytest.mark.statistical

SIZE = 400
TIGHT = {"dist": "Normal", "mu": 0.0, "sigma": 0.3}


def make_data(family):
    exposure = sp.csr_array([[1.0, 0.2, 0.0], [0.5, 3.0, 1.0], [0.0, 9.0, 4.0], [2.0, 0.0, 30.0]])
    return AggregateData(
        aggregate_keys=pd.DataFrame({"store": list("abcd")}),
        totals=np.array([4.0, 20.0, 45.0, 110.0]) + (0.0 if family.counts else 0.5),
        entity_key="who",
        entity_names=np.array(list("xyz"), dtype=object),
        exposure=exposure,
    )


def make_spec(key):
    return parse_plain(
        {
            "schema_version": 1,
            "name": "test",
            "columns": {"aggregate": ["store"], "entity": "who"},
            "likelihood": {"family": key[0], "level": key[1]},
            "priors": {"intercept": TIGHT},
        },
        source="test",
    )


def comparison(key, *, inflate=1.0):
    """P-values of a difference in level and in spread, for every aggregate."""
    family = FAMILIES[key]
    data, spec = make_data(family), make_spec(key)

    def p_value(rng, size):
        prior = sample_prior(data, spec, draws=size, seed=int(rng.integers(2**31)))
        fit = PosteriorFit(xr.DataTree.from_dict({"posterior": prior.tree["prior"].ds}), "prior")
        law = total_draws(fit, data, spec, most=size)
        own = family.draw_totals(inflate * law.mu, law.noise, rng)
        found = []
        for mine, theirs, mu in zip(own, prior.totals, law.mu, strict=True):
            difference = np.log1p(mine) - np.log1p(theirs)
            spread = np.abs(mine - mu) / mu - np.abs(theirs - mu) / mu
            found += [stats.wilcoxon(d[d != 0]).pvalue for d in (difference, spread)]
        return smallest(found)

    return p_value


@pytest.mark.parametrize("key", list(FAMILIES), ids=str)
def test_model_and_family_draw_the_same_totals(key):
    assert is_accepted(comparison(key), size=SIZE, seed=2)


@pytest.mark.parametrize("key", [("poisson", None), ("gamma", "pair")], ids=str)
def test_a_fifth_more_would_be_seen(key):
    assert is_rejected_at_once(comparison(key, inflate=1.2), size=SIZE, seed=2)
