"""What a comparison needs of one run: its cells, totals, groups, and draws where it keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution import GrainDraws
from bayes_attrib.errors import RunFolderError
from bayes_attrib.report.reconciliation import observed_totals
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.run_folder import RunFolder

SHARE, AMOUNT = "share_mean", "amount_mean"


@dataclass(frozen=True, eq=False)
class Side:
    """One of two runs that are compared.

    Attributes
    ----------
    run : RunFolder
        The run.
    cells : DataFrame
        Columns ``key`` (values of the aggregate's key columns), ``entity``, ``amount_mean``,
        ``share_mean``.
    totals : Series
        Total of every aggregate with cells, by its key.
    draws : RunDraws or None
        None where the run does not keep what draws need, as one of an older version.
    without_draws : str
        Why there are none.
    """

    run: RunFolder
    cells: pd.DataFrame
    totals: pd.Series
    draws: RunDraws | None
    without_draws: str = ""

    @classmethod
    def load(cls, run: RunFolder) -> Self:
        """Read a run."""
        columns = run.spec.columns
        keys = list(columns.aggregate)
        table = run.read_cells([*keys, columns.entity, AMOUNT, SHARE, "proportional_amount"])
        key = pd.Index(
            list(zip(*(table[k].astype(str) for k in keys), strict=True)), tupleize_cols=False
        )
        cells = pd.DataFrame(
            {
                "key": key,
                "entity": table[columns.entity].astype(str),
                AMOUNT: table[AMOUNT],
                SHARE: table[SHARE],
            }
        )
        sums = table.groupby(keys, sort=False, observed=True)["proportional_amount"].sum()
        stored = observed_totals(run, sums.index)
        totals = sums.to_numpy(dtype=np.float64) if stored is None else stored
        labels = pd.Index(cells["key"].unique(), tupleize_cols=False)
        draws, reason = _draws(run)
        return cls(run, cells, pd.Series(totals, index=labels), draws, reason)

    @property
    def grand_total(self) -> float:
        """Sum of all totals."""
        return self.run.manifest.data.grand_total

    def groups(self, level: str) -> Mapping[str, str] | None:
        """Return the level of every entity in a grouping; None where the run does not keep it."""
        if self.draws is None or level not in self.draws.data.groupings:
            return None
        data, grouping = self.draws.data, self.draws.data.groupings[level]
        labels = (grouping.levels[code] for code in grouping.codes)
        return dict(zip(map(str, data.entity_names), labels, strict=True))

    def drawn(self, levels: list[str]) -> dict[str, GrainDraws]:
        """Draw the amounts of levels, in one pass over the cells; unknown ones are left out."""
        if self.draws is None:
            return {}
        known = [level for level in levels if level in {names.ENTITY, *self.draws.data.groupings}]
        return dict(zip(known, self.draws.grains([[level] for level in known]), strict=True))


def _draws(run: RunFolder) -> tuple[RunDraws | None, str]:
    """Load the draws of a run; a file without the data that they need says so itself."""
    with run.open_posterior() as tree:
        lacking = [group for group in ("posterior", "constant_data") if group not in tree]
    if lacking:
        file = run.path / names.POSTERIOR_FILE
        return None, f"{file} lacks {' and '.join(lacking)}, as older versions wrote it"
    try:
        return RunDraws.load(run), ""
    except RunFolderError as error:
        return None, str(error)
