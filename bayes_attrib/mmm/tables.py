"""From a mix model and delivery below its channels to the tables of a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.exposure import Semantics, build_exposures
from bayes_attrib.mmm.delivery_match import matched
from bayes_attrib.mmm.delivery_table import DeliveryTable
from bayes_attrib.mmm.entities import EntityTable, entity_table
from bayes_attrib.mmm.label_checks import label_faults
from bayes_attrib.mmm.mix_model import MixModel
from bayes_attrib.mmm.refusal import fault, refuse

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Negative = Literal["error", "clip"]

TOTAL_SD: Final = "total_sd"


@dataclass(frozen=True, eq=False)
class ImportTables:
    """Tables of a data folder.

    Attributes
    ----------
    aggregates : DataFrame, shape (n_aggregates, ...)
        Keys, ``total``, and ``total_sd`` where there are draws.
    exposures : DataFrame, shape (n_edges, ...)
        Keys, entity, delivery and exposure.
    entities : EntityTable
        Entities and their groups.
    total_draws : ndarray of float, shape (n_aggregates, n_draws)
        Draws of the totals, in the order of aggregates; chain by chain.
    facts : dict
        Counts and sums, as plain JSON types.
    delivery : DataFrame, shape (n_rows, ...)
        Keys, entity and delivery, rescaled if that was asked for; history included.
    channels : tuple of str
        Channels that are imported.
    """

    aggregates: pd.DataFrame
    exposures: pd.DataFrame
    entities: EntityTable
    total_draws: FloatArray
    facts: dict[str, Any]
    delivery: pd.DataFrame
    channels: tuple[str, ...]


def import_tables(
    model: MixModel,
    table: DeliveryTable,
    *,
    semantics: Semantics,
    negative: Negative = "error",
    rescale: bool = False,
) -> ImportTables:
    """Make the tables that split a mix model's contributions.

    Parameters
    ----------
    model : MixModel
        Mix model.
    table : DeliveryTable
        Delivery below its channels.
    semantics : {"channel_curve", "own_curve"}
        How the channel's curve is applied, see :func:`bayes_attrib.exposure.build_exposures`.
    negative : {"error", "clip"}
        Whether negative contributions are a fault, or are set to zero, draw by draw.
    rescale : bool
        Multiply delivery, so that it adds up to what the mix model was fitted to.

    Returns
    -------
    ImportTables
        The tables. Aggregates whose total is zero are left out: nothing is there to be split.

    Raises
    ------
    DataError
        If delivery and mix model do not fit together, or contributions are negative.
    """
    refuse(label_faults(table, model))
    exposures = _exposures(table, model, semantics)  # refuses rows that are wrong in themselves
    entities = entity_table(table)
    table, difference = matched(table, model, rescale=rescale)
    if rescale:
        exposures = _exposures(table, model, semantics)
    cells = _Cells.of(model, table)
    draws, clipped = _cleared(cells, model, negative)
    totals = draws.mean(axis=1)
    at = cells.positions(exposures)
    works = np.bincount(at, weights=exposures[names.EXPOSURE], minlength=len(totals)) > 0
    refuse(_unexplained(cells, totals, works, table, model))
    kept = np.flatnonzero(totals > 0)
    aggregates = cells.frame.iloc[kept].reset_index(drop=True)
    aggregates[names.TOTAL] = totals[kept]
    if model.has_draws:
        aggregates[TOTAL_SD] = draws[kept].std(axis=1, ddof=1)
    facts = {
        "n_aggregates": len(kept),
        "n_aggregates_of_zero_left_out": len(totals) - len(kept),
        "grand_total": float(totals.sum()),
        "channels_without_delivery": _left_out(model, cells),
        "largest_difference_of_delivery": difference,
        "rescaled": rescale,
        "negative": {"option": negative, **clipped},
    }
    return ImportTables(
        aggregates,
        exposures[np.isin(at, kept)].reset_index(drop=True),
        entities,
        draws[kept],
        facts,
        table.frame[[*table.columns.keys, table.columns.delivery]],
        cells.channels,
    )


def _exposures(table: DeliveryTable, model: MixModel, semantics: Semantics) -> pd.DataFrame:
    return build_exposures(
        table.frame,
        model.transforms,
        columns=table.columns,
        periods=model.periods,
        semantics=semantics,
        history=model.history,
    )


@dataclass(frozen=True, eq=False)
class _Cells:
    """Aggregates of the channels that deliver, channel by channel, then by period and geo."""

    frame: pd.DataFrame
    draws: FloatArray
    channels: tuple[str, ...]
    model: MixModel
    table: DeliveryTable

    @classmethod
    def of(cls, model: MixModel, table: DeliveryTable) -> _Cells:
        told = set(table.frame[table.columns.channel])
        channels = tuple(channel for channel in model.channels if channel in told)
        columns = table.columns
        axes = {columns.channel: channels, columns.period: model.periods}
        if columns.geo is not None:
            axes[columns.geo] = tuple(str(place) for place in model.places)
        frame = pd.MultiIndex.from_product(list(axes.values()), names=list(axes)).to_frame(
            index=False
        )
        chosen = model.contributions[..., [model.channels.index(name) for name in channels]]
        draws = np.moveaxis(chosen, (4, 2, 3), (0, 1, 2)).reshape(len(frame), model.n_draws)
        return cls(frame, draws, channels, model, table)

    def positions(self, exposures: pd.DataFrame) -> IntArray:
        """Return the position of the aggregate of every exposure, shape (n_edges,)."""
        keys = list(self.frame.columns)
        index = pd.MultiIndex.from_frame(self.frame)
        found = index.get_indexer(pd.MultiIndex.from_frame(exposures[keys]))
        return found.astype(np.int64)

    def cited(self, rows: IntArray, values: FloatArray) -> str:
        """Return the keys of some aggregates with a value, for messages."""
        shown = [
            ", ".join(f"{name} {quote(str(cell))}" for name, cell in self.frame.iloc[row].items())
            + f" ({values[row]:.6g})"
            for row in rows[:MAX_EXAMPLES].tolist()
        ]
        return listed(shown, len(rows), separator="; ")


def _cleared(
    cells: _Cells, model: MixModel, negative: Negative
) -> tuple[FloatArray, dict[str, Any]]:
    """Return draws of the totals without negative ones, and what was done to them."""
    below = cells.draws < 0
    rows = np.flatnonzero(below.any(axis=1))
    if not len(rows):
        return cells.draws, {"draws": 0, "aggregates": 0}
    lowest = cells.draws.min(axis=1)
    if negative == "error":
        refuse(
            [
                fault(
                    "negative-contribution",
                    f"{model.file_name}",
                    f"contributions are negative in {counted(len(rows), 'aggregate')}, in "
                    f"{100 * below.mean():.2g}% of all draws; the lowest draws are "
                    f"{cells.cited(rows, lowest)}",
                    "negative totals cannot be split by positive rates: fit the mix model with "
                    "effects that are not negative, leave these channels out of the delivery "
                    "table, or give --negative clip to set negative draws to zero, which is "
                    "recorded",
                )
            ]
        )
    clipped = np.maximum(cells.draws, 0.0)
    return clipped, {
        "draws": int(below.sum()),
        "aggregates": len(rows),
        "added_to_grand_total": float((clipped - cells.draws).mean(axis=1).sum()),
    }


def _unexplained(
    cells: _Cells,
    totals: FloatArray,
    works: npt.NDArray[np.bool_],
    table: DeliveryTable,
    model: MixModel,
) -> Iterator[Finding]:
    rows = np.flatnonzero((totals > 0) & ~works)
    if len(rows):
        yield fault(
            "no-exposure",
            table.file.name,
            f"{counted(len(rows), 'aggregate')} of {model.file_name} have a contribution and no "
            f"entity with exposure: {cells.cited(rows, totals)}",
            "add the rows of the entities that delivered, or that deliver what is carried over",
        )


def _left_out(model: MixModel, cells: _Cells) -> dict[str, float]:
    """Return the totals of channels that the delivery table does not know."""
    mean = model.contributions.mean(axis=(0, 1)).sum(axis=(0, 1))
    return {
        channel: float(mean[j])
        for j, channel in enumerate(model.channels)
        if channel not in cells.channels
    }
