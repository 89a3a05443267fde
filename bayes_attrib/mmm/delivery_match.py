"""Whether the delivery below the channel adds up to what the mix model was fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, quote
from bayes_attrib.errors import Finding
from bayes_attrib.mmm.delivery_table import DeliveryTable
from bayes_attrib.mmm.mix_model import MixModel
from bayes_attrib.mmm.refusal import fault, refuse

FloatArray = npt.NDArray[np.float64]

# Sums may differ by this part of the channel's largest delivery: campaigns are booked in rounded
# numbers.
TOLERANCE: Final = 1e-3


def delivery_sums(
    table: DeliveryTable,
    periods: Sequence[str],
    places: Sequence[str | None],
    channels: Sequence[str],
) -> FloatArray:
    """Add up delivery over entities.

    Parameters
    ----------
    table : DeliveryTable
        Delivery; rows of other periods, places or channels are passed over.
    periods, places, channels : sequence
        Labels of the axes; a place of None stands for the nation.

    Returns
    -------
    ndarray of float, shape (n_periods, n_places, n_channels)
        Sums; 0 where there are no rows.
    """
    at = _positions(table, periods, places, channels)
    known = (at >= 0).all(axis=0)
    found = np.zeros((len(periods), len(places), len(channels)))
    values = table.frame[table.columns.delivery].to_numpy(dtype=np.float64)
    np.add.at(found, tuple(at[:, known]), values[known])
    return found


def matched(
    table: DeliveryTable, model: MixModel, *, rescale: bool
) -> tuple[DeliveryTable, float | None]:
    """Compare sums of delivery with those of the mix model, and scale rows to them if asked to.

    Parameters
    ----------
    table : DeliveryTable
        Delivery below the channel.
    model : MixModel
        Mix model; nothing is compared where it does not know its delivery.
    rescale : bool
        Multiply rows, so that sums are those of the mix model.

    Returns
    -------
    table : DeliveryTable
        The table, rescaled or not.
    difference : float or None
        Largest difference found, in parts of the channel's largest delivery in a geo.

    Raises
    ------
    DataError
        If sums differ and are not to be rescaled, a cell has delivery in the mix model and none
        in the table, or rows are to be rescaled to what is not known.
    """
    if model.delivery is None:
        refuse(_no_scale(model) if rescale else [])
        return table, None
    periods = (*model.history, *model.periods)
    told = set(table.frame[table.columns.channel])
    channels = [channel for channel in model.channels if channel in told]
    meant = model.delivery[:, :, [model.channels.index(channel) for channel in channels]]
    sums = delivery_sums(table, periods, model.places, channels)
    largest = np.nanmax(np.maximum(meant, sums), axis=0, initial=0.0)
    difference = np.divide(
        np.abs(sums - meant),
        largest,
        out=np.zeros_like(meant),
        where=(largest > 0) & np.isfinite(meant),
    )
    wrong = difference > TOLERANCE
    lost = wrong & (sums <= 0)
    if rescale:
        refuse(_faults(table, model, channels, lost, sums=sums, meant=meant, rescaled=True))
        return _rescaled(table, model, channels, sums, meant), float(difference.max(initial=0.0))
    refuse(_faults(table, model, channels, wrong, sums=sums, meant=meant, rescaled=False))
    return table, float(difference.max(initial=0.0))


def _no_scale(model: MixModel) -> list[Finding]:
    message = "cannot rescale: the export does not tell the delivery that the model was fitted to"
    remedy = (
        "export pareto_media_transform_matrix.csv too; or give delivery in the mix model's own "
        "unit and leave out --rescale"
    )
    return [fault("unknown-delivery", model.file_name, message, remedy)]


def _faults(
    table: DeliveryTable,
    model: MixModel,
    channels: Sequence[str],
    wrong: npt.NDArray[np.bool_],
    *,
    sums: FloatArray,
    meant: FloatArray,
    rescaled: bool,
) -> list[Finding]:
    places = np.argwhere(wrong)
    if not len(places):
        return []
    periods = (*model.history, *model.periods)
    shown = [
        f"{table.columns.channel} {quote(channels[k])}, {table.columns.period} {quote(periods[t])}"
        + ("" if model.geos is None else f", {table.columns.geo} {quote(model.geos[g])}")
        + f": {sums[t, g, k]:.6g} against {meant[t, g, k]:.6g}"
        for t, g, k in places[:MAX_EXAMPLES].tolist()
    ]
    remedy = (
        "add the rows that are missing"
        if rescaled
        else "correct the table; or, where it counts in another unit, give --rescale to have its "
        "rows multiplied so that they add up to the mix model's delivery"
    )
    return [
        fault(
            "delivery-differs",
            f"{table.file.name}, column {quote(table.columns.delivery)}",
            f"entities do not add up to the delivery that {model.file_name} was fitted to in "
            f"{counted(len(places), 'cell')}: {listed(shown, len(places), separator='; ')}",
            remedy,
        )
    ]


def _rescaled(
    table: DeliveryTable,
    model: MixModel,
    channels: Sequence[str],
    sums: FloatArray,
    meant: FloatArray,
) -> DeliveryTable:
    factor = np.divide(meant, sums, out=np.ones_like(sums), where=(sums > 0) & np.isfinite(meant))
    at = _positions(table, (*model.history, *model.periods), model.places, channels)
    known = (at >= 0).all(axis=0)
    frame = table.frame.copy()
    values = frame[table.columns.delivery].to_numpy(dtype=np.float64, copy=True)
    values[known] *= factor[tuple(at[:, known])]
    frame[table.columns.delivery] = values
    return replace(table, frame=frame)


def _positions(
    table: DeliveryTable,
    periods: Sequence[str],
    places: Sequence[str | None],
    channels: Sequence[str],
) -> npt.NDArray[np.int64]:
    """Return positions of every row on the three axes, shape (3, n_rows); -1 for others."""
    frame, columns = table.frame, table.columns
    place = np.zeros(len(frame), dtype=np.int64)
    if columns.geo is not None:
        place = (
            pd.Index([str(name) for name in places])
            .get_indexer(pd.Index(frame[columns.geo]))
            .astype(np.int64)
        )
    return np.stack(
        [
            pd.Index(periods).get_indexer(pd.Index(frame[columns.period])),
            place,
            pd.Index(channels).get_indexer(pd.Index(frame[columns.channel])),
        ]
    ).astype(np.int64)
