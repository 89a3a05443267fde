"""Columns that tables of amounts have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from bayes_attrib.attribution import Grain, GrainDraws, interval_of
from bayes_attrib.attribution.rounding import IntArray
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.narrative import interval_short
from bayes_attrib.report.workbook.book import Book
from bayes_attrib.report.workbook.ledger import BOOKED, METHODS, Ledger
from bayes_attrib.report.workbook.table import Column


@dataclass(frozen=True, eq=False)
class Amounts:
    """Amounts of the rows of a table, every field of shape (n_rows,).

    Attributes
    ----------
    booked, em, proportional : ndarray of int64
        Sums of rounded cells, in minor units.
    mean, lower, upper : ndarray of float
        Posterior mean and interval, from draws, in the unit of the totals.
    """

    booked: IntArray
    em: IntArray
    proportional: IntArray
    mean: FloatArray
    lower: FloatArray
    upper: FloatArray

    @classmethod
    def of_rows(
        cls,
        ledger: Ledger,
        row: npt.NDArray[np.integer],
        means: FloatArray,
        bounds: tuple[FloatArray, FloatArray],
    ) -> Self:
        """Sum the rounded cells to rows of which mean and interval are known.

        Parameters
        ----------
        ledger : Ledger
            Rounded cells.
        row : ndarray of int, shape (n_edges,)
            Row of each cell.
        means : ndarray, shape (n_rows,)
            Posterior means.
        bounds : tuple of ndarray, each of shape (n_rows,)
            Ends of the intervals.

        Returns
        -------
        Amounts
            Amounts of the rows.
        """
        booked, em, proportional = (ledger.sums(method, row, len(means)) for method in METHODS)
        return cls(booked, em, proportional, means, *bounds)

    @classmethod
    def of_grain(cls, ledger: Ledger, grain: Grain, draws: GrainDraws) -> Self:
        """Sum the rounded cells to the rows of a grain, and summarise its draws."""
        n_rows = len(grain.labels)
        means, lower, upper = np.empty(n_rows), np.empty(n_rows), np.empty(n_rows)
        interval = ledger.run.spec.report.interval
        for block, values in draws.amounts.blocks():
            means[block] = values.mean(axis=1)
            lower[block], upper[block] = interval_of(values, interval)
        return cls.of_rows(ledger, grain.row, means, (lower, upper))

    def at(self, rows: npt.NDArray[np.integer]) -> Amounts:
        """Choose rows, in the order given."""
        return Amounts(
            self.booked[rows],
            self.em[rows],
            self.proportional[rows],
            self.mean[rows],
            self.lower[rows],
            self.upper[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence[Amounts]) -> Self:
        """Put the rows of several tables below each other."""
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            )
        )

    def columns(self, ledger: Ledger, book: Book) -> list[Column]:
        """Return the columns, ``booked`` first.

        Parameters
        ----------
        ledger : Ledger
            Decimals, and the total that shares are of.
        book : Book
            Language and unit.

        Returns
        -------
        list of Column
            Booked amount and share, mean and what rounding changed, interval, EM, proportional.
        """
        text, unit = book.language.text, book.unit
        short = interval_short(ledger.run.spec.report.interval, language=book.language)
        booked = ledger.units(self.booked)
        whole = max(int(ledger.cells[BOOKED].sum()), 1)
        places = ledger.decimals + 2
        gap = np.round(booked - self.mean, places) + 0.0
        return [
            Column(
                "booked",
                text("Amount ({unit})", unit=unit),
                "amount",
                booked,
                is_summed=True,
            ),
            Column("share", text("Share of total"), "share", self.booked / whole, is_summed=True),
            Column("lower", text("{interval}, lower", interval=short), "amount", self.lower),
            Column("upper", text("{interval}, upper", interval=short), "amount", self.upper),
            Column("mean", text("Mean before rounding"), "exact", self.mean),
            Column(
                "gap",
                text("Changed by rounding"),
                "exact",
                gap,
                formula=f"ROUND({{booked}}-{{mean}},{places})",
            ),
            Column("em", text("EM"), "amount", ledger.units(self.em), is_summed=True),
            Column(
                "proportional",
                text("Proportional split"),
                "amount",
                ledger.units(self.proportional),
                is_summed=True,
            ),
        ]
