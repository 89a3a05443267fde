"""What the data say about each entity, and what the run says when it is little."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xarray as xr

from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inference.information import information_findings, information_fraction
from bayes_attrib.inputs import AggregateData
from bayes_attrib.spec import parse_plain

SPEC = parse_plain(
    {"schema_version": 1, "name": "x", "columns": {"aggregate": "b", "entity": "who"}},
    source="test",
)


def make_data(exposure):
    exposure = np.asarray(exposure, dtype=float)
    return AggregateData(
        aggregate_keys=pd.DataFrame({"b": [str(b) for b in range(len(exposure))]}),
        totals=np.full(len(exposure), 12.0),
        entity_key="who",
        entity_names=np.array([f"e{i}" for i in range(exposure.shape[1])], dtype=object),
        exposure=sp.csr_array(exposure),
    )


def make_fit(data, offset_sd, seed=0):
    """Draws whose entity effects, in units of sigma, have the standard deviations given."""
    rng = np.random.default_rng(seed)
    shape = (2, 5000)
    intercept, sigma = rng.normal(size=shape), rng.uniform(0.2, 0.8, size=shape)
    offset = rng.normal(size=(*shape, data.n_entities)) * offset_sd
    centre = np.log(data.reference_rate) + intercept
    log_rate = centre[..., None] + sigma[..., None] * offset
    dims = ("chain", "draw")
    posterior = xr.Dataset(
        {
            "intercept": (dims, intercept),
            "sigma_entity": (dims, sigma),
            "log_rate": ((*dims, "entity"), log_rate),
            "rate": ((*dims, "entity"), np.exp(log_rate)),
        }
    )
    return PosteriorFit(xr.DataTree.from_dict({"posterior": posterior}), "nuts")


def test_fraction_is_the_part_of_the_prior_variance_that_is_gone():
    data = make_data([[1, 2, 0], [0, 1, 3]])
    found = information_fraction(make_fit(data, [1.0, 0.5, 0.1]), data, SPEC)
    np.testing.assert_allclose(found, [0.0, 0.75, 0.99], atol=0.03)


def test_entities_that_the_data_hardly_inform_are_named():
    data = make_data([[1, 2, 0], [0, 1, 3]])
    (finding,) = information_findings(make_fit(data, [1.0, 0.5, 0.1]), data, SPEC)
    assert finding.code == "little-information"
    assert "for 1 of 3 entities (e0)" in finding.message


@pytest.mark.parametrize(
    ("exposure", "words"),
    [
        ([[1, 2, 0], [2, 4, 1]], "2 entities in 1 set have proportional exposures (e0, e1)"),
        ([[1, 2, 1, 1], [2, 4, 0, 0]], "4 entities in 2 sets"),
    ],
)
def test_entities_that_never_vary_apart_are_named(exposure, words):
    data = make_data(exposure)
    (finding,) = information_findings(make_fit(data, 0.1), data, SPEC)
    assert finding.code == "indistinguishable-entities"
    assert words in finding.message


def test_nothing_is_said_where_every_entity_is_informed():
    data = make_data([[1, 2, 0], [0, 1, 3]])
    assert information_findings(make_fit(data, 0.1), data, SPEC) == ()
