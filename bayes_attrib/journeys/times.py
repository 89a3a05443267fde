"""Times of events, read strictly: dates or instants in ISO's form, all with a time zone or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.journeys.build import BoolArray

ISO_TIMES: Final = "2025-03-31, 2025-03-31 14:05 or 2025-03-31T14:05:09Z"

_ISO: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
)
_ZONED: Final = r":[0-9.]+(Z|[+-][0-9]{2}:?[0-9]{2})$"


@dataclass(frozen=True, eq=False)
class TimeColumn:
    """A column of times.

    Attributes
    ----------
    ticks : ndarray of int64, shape (n_rows,)
        Microseconds since 1970-01-01, in UTC where a zone is told; 0 where there is no time.
    missing, faulty : ndarray of bool, shape (n_rows,)
        Whether a cell is empty, or holds something that is no time.
    zoned : ndarray of bool, shape (n_rows,)
        Whether a cell tells its time zone.
    """

    ticks: IntArray
    missing: BoolArray
    faulty: BoolArray
    zoned: BoolArray


def parse_times(cells: pa.ChunkedArray) -> TimeColumn:
    """Parse a column of times.

    Parameters
    ----------
    cells : pyarrow.ChunkedArray, shape (n_rows,)
        A column as stored: text in ISO's form, dates or timestamps.

    Returns
    -------
    TimeColumn
        Times and, for each cell, what is wrong with it.

    Raises
    ------
    TypeError
        If the stored type is neither text nor a time.
    """
    kind = cells.type
    if pa.types.is_dictionary(kind):
        cells, kind = cells.cast(kind.value_type), kind.value_type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        zoned = pa.types.is_timestamp(kind) and kind.tz is not None
        return _from_stored(cells, zoned=bool(zoned))
    if not (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    ):
        raise TypeError(str(kind))
    return _from_text(pc.utf8_trim_whitespace(cells.cast(pa.large_string()).fill_null("")))


def _from_stored(cells: pa.ChunkedArray, *, zoned: bool) -> TimeColumn:
    missing = _flags(cells.is_null())
    micros = cells.cast(pa.timestamp("us", "UTC" if zoned else None), safe=False)
    ticks = micros.cast(pa.int64()).fill_null(0).to_numpy()
    nothing = np.zeros(len(ticks), dtype=bool)
    return TimeColumn(ticks, missing, nothing, np.full(len(ticks), zoned))


def _from_text(text: pa.ChunkedArray) -> TimeColumn:
    missing = _flags(pc.equal(text, ""))
    known = _flags(pc.match_substring_regex(text, _ISO))
    zoned = _flags(pc.match_substring_regex(text, _ZONED)) & known
    ticks = np.zeros(len(missing), dtype=np.int64)
    faulty = ~known & ~missing
    for mask, zone in ((known & ~zoned, None), (zoned, "UTC")):
        if mask.any():
            some, wrong = _ticks(text.filter(pa.array(mask)), zone)
            ticks[mask] = some
            faulty[np.flatnonzero(mask)[wrong]] = True
    return TimeColumn(ticks, missing, faulty, zoned)


def _ticks(text: pa.ChunkedArray, zone: str | None) -> tuple[IntArray, BoolArray]:
    """Return times, and which of the texts are in ISO's form and yet on no calendar."""
    try:
        stamps = text.cast(pa.timestamp("us", zone))
    except pa.ArrowInvalid:  # one of them has a 13th month or the like; only now look at each
        parsed = pd.to_datetime(text.to_pandas(), errors="coerce", format="ISO8601", utc=bool(zone))
        wrong = parsed.isna().to_numpy()
        whole = parsed.fillna(pd.Timestamp(0, tz=zone)).dt.as_unit("us")
        return whole.astype("int64").to_numpy(), wrong
    ticks = stamps.cast(pa.int64()).to_numpy()
    return ticks, np.zeros(len(ticks), dtype=bool)


def _flags(mask: pa.ChunkedArray) -> BoolArray:
    return np.asarray(mask.to_numpy(), dtype=bool)
