"""Priors made by hand: what the assertions look at, without drawing from a model."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xarray as xr

from bayes_attrib.inference import PriorDraws
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.spec import parse_plain

N_DRAWS, N_AGGREGATES = 2000, 6


def make_data(n_entities=3, exposure=None, kinds=None):
    exposure = np.ones((N_AGGREGATES, n_entities)) if exposure is None else np.asarray(exposure)
    groupings = {} if kinds is None else {"kind": Grouping.from_labels("kind", list(kinds))}
    return AggregateData(
        aggregate_keys=pd.DataFrame({"week": [f"w{b}" for b in range(len(exposure))]}),
        totals=np.full(len(exposure), 100.0),
        entity_key="who",
        entity_names=np.array([f"e{i}" for i in range(exposure.shape[1])], dtype=object),
        exposure=sp.csr_array(exposure, dtype=float),
        groupings=groupings,
    )


@pytest.fixture(scope="session")
def data_of():
    return make_data


@pytest.fixture(scope="session")
def prior_of():
    """Builds PriorDraws from log rates, shape (n_entities, n_draws), and totals around 100."""

    def build(log_rates, *, data=None, intercept=None, total_sd=0.3, seed=0):
        rng = np.random.default_rng(seed)
        data = data or make_data(len(log_rates))
        n_draws = log_rates.shape[1]
        intercept = rng.normal(size=n_draws) if intercept is None else intercept
        noise = total_sd * rng.normal(size=(n_draws, data.n_aggregates))
        spec = parse_plain(
            {
                "schema_version": 1,
                "name": "test",
                "columns": {"aggregate": ["week"], "entity": "who"},
                "priors": {"intercept": {"dist": "Normal", "mu": 0.0, "sigma": 0.7}},
            },
            source="test",
        )
        prior = {
            "rate": (("chain", "draw", "entity"), np.exp(log_rates.T)[np.newaxis]),
            "intercept": (("chain", "draw"), intercept[np.newaxis]),
            "sigma_entity": (("chain", "draw"), np.abs(rng.normal(size=n_draws))[np.newaxis]),
        }
        totals = 100.0 * np.exp(intercept[:, np.newaxis] + noise)
        predictive = {"total": (("chain", "draw", "aggregate"), totals[np.newaxis])}
        tree = xr.DataTree.from_dict(
            {"prior": xr.Dataset(prior), "prior_predictive": xr.Dataset(predictive)}
        )
        return PriorDraws(tree, data, spec)

    return build


@pytest.fixture(scope="session")
def log_normals():
    """Builds independent log rates with these standard deviations, shape (n_entities, n_draws)."""

    def build(*sds, seed=1, n_draws=N_DRAWS):
        return np.random.default_rng(seed).normal(size=(len(sds), n_draws)) * np.array(sds)[:, None]

    return build
