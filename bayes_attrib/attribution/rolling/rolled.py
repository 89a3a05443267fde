"""A fit carried over to aggregates that it has not seen: old draws, new data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from bayes_attrib import names
from bayes_attrib.attribution.prediction.edges import new_aggregates
from bayes_attrib.attribution.prediction.rates import EntityRates, entity_rates
from bayes_attrib.attribution.prediction.source import Source
from bayes_attrib.attribution.rolling.levels import (
    Variable,
    aggregate_groupings,
    aggregate_variables,
    entity_groupings,
    group_variables,
)
from bayes_attrib.inference import PosteriorFit, expected_draws, noise_draws
from bayes_attrib.inference.constant_data import constant_data, covariate_of, formula_columns
from bayes_attrib.inference.expected_draws import ExpectedDraws
from bayes_attrib.inference.given_totals import GivenTotals, pair_totals, with_totals
from bayes_attrib.inference.large_rates import is_large, rates_of
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.inputs.keys import match_keys
from bayes_attrib.inputs.pairs import pairs_of, with_unattributed
from bayes_attrib.inputs.table import Tables
from bayes_attrib.model.edge_terms import LevelTerm
from bayes_attrib.model.families import Draws
from bayes_attrib.spec import ModelSpec

_STATS = "sample_stats"
_LOST_DIMS = frozenset({names.ENTITY, names.ATTRIBUTABLE, names.AGGREGATE, names.PAIR})
"""Dimensions whose labels are those of the data that were fitted."""


@dataclass(frozen=True, eq=False)
class Rolled:
    """A fit, and the new aggregates that it is to split.

    Attributes
    ----------
    fit : PosteriorFit
        The draws of the fit: rates of the entities in the new aggregates, with those that the fit
        has never seen drawn from their groups; levels and periods that occur there.
    data : AggregateData
        The new aggregates.
    mean : ExpectedDraws
        Expected amounts in every draw.
    noise : mapping of str to ndarray, shape (n_draws,)
        Parameters of the family.
    rates : EntityRates
        Who is new, and which levels were drawn.
    """

    fit: PosteriorFit
    data: AggregateData
    mean: ExpectedDraws
    noise: Draws
    rates: EntityRates

    @property
    def is_new(self) -> np.ndarray:
        """Whether the fit has never seen an entity of the data, shape (n_entities,)."""
        return np.append(self.rates.is_new, [False] * int(self.data.has_unattributed))


def roll(
    source: Source,
    constants: xr.Dataset,
    tables: Tables,
    rng: np.random.Generator,
    *,
    total_draws: DrawnTotals | None = None,
    seed: int = 1,
) -> Rolled:
    """Carry a fit over to new aggregates; nothing is fitted.

    Parameters
    ----------
    source : Source
        The fit.
    constants : xarray.Dataset
        Group ``constant_data`` of its posterior file.
    tables : Tables
        Checked tables of :func:`bayes_attrib.inputs.following_tables.read_following_tables`.
    rng : numpy.random.Generator
        Source of rates, effects and drift that the fit has never seen.
    total_draws : DrawnTotals, optional
        Draws of the new totals; each draw of the fit splits one of them.
    seed : int
        Which draw of the totals meets which draw of the fit.

    Returns
    -------
    Rolled
        Entities in the order of the fit, new ones after them in the order of the table.
    """
    spec, key = source.spec, source.spec.columns.entity
    seen = dict.fromkeys(tables.exposures[key].tolist())
    known = [name for name in source.data.entities.tolist() if name in seen]
    entities = list(dict.fromkeys([*known, *seen]))
    described = _described(tables, key)
    rates = entity_rates(source, entities, described, rng)
    new = new_aggregates(source, tables, rates, rng)
    data = replace(
        new.mean.data,
        groupings=entity_groupings(source, rates),
        aggregate_groupings=aggregate_groupings(source, tables.aggregates.frame),
        entity_covariates=_covariates(source, constants, rates, described),
        truth=_truth(tables, entities, has_unattributed=spec.unattributed is not None),
    )
    posterior = _posterior(source, rates, data, _drawn(new.mean))
    tree = {"posterior": posterior, "observed_data": _observed(data)}
    if _STATS in source.fit.tree.children:
        tree[_STATS] = source.fit.sample_stats
    fit = PosteriorFit(xr.DataTree.from_dict(tree), source.fit.method)
    if total_draws is not None:
        values, of_draw = pair_totals(total_draws, data.totals, fit.n_draws, seed)
        fit = with_totals(fit, data, GivenTotals(values, of_draw, "paired"))
    mean, noise = expected_draws(fit, data, spec), noise_draws(fit, data, spec)
    return Rolled(fit, data, mean, noise, rates)


def rolled_constants(rolled: Rolled, source: Source, em_rate: FloatArray) -> xr.Dataset:
    """Return what is kept of the new data beside the draws.

    Parameters
    ----------
    rolled : Rolled
        The fit on new aggregates.
    source : Source
        The fit.
    em_rate : ndarray, shape (n_entities,)
        Rates of EM on the data that were fitted.

    Returns
    -------
    xarray.Dataset
        As of :func:`bayes_attrib.inference.constant_data.constant_data`, with the reference rate
        of the data that were fitted, and ``em_rate``.
    """
    found = constant_data(rolled.data, source.spec)
    found["reference_rate"] = ((), source.data.reference_rate)
    found[names.EM_RATE] = ((names.ENTITY,), em_rate)
    return found


def _described(tables: Tables, key: str) -> pd.DataFrame:
    if names.ENTITIES_TABLE not in tables.by_stem:
        return pd.DataFrame()
    table = tables.entities
    frame = pd.concat([table.frame[list(table.layout.labels)], table.covariates], axis=1)
    return frame.loc[:, ~frame.columns.duplicated()].set_axis(table[key].tolist())


def _covariates(
    source: Source, constants: xr.Dataset, rates: EntityRates, described: pd.DataFrame
) -> pd.DataFrame | None:
    columns = formula_columns(source.spec, names.ENTITIES_TABLE)
    if not columns:
        return None
    found = {}
    for column in columns:
        fitted = constants[covariate_of(names.ENTITIES_TABLE, column)].to_numpy()
        values = fitted[rates.position].astype(float if fitted.dtype.kind == "f" else object)
        new = rates.is_new
        if new.any():
            values[new] = described[column].reindex(rates.entities[new]).to_numpy()
        found[column] = values
    return pd.DataFrame(found)


def _truth(tables: Tables, entities: list[str], *, has_unattributed: bool) -> FloatArray | None:
    """True amounts in the order of the stored exposures."""
    key = tables.spec.columns.entity
    position = match_keys(pd.DataFrame({key: entities}), tables.exposures.frame, (key,))
    pairs = pairs_of(tables, position)
    if has_unattributed:
        pairs = with_unattributed(pairs, tables, len(entities))
    return pairs.canonical().amount


def _drawn(mean: ExpectedDraws) -> dict[str, tuple[IntArray, FloatArray]]:
    """Index over edges and draws of each term, by its variable."""
    return {
        term.variable: (term.index, draws)
        for term, draws in mean.terms
        if isinstance(term, LevelTerm)
    }


def _posterior(
    source: Source,
    rates: EntityRates,
    data: AggregateData,
    terms: Mapping[str, tuple[IntArray, FloatArray]],
) -> xr.Dataset:
    fit, spec = source.fit, source.spec
    replaced = {
        **_rate_variables(fit, rates, data),
        **group_variables(source, rates, data),
        **aggregate_variables(source, data, terms),
    }
    kept = {
        str(name): variable
        for name, variable in fit.posterior.data_vars.items()
        if str(name) not in replaced and not _is_lost(variable, spec)
    }
    stacked = {
        name: ((names.CHAIN, names.DRAW, *dims), _by_chain(values, fit))
        for name, (dims, values) in replaced.items()
    }
    coords = {names.ENTITY: data.entity_names}
    if data.has_unattributed:
        coords[names.ATTRIBUTABLE] = data.entity_names[:-1]
    for name, grouping in {**data.groupings, **data.aggregate_groupings}.items():
        dim = names.PERIOD if _is_period(spec, name) else name
        n_levels = len(grouping.levels) - int(data.has_unattributed and name in data.groupings)
        coords[dim] = np.array(grouping.levels[:n_levels], dtype=object)
    used = {dim for dims, _ in replaced.values() for dim in dims}
    old = xr.Dataset(kept)
    return (
        old.drop_vars([c for c in old.coords if c in used])
        .assign({name: xr.Variable(dims, values) for name, (dims, values) in stacked.items()})
        .assign_coords({dim: labels for dim, labels in coords.items() if dim in used})
    )


def _is_period(spec: ModelSpec, name: str) -> bool:
    return spec.rates.drift is not None and spec.rates.drift.period == name


def _is_lost(variable: xr.DataArray, spec: ModelSpec) -> bool:
    """Whether a variable belongs to the data that were fitted, not to what is carried over."""
    lost = _LOST_DIMS | {*spec.rates.groups, *spec.rates.aggregate_effects, names.PERIOD}
    return bool(lost & set(map(str, variable.dims)))


def _rate_variables(
    fit: PosteriorFit, rates: EntityRates, data: AggregateData
) -> dict[str, Variable]:
    position = rates.position
    if data.has_unattributed:
        position = np.append(position, fit.posterior.sizes[names.ENTITY] - 1)
    known = position >= 0
    single = is_large(len(position) * fit.n_draws)
    rate = np.empty((len(position), fit.n_draws), dtype=np.float32 if single else np.float64)
    rate[known] = fit.rate_array()[position[known]]
    rate[~known] = rates_of(rates.log_rate[rates.is_new], rate.dtype)
    found: dict[str, Variable] = {names.RATE: ((names.ENTITY,), rate)}
    if not single:
        found[names.LOG_RATE] = ((names.ENTITY,), np.log(rate))
    return found


def _by_chain(values: FloatArray, fit: PosteriorFit) -> FloatArray:
    """Turn (..., n_draws) into (chain, draw, ...)."""
    split = values.reshape(*values.shape[:-1], fit.n_chains, -1)
    return np.moveaxis(split, (-2, -1), (0, 1))


def _observed(data: AggregateData) -> xr.Dataset:
    return xr.Dataset(
        {names.TOTAL: ((names.AGGREGATE,), data.totals[data.is_exposed])},
        coords={names.AGGREGATE: data.aggregate_labels[data.is_exposed]},
    )
