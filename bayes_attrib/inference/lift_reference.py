"""What the fit would have been without its lift tests, kept beside it.

Draws of the fit with tests, weighted by one over the density of what was measured, are draws of the
fit without. Where tests say much, few of the draws carry all of the weight, as Pareto's k tells;
draws of a second fit then take their place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.inference.lift_moments import LiftMoments, increments_of
from bayes_attrib.inference.pareto import HIGHEST_PARETO_K, pareto_smoothed
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray

LIFT_GROUP: Final = "without_lift_tests"
"""Group of ``posterior.nc`` that holds it."""

FEWEST_EFFECTIVE: Final = 200.0
"""Weights that are worth fewer draws are not relied on."""

_CONSTANT: Final = 1e-9

How = Literal["weights", "refit", "none"]


@dataclass(frozen=True, eq=False)
class LiftReference:
    """Draws without lift tests: what they say about the tests and about shares.

    Attributes
    ----------
    how : {"weights", "refit", "none"}
        Whether the draws are those of the fit itself, weighted, those of a second fit, or none that
        can be relied on.
    pareto_k : float
        Shape of the tail of the weights that take all tests out of the fit.
    moments : LiftMoments
        Laws of the increments in these draws.
    log_weights : ndarray, shape (n_draws,)
        Normalised weights of the draws.
    n_chains : int
        Chains that the draws come from, one after the other.
    share_sd, share_sd_with : ndarray, shape (n_entities,)
        Sd of each entity's share of the expected grand total, without the tests and with them.
    """

    how: How
    pareto_k: float
    moments: LiftMoments
    log_weights: FloatArray
    n_chains: int
    share_sd: FloatArray
    share_sd_with: FloatArray

    @property
    def informed(self) -> FloatArray:
        """Part of each share's sd that the tests took away, shape (n_entities,); 0 if none."""
        known = np.divide(
            self.share_sd_with,
            self.share_sd,
            out=np.ones_like(self.share_sd),
            where=self.share_sd > 0,
        )
        return np.maximum(1.0 - known, 0.0) if self.how != "none" else np.zeros_like(known)

    def dataset(self, data: AggregateData) -> xr.Dataset:
        """Return it as a dataset over (chain, draw, lift_test) and entity."""
        lead = (names.CHAIN, names.DRAW)

        def by_chain(values: FloatArray) -> FloatArray:
            """Put draws first, and cut them into chains."""
            return np.moveaxis(values, -1, 0).reshape(self.n_chains, -1, *values.shape[:-1])

        n_draws = len(self.log_weights) // self.n_chains
        return xr.Dataset(
            {
                "mean": ((*lead, names.LIFT_TEST), by_chain(self.moments.mean)),
                "variance": ((*lead, names.LIFT_TEST), by_chain(self.moments.variance)),
                "log_weight": (lead, by_chain(self.log_weights)),
                "share_sd": ((names.ENTITY,), self.share_sd),
                "share_sd_with": ((names.ENTITY,), self.share_sd_with),
                "pareto_k": ((), self.pareto_k if math.isfinite(self.pareto_k) else 1e9),
            },
            coords={
                names.CHAIN: np.arange(self.n_chains),
                names.DRAW: np.arange(n_draws),
                names.LIFT_TEST: [test.name for test in data.lift_tests],
                names.ENTITY: data.entity_names.astype(str),
            },
            attrs={"how": self.how},
        )

    @classmethod
    def of(cls, fit: PosteriorFit) -> Self | None:
        """Read it from a fit; None where the fit has none."""
        if LIFT_GROUP not in fit.tree.children:
            return None
        found = fit.tree[LIFT_GROUP].to_dataset()

        def draws(name: str) -> FloatArray:
            """Read a variable with its draws last, chain after chain."""
            values = found[name].to_numpy()
            flat = values.reshape(-1, *values.shape[2:])
            return np.ascontiguousarray(np.moveaxis(flat, 0, -1), dtype=np.float64)

        k = float(found["pareto_k"])
        return cls(
            how=found.attrs["how"],
            pareto_k=k if k < 1e9 else math.inf,
            moments=LiftMoments(draws("mean"), draws("variance")),
            log_weights=draws("log_weight"),
            n_chains=int(found.sizes[names.CHAIN]),
            share_sd=found["share_sd"].to_numpy().astype(np.float64),
            share_sd_with=found["share_sd_with"].to_numpy().astype(np.float64),
        )


def weights_without_tests(moments: LiftMoments, data: AggregateData) -> tuple[FloatArray, float]:
    """Weigh draws of a fit with lift tests so that they are draws of the fit without.

    Parameters
    ----------
    moments : LiftMoments
        Laws of the increments in the draws of the fit.
    data : AggregateData
        What was measured.

    Returns
    -------
    log_weights : ndarray, shape (n_draws,)
        Pareto-smoothed and normalised.
    pareto_k : float
        Shape of their tail.
    """
    weights = -moments.log_density(increments_of(data)).sum(axis=0)
    if np.ptp(weights) < _CONSTANT:  # tests of whole totals say the same in every draw
        return np.full(len(weights), -math.log(len(weights))), 0.0
    return pareto_smoothed(weights)


def is_reliable(log_weights: FloatArray, pareto_k: float) -> bool:
    """Return whether weights can stand for a fit of its own."""
    return pareto_k <= HIGHEST_PARETO_K and effective_draws(log_weights) >= FEWEST_EFFECTIVE


def effective_draws(log_weights: FloatArray) -> float:
    """Return how many draws of equal weight normalised weights are worth."""
    return float(1.0 / np.sum(np.exp(2 * log_weights)))


def weighted_sd(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the sd of draws, shape (n_rows, n_draws), under normalised weights."""
    mean = rows @ weights
    return np.asarray(np.sqrt(np.maximum((rows - mean[:, np.newaxis]) ** 2 @ weights, 0.0)))
