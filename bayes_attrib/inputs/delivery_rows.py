"""Rows of delivery under names of our own, so that nobody's column names can collide."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.exposure.channel_transform import TransformKey
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.delivery_axis import DeliveryAxis
from bayes_attrib.inputs.table import Tables
from bayes_attrib.spec import ExposureSpec

CHANNEL: Final = "channel"
GEO: Final = "geo"
PERIOD: Final = "period"
ENTITY: Final = "entity"


@dataclass(frozen=True, eq=False)
class DeliveryRows:
    """Rows of delivery, with numbers for what names them.

    Attributes
    ----------
    frame : DataFrame, shape (n_rows, ...)
        Channel, geo, further keys, entity, step of the period and delivery.
    others : tuple of str
        Names here of the keys of an aggregate that are neither channel, geo nor period.
    keys : mapping of str to str
        Key columns of the aggregates by their names here.
    """

    frame: pd.DataFrame
    others: tuple[str, ...]
    keys: dict[str, str]

    @property
    def cell(self) -> list[str]:
        """Columns that tell a channel in an aggregate, but for the period."""
        return [CHANNEL, *([GEO] if GEO in self.frame else []), *self.others]


def delivery_rows(tables: Tables, section: ExposureSpec, axis: DeliveryAxis) -> DeliveryRows:
    """Name the columns of delivery by their roles: nobody's own names can then collide."""
    spec, table = tables.spec, tables.exposures
    frame = pd.DataFrame(
        {
            CHANNEL: _channels(tables, section).to_numpy(),
            ENTITY: table[spec.columns.entity].to_numpy(),
            PERIOD: axis.of(table[section.period]),
            names.DELIVERY: table[spec.delivery_column].to_numpy(dtype=np.float64),
        }
    )
    keys = {PERIOD: section.period}
    if section.channel in spec.columns.aggregate:
        keys[CHANNEL] = section.channel
    if section.geo is not None:
        keys[GEO] = section.geo
    rest = [column for column in spec.columns.aggregate if column not in keys.values()]
    keys |= {f"key{number}": column for number, column in enumerate(rest)}
    for name, column in keys.items():
        if name not in frame:
            frame[name] = table[column].to_numpy()
    return DeliveryRows(frame, tuple(name for name in keys if name.startswith("key")), keys)


def _channels(tables: Tables, section: ExposureSpec) -> pd.Series:
    """Return the channel of each row of delivery."""
    if section.channel in tables.spec.columns.aggregate:
        return tables.exposures[section.channel]
    return tables.entities[section.channel].iloc[tables.entity_of_exposure]


def marked(
    frame: pd.DataFrame, keys: Collection[TransformKey], section: ExposureSpec
) -> npt.NDArray[np.bool_]:
    """Mark the rows whose transform is under one of some keys, shape (n_rows,)."""
    chosen = [place for place, key in enumerate(section.transforms) if key in keys]
    return np.isin(transform_of(frame, section), chosen)


def transform_of(frame: pd.DataFrame, section: ExposureSpec) -> IntArray:
    """Return the position of the transform of each row among the spec's, shape (n_rows,)."""
    place: dict[TransformKey, int] = {key: at for at, key in enumerate(section.transforms)}
    columns = [CHANNEL, GEO] if GEO in frame else [CHANNEL]
    codes, distinct = pd.factorize(pd.MultiIndex.from_frame(frame[columns].astype(str)))
    found = [place.get(tuple(key), place.get(key[0], -1)) for key in distinct]
    return np.array([*found, -1], dtype=np.int64)[codes]
