"""Entities of a delivery table, and which of its columns group them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from bayes_attrib import names
from bayes_attrib.citing import MAX_EXAMPLES, listed, quote
from bayes_attrib.mmm.delivery_table import DeliveryTable
from bayes_attrib.mmm.refusal import fault, refuse

_TAKEN = frozenset({names.TOTAL, names.EXPOSURE, names.AMOUNT, "total_sd"})


@dataclass(frozen=True, eq=False)
class EntityTable:
    """Entities with their groups.

    Attributes
    ----------
    frame : DataFrame, shape (n_entities, ...)
        Entity, and every column that has one value for each entity.
    pooling : tuple of str
        Columns that rates are pooled over: names, with more than one level, fewer levels than
        entities, and none with the levels of an earlier one.
    left_out : mapping of str to str
        Columns that group nothing, and why.
    """

    frame: pd.DataFrame
    pooling: tuple[str, ...]
    left_out: dict[str, str]


def entity_table(table: DeliveryTable) -> EntityTable:
    """Find the entities of a delivery table and the columns that group them.

    Parameters
    ----------
    table : DeliveryTable
        Delivery.

    Returns
    -------
    EntityTable
        One row per entity, in the order of first appearance.

    Raises
    ------
    DataError
        If an entity delivers in more than one channel.
    """
    columns, frame = table.columns, table.frame
    by_entity = frame.groupby(columns.entity, sort=False)
    found = by_entity[columns.channel].unique()
    channels = dict(zip(found.index.astype(str), found, strict=True))
    twice = [entity for entity, named in channels.items() if len(named) > 1]
    if twice:
        shown = [
            f"{quote(entity)} in {listed([quote(str(c)) for c in channels[entity]])}"
            for entity in twice[:MAX_EXAMPLES]
        ]
        refuse(
            [
                fault(
                    "entity-of-two-channels",
                    f"{table.file.name}, column {quote(columns.entity)}",
                    f"the same name in more than one channel: "
                    f"{listed(shown, len(twice), separator='; ')}",
                    "a rate belongs to one channel: name entities apart, such as 'TV / Brand'",
                )
            ]
        )
    kept: list[str] = [columns.entity, columns.channel]
    left_out: dict[str, str] = {}
    for name in table.others:
        if name in _TAKEN:
            left_out[name] = "the name of this column has another meaning in a data folder"
        elif frame[name].ne(by_entity[name].transform("first")).any():
            left_out[name] = "it varies within entities"
        else:
            kept.append(name)
    entities = by_entity[kept[1:]].first().reset_index()
    pooling: list[str] = []
    partitions: set[tuple[int, ...]] = set()
    for name in kept[1:]:
        codes = tuple(pd.factorize(entities[name])[0].tolist())
        reason = next(_reasons(entities, name, codes), None)
        if reason is None and codes in partitions:
            reason = "it groups entities as an earlier column does"
        if reason is None:
            partitions.add(codes)
            pooling.append(name)
        else:
            left_out[name] = reason
    return EntityTable(entities, tuple(pooling), left_out)


def _reasons(entities: pd.DataFrame, name: str, codes: tuple[int, ...]) -> Iterator[str]:
    """Yield why a column cannot pool rates; nothing where it can."""
    values, n_levels = entities[name], max(codes) + 1
    if pd.api.types.is_numeric_dtype(values):
        yield "it holds numbers"
    if name in names.RESERVED_GROUPS:
        yield "this name is a parameter's"
    if (values == "").any():
        yield "it is blank for some entities"
    if n_levels < 2:
        yield "it has one level"
    if n_levels == len(entities):
        yield "every entity has a level of its own"
