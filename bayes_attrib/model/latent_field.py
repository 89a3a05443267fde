"""The latent field: intercept, effects of groups, coefficients and entities, as standard normals.

Every effect is its prior mean plus its prior sd times a standard normal variable. Effects that sum
to zero are their sd times standard normals less their mean, which has the law of PyMC's
ZeroSumNormal; the direction that drops out keeps its prior and changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.model.covariates import entity_design, pair_design
from bayes_attrib.model.families import get_family
from bayes_attrib.model.learned_exposure import learned_of
from bayes_attrib.model.priors import resolve_priors
from bayes_attrib.spec import ModelSpec

NORMAL = (names.INTERCEPT, names.BETA, names.BETA_PAIR)
"""Parameters that are effects, hence need normal priors."""

MOST_DENSE_COLUMNS = 64
"""Designs of at most so many columns are dense arrays; wider ones are sparse."""


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive elements of the field that share a prior.

    Attributes
    ----------
    variable : str
        Variable of the posterior, or ``"offset_entity"`` for the entities' own effects.
    span : slice
        Their positions.
    mean : float
        Prior mean of the effects.
    sd : float or str
        Prior sd of the effects, or the name of the hyperparameter that it is.
    sums_to_zero : bool
        Whether the effects sum to zero.
    """

    variable: str
    span: slice
    mean: float
    sd: float | str
    sums_to_zero: bool = False

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(self.span.stop - self.span.start)


@dataclass(frozen=True, eq=False)
class LatentField:
    """What the expected totals are a function of.

    Attributes
    ----------
    blocks : tuple of Block
        All elements in order; the entities come last.
    log_reference_rate : float
        log r0, totals per unit of exposure.
    totals : ndarray, shape (n_aggregates,)
        Observed totals of the exposed aggregates.
    exposure, exposure_by_entity : csr_array
        Exposures of these aggregates, shape (n_aggregates, n_entities), and their transpose.
    design : ndarray or csr_array, shape (n_entities, n_coarse)
        What every element but the entities' own adds to the log rate of each entity.
    edge_design : csr_array, shape (n_edges, n_coarse), or None
        What it adds to the log expected amount of each edge beside that.
    """

    blocks: tuple[Block, ...]
    log_reference_rate: float
    totals: FloatArray
    exposure: sp.csr_array
    exposure_by_entity: sp.csr_array
    design: Any
    edge_design: sp.csr_array | None

    @property
    def n_coarse(self) -> int:
        """Number of elements that are not the entities' own."""
        return int(self.blocks[-1].span.start)

    @property
    def size(self) -> int:
        """Number of all elements."""
        return int(self.blocks[-1].span.stop)

    @property
    def n_aggregates(self) -> int:
        """Number of exposed aggregates."""
        return len(self.totals)

    def of_aggregates(self, rows: IntArray) -> LatentField:
        """Return the field of some aggregates and of the entities that they are exposed to.

        It has no edge design.
        """
        exposure = sp.csr_array(self.exposure[rows])
        seen = np.unique(exposure.indices)
        exposure = sp.csr_array(exposure[:, seen])
        own = self.blocks[-1]
        last = dataclasses.replace(own, span=slice(own.span.start, own.span.start + len(seen)))
        return LatentField(
            (*self.blocks[:-1], last),
            self.log_reference_rate,
            self.totals[rows],
            exposure,
            sp.csr_array(exposure.T),
            self.design[seen],
            None,
        )

    def scale(self, sigmas: Mapping[str, float]) -> FloatArray:
        """Return the prior sd of every element, shape (size,), given the hyperparameters."""
        scale = np.empty(self.size)
        for block in self.blocks:
            scale[block.span] = sigmas[block.sd] if isinstance(block.sd, str) else block.sd
        return scale

    def centre(self, x: FloatArray) -> FloatArray:
        """Return a copy of shape (size or n_coarse, ...) with blocks that sum to zero centred."""
        centred = np.array(x)
        for block in self.blocks:
            if block.sums_to_zero:
                centred[block.span] -= x[block.span].mean(axis=0)
        return centred

    def effects(self, x: FloatArray, scale: FloatArray) -> FloatArray:
        """Return the effects that standard normals, shape (size, n_draws), stand for."""
        effects = self.centre(x) * scale[:, np.newaxis]
        for block in self.blocks:
            if block.mean:
                effects[block.span] += block.mean
        return effects

    def log_rates(self, effects: FloatArray) -> FloatArray:
        """Return log rates, shape (n_entities, n_draws)."""
        k = self.n_coarse
        return np.asarray(self.log_reference_rate + self.design @ effects[:k] + effects[k:])


def has_latent_field(spec: ModelSpec) -> bool:
    """Whether a model's log rates are linear in effects with normal priors, and nothing else.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Returns
    -------
    bool
        Whether :func:`latent_field` stands for the model.
    """
    rates, likelihood = spec.rates, spec.likelihood
    others = (
        rates.drift is not None,
        bool(learned_of(spec).parameters),
        rates.heteroscedastic is not None,
        spec.unattributed is not None,
        likelihood.amounts == "explicit",
        likelihood.zero_covariates is not None,
        get_family(likelihood).needs_herfindahl,
    )
    priors = (spec.priors.get(name) for name in NORMAL)
    return not any(others) and all(prior is None or prior.dist == "Normal" for prior in priors)


def latent_field(data: AggregateData, spec: ModelSpec) -> LatentField:
    """Return the latent field of a spec's model for data.

    Parameters
    ----------
    data : AggregateData
        Totals, exposures, groupings and covariates.
    spec : ModelSpec
        A model that :func:`has_latent_field` accepts.

    Returns
    -------
    LatentField
        Elements in the order of the model's parameters.
    """
    exposed = data.is_exposed
    exposure = sp.csr_array(data.exposure[exposed])
    columns, edge_columns, blocks = [], [], []
    at = 0
    for block, of_entities, of_edges in _coarse_blocks(data, spec):
        size = (of_entities if of_edges is None else of_edges).shape[1]
        name, mean, sd, to_zero = block
        blocks.append(Block(name, slice(at, at + size), mean, sd, to_zero))
        columns.append(of_entities if of_edges is None else _nothing(data.n_entities, size))
        edge_columns.append(_nothing(data.n_edges, size) if of_edges is None else of_edges)
        at += size
    own = slice(at, at + data.n_entities)
    blocks.append(Block(names.ENTITY_OFFSET, own, 0.0, names.SIGMA_ENTITY))
    design = sp.csr_array(sp.hstack(columns))
    edge_design = sp.csr_array(sp.hstack(edge_columns))
    return LatentField(
        tuple(blocks),
        float(np.log(data.reference_rate)),
        data.totals[exposed],
        exposure,
        sp.csr_array(exposure.T),
        design.toarray() if at <= MOST_DENSE_COLUMNS else design,
        edge_design if edge_design.nnz else None,
    )


def _coarse_blocks(
    data: AggregateData, spec: ModelSpec
) -> Iterator[tuple[tuple[str, float, float | str, bool], Any, Any]]:
    """Yield variable and prior, design of the entities, and design of the edges, of each block."""
    priors, rates = resolve_priors(spec, data), spec.rates
    intercept = priors[names.INTERCEPT].parameters
    ones = sp.csr_array(np.ones((data.n_entities, 1)))
    yield (names.INTERCEPT, intercept["mu"], intercept["sigma"], False), ones, None
    for column in rates.groups:
        to_zero = column in rates.pooling or column == rates.nested[0]
        indicator = sp.csr_array(data.attributable_grouping(column).indicator.T)
        yield (names.effect_of(column), 0.0, names.sigma_of(column), to_zero), indicator, None
    for name, design in (
        (names.BETA, entity_design(data, spec)),
        (names.BETA_PAIR, pair_design(data, spec)),
    ):
        if design is not None:
            prior, matrix = priors[name].parameters, sp.csr_array(design.matrix)
            block = (name, prior["mu"], prior["sigma"], False)
            yield (block, matrix, None) if name == names.BETA else (block, None, matrix)
    for column in rates.aggregate_effects:
        grouping = data.aggregate_groupings[column]
        indicator = sp.csr_array(grouping.indicator.T)[data.edge_aggregate]
        yield (names.effect_of(column), 0.0, names.sigma_of(column), True), None, indicator


def _nothing(n_rows: int, n_columns: int) -> sp.csr_array:
    return sp.csr_array((n_rows, n_columns))
