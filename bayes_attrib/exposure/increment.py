"""What switching off takes away, per unit of what is attributed: less where curves are concave."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.exposure.build import Semantics, build_exposures
from bayes_attrib.exposure.channel_transform import ChannelTransform, TransformKey
from bayes_attrib.exposure.columns import DeliveryColumns


def increment_ratio(
    delivery: pd.DataFrame,
    transforms: Mapping[TransformKey, ChannelTransform],
    *,
    columns: DeliveryColumns,
    periods: Sequence[Any],
    semantics: Semantics,
    off: npt.ArrayLike,
    window: Collection[Any] | None = None,
    history: Sequence[Any] = (),
) -> float:
    """Increment that switching delivery off takes away, per unit of the attributed amount.

    Exposures are made twice, with the delivery and without what was switched off. In the window and
    the cells (channel, geo, ...) that were touched, the sum of all exposures of the first less that
    of the second is the increment, and the sum of the exposures of the entities that were switched
    off is what is attributed to them. With the channel's curve f and no carry-over this is, for one
    entity with adstock a out of A, (f(A) - f(A - a)) / (f(A) a / A).

    Parameters
    ----------
    delivery : DataFrame
        As for :func:`build_exposures`.
    transforms : mapping
        As for :func:`build_exposures`.
    columns : DeliveryColumns
        Names of the columns.
    periods : sequence
        Periods of the aggregates.
    semantics : {"own_curve", "channel_curve"}
        As for :func:`build_exposures`.
    off : array-like of bool, shape (n_rows,)
        Rows of delivery that were switched off: one channel, any number of its entities.
    window : collection, optional
        Periods over which the increment was measured; by default those of the rows that were off.
    history : sequence
        Periods just before the first of ``periods``.

    Returns
    -------
    float
        For the column ``increment_ratio`` of a table of lift tests. Productivity counts as equal
        for all entities of the channel.

    Raises
    ------
    DataError
        If delivery is faulty, see :func:`build_exposures`.
    ValueError
        If nothing or more than one channel was switched off, or the entities have no exposure in
        the window.
    """
    chosen = np.asarray(off, dtype=bool)
    if chosen.shape != (len(delivery),):
        raise ValueError(f"off must mark the {len(delivery)} rows of delivery, one by one")
    rows = delivery[chosen]
    channels = rows[columns.channel].astype(str).unique()
    if len(channels) != 1:
        raise ValueError(
            f"one channel must be switched off; got {', '.join(channels) or 'no rows'}: channels "
            "have multiples of their own, which exposures leave out"
        )
    stopped = delivery[columns.delivery].where(~chosen, 0)
    both = [
        build_exposures(
            table,
            transforms,
            columns=columns,
            periods=periods,
            semantics=semantics,
            history=history,
        )
        for table in (delivery, delivery.assign(**{columns.delivery: stopped}))
    ]
    within = {str(p) for p in (rows[columns.period] if window is None else window)}
    cells = _keys(rows, columns.cell)
    before, after = (_touched(table, columns, cells, within) for table in both)
    entities = set(rows[columns.entity].astype(str))
    own = before[before[columns.entity].astype(str).isin(entities)]
    attributed = float(own[names.EXPOSURE].sum())
    if attributed <= 0:
        raise ValueError("what was switched off has no exposure in the window")
    return float(before[names.EXPOSURE].sum() - after[names.EXPOSURE].sum()) / attributed


def _touched(
    table: pd.DataFrame, columns: DeliveryColumns, cells: set[tuple[str, ...]], within: set[str]
) -> pd.DataFrame:
    """Rows of the cells that were touched, in the window."""
    keys = table[list(columns.cell)].astype(str).itertuples(index=False, name=None)
    in_cells = np.fromiter((key in cells for key in keys), dtype=bool, count=len(table))
    return table[in_cells & table[columns.period].astype(str).isin(within).to_numpy()]


def _keys(table: pd.DataFrame, columns: Sequence[str]) -> set[tuple[str, ...]]:
    return set(table[list(columns)].astype(str).itertuples(index=False, name=None))
