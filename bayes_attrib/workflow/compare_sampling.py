"""An approximation beside sampling, on a block of the data that is small enough to sample."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inference import PosteriorFit, ProgressListener, SamplerSettings, fit_nuts
from bayes_attrib.inference.diagnostics import Bounds, Check, make_check
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.model import build_model
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.methods import FitJob, Method

MOST_ENTITIES: Final = 300
MOST_EDGES: Final = 2000
"""The block has at most so many entities and edges, but for the first aggregate's own."""

RATES: Final = Bounds("<=", 0.15, math.inf)
SPREAD: Final = Bounds("<=", 1.2, math.inf)
ONE: Final = Bounds("<=", 0.3, math.inf)

CHECK_PREFIX: Final = "check_"
"""Names of the checks begin so; they cannot be made again from a run folder."""

_SETTINGS: Final = SamplerSettings(draws=500, tune=500, chains=4)

_DRAWS: Final = 2000
"""Draws of the approximation."""


def compare_with_sampling(
    data: AggregateData,
    spec: ModelSpec,
    method: Method,
    *,
    progress: ProgressListener | None = None,
) -> tuple[Check, ...]:
    """Fit a block of the data both ways and say how far the answers are apart.

    Differences of means are in posterior sds of the sampled fit. The noise of sampling is part of
    them: with a thousand effective draws a tenth of an sd or so in the worst of many quantities.

    Parameters
    ----------
    data : AggregateData
        All data.
    spec : ModelSpec
        The model.
    method : Method
        The approximation.
    progress : ProgressListener, optional
        Told about the draws as they are made.

    Returns
    -------
    tuple of Check
        Rates, their spread, parameters and shares; beyond its bound each is a warning.
    """
    block = connected_block(data)
    settings = replace(_SETTINGS, seed=spec.inference.seed)
    sampled = fit_nuts(build_model(block, spec), settings, progress=progress)
    inference = spec.inference.model_copy(update={"draws": _DRAWS})
    near = method.sample(FitJob(block, spec.model_copy(update={"inference": inference})))
    of = f"against sampling, on {block.n_entities} entities and {block.n_aggregates} aggregates"
    gap, ratio = _compare(sampled.draws(names.LOG_RATE), near.draws(names.LOG_RATE))
    scalars = [n for n in spec.parameters if sampled.posterior[n].ndim == 2]
    of_parameters, _ = _compare(_stack(sampled, scalars), _stack(near, scalars))
    of_shares, _ = _compare(_shares(sampled, block), _shares(near, block))
    worst = int(np.argmax(np.abs(of_parameters)))
    entity = str(block.entity_names[int(np.argmax(np.abs(of_shares)))])
    spread = float(np.exp(np.abs(np.log(np.median(ratio)))))
    return (
        make_check(
            f"{CHECK_PREFIX}rates_rms", float(np.sqrt(np.mean(gap**2))), RATES, f"log rates {of}"
        ),
        make_check(
            f"{CHECK_PREFIX}rates_sd_ratio", spread, SPREAD, f"median {np.median(ratio):.2f} {of}"
        ),
        make_check(
            f"{CHECK_PREFIX}parameters_worst",
            float(np.abs(of_parameters[worst])),
            ONE,
            f"worst: {scalars[worst]}, {of}",
        ),
        make_check(
            f"{CHECK_PREFIX}shares_worst",
            float(np.max(np.abs(of_shares))),
            ONE,
            f"worst: {entity}, {of}",
        ),
    )


def _compare(sampled: FloatArray, near: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Differences of means in sds, and ratios of sds, of draws of shape (n, n_draws)."""
    sd = sampled.std(axis=1)
    return (near.mean(axis=1) - sampled.mean(axis=1)) / sd, near.std(axis=1) / sd


def _stack(fit: PosteriorFit, parameters: list[str]) -> FloatArray:
    return np.stack([fit.draws(name) for name in parameters])


def _shares(fit: PosteriorFit, data: AggregateData) -> FloatArray:
    """Share of the expected grand total of each entity, by rates and exposures alone."""
    amounts = fit.draws(names.RATE) * np.asarray(data.exposure.sum(axis=0)).reshape(-1, 1)
    return np.asarray(amounts / amounts.sum(axis=0))


def connected_block(data: AggregateData) -> AggregateData:
    """Return whole aggregates that share entities, as many as may be sampled in seconds.

    Aggregates are taken in the order in which entities lead to them, from the largest total on.

    Parameters
    ----------
    data : AggregateData
        All data.

    Returns
    -------
    AggregateData
        The block; its entities keep only their exposures inside it.

    Raises
    ------
    FitError
        If the block holds one entity or one total: there is nothing to compare.
    """
    by_entity = sp.csr_array(data.exposure.T)
    exposure = data.exposure
    waiting = [int(np.argmax(data.totals))]
    rows: list[int] = []
    seen, entities, n_edges = set(waiting), set[int](), 0
    while waiting:
        row = waiting.pop(0)
        own = exposure.indices[exposure.indptr[row] : exposure.indptr[row + 1]].tolist()
        too_many = len(entities | set(own)) > MOST_ENTITIES or n_edges + len(own) > MOST_EDGES
        if rows and too_many:
            break
        rows.append(row)
        entities |= set(own)
        n_edges += len(own)
        for e in own:
            near = by_entity.indices[by_entity.indptr[e] : by_entity.indptr[e + 1]].tolist()
            fresh = [b for b in near if b not in seen]
            seen |= set(fresh)
            waiting += fresh
    if len(rows) < 2 or len(entities) < 2:
        raise FitError("no block of the data has two totals and two entities to be compared on")
    return _subset(data, np.array(sorted(rows)), np.array(sorted(entities)))


def _subset(data: AggregateData, rows: IntArray, entities: IntArray) -> AggregateData:
    inside = np.isin(data.edge_aggregate, rows)
    return AggregateData(
        aggregate_keys=data.aggregate_keys.iloc[rows],
        totals=data.totals[rows],
        entity_key=data.entity_key,
        entity_names=data.entity_names[entities],
        exposure=sp.csr_array(data.exposure[rows][:, entities]),
        groupings={n: _levels_of(g, entities) for n, g in data.groupings.items()},
        aggregate_groupings={n: _levels_of(g, rows) for n, g in data.aggregate_groupings.items()},
        entity_covariates=_rows_of(data.entity_covariates, entities),
        pair_covariates=_rows_of(data.pair_covariates, np.flatnonzero(inside)),
        aggregate_covariates=_rows_of(data.aggregate_covariates, rows),
        delivery=tuple(part.kept(inside) for part in data.delivery),
    )


def _levels_of(grouping: Grouping, chosen: IntArray) -> Grouping:
    kept, codes = np.unique(grouping.codes[chosen], return_inverse=True)
    return Grouping(grouping.name, tuple(grouping.levels[i] for i in kept), codes)


def _rows_of(table: pd.DataFrame | None, rows: IntArray) -> pd.DataFrame | None:
    return None if table is None else table.iloc[rows].reset_index(drop=True)
