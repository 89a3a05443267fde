"""Faults of a delivery table, all of them at once, each with its rows, values and remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, nearest, places, quote
from bayes_attrib.errors import Finding
from bayes_attrib.exposure.channel_transform import ChannelTransform, TransformKey, transform_for
from bayes_attrib.exposure.coded_delivery import CodedDelivery
from bayes_attrib.exposure.columns import DeliveryColumns
from bayes_attrib.exposure.period_axis import PeriodAxis

_TABLE: Final = "delivery"


def column_faults(table: pd.DataFrame, columns: DeliveryColumns) -> Iterator[Finding]:
    """Yield the columns that the table lacks, or that there are no rows.

    Parameters
    ----------
    table : DataFrame
        Delivery.
    columns : DeliveryColumns
        Names of its columns.

    Yields
    ------
    Finding
        With the remedy.
    """
    known = ", ".join(map(str, table.columns))
    for column in (*columns.keys, columns.delivery):
        if column not in table:
            guess = _guess(column, table.columns)
            message = f"there is no column {quote(column)}"
            remedy = f"{guess}the columns are {known}"
            yield Finding("missing-column", "error", _TABLE, message, remedy)
    if not len(table):
        message = f"there are no rows; the columns are {known}"
        yield Finding("no-rows", "error", _TABLE, message, "give the rows")


def row_faults(
    table: pd.DataFrame, columns: DeliveryColumns, coded: CodedDelivery, axis: PeriodAxis
) -> Iterator[Finding]:
    """Yield blank keys, numbers that are none, periods off the axis, and repeated rows.

    Parameters
    ----------
    table : DataFrame, shape (n_rows, ...)
        Delivery.
    columns : DeliveryColumns
        Names of its columns.
    coded : CodedDelivery
        The same rows as numbers.
    axis : PeriodAxis
        Periods.

    Yields
    ------
    Finding
        With rows, values and remedy.
    """
    rows = _Rows(table, columns)
    yield from rows.findings(
        "blank-key", coded.blank, "a key is blank", "fill it in, or leave out the row"
    )
    for code, bad, statement in (
        ("missing-delivery", np.isnan(coded.delivery), "delivery is not a number"),
        ("negative-delivery", coded.delivery < 0, "delivery is negative"),
        ("infinite-delivery", coded.delivery == np.inf, "delivery is infinite"),
    ):
        remedy = "correct the source; where nothing was delivered write 0, or no row"
        yield from rows.findings(code, bad, statement, remedy, value=columns.delivery)
    first, last = quote(axis.labels[axis.n_history]), quote(axis.labels[-1])
    yield from rows.findings(
        "unknown-period",
        (coded.period < 0) & ~coded.blank,
        f"the period is not among those of the aggregates, {first} to {last}",
        "leave out these rows, or add their aggregates; give earlier periods as history, to carry "
        "over from them",
        value=columns.period,
    )
    yield from rows.findings(
        "duplicate-delivery",
        coded.duplicated(len(axis.labels)),
        "the same entity, aggregate and period more than once",
        "add these rows up, or correct their keys",
        value=columns.delivery,
    )


def transform_faults(
    table: pd.DataFrame,
    columns: DeliveryColumns,
    coded: CodedDelivery,
    transforms: Mapping[TransformKey, ChannelTransform],
) -> Iterator[Finding]:
    """Yield channels, and geos of channels, for which there is no transform.

    Parameters
    ----------
    table : DataFrame, shape (n_rows, ...)
        Delivery.
    columns : DeliveryColumns
        Names of its columns.
    coded : CodedDelivery
        The same rows as numbers.
    transforms : mapping
        Transforms by channel, or by (channel, geo).

    Yields
    ------
    Finding
        One for each channel, with rows and remedy.
    """
    keys = transform_keys(coded, columns)
    lost = [transform_for(transforms, channel, geo) is None for channel, geo in keys]
    channels = sorted({key if isinstance(key, str) else key[0] for key in transforms})
    for channel in dict.fromkeys(key[0] for key, bad in zip(keys, lost, strict=True) if bad):
        here = [bad and key[0] == channel for key, bad in zip(keys, lost, strict=True)]
        marked = np.array(here)[coded.cell] & ~coded.blank
        if channel in channels:
            given = [quote(key[1]) for key in transforms if key[0] == channel]
            code = "missing-geo"
            statement = f"the channel {quote(channel)} has no transform in this geo"
            remedy = (
                f"add one for the geo, or one for the channel that serves all geos; there are "
                f"transforms for {listed(given)}"
            )
        else:
            known = listed([quote(name) for name in channels]) or "no channel"
            code = "unknown-channel"
            statement = f"there is no transform for the channel {quote(channel)}"
            remedy = f"{_guess(channel, channels)}add one; there are transforms for {known}"
        yield from _Rows(table, columns).findings(code, marked, statement, remedy)


def transform_keys(coded: CodedDelivery, columns: DeliveryColumns) -> list[tuple[str, str | None]]:
    """Return the channel and the geo of every cell, as text; None where there are no geos.

    Parameters
    ----------
    coded : CodedDelivery
        Delivery as numbers.
    columns : DeliveryColumns
        Names of its columns.

    Returns
    -------
    list of (str, str or None), length n_cells
        What transforms are looked up by.
    """
    channels = [str(value) for value in coded.cells[columns.channel]]
    if columns.geo is None:
        return [(channel, None) for channel in channels]
    geos = [str(value) for value in coded.cells[columns.geo]]
    return list(zip(channels, geos, strict=True))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Words findings about some rows of a table; rows are counted from 1."""

    table: pd.DataFrame
    columns: DeliveryColumns

    def findings(
        self, code: str, marked: npt.NDArray[np.bool_], statement: str, remedy: str, value: str = ""
    ) -> Iterator[Finding]:
        rows = np.flatnonzero(marked)
        if len(rows):
            examples = [self._example(row, value) for row in rows[:MAX_EXAMPLES].tolist()]
            shown = listed(examples, len(rows), separator="; ")
            message = f"{statement} ({counted(len(rows), 'row')}): {shown}"
            yield Finding(code, "error", places(_TABLE, "row", rows + 1), message, remedy)

    def _example(self, row: int, value: str) -> str:
        keys = ", ".join(
            f"{column} {quote(self._text(column, row))}"
            for column in self.columns.keys
            if column != value
        )
        return f"{quote(self._text(value, row))} ({keys})" if value else keys

    def _text(self, column: str, row: int) -> str:
        value = self.table[column].iloc[row]
        return "" if pd.isna(value) else str(value)


def _guess(word: str, known: Any) -> str:
    close = nearest(word, map(str, known))
    return f"did you mean {quote(close)}? " if close else ""
