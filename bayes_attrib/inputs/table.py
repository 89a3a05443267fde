"""Typed tables: text keys, parsed numbers, and the way back to the file's own cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.exposure.lagged import LaggedDelivery
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.inputs.keys import compose, match_keys, strip
from bayes_attrib.inputs.layout import Layout
from bayes_attrib.inputs.numbers import CellStatus, NumberColumn
from bayes_attrib.inputs.table_file import TableFile
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class Table:
    """A table as the model sees it.

    Attributes
    ----------
    file : TableFile
        Where it came from.
    layout : Layout
        The columns that it should have.
    frame : DataFrame, shape (n_rows, n_columns)
        Those columns that could be read: keys and labels as text, numbers as floats. The index
        is the row's position in the file, and stays so when rows are dropped.
    numbers : mapping of str to NumberColumn
        Columns of numbers as parsed, covariates among them, over all rows of the file.
    dotted : frozenset of str
        Number columns whose dots may stand between thousands.
    """

    file: TableFile
    layout: Layout
    frame: pd.DataFrame
    numbers: Mapping[str, NumberColumn] = field(default_factory=dict)
    dotted: frozenset[str] = frozenset()

    def __getitem__(self, column: str) -> pd.Series:
        if column not in self.frame:
            raise UnavailableError
        return self.frame[column]

    @property
    def name(self) -> str:
        """Name of the file, without its directory."""
        return self.file.name

    @property
    def rows(self) -> IntArray:
        """Position in the file of every row that is left, shape (n_rows,)."""
        return self.frame.index.to_numpy()

    @property
    def keys(self) -> pd.DataFrame:
        """The key columns, shape (n_rows, n_keys); unavailable if one is missing."""
        if not set(self.layout.keys) <= set(self.frame.columns):
            raise UnavailableError
        return self.frame[list(self.layout.keys)]

    @property
    def covariates(self) -> pd.DataFrame:
        """The columns that a formula reads, shape (n_rows, n_covariates): floats, or text."""
        return pd.DataFrame({c: self._covariate(c) for c in self.layout.covariates}, self.rows)

    def _covariate(self, column: str) -> pd.Series:
        if column in self.layout.categories or column in self.layout.measured:
            return self[column]
        if column not in self.numbers:
            raise UnavailableError
        return pd.Series(self.numbers[column].parsed[self.rows], self.rows)

    def select(self, mask: npt.ArrayLike) -> IntArray:
        """Return the positions in the file of the rows that a mask marks, shape (n_rows,)."""
        return self.rows[np.asarray(mask, dtype=bool)]

    def cells_with(self, column: str, status: CellStatus) -> IntArray:
        """Return the positions of the rows whose number cell has a status."""
        if column not in self.numbers:
            raise UnavailableError
        return self.select(self.numbers[column].status[self.rows] == status)

    def text_at(self, column: str, row: int) -> str:
        """Return one key or label, by the row's position in the file."""
        return str(self.frame.loc[row, column])

    def without(self, rows: IntArray) -> Table:
        """Return the table without some rows, given by their positions in the file."""
        return replace(self, frame=self.frame.drop(index=pd.Index(rows)))

    def whole(self) -> Table:
        """Return the table itself, or say that rows of the file could not be read."""
        if not self.file.complete:
            raise UnavailableError
        return self


@dataclass(frozen=True, eq=False)
class DeliveredCurve:
    """Exposures that were made by one learned transform.

    Attributes
    ----------
    aggregate_row : ndarray of int, shape (n_exposures,)
        Row of the aggregate in its file; -1 where it has no total.
    entity : ndarray of str (object), shape (n_exposures,)
        Entity.
    delivery : LaggedDelivery
        What is carried over into each; its edges count them.
    """

    aggregate_row: IntArray
    entity: npt.NDArray[np.object_]
    delivery: LaggedDelivery


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of one data set, and how their rows belong together.

    Attributes
    ----------
    spec : ModelSpec
        What the tables are meant for.
    by_stem : mapping of str to Table
        Those tables that could be read.
    delivered : tuple of DeliveredCurve
        What the exposures of each learned transform of the spec are made of, once they are made.
    """

    spec: ModelSpec
    by_stem: Mapping[str, Table]
    delivered: tuple[DeliveredCurve, ...] = ()

    @property
    def aggregates(self) -> Table:
        """The table of totals."""
        return self._get(names.AGGREGATES_TABLE)

    @property
    def exposures(self) -> Table:
        """The table of exposures."""
        return self._get(names.EXPOSURES_TABLE)

    @property
    def entities(self) -> Table:
        """The table of entities, where one is given."""
        return self._get(names.ENTITIES_TABLE)

    @property
    def lift_tests(self) -> Table:
        """The table of lift tests, where one is given."""
        return self._get(names.LIFT_TESTS_TABLE)

    @property
    def unattributed_exposure(self) -> FloatArray:
        """Exposure of what no entity explains in every aggregate; zero where the spec has none."""
        unattributed, n_aggregates = self.spec.unattributed, len(self.aggregates.frame)
        if unattributed is None:
            return np.zeros(n_aggregates)
        if unattributed.exposure is None:
            return np.ones(n_aggregates)
        return self.aggregates[unattributed.exposure].to_numpy()

    def _get(self, stem: str) -> Table:
        if stem not in self.by_stem:
            raise UnavailableError
        return self.by_stem[stem]

    def replacing(self, table: Table) -> Tables:
        """Return the data set with one table replaced."""
        return replace(self, by_stem={**self.by_stem, table.file.source.table: table})

    @cached_property
    def aggregate_of_exposure(self) -> IntArray:
        """Position in the aggregates of every exposure row, -1 where there is none.

        Spellings that differ only in Unicode form or in white space around them count as equal:
        they are reported as twins, and not a second time as unknown keys.
        """
        return _match_loosely(self.aggregates, self.exposures, self.aggregates.layout.keys)

    @cached_property
    def entity_of_exposure(self) -> IntArray:
        """Position in the entities of every exposure row, -1 where there is none."""
        return _match_loosely(self.entities, self.exposures, self.entities.layout.keys)


def _match_loosely(parent: Table, child: Table, columns: tuple[str, ...]) -> IntArray:
    parent_keys = pd.DataFrame({column: parent.whole()[column] for column in columns})
    child_keys = pd.DataFrame({column: child[column] for column in columns})
    found = match_keys(parent_keys, child_keys, columns)
    lost = found < 0
    if lost.any():
        loose_parent = parent_keys.apply(_loosened)
        found[lost] = match_keys(loose_parent, child_keys[lost].apply(_loosened), columns)
    return found


def _loosened(text: pd.Series) -> pd.Series:
    return strip(compose(text))
