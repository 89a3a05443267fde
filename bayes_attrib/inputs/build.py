"""From sound tables to :class:`AggregateData`."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, Grouping
from bayes_attrib.inputs.delivered_curves import located_delivery
from bayes_attrib.inputs.keys import match_keys
from bayes_attrib.inputs.nesting import nested_groupings
from bayes_attrib.inputs.pairs import pairs_of, with_unattributed
from bayes_attrib.inputs.periods import period_grouping
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.unavailable import UnavailableError


def build_data(tables: Tables) -> AggregateData:
    """Build the in-memory form of tables that hold no error.

    Aggregates keep the order of their file. Entities with at least one exposure row come in the
    order of the entities table where there is one, those that it lacks after them, else in the
    order of their first exposure row. The entity for what no exposure explains, if the spec has
    one, comes last.

    Parameters
    ----------
    tables : Tables
        Checked tables.

    Returns
    -------
    AggregateData
        Totals, sparse positive exposures, groupings, covariates, and known amounts where given.
    """
    columns, aggregates = tables.spec.columns, tables.aggregates
    entities = _entities(tables)
    pairs = pairs_of(tables, match_keys(entities, tables.exposures.frame, (columns.entity,)))
    has_unattributed = tables.spec.unattributed is not None
    if has_unattributed:
        pairs = with_unattributed(pairs, tables, len(entities))
    pairs = pairs.canonical()
    entity_names = _entity_names(entities[columns.entity], has_unattributed=has_unattributed)
    return AggregateData(
        aggregate_keys=aggregates.keys,
        totals=aggregates[columns.total].to_numpy(),
        entity_key=columns.entity,
        entity_names=entity_names,
        exposure=pairs.matrix((len(aggregates.frame), len(entity_names))),
        groupings=_groupings(tables, entities),
        aggregate_groupings=_aggregate_groupings(tables),
        entity_covariates=_entity_covariates(tables, entities),
        pair_covariates=pairs.covariates if tables.exposures.layout.covariates else None,
        aggregate_covariates=_aggregate_covariates(aggregates),
        has_unattributed=has_unattributed,
        truth=pairs.amount,
        delivery=tuple(
            located_delivery(curve, pairs.aggregate, pairs.entity, aggregates.rows, entity_names)
            for curve in tables.delivered
        ),
    )


def _entities(tables: Tables) -> pd.DataFrame:
    key = tables.spec.columns.entity
    seen = tables.exposures.frame[[key]].drop_duplicates()
    with suppress(UnavailableError):
        listed = tables.entities.frame[[key]]
        used = listed[match_keys(seen, listed, (key,)) >= 0]
        return pd.concat([used, seen[match_keys(used, seen, (key,)) < 0]], ignore_index=True)
    return seen.reset_index(drop=True)


def _entity_names(keys: pd.Series, *, has_unattributed: bool) -> npt.NDArray[np.object_]:
    last = [names.UNATTRIBUTED] if has_unattributed else []
    return np.array([*keys, *last], dtype=object)


def _groupings(tables: Tables, entities: pd.DataFrame) -> dict[str, Grouping]:
    rates = tables.spec.rates
    if not rates.groups:
        return {}
    labels = tables.entities.frame.iloc[_described(tables, entities)]
    crossed = {name: Grouping.from_labels(name, labels[name].to_numpy()) for name in rates.pooling}
    groupings = crossed | nested_groupings(labels, rates.nested)
    if tables.spec.unattributed is None:
        return groupings
    return {name: _with_unattributed(grouping) for name, grouping in groupings.items()}


def _with_unattributed(grouping: Grouping) -> Grouping:
    """Give what no exposure explains a level of its own, the last."""
    levels, codes = grouping.levels, grouping.codes
    return Grouping(grouping.name, (*levels, names.UNATTRIBUTED), np.append(codes, len(levels)))


def _aggregate_groupings(tables: Tables) -> dict[str, Grouping]:
    rates, table = tables.spec.rates, tables.aggregates
    found = {
        name: Grouping.from_labels(name, table[name].to_numpy()) for name in rates.aggregate_effects
    }
    if rates.drift is not None:
        period = rates.drift.period
        found[period] = period_grouping(period, table[period])
    return found


def _entity_covariates(tables: Tables, entities: pd.DataFrame) -> pd.DataFrame | None:
    if tables.spec.rates.covariates is None:
        return None
    rows = _described(tables, entities)
    return tables.entities.covariates.iloc[rows].reset_index(drop=True)


def _aggregate_covariates(aggregates: Table) -> pd.DataFrame | None:
    return aggregates.covariates.reset_index(drop=True) if aggregates.layout.covariates else None


def _described(tables: Tables, entities: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Find the row of each entity in the entities table."""
    return match_keys(tables.entities.frame, entities, (tables.spec.columns.entity,))
