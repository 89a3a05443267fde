"""Small random data sets and specs for tests of the model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.spec import ModelSpec

GROUPS = {"region": 2, "format": 4}


def build_data(exposure, totals, groupings=()):
    exposure = sp.csr_array(np.asarray(exposure, dtype=float))
    n_aggregates, n_entities = exposure.shape
    return AggregateData(
        aggregate_keys=pd.DataFrame({"store": [f"store {b}" for b in range(n_aggregates)]}),
        totals=np.asarray(totals, dtype=float),
        entity_key="campaign",
        entity_names=np.array([f"campaign {e}" for e in range(n_entities)], dtype=object),
        exposure=exposure,
        groupings={grouping.name: grouping for grouping in groupings},
    )


@pytest.fixture
def make_data():
    """Builds AggregateData from a dense exposure matrix, totals and groupings."""
    return build_data


@pytest.fixture
def random_data():
    """Builds data of 9 entities and 7 aggregates, two of which nobody is exposed to."""

    def build(seed, *, counts=True, scale=1.0):
        rng = np.random.default_rng(seed)
        exposure = rng.lognormal(size=(7, 9)) * (rng.random((7, 9)) < 0.4)
        exposure[[0, 4]] = 0.0
        exposure[[1, 2, 3, 5, 6], [0, 1, 2, 3, 4]] = 1.5
        totals = rng.poisson(8.0, size=7) + (0 if counts else rng.random(7))
        totals = np.where(exposure.sum(axis=1) > 0, totals, 0)
        groupings = [
            Grouping.from_labels(
                name, rng.permutation(np.arange(9) % n_levels).astype(str).tolist()
            )
            for name, n_levels in GROUPS.items()
        ]
        return build_data(scale * exposure, totals, groupings)

    return build


@pytest.fixture
def make_spec():
    """Builds a ModelSpec from the key of a family, groups, geometry and priors."""

    def build(family=("poisson", None), groups=(), *, entity="auto", form="auto", priors=None):
        return ModelSpec.model_validate(
            {
                "schema_version": 1,
                "name": "test",
                "columns": {"aggregate": ("store",), "entity": "campaign"},
                "likelihood": {"family": family[0], "level": family[1]},
                "rates": {"pooling": groups, "geometry": {"entity": entity, "groups": form}},
                "priors": priors or {},
            }
        )

    return build
