"""Windows of lift tests: from one period to another, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.inputs.time_key import time_key
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.timeline import Timeline, arrange


@dataclass(frozen=True, eq=False)
class Windows:
    """The time of the aggregates, and the windows of lift tests in it.

    Attributes
    ----------
    tables : Tables
        Aggregates and lift tests.
    """

    tables: Tables

    @cached_property
    def key(self) -> str | None:
        """Key column that tells the time; None if none does."""
        spec = self.tables.spec
        return spec.lift_tests.period or time_key(spec, self.tables.aggregates.whole().keys)

    @cached_property
    def timeline(self) -> Timeline:
        """Periods of the aggregates in the order of time."""
        if self.key is None:
            raise UnavailableError
        return arrange(self.tables.aggregates.whole()[self.key])

    def end(self, column: str) -> pd.Series:
        """Return the text of ``first_period`` or ``last_period`` in every row of the tests."""
        table = self.tables.lift_tests
        if column in table.frame:
            return table[column]
        return pd.Series("", index=table.frame.index, dtype="str")

    @cached_property
    def positions(self) -> pd.DataFrame:
        """First and last period of every row as places among the periods; -1 where not known."""
        place = pd.Index(self.timeline.labels)
        ends = (names.FIRST_PERIOD, names.LAST_PERIOD)
        rows = self.tables.lift_tests.frame.index
        return pd.DataFrame(
            {end: place.get_indexer(pd.Index(self.end(end))) for end in ends}, index=rows
        )

    def covered(self, table: Table, row: int) -> npt.NDArray[np.bool_]:
        """Return which aggregates lie in the window of a row, shape (n_aggregates,)."""
        if self.key is None:
            return np.ones(len(table.frame), dtype=bool)
        place = pd.Index(self.timeline.labels).get_indexer(pd.Index(table[self.key]))
        first, last = self.positions.loc[row].to_numpy()
        return np.asarray((place >= first) & (place <= last))
