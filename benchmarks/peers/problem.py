"""The data and the model that all competitors get."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bayes_attrib.inputs import AggregateData
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import ModelSpec, load_spec

FloatArray = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "models" / "hcp_brick.toml"
GROUP = "specialty"
HYPERPARAMETERS = ("intercept", "sigma_specialty", "sigma_entity")
EFFECT = "effect_specialty"

SIZES = {
    "toy": (40, 16),
    "S": (400, 80),
    "M": (4_000, 800),
    "L": (40_000, 8_000),
    "L2": (100_000, 20_000),
    "XL": (400_000, 80_000),
}
"""Entities and aggregates; about 2.6 edges an entity."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Data in memory, the spec, and what every model reads of them."""

    size: str
    data: AggregateData
    spec: ModelSpec

    @property
    def group(self) -> npt.NDArray[np.int64]:
        """Group of each entity, shape (n_entities,)."""
        return np.asarray(self.data.groupings[GROUP].codes, dtype=np.int64)

    @property
    def levels(self) -> list[str]:
        """Names of the groups."""
        return [str(level) for level in self.data.groupings[GROUP].levels]

    @property
    def log_scale(self) -> float:
        """Logarithm of the data's own rate, which the intercept is relative to."""
        return float(np.log(self.data.reference_rate))

    def group_shares(self, rates: FloatArray) -> FloatArray:
        """Shares of the expected grand total by group, per draw, shape (n_draws, n_groups).

        Parameters
        ----------
        rates : ndarray, shape (n_draws, n_entities)
            Draws of rates.
        """
        exposure = np.asarray(self.data.exposure.sum(axis=0)).ravel()
        indicator = self.data.groupings[GROUP].indicator
        amounts = np.stack([indicator @ (exposure * row) for row in rates])
        return np.asarray(amounts / amounts.sum(axis=1, keepdims=True))

    @property
    def digest(self) -> str:
        """Digest of data and model."""
        sha = hashlib.sha256(self.spec.digest.encode())
        for array in (self.data.totals, self.data.exposure.data, self.data.edge_entity, self.group):
            sha.update(np.ascontiguousarray(array).tobytes())
        return sha.hexdigest()[:16]


def size_options(size: str) -> dict[str, int]:
    """Return the options of the scenario for a size."""
    n_entities, n_aggregates = SIZES[size]
    return {"n_entities": n_entities, "n_aggregates": n_aggregates}


@cache
def make_problem(size: str) -> Problem:
    """Simulate the data of a size; always the same."""
    data = simulate("hcp_brick", seed=1, options=size_options(size)).build_data([GROUP])
    return Problem(size, data, load_spec(SPEC))
