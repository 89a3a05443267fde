"""The table of downscaled amounts, made and written a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from bayes_attrib.attribution import Summary
from bayes_attrib.attribution.downscaling import (
    SOURCES,
    Assigned,
    ProfileTable,
    SlotSummaries,
    SplitLaw,
    round_slots,
    slot_summaries,
)
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.report.exports.stream import (
    MOST_ROWS,
    TEXT,
    Stream,
    coded,
    dictionary_of,
    metadata_of,
    numbers,
)
from bayes_attrib.report.workbook.ledger import BOOKED, Ledger

_FIGURES: Final = ("amount_mean", "amount_sd", "amount_lower", "amount_upper", "amount_rounded")


@dataclass(eq=False)
class DownscaledTable:
    """Rows of cells and slots.

    Attributes
    ----------
    ledger : Ledger
        The run, with the rounded amounts of its cells.
    table : ProfileTable
        The profile.
    assigned : Assigned
        Profiles of cells.
    law : SplitLaw
        Law of the amounts of slots.
    draws : DrawMatrix, shape (n_cells, n_draws)
        Draws of the amounts of cells.
    form : str
        Format of the file: CSV has timestamps as texts with their offset.
    """

    ledger: Ledger
    table: ProfileTable
    assigned: Assigned
    law: SplitLaw
    draws: DrawMatrix
    form: str
    _mean: float = 0.0
    _units: int = 0

    def stream(self) -> Stream:
        """Return the table; it is computed while it is written."""
        columns = self._columns()
        fields = [pa.field(name, TEXT) for name in columns]
        fields.append(pa.field(self.table.source.slot, self._slot_type()))
        fields += [pa.field(name, pa.float64()) for name in (*_FIGURES, "profile_share")]
        fields.append(pa.field("profile_from", TEXT))
        schema = pa.schema(fields, metadata=metadata_of(self.ledger.run))
        return Stream(schema, self._batches(schema, columns))

    def facts(self) -> dict[str, Any]:
        """Return the sums of the rows that were written, in the unit of the totals."""
        return {
            "amount": self._mean,
            "amount_rounded": self._units / 10.0**self.ledger.decimals,
            "decimals": self.ledger.decimals,
        }

    def _columns(self) -> dict[str, tuple[IntArray, pa.Array]]:
        """Codes of all cells and labels, for each key column and the entity."""
        data = self.ledger.draws.data
        found = {}
        for name in data.aggregate_keys.columns:
            codes, labels = pd.factorize(data.aggregate_keys[name].to_numpy(dtype=object))
            found[str(name)] = (codes.astype(np.int64)[data.edge_aggregate], labels)
        found[data.entity_key] = (data.edge_entity.astype(np.int64), data.entity_names)
        return {
            name: (codes, dictionary_of(list(map(str, labels)), escape_formulas=False))
            for name, (codes, labels) in found.items()
        }

    def _slot_type(self) -> pa.DataType:
        slots = self.table.slots
        if slots.instants is None or self.form == "csv":
            return TEXT
        zone = (self.table.zone or "UTC") if slots.have_offsets else None
        return pa.timestamp("us", tz=zone)

    def _slot_column(self, slot: IntArray, labels: pa.Array) -> pa.Array:
        kind, instants = self._slot_type(), self.table.slots.instants
        if kind == TEXT or instants is None:
            return coded(slot, labels)
        return pa.array(instants[slot], pa.int64()).cast(kind)

    def _batches(
        self, schema: pa.Schema, columns: dict[str, tuple[IntArray, pa.Array]]
    ) -> Iterator[pa.RecordBatch]:
        profiles, units = self.assigned.profiles, self.ledger.cells[BOOKED]
        slot_labels = dictionary_of(self.table.slots.labels, escape_formulas=False)
        sources = dictionary_of(SOURCES, escape_formulas=False)
        interval = self.ledger.run.spec.report.interval
        blocks = slot_summaries(self.draws, profiles, self.law, interval)
        for rows in whole_cells(blocks, MOST_ROWS):
            slot, share = profiles.slot[rows.entry], profiles.share[rows.entry]
            found = rows.summary
            rounded = round_slots(found.mean, rows.cell, slot, units, share=share)
            self._mean += float(found.mean.sum())
            self._units += int(rounded.sum())
            figures = (
                found.mean,
                found.sd,
                found.lower,
                found.upper,
                rounded / 10.0**self.ledger.decimals,
                share,
            )
            source = self.assigned.source[profiles.of_cell[rows.cell]]
            arrays = [
                *(coded(codes[rows.cell], labels) for codes, labels in columns.values()),
                self._slot_column(slot, slot_labels),
                *map(numbers, figures),
                coded(source, sources),
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def whole_cells(blocks: Iterator[SlotSummaries], most_rows: int) -> Iterator[SlotSummaries]:
    """Join blocks to pieces of about so many rows that never cut a cell in two.

    Parameters
    ----------
    blocks : iterator of SlotSummaries
        Cells in ascending order.
    most_rows : int
        A piece is yielded once it has as many rows.

    Yields
    ------
    SlotSummaries
        All rows of the blocks, in their order.
    """
    held: list[SlotSummaries] = []
    n_rows = 0
    for block in blocks:
        held.append(block)
        n_rows += len(block.cell)
        if n_rows >= most_rows:
            joined = _joined(held)
            cut = int(np.searchsorted(joined.cell, joined.cell[-1]))
            if cut:
                yield _slice(joined, slice(0, cut))
            held, n_rows = [_slice(joined, slice(cut, None))], len(joined.cell) - cut
    if n_rows:
        yield _joined(held)


def _joined(blocks: list[SlotSummaries]) -> SlotSummaries:
    summaries = [block.summary for block in blocks]
    return SlotSummaries(
        np.concatenate([block.cell for block in blocks]),
        np.concatenate([block.entry for block in blocks]),
        Summary(
            *(
                np.concatenate([getattr(summary, end) for summary in summaries])
                for end in ("mean", "sd", "lower", "upper")
            )
        ),
    )


def _slice(block: SlotSummaries, rows: slice) -> SlotSummaries:
    found = block.summary
    summary = Summary(found.mean[rows], found.sd[rows], found.lower[rows], found.upper[rows])
    return SlotSummaries(block.cell[rows], block.entry[rows], summary)
