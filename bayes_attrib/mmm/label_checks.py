"""Channels, geos and periods of a delivery table that the mix model does not know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bayes_attrib.citing import counted, listed, nearest, places, quote
from bayes_attrib.errors import Finding
from bayes_attrib.mmm.delivery_table import DeliveryTable
from bayes_attrib.mmm.mix_model import MixModel
from bayes_attrib.mmm.refusal import fault


def label_faults(table: DeliveryTable, model: MixModel) -> Iterator[Finding]:
    """Yield labels that are none of the mix model's; blank ones are left to other checks.

    Parameters
    ----------
    table : DeliveryTable
        Delivery.
    model : MixModel
        Mix model.

    Yields
    ------
    Finding
        With lines, values and remedy.
    """
    columns = table.columns
    name = model.file_name
    known = listed([quote(channel) for channel in model.channels])
    yield from _unknown(
        table,
        columns.channel,
        model.channels,
        code="unknown-channel",
        what=f"no media channel of {name}",
        remedy=f"spell channels as the mix model does, {known}, or leave out rows",
    )
    first, last = quote(model.periods[0]), quote(model.periods[-1])
    yield from _unknown(
        table,
        columns.period,
        (*model.history, *model.periods),
        code="unknown-period",
        what=f"no period of {name}, whose contributions run from {first} to {last}",
        remedy=f"write periods as it does, such as {first}, and leave out rows of others",
        guess=False,
    )
    if model.geos is None and columns.geo is not None:
        yield fault(
            "national-mix-model",
            table.file.name,
            f"{name} is national, and cannot be split by the geos of column {quote(columns.geo)}",
            "leave out --geo, and add up the rows of each entity and period",
        )
    elif model.geos is not None and columns.geo is None:
        yield fault(
            "missing-geo",
            table.file.name,
            f"{name} has the geos {listed([quote(geo) for geo in model.geos])}, and no column of "
            "geos is named",
            "name the column with --geo",
        )
    elif model.geos is not None and columns.geo is not None:
        yield from _unknown(
            table,
            columns.geo,
            model.geos,
            code="unknown-geo",
            what=f"no geo of {name}",
            remedy="spell geos as the mix model does: "
            f"{listed([quote(geo) for geo in model.geos])}; or leave out these rows",
        )


def _unknown(
    table: DeliveryTable,
    column: str,
    labels: Sequence[str],
    *,
    code: str,
    what: str,
    remedy: str,
    guess: bool = True,
) -> Iterator[Finding]:
    values = table.frame[column]
    rows = np.flatnonzero(~values.isin(list(labels)) & (values != ""))
    if not len(rows):
        return
    wrong = list(dict.fromkeys(values.iloc[rows]))
    close = nearest(wrong[0], labels) if guess else None
    hint = f"did you mean {quote(close)}? " if close else ""
    shown = listed([quote(value) for value in wrong])
    yield fault(
        code,
        places(table.file.name, table.unit, table.locations[rows]),
        f"column {quote(column)} holds {shown} in {counted(len(rows), 'row')}, {what}",
        f"{hint}{remedy}",
    )
