"""Entities whose rates may be held against each other: those of one channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, IntArray
from bayes_attrib.report.comparison_channels import channels_of
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
    """Number the channels of the entities, by the rule of :func:`channels_of`.

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
    found = channels_of(data, spec, names.ENTITY)
    single = [
        of[0] if len(of) == 1 and i < data.n_attributable else None
        for i, of in enumerate(found.of.get(str(name), ()) for name in data.entity_names)
    ]
    levels = tuple(sorted({channel for channel in single if channel is not None}))
    place = {channel: i for i, channel in enumerate(levels)}
    codes = [place[channel] if channel is not None else -1 for channel in single]
    return EntityChannels(found.column, levels, np.array(codes, dtype=np.int64))
