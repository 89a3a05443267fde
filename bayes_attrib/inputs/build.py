"""From sound tables to :class:`AggregateData`."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from bayes_attrib.inputs.aggregate_data import AggregateData, Grouping, IntArray
from bayes_attrib.inputs.keys import match_keys
from bayes_attrib.inputs.table import Tables
from bayes_attrib.inputs.unavailable import UnavailableError


def build_data(tables: Tables) -> AggregateData:
    """Build the in-memory form of tables that hold no error.

    Aggregates keep the order of their file. Entities with at least one exposure row come in the
    order of the entities table where there is one, those that it lacks after them, else in the
    order of their first exposure row.

    Parameters
    ----------
    tables : Tables
        Checked tables.

    Returns
    -------
    AggregateData
        Totals, sparse positive exposures, groupings, and known amounts where given.
    """
    columns = tables.spec.columns
    aggregates, exposures = tables.aggregates, tables.exposures
    entities = _entity_names(tables)
    exposure = exposures[columns.exposure].to_numpy()
    column = match_keys(entities, exposures.frame, (columns.entity,))
    edges, row_starts = _canonical(
        tables.aggregate_of_exposure, column, exposure > 0, len(aggregates.frame)
    )
    shape = (len(aggregates.frame), len(entities))
    has_truth = columns.amount in exposures.frame
    return AggregateData(
        aggregate_keys=aggregates.keys,
        totals=aggregates[columns.total].to_numpy(),
        entity_key=columns.entity,
        entity_names=entities[columns.entity].to_numpy(dtype=object),
        exposure=sp.csr_array((exposure[edges], column[edges], row_starts), shape=shape),
        groupings=_groupings(tables, entities),
        truth=exposures[columns.amount].to_numpy()[edges] if has_truth else None,
    )


def _entity_names(tables: Tables) -> pd.DataFrame:
    key = tables.spec.columns.entity
    seen = tables.exposures.frame[[key]].drop_duplicates()
    with suppress(UnavailableError):
        listed = tables.entities.frame[[key]]
        used = listed[match_keys(seen, listed, (key,)) >= 0]
        return pd.concat([used, seen[match_keys(used, seen, (key,)) < 0]], ignore_index=True)
    return seen.reset_index(drop=True)


def _canonical(
    row: IntArray, column: IntArray, positive: npt.NDArray[np.bool_], n_rows: int
) -> tuple[IntArray, IntArray]:
    """Return the positive edges in order of row and column, and where each row starts."""
    edges = np.flatnonzero(positive)
    edges = edges[np.argsort(row[edges] * (int(column.max(initial=0)) + 1) + column[edges])]
    starts = np.concatenate([[0], np.cumsum(np.bincount(row[edges], minlength=n_rows))])
    return edges, starts.astype(np.int64)


def _groupings(tables: Tables, entities: pd.DataFrame) -> dict[str, Grouping]:
    pooling = tables.spec.rates.pooling
    if not pooling:
        return {}
    found = match_keys(tables.entities.frame, entities, (tables.spec.columns.entity,))
    labels = tables.entities.frame.iloc[found]
    return {column: Grouping.from_labels(column, labels[column].to_numpy()) for column in pooling}
