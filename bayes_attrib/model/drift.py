"""Rates that change over time: a random walk, or a Gaussian process in Hilbert-space form.

Each series has mean zero over the periods, so ``rate`` keeps its meaning: the typical level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.edge_terms import drift_series
from bayes_attrib.spec import ModelSpec

SHORTEST_LENGTHSCALE = 2.0
"""Shortest lengthscale, in periods, that the basis of the Gaussian process resolves."""

_OFFSET = f"offset_{names.DRIFT}"


def add_drift(data: AggregateData, spec: ModelSpec, parameters: Mapping[str, Any], dim: str) -> Any:
    """Add the variable ``drift``, shape (n_series, n_periods), to the model in context.

    Parameters
    ----------
    data : AggregateData
        Periods in the order of time, and the groups that drift.
    spec : ModelSpec
        ``rates.drift`` says what drifts, and how.
    parameters : mapping of str to TensorVariable
        Holds ``sigma_drift`` and, for a Gaussian process, ``lengthscale_drift`` in periods.
    dim : str
        Dimension of the attributable entities, for drift by entity.

    Returns
    -------
    TensorVariable, shape (n_series, n_periods)
        Additions to the log rate; each row has mean zero.
    """
    drift = spec.rates.drift
    if drift is None:
        raise AssertionError("asked for the drift of a spec without one")
    grouping = drift_series(data, spec)
    n_series = data.n_attributable if grouping is None else len(grouping.levels)
    n_periods = len(data.aggregate_groupings[drift.period].levels)
    sigma = parameters[names.SIGMA_DRIFT]
    if drift.kind == "random_walk":
        path = sigma * _random_walk(n_series, n_periods)
    else:
        path = sigma * _smooth_curves(n_series, n_periods, parameters[names.LENGTHSCALE_DRIFT])
    centred = path - path.mean(axis=1, keepdims=True)
    dims = (dim if grouping is None else grouping.name, names.PERIOD)
    return pm.Deterministic(names.DRIFT, centred, dims=dims)


def _random_walk(n_series: int, n_periods: int) -> Any:
    """Sum standard normal steps; ``sigma_drift`` is the sd of a step."""
    steps = pm.Normal(_OFFSET, shape=(n_series, n_periods - 1))
    return pt.concatenate([pt.zeros((n_series, 1)), pt.cumsum(steps, axis=1)], axis=1)


def _smooth_curves(n_series: int, n_periods: int, lengthscale: Any) -> Any:
    """Squared-exponential Gaussian processes of unit variance over the periods.

    The number of basis functions and the boundary factor follow Riutort-Mayol, Buerkner, Andersen,
    Solin and Vehtari (2023, Statistics and Computing 33).
    """
    periods = np.arange(n_periods, dtype=np.float64)
    m, c = pm.gp.hsgp_approx.approx_hsgp_hyperparams(
        x_range=[0.0, n_periods - 1.0],
        lengthscale_range=[min(SHORTEST_LENGTHSCALE, n_periods / 4), n_periods],
        cov_func="expquad",
    )
    process = pm.gp.HSGP(m=[m], c=c, cov_func=pm.gp.cov.ExpQuad(1, ls=lengthscale))
    basis, root_density = process.prior_linearized(periods[:, np.newaxis])
    weights = pm.Normal(_OFFSET, shape=(n_series, basis.type.shape[1] or m))
    return (weights * root_density) @ basis.T
