"""The amounts of a run in whole minor units, from which every sheet is summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from babel.numbers import get_currency_precision

from bayes_attrib import names
from bayes_attrib.attribution.rounding import IntArray, round_cells, to_minor_units
from bayes_attrib.errors import RoundingError, RunFolderError
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.tables import choose_format

BOOKED: Final = "amount_mean"
"""The method whose amounts are booked: the posterior mean."""

METHODS: Final = (BOOKED, "em_amount", "proportional_amount")


@dataclass(frozen=True, eq=False)
class Ledger:
    """Amounts of all cells in minor units, exact to the unit.

    Attributes
    ----------
    draws : RunDraws
        The run with its draws and its data.
    decimals : int
        Decimals of a minor unit: those of the currency, 0 for counts.
    totals : ndarray of int64, shape (n_aggregates,)
        Rounded totals, in the order of the data.
    cells : mapping of str to ndarray of int64, shape (n_edges,)
        Rounded amounts of the cells by method, in the order of the data.
    """

    draws: RunDraws
    decimals: int
    totals: IntArray
    cells: Mapping[str, IntArray]

    @classmethod
    def of(cls, run: RunFolder) -> Self:
        """Round the cells of a run, once.

        Parameters
        ----------
        run : RunFolder
            A finished run.

        Returns
        -------
        Ledger
            Amounts that add up to every total.

        Raises
        ------
        RunFolderError
            If cells and totals do not belong together, or the folder lacks something.
        """
        draws, decimals = RunDraws.load(run), decimals_of(run)
        data = draws.data
        exact = run.read_cells(METHODS)
        key = np.unique(data.entity_names.astype(str), return_inverse=True)[1][data.edge_entity]
        try:
            totals = to_minor_units(data.totals, decimals)
            cells = {
                method: round_cells(exact[method], totals, data.edge_aggregate, key, decimals)
                for method in METHODS
            }
        except RoundingError as error:
            raise RunFolderError(
                f"{run.path}: {names.CELLS_FILE} cannot be rounded to its totals: {error}"
            ) from error
        return cls(draws, decimals, totals, cells)

    @property
    def run(self) -> RunFolder:
        """The run."""
        return self.draws.run

    @property
    def is_unattributed(self) -> npt.NDArray[np.bool_]:
        """Whether each entity stands for what no exposure explains, shape (n_entities,)."""
        data = self.draws.data
        return np.arange(data.n_entities) >= data.n_attributable

    def sums(self, method: str, row: npt.NDArray[np.integer], n_rows: int) -> IntArray:
        """Sum cells to rows.

        Parameters
        ----------
        method : str
            One of :data:`METHODS`.
        row : ndarray of int, shape (n_edges,)
            Row of each cell.
        n_rows : int
            Number of rows.

        Returns
        -------
        ndarray of int64, shape (n_rows,)
            Minor units.
        """
        found = np.zeros(n_rows, np.int64)
        np.add.at(found, row, self.cells[method])
        return found

    def by_entity(self, method: str) -> IntArray:
        """Sum cells to entities, in minor units, shape (n_entities,)."""
        return self.sums(method, self.draws.data.edge_entity, self.draws.data.n_entities)

    def units(self, minor: IntArray) -> FloatArray:
        """Return minor units as the doubles nearest to the decimal amounts."""
        return minor / 10.0**self.decimals


def decimals_of(run: RunFolder) -> int:
    """Return the decimals of booked amounts.

    Parameters
    ----------
    run : RunFolder
        The run.

    Returns
    -------
    int
        0 for counts, those of the currency for money, and two or more, as small amounts need
        them, where the spec names no currency.
    """
    if run.spec.likelihood.counts:
        return 0
    currency = run.spec.report.currency
    if currency is not None:
        return get_currency_precision(currency)
    return max(2, choose_format(run).mean_decimals)
