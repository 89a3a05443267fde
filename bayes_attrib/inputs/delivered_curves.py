"""What the exposures of learned transforms are made of, from rows of delivery to stored pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.exposure.curve_math import NUMPY
from bayes_attrib.exposure.lag_delivery import CellDelivery, LaggedCells, lag_delivery
from bayes_attrib.exposure.lagged import LaggedDelivery
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.inputs.delivery_axis import DeliveryAxis
from bayes_attrib.inputs.delivery_rows import (
    ENTITY,
    PERIOD,
    DeliveryRows,
    marked,
    transform_of,
)
from bayes_attrib.inputs.table import DeliveredCurve
from bayes_attrib.spec import ExposureSpec
from bayes_attrib.spec.learned import Learned


@dataclass(frozen=True, eq=False)
class LaggedCurve:
    """Exposures of one learned transform, at its fixed values, with what they are made of."""

    cells: LaggedCells
    cell_keys: pd.DataFrame
    entities: npt.NDArray[np.object_]
    exposure: FloatArray
    first: int


def lag_learned(
    rows: DeliveryRows, section: ExposureSpec, learned: Learned, axis: DeliveryAxis
) -> list[LaggedCurve]:
    """Collect what every learned transform makes exposures of, with exposures at fixed values.

    Parameters
    ----------
    rows : DeliveryRows
        Delivery.
    section : ExposureSpec
        Transforms.
    learned : Learned
        Those that are learned.
    axis : DeliveryAxis
        Periods.

    Returns
    -------
    list of LaggedCurve
        In the order of the learned transforms.
    """
    values = np.array([parameter.value for parameter in learned.parameters])
    scales = np.array([transform.scale for transform in section.transforms.values()])
    first = min(int(rows.frame[PERIOD].min()), 0)
    n_periods = axis.last - first + 1
    found = []
    for transform in learned.transforms:
        frame = rows.frame[marked(rows.frame, transform.keys, section)]
        frame = frame[(frame[names.DELIVERY] > 0) & (frame[PERIOD] <= axis.last)]
        cell, keys = pd.factorize(pd.MultiIndex.from_frame(frame[rows.cell].astype(str)))
        entity, entities = pd.factorize(frame[ENTITY])
        scale = scales[transform_of(frame, section)]
        n_lags = min(len(transform.curve.transform.adstock.weights()), n_periods)
        cells = lag_delivery(
            CellDelivery(
                cell.astype(np.int64),
                entity.astype(np.int64),
                frame[PERIOD].to_numpy() - first,
                frame[names.DELIVERY].to_numpy() / scale,
            ),
            n_lags=n_lags,
            n_history=-first,
            n_periods=n_periods,
        )
        log_exposure = transform.curve.log_exposures(cells.delivery, values, NUMPY, n_lags=n_lags)
        index = pd.MultiIndex.from_tuples(list(keys), names=rows.cell)
        found.append(
            LaggedCurve(
                cells,
                index.to_frame(index=False),
                np.asarray(entities, dtype=object),
                np.exp(log_exposure),
                first,
            )
        )
    return found


def learned_cells(rows: DeliveryRows, curve: LaggedCurve) -> pd.DataFrame:
    """Return cell, period, entity and exposure of each exposure of a learned transform."""
    frame = curve.cell_keys.iloc[curve.cells.cell].reset_index(drop=True)
    frame[PERIOD] = curve.cells.period + curve.first
    frame[ENTITY] = curve.entities[curve.cells.entity]
    frame[names.EXPOSURE] = curve.exposure
    return frame[[*rows.cell, PERIOD, ENTITY, names.EXPOSURE]]


def located_delivery(
    curve: DeliveredCurve,
    aggregate: IntArray,
    entity: IntArray,
    rows: IntArray,
    entities: npt.NDArray[np.object_],
) -> LaggedDelivery:
    """Say which stored exposures a curve made.

    Parameters
    ----------
    curve : DeliveredCurve
        Exposures by row of the aggregate and name of the entity.
    aggregate, entity : ndarray of int, shape (n_edges,)
        Row and column of the stored exposures, in that order.
    rows : ndarray of int, shape (n_aggregates,)
        Row in the file of every aggregate that is left.
    entities : ndarray of str (object), shape (n_entities,)
        Names of the entities, in the order of their positions.

    Returns
    -------
    LaggedDelivery
        Of those that are stored; places that are in none of them are left out.
    """
    row = pd.Index(rows).get_indexer(pd.Index(curve.aggregate_row))
    column = pd.Index(entities).get_indexer(pd.Index(curve.entity))
    width = len(entities)
    stored = pd.Index(aggregate * width + entity)
    edge = stored.get_indexer(pd.Index(row * width + column))
    edge = np.where((row >= 0) & (column >= 0), edge, -1)
    kept = np.flatnonzero(edge >= 0)
    kept = kept[np.argsort(edge[kept])]
    given = curve.delivery
    used, place = np.unique(given.place[kept], return_inverse=True)
    return LaggedDelivery(
        edge[kept].astype(np.int64),
        given.lags[kept],
        place.astype(np.int64),
        given.place_lags[used],
    )
