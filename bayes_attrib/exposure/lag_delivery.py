"""From rows of delivery to the delivery of the last periods before each exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bayes_attrib.exposure.lagged import LaggedDelivery

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CellDelivery:
    """Rows of delivery as numbers, each at most once, and only where something was delivered.

    Attributes
    ----------
    cell, entity, period : ndarray of int, shape (n_rows,)
        Channel in an aggregate but for its period; entity; period, counted from the first.
    delivery : ndarray of float, shape (n_rows,)
        Scaled delivery; positive.
    """

    cell: IntArray
    entity: IntArray
    period: IntArray
    delivery: FloatArray


@dataclass(frozen=True, eq=False)
class LaggedCells:
    """Exposures that delivery can give rise to, whatever the weights of lags are.

    Attributes
    ----------
    cell, entity, period : ndarray of int, shape (n_exposures,)
        Where each is, in the numbers of :class:`CellDelivery`.
    delivery : LaggedDelivery
        What is carried over into each; its edges count them.
    """

    cell: IntArray
    entity: IntArray
    period: IntArray
    delivery: LaggedDelivery


def lag_delivery(rows: CellDelivery, *, n_lags: int, n_history: int, n_periods: int) -> LaggedCells:
    """Collect the delivery of the last periods before each exposure.

    Parameters
    ----------
    rows : CellDelivery
        Delivery.
    n_lags : int
        Number of periods in which a unit works, its own included.
    n_history : int
        Number of leading periods that get no exposures.
    n_periods : int
        Number of periods, those of history included.

    Returns
    -------
    LaggedCells
        One for each entity, cell and period after history with delivery in one of the last
        ``n_lags`` periods; ordered by cell, entity and period.
    """
    n_entities = int(rows.entity.max(initial=0)) + 1
    series = rows.cell * n_entities + rows.entity
    reached = (series * n_periods)[:, np.newaxis] + rows.period[:, np.newaxis] + np.arange(n_lags)
    inside = (rows.period[:, np.newaxis] + np.arange(n_lags)) < n_periods
    points = np.unique(reached[inside])
    points = points[points % n_periods >= n_history]
    period, of_series = points % n_periods, points // n_periods
    cell, entity = of_series // n_entities, of_series % n_entities
    places, place = np.unique(cell * n_periods + period, return_inverse=True)
    own = _lookup(series * n_periods + rows.period, rows.delivery)
    channel = _lookup(rows.cell * n_periods + rows.period, rows.delivery)
    return LaggedCells(
        cell,
        entity,
        period,
        LaggedDelivery(
            np.arange(len(points)),
            _lagged(own, points, n_lags, n_periods),
            place.astype(np.int64),
            _lagged(channel, places, n_lags, n_periods),
        ),
    )


def _lookup(keys: IntArray, values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return distinct keys in order, and the sum of the values of each."""
    distinct, at = np.unique(keys, return_inverse=True)
    sums = np.bincount(at, weights=values, minlength=len(distinct))
    return distinct, sums.astype(np.float64)


def _lagged(
    table: tuple[IntArray, FloatArray], points: IntArray, n_lags: int, n_periods: int
) -> FloatArray:
    """Look up the delivery of each lag before each point, shape (n_points, n_lags)."""
    keys, values = table
    found = np.zeros((len(points), n_lags))
    for lag in range(n_lags):
        wanted = points - lag
        at = np.searchsorted(keys, wanted).clip(max=max(len(keys) - 1, 0))
        known = (points % n_periods >= lag) & (keys[at] == wanted) if len(keys) else at < 0
        found[known, lag] = values[at[known]]
    return found
