"""What a run knows that a profile can speak of: its cells, their keys, groups and periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class KeyColumn:
    """A column by which cells differ.

    Attributes
    ----------
    name : str
        Key of the aggregates, key of the entities, or grouping column.
    levels : tuple of str
        Distinct labels.
    of_cell : ndarray of int, shape (n_cells,)
        Label of each cell.
    """

    name: str
    levels: tuple[str, ...]
    of_cell: IntArray


@dataclass(frozen=True, eq=False)
class RunCells:
    """The cells of a run, as downscaling sees them.

    Attributes
    ----------
    data : AggregateData
        The data of the run; a cell is one of its stored exposures.
    amount : ndarray, shape (n_cells,)
        Posterior mean of the amount of each cell, in the unit of the totals.
    period : str or None
        Key column that tells the time.
    """

    data: AggregateData
    amount: FloatArray
    period: str | None

    @property
    def entity(self) -> str:
        """Name of the entity's key column."""
        return self.data.entity_key

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a profile may have: keys of aggregates, entity, groupings."""
        keys = [str(key) for key in self.data.aggregate_keys.columns]
        return tuple(dict.fromkeys([*keys, self.entity, *self.data.groupings]))

    def column(self, name: str) -> KeyColumn:
        """Return one of :attr:`columns`; a name that is both a key and a grouping is the key."""
        data = self.data
        if name in data.aggregate_keys.columns:
            codes, levels = pd.factorize(data.aggregate_keys[name].to_numpy(dtype=object))
            return KeyColumn(
                name, tuple(map(str, levels)), codes.astype(np.int64)[data.edge_aggregate]
            )
        entity = data.edge_entity.astype(np.int64)
        if name == self.entity:
            return KeyColumn(name, tuple(map(str, data.entity_names)), entity)
        grouping = data.groupings[name]
        return KeyColumn(name, grouping.levels, grouping.codes[entity])

    def words(self, cell: int, columns: Sequence[str] = ()) -> str:
        """Return the keys of a cell, such as ``"week '2025-W03', creative 'C7'"``."""
        data = self.data
        keys = data.aggregate_keys.iloc[int(data.edge_aggregate[cell])]
        found = {str(column): str(value) for column, value in keys.items()}
        entity = int(data.edge_entity[cell])
        found[self.entity] = str(data.entity_names[entity])
        for name, grouping in data.groupings.items():
            if name in columns:
                found.setdefault(name, grouping.levels[int(grouping.codes[entity])])
        return ", ".join(f"{c} {v!r}" for c, v in found.items() if not columns or c in columns)
