"""Entities whose rates may be held against each other: those of one channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_attrib.attribution import grain_of
from bayes_attrib.inputs.aggregate_data import AggregateData, IntArray
from bayes_attrib.report.comparison_channels import channel_column
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class EntityChannels:
    """Channels of the entities, as numbers.

    Attributes
    ----------
    column : str or None
        Column that tells the channel; None where all entities are of one kind.
    levels : tuple of str
        Names of the channels; one empty name where there is no such column.
    codes : ndarray of int, shape (n_entities,)
        Channel of each entity; -1 for an entity that spans several, and for what no exposure
        explains: their rates are compared with nobody's.
    """

    column: str | None
    levels: tuple[str, ...]
    codes: IntArray


def number_channels(data: AggregateData, spec: ModelSpec) -> EntityChannels:
    """Number the channels of the entities, by the rule of ``comparison_channels.channels_of``.

    Parameters
    ----------
    data : AggregateData
        Cells, groupings and keys.
    spec : ModelSpec
        The spec.

    Returns
    -------
    EntityChannels
        Channel of each entity.
    """
    column, n = channel_column(data, spec), data.n_entities
    labels, of_cell = np.array([""], dtype=object), np.zeros(data.n_edges, dtype=np.int64)
    if column is not None:
        grain = grain_of(data, [column])
        labels, of_cell = grain.labels[column].to_numpy(dtype=object), grain.row
    lowest, highest = np.full(n, len(labels)), np.full(n, -1)
    np.minimum.at(lowest, data.edge_entity, of_cell)
    np.maximum.at(highest, data.edge_entity, of_cell)
    single = (lowest == highest) & (np.arange(n) < data.n_attributable)
    used = np.unique(lowest[single])
    used = used[np.argsort(labels[used], kind="stable")]
    place = np.full(len(labels) + 1, -1)
    place[used] = np.arange(len(used))
    codes = np.where(single, place[lowest], -1)
    return EntityChannels(column, tuple(map(str, labels[used])), codes.astype(np.int64))
