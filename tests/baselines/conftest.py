"""Small problems that the tests of the baselines share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bayes_attrib.inputs import AggregateData

TEXTBOOK = Path(__file__).parent / "textbook_mmm_mta"

MakeData = Callable[..., AggregateData]


def make_data(exposure, totals, truth=None) -> AggregateData:
    """Build data from a dense matrix, shape (n_aggregates, n_entities), and totals."""
    exposure = sp.csr_array(np.asarray(exposure, dtype=float))
    n_aggregates, n_entities = exposure.shape
    return AggregateData(
        aggregate_keys=pd.DataFrame({"brick": [f"B{b + 1}" for b in range(n_aggregates)]}),
        totals=np.asarray(totals, dtype=float),
        entity_key="hcp",
        entity_names=np.array([f"H{e + 1}" for e in range(n_entities)], dtype=object),
        exposure=exposure,
        truth=truth,
    )


def make_random_data(seed=1, shape=(12, 7), density=0.5, noise=0.6) -> AggregateData:
    """Totals that no rates fit perfectly, around random rates and sparse random exposures."""
    rng = np.random.default_rng(seed)
    exposure = rng.lognormal(0.0, 0.7, shape) * (rng.uniform(size=shape) < density)
    diagonal = np.arange(max(shape))  # nobody is without exposure
    exposure[diagonal % shape[0], diagonal % shape[1]] = 1.0
    expected = exposure @ rng.lognormal(0.0, 0.8, shape[1])
    return make_data(exposure, 20 * expected * rng.lognormal(0.0, noise, shape[0]))


def read_channel(channel: str) -> AggregateData:
    """One channel of the two-channel textbook example, with its true amounts."""
    keys = ["week", "geo"]
    text = dict.fromkeys(["channel", "campaign", *keys], str)
    aggregates, cells = (
        table[table["channel"] == channel]
        for table in (
            pd.read_csv(TEXTBOOK / "aggregates.csv", dtype=text),
            pd.read_csv(TEXTBOOK / "exposures.csv.gz", dtype=text),
        )
    )
    index = pd.MultiIndex.from_frame(aggregates[keys])
    row = index.get_indexer(pd.MultiIndex.from_frame(cells[keys]))
    names, column = np.unique(cells["campaign"].to_numpy(dtype=object), return_inverse=True)
    order = np.lexsort((column, row))
    coordinates = (row[order], column[order])
    return AggregateData(
        aggregate_keys=aggregates[keys],
        totals=aggregates["total"].to_numpy(),
        entity_key="campaign",
        entity_names=names,
        exposure=sp.csr_array(
            (cells["exposure"].to_numpy()[order], coordinates), shape=(len(index), len(names))
        ),
        truth=cells["amount"].to_numpy()[order],
    )


@pytest.fixture
def data_of() -> MakeData:
    return make_data


@pytest.fixture
def random_data() -> MakeData:
    return make_random_data


@pytest.fixture(scope="session")
def channels() -> dict[str, AggregateData]:
    return {name: read_channel(name) for name in ("Search", "Social")}


@pytest.fixture
def two_bricks() -> AggregateData:
    """100 and 60 units; H1 to H3 work the first brick, H2 to H4 the second."""
    return make_data([[1, 1, 1, 0], [0, 1, 1, 1]], [100, 60])
