"""Time stamps as they are written, and what the clocks of a time zone make of them."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bayes_attrib.citing import nearest
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.unavailable import UnavailableError

Moment = dt.datetime | dt.date
"""A date alone is a slot that lasts the day."""

State = Literal["plain", "skipped", "twice"]

_FORM: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class Stamps:
    """A column of time stamps, each distinct one read once.

    Attributes
    ----------
    code : ndarray of int, shape (n_rows,)
        Which of the moments each row has; -1 where the cell is no time stamp.
    moments : tuple of datetime or date
        Distinct moments: with an offset, without one, or dates alone.
    """

    code: IntArray
    moments: tuple[Moment, ...]

    @property
    def is_aware(self) -> npt.NDArray[np.bool_]:
        """Whether each moment has an offset from UTC, shape (n_moments,)."""
        return np.array([is_aware(moment) for moment in self.moments], dtype=bool)


def read_stamps(cells: pa.ChunkedArray) -> Stamps:
    """Read a column of time stamps.

    Parameters
    ----------
    cells : pyarrow.ChunkedArray, shape (n_rows,)
        Texts in ISO's form, such as ``2025-03-30T01:00+01:00`` or ``2025-03-30 01:00`` or
        ``2025-03-30``; or stored time stamps or dates.

    Returns
    -------
    Stamps
        Moments of the rows.

    Raises
    ------
    TypeError
        If the stored type is neither text nor time.
    """
    kind = cells.type
    is_dictionary = pa.types.is_dictionary(kind)
    encoded = (cells if is_dictionary else cells.dictionary_encode()).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().chunk(0)
    values = encoded.dictionary
    if not (_is_text(values.type) or _is_time(values.type)):
        raise TypeError(str(values.type))
    found: dict[Moment, int] = {}
    own = np.full(len(values) + 1, -1, dtype=np.int64)  # the last stands for null
    for i, moment in enumerate(_moments(values)):
        if moment is not None:
            own[i] = found.setdefault(moment, len(found))
    code = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
    return Stamps(own[code], tuple(found))


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name.

    Raises
    ------
    UnavailableError
        If there is none.
    """
    known = available_timezones()
    if name in known:
        return ZoneInfo(name)
    near = nearest(name, known)
    hint = f"did you mean {near}? " if near else ""
    remedy = f"{hint}names are those of the IANA database, such as Europe/Madrid or UTC"
    message = f"there is no time zone {name!r}"
    raise UnavailableError(Finding("unknown-zone", "error", "--zone", message, remedy))


def is_aware(moment: Moment) -> bool:
    """Return whether a moment says how far it is from UTC."""
    return isinstance(moment, dt.datetime) and moment.tzinfo is not None


def state_of(moment: Moment, zone: ZoneInfo) -> State:
    """Tell whether the clocks of a zone show a local time once, never, or twice.

    Parameters
    ----------
    moment : datetime or date
        Local time without an offset; dates alone are plain.
    zone : ZoneInfo
        The zone.

    Returns
    -------
    {"plain", "skipped", "twice"}
        What the clocks do.
    """
    if not isinstance(moment, dt.datetime):
        return "plain"
    earlier, later = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() == later.utcoffset():
        return "plain"
    back = earlier.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None, fold=0)
    return "twice" if back == moment.replace(fold=0) else "skipped"


def in_zone(moment: Moment, zone: ZoneInfo | None, *, later: bool = False) -> Moment:
    """Return a moment as the clocks of a zone show it.

    Parameters
    ----------
    moment : datetime or date
        What is without an offset is local time already; dates stay dates.
    zone : ZoneInfo or None
        The zone; None leaves every moment as it is written.
    later : bool
        Which of two moments is meant, where the clocks show the local time twice.

    Returns
    -------
    datetime or date
        With the zone's offset.
    """
    if zone is None or not isinstance(moment, dt.datetime):
        return moment
    if moment.tzinfo is None:
        local = moment.replace(tzinfo=zone, fold=int(later))
        return local.replace(tzinfo=dt.timezone(local.utcoffset() or dt.timedelta()), fold=0)
    local = moment.astimezone(zone)
    return local.replace(tzinfo=dt.timezone(local.utcoffset() or dt.timedelta()), fold=0)


def microseconds(moment: Moment) -> int:
    """Count microseconds since 1970, in UTC; on the local clock where no offset is known."""
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001, a local day
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - _EPOCH) // _MICROSECOND


def _moments(values: pa.Array) -> list[Moment | None]:
    kind = values.type
    if not _is_text(kind):
        if pa.types.is_timestamp(kind):
            values = values.cast(pa.timestamp("us", tz=kind.tz), safe=False)
        found: list[Moment | None] = values.to_pylist()
        return [_fixed_offset(moment) for moment in found]
    texts = pc.utf8_trim_whitespace(values.cast(pa.large_string())).to_pylist()
    return [_parse(text) for text in texts]


def _fixed_offset(moment: Moment | None) -> Moment | None:
    """Return a moment with its offset alone: moments of zones compare by their local time."""
    if isinstance(moment, dt.datetime) and moment.tzinfo is not None:
        offset = moment.utcoffset() or dt.timedelta()
        return moment.replace(tzinfo=dt.timezone(offset), fold=0)
    return moment


def _parse(text: str | None) -> Moment | None:
    match = _FORM.fullmatch(text or "")
    if text is None or match is None:
        return None
    with suppress(ValueError):
        if match.group(1) is None:
            return dt.date.fromisoformat(text)
        return _fixed_offset(dt.datetime.fromisoformat(text))
    return None


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))
