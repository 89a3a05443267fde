"""Checks of a table of delivery, and of what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import counted, listed, nearest, quote
from bayes_attrib.errors import Finding
from bayes_attrib.exposure.channel_transform import transform_for
from bayes_attrib.inputs import cell_checks, key_checks, number_checks
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table, Tables
from bayes_attrib.spec import ExposureSpec

_FOUNDATIONS: Final = (
    cell_checks.check_blank_keys,
    cell_checks.check_blank_labels,
    number_checks.check_number_cells,
    key_checks.check_unicode_twins,
    key_checks.check_whitespace_twins,
    key_checks.check_duplicate_keys,
    key_checks.check_unknown_aggregates,
)
"""Without errors of these, every row of delivery has one place and one number."""


def is_sound(tables: Tables) -> bool:
    """Tell whether exposures can be made: what other checks report is not reported twice.

    Parameters
    ----------
    tables : Tables
        Typed tables.

    Returns
    -------
    bool
        Whether keys are whole, known and not repeated, and delivery is a number everywhere.

    Raises
    ------
    UnavailableError
        If a table or a column could not be read.
    """
    checks = list(_FOUNDATIONS)
    section = tables.spec.exposure
    if section is not None and section.channel not in tables.spec.columns.aggregate:
        checks.append(key_checks.check_unknown_entities)
    else:
        checks.remove(cell_checks.check_blank_labels)
    return not any(finding.severity == "error" for check in checks for finding in check(tables))


def delivery_findings(tables: Tables) -> Iterator[Finding]:
    """Yield delivery below zero, and channels or geos without a transform.

    Parameters
    ----------
    tables : Tables
        Typed tables.

    Yields
    ------
    Finding
        Errors, with rows, values and remedies.
    """
    table, column = tables.exposures.whole(), tables.spec.delivery_column
    yield from row_findings(
        "negative-delivery",
        table,
        table.select(table[column] < 0),
        f"{quote(column)} is negative",
        "delivery is zero or more: correct the sign, or net corrections into their rows",
        show=column,
    )
    section = tables.spec.exposure
    if section is not None:
        yield from _without_transform(tables, section)


def _without_transform(tables: Tables, section: ExposureSpec) -> Iterator[Finding]:
    """Yield the rows of channels, and of geos, that the spec does not know, by channel."""
    table, own = _table_of_channels(tables, section)
    channels = table[section.channel]
    geos = tables.exposures[section.geo] if section.geo is not None and own else None
    transforms = section.transforms
    pairs = pd.DataFrame({"channel": channels, "geo": "" if geos is None else geos})
    distinct = pairs.drop_duplicates()
    lost = [
        transform_for(transforms, channel, None if geos is None else geo) is None
        and not (geos is None and section.geo is not None and channel in section.channels)
        for channel, geo in distinct.itertuples(index=False)
    ]
    for channel in dict.fromkeys(distinct["channel"][lost]):
        bad = distinct[lost & (distinct["channel"] == channel).to_numpy()]
        rows = pairs.index[(channels == channel).to_numpy() & pairs["geo"].isin(bad["geo"])]
        if channel in section.channels:
            code, statement = "missing-geo", f"the channel {quote(channel)} has no transform here"
            remedy = (
                f"add exposure.channels.{channel}.geos.GEO to the spec, or what its adstock and "
                "saturation lack to serve every geo"
            )
        else:
            close = nearest(channel, section.channels)
            guess = f"did you mean {quote(close)}? " if close else ""
            code, statement = "unknown-channel", f"the spec has no channel {quote(channel)}"
            known = listed([quote(name) for name in section.channels])
            remedy = f"{guess}correct the name, or add exposure.channels.{channel}; it has {known}"
        yield from row_findings(code, table, rows.to_numpy(), statement, remedy)


def _table_of_channels(tables: Tables, section: ExposureSpec) -> tuple[Table, bool]:
    """Return the table that tells channels, and whether it is that of delivery itself."""
    if section.channel in tables.spec.columns.aggregate:
        return tables.exposures.whole(), True
    return tables.entities.whole(), False


def following_findings(tables: Tables) -> Iterator[Finding]:
    """Yield what new delivery lacks, so that no exposures can be made of it.

    Parameters
    ----------
    tables : Tables
        Typed tables of new aggregates.

    Yields
    ------
    Finding
        Errors.
    """
    section, stems = tables.spec.exposure, tables.by_stem
    if section is None or names.EXPOSURES_TABLE not in stems:
        return
    if names.AGGREGATES_TABLE not in stems:
        message = "delivery alone does not say which periods are asked about"
        remedy = (
            "give the table of aggregates with their keys, and delivery of these periods and of "
            "those before them that still work"
        )
        yield Finding("missing-table", "error", names.AGGREGATES_TABLE, message, remedy)
    if section.channel in tables.spec.columns.aggregate:
        return
    key = tables.spec.columns.entity
    described = set(tables.entities[key]) if names.ENTITIES_TABLE in stems else set()
    table = tables.exposures
    yield from row_findings(
        "unknown-channel",
        table,
        table.select(~table[key].isin(described)),
        f"no row of the entities tells the {section.channel} of the entity",
        f"give the table of entities with the column {quote(section.channel)}",
    )


def outside_findings(tables: Tables) -> Iterator[Finding]:
    """Yield what is known of delivery in aggregates that have no total.

    Parameters
    ----------
    tables : Tables
        Sound tables, with delivery.

    Yields
    ------
    Finding
        Notes; a warning about rows whose aggregate is not there in any period.
    """
    section, table = tables.spec.exposure, tables.exposures
    outside = tables.aggregate_of_exposure < 0
    if section is None or not outside.any():
        return
    rest = [column for column in tables.spec.columns.aggregate if column != section.period]
    known = pd.MultiIndex.from_frame(tables.aggregates.frame[rest]) if rest else None
    given = table.frame[rest]
    strange = (
        ~pd.MultiIndex.from_frame(given).isin(known) & outside
        if known is not None
        else np.zeros(len(given), dtype=bool)
    )
    yield from row_findings(
        "delivery-carried-in",
        table,
        table.select(outside & ~strange),
        "the aggregate has no total; what was delivered is carried over into later ones",
        severity="note",
        show=tables.spec.delivery_column,
    )
    yield from row_findings(
        "delivery-without-aggregates",
        table,
        table.select(strange),
        f"there is no total for this {' and '.join(rest)} in any period, so the delivery has no "
        "part in anything",
        "correct the keys if they are misspelt, or remove these rows",
        severity="warning",
        show=tables.spec.delivery_column,
    )


def unmatched_findings(
    tables: Tables, cells: pd.DataFrame, aggregate: IntArray
) -> Iterator[Finding]:
    """Yield how many pairs carry over into aggregates that have no total.

    Parameters
    ----------
    tables : Tables
        Sound tables, with delivery.
    cells : DataFrame, shape (n_cells, ...)
        Exposures.
    aggregate : ndarray of int, shape (n_cells,)
        Aggregate of each; -1 where it has none.

    Yields
    ------
    Finding
        A note.
    """
    count = int((aggregate < 0).sum())
    if count:
        message = (
            f"{counted(count, 'exposure')} of {len(cells):,} stand in aggregates that have no "
            "total, and play no part"
        )
        yield Finding("exposure-without-aggregate", "note", tables.exposures.name, message)
