"""New aggregates: who has exposure in them, and what multiplies their expected amounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.special import expit, logit

from bayes_attrib import names
from bayes_attrib.attribution.prediction.levels import effect_draws
from bayes_attrib.attribution.prediction.periods import drift_paths
from bayes_attrib.attribution.prediction.rates import EntityRates
from bayes_attrib.attribution.prediction.source import Source
from bayes_attrib.inference import DrawMatrix, ExpectedDraws, PosteriorFit
from bayes_attrib.inference.constant_data import Texts
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.inputs.delivered_curves import located_delivery
from bayes_attrib.inputs.keys import match_keys
from bayes_attrib.inputs.table import Tables
from bayes_attrib.model.edge_terms import EdgeTerm, LevelTerm, LinearTerm
from bayes_attrib.model.families import Draws
from bayes_attrib.model.learned_exposure import transform_term
from bayes_attrib.spec import DriftSpec, ModelSpec

Term = tuple[EdgeTerm, FloatArray]


@dataclass(frozen=True, eq=False)
class NewAggregates:
    """Aggregates to predict, in every posterior draw.

    Attributes
    ----------
    mean : ExpectedDraws
        Expected amounts, and the exposures; its totals are zero where none were observed.
    noise : mapping of str to ndarray, shape (n_draws,) or (n_aggregates, n_draws)
        Parameters of the family.
    has_totals : bool
        Whether the totals were observed.
    """

    mean: ExpectedDraws
    noise: Draws
    has_totals: bool


def new_aggregates(
    source: Source,
    tables: Tables,
    rates: EntityRates,
    rng: np.random.Generator,
) -> NewAggregates:
    """Build the aggregates of checked tables of exposures and, if given, aggregates.

    Parameters
    ----------
    source : Source
        The fit.
    tables : Tables
        Checked tables.
    rates : EntityRates
        Rates of all entities with exposure.
    rng : numpy.random.Generator
        Source of effects and drift that the fit has never seen.

    Returns
    -------
    NewAggregates
        Aggregates in the order of their table, or of their first exposure.
    """
    fit, spec = source.fit, source.spec
    has_table = names.AGGREGATES_TABLE in tables.by_stem
    keys = list(spec.columns.aggregate)
    exposures = tables.exposures.frame
    frame = tables.aggregates.frame if has_table else exposures[keys].drop_duplicates()
    frame = frame.reset_index(drop=True)
    has_totals = spec.columns.total in frame
    edges = _edges(spec, tables, frame, rates)
    own = spec.unattributed is not None
    log_rate = np.vstack([rates.log_rate, *([fit.draws(names.LOG_RATE)[-1:]] if own else [])])
    data = AggregateData(
        aggregate_keys=frame[keys],
        totals=frame[spec.columns.total].to_numpy() if has_totals else np.zeros(len(frame)),
        entity_key=spec.columns.entity,
        entity_names=np.append(rates.entities, [names.UNATTRIBUTED] if own else []).astype(object),
        exposure=edges.matrix((len(frame), len(log_rate))),
        has_unattributed=own,
        delivery=tuple(
            located_delivery(
                curve, edges.aggregate, edges.entity, tables.aggregates.rows, rates.entities
            )
            for curve in tables.delivered
        ),
    )
    terms = _terms(source, tables, _Exposed(data, frame, edges, rates), rng)
    mean = ExpectedDraws(data, DrawMatrix.of(np.exp(log_rate)), tuple(terms))
    return NewAggregates(mean, _noise(source, tables), has_totals)


@dataclass(frozen=True, eq=False)
class _Edges:
    """Pairs with positive exposure in the order of aggregate and entity.

    ``row`` is the row of the exposures table, -1 for what no exposure explains.
    """

    aggregate: IntArray
    entity: IntArray
    exposure: FloatArray
    row: IntArray

    def matrix(self, shape: tuple[int, int]) -> sp.csr_array:
        return sp.csr_array((self.exposure, (self.aggregate, self.entity)), shape=shape)


@dataclass(frozen=True, eq=False)
class _Exposed:
    """New aggregates, their columns, and who has exposure in them."""

    data: AggregateData
    frame: pd.DataFrame
    edges: _Edges
    rates: EntityRates


def _edges(spec: ModelSpec, tables: Tables, frame: pd.DataFrame, rates: EntityRates) -> _Edges:
    exposures = tables.exposures.frame
    place = {name: i for i, name in enumerate(rates.entities.tolist())}
    aggregate = match_keys(frame, exposures, spec.columns.aggregate)
    entity = exposures[spec.columns.entity].map(place).to_numpy(dtype=np.int64)
    exposure = exposures[spec.columns.exposure].to_numpy(dtype=np.float64)
    row = np.arange(len(exposures))
    if spec.unattributed is not None:
        column, n = spec.unattributed.exposure, len(frame)
        extra = np.ones(n) if column is None else frame[column].to_numpy(dtype=np.float64)
        aggregate = np.concatenate([aggregate, np.arange(n)])
        entity = np.concatenate([entity, np.full(n, len(rates.entities))])
        exposure = np.concatenate([exposure, extra])
        row = np.concatenate([row, np.full(n, -1)])
    order = np.lexsort((entity, aggregate))
    order = order[exposure[order] > 0]
    return _Edges(aggregate[order], entity[order], exposure[order], row[order])


def _terms(source: Source, tables: Tables, new: _Exposed, rng: np.random.Generator) -> list[Term]:
    """Return what multiplies expected amounts beside rates and exposures, with its draws."""
    fit, edges = source.fit, new.edges
    found: list[Term] = []
    for column in source.spec.rates.aggregate_effects:
        effect = effect_draws(fit, column, new.frame[column].to_numpy(dtype=object), rng)
        term = LevelTerm(names.effect_of(column), effect.codes[edges.aggregate])
        found.append((term, effect.levels))
    design = source.data.designs.get(names.EXPOSURES_TABLE)
    if design is not None:
        explained = edges.row >= 0
        pairs = zip(
            new.data.aggregate_labels[edges.aggregate[explained]],
            new.rates.entities[edges.entity[explained]],
            strict=True,
        )
        rows = tables.exposures.covariates.iloc[edges.row[explained]]
        matrix = np.zeros((len(edges.row), len(design.names)))
        matrix[explained] = design.apply(rows.set_axis(list(map(names.PATH_SEPARATOR.join, pairs))))
        found.append((LinearTerm(names.BETA_PAIR, matrix), fit.draws(names.BETA_PAIR)))
    if source.spec.rates.drift is not None:
        found.append(_drift_term(fit, source.spec.rates.drift, new, rng))
    learned = transform_term(new.data, source.spec)
    if learned is not None:
        found.append((learned, fit.draws(names.TRANSFORM)))
    return found


def _drift_term(
    fit: PosteriorFit, drift: DriftSpec, new: _Exposed, rng: np.random.Generator
) -> Term:
    frame, edges, rates = new.frame, new.edges, new.rates
    period_of, periods = pd.factorize(frame[drift.period])
    if drift.by == names.ENTITY:
        series_of, series = np.arange(len(rates.entities)), rates.position
    else:
        series_of, labels = pd.factorize(rates.groups[drift.by])
        series = _places(fit, drift.by, labels)
    path = drift_paths(fit, drift, series, list(map(str, periods)), rng)
    n_periods = len(periods)
    index = np.full(len(edges.row), len(series) * n_periods, dtype=np.int64)
    explained = edges.row >= 0
    index[explained] = (
        series_of[edges.entity[explained]] * n_periods + period_of[edges.aggregate[explained]]
    )
    return LevelTerm(names.DRIFT, index), path


def _places(fit: PosteriorFit, column: str, labels: Sequence[str] | Texts) -> IntArray:
    levels = fit.posterior[names.effect_of(column)].coords[column].to_numpy().astype(str)
    place = {level: i for i, level in enumerate(levels.tolist())}
    return np.array([place.get(str(label), -1) for label in labels], dtype=np.int64)


def _noise(source: Source, tables: Tables) -> Draws:
    noise = {name: source.fit.draws(name) for name in source.spec.likelihood.parameters}
    design = source.data.designs.get(names.AGGREGATES_TABLE)
    if design is not None:
        slope = design.apply(tables.aggregates.covariates) @ noise.pop(names.BETA_ZERO)
        noise[names.PI] = expit(logit(noise[names.PI]) + slope)
    return noise
