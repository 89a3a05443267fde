"""A plan: what every entity is to deliver, where and when, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.attribution.budget.curves import PlanCurves
from bayes_attrib.citing import counted, listed, nearest, places, quote
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.mmm.delivery_table import DeliveryTable, read_delivery

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plan:
    """Planned delivery with its cost.

    Attributes
    ----------
    frame : DataFrame, shape (n_rows, ...)
        One row per entity, channel, period and geo: keys as text, delivery as float.
    curves : PlanCurves
        What it works through.
    entities : tuple of str
        Entities that are to deliver, in the order of their first row.
    channel : ndarray of str, shape (n_entities,)
        Channel of each.
    cost : ndarray of float, shape (n_entities,)
        Money that each entity's part of the plan costs; positive.
    """

    frame: pd.DataFrame
    curves: PlanCurves
    entities: tuple[str, ...]
    channel: npt.NDArray[np.object_]
    cost: FloatArray


def read_plan(path: Path, curves: PlanCurves, known: Sequence[str], *, cost: str) -> Plan:
    """Read a plan from CSV or Parquet.

    Parameters
    ----------
    path : Path
        Rows of entity, channel, period and geo with delivery and cost; no row, no delivery.
    curves : PlanCurves
        Names of the columns, and the curves.
    known : sequence of str
        Entities whose rates are known.
    cost : str
        Column of the money that a row's delivery costs.

    Returns
    -------
    Plan
        Rows without delivery and cost are left out.

    Raises
    ------
    DataError
        If the table cannot be used; every fault is listed.
    """
    table = read_delivery(path, curves.columns)
    frame, columns = table.frame, curves.columns
    _raise(path, list(_column_faults(table, cost)))
    _raise(path, list(_row_faults(table, cost, known)))
    works = (frame[columns.delivery] > 0) | (frame[cost] > 0)
    kept = frame[works].reset_index(drop=True)
    sums = kept.groupby(columns.entity, sort=False)[cost].sum()
    channel = kept.groupby(columns.entity, sort=False)[columns.channel].first()
    free = [str(name) for name in sums.index[sums <= 0]]
    if free:
        _raise(
            path,
            [
                Finding(
                    "no-cost",
                    "error",
                    f"{path.name}, column {quote(cost)}",
                    f"{listed([quote(name) for name in free])} would deliver at no cost, so that "
                    "no amount of money says how much",
                    "give what their delivery costs, or leave them out of the plan",
                )
            ],
        )
    return Plan(
        kept,
        curves,
        tuple(map(str, sums.index)),
        channel.to_numpy(dtype=object),
        sums.to_numpy(dtype=np.float64),
    )


def _column_faults(table: DeliveryTable, cost: str) -> Iterator[Finding]:
    columns = table.columns
    if cost not in table.frame:
        guess = nearest(cost, list(map(str, table.frame.columns)))
        hint = f"did you mean {quote(guess)}? " if guess else ""
        yield Finding(
            "missing-column",
            "error",
            table.file.name,
            f"there is no column {quote(cost)} of what the delivery costs",
            f"{hint}name the column with --cost; the columns are "
            f"{', '.join(map(str, table.frame.columns))}",
        )
    elif cost == columns.delivery:
        return  # money is what is delivered
    elif not pd.api.types.is_numeric_dtype(table.frame[cost]):
        yield Finding(
            "not-a-number",
            "error",
            f"{table.file.name}, column {quote(cost)}",
            "the costs are not all plain numbers",
            "write every cost as a number such as 1250.5; 0 where nothing is paid",
        )


def _row_faults(table: DeliveryTable, cost: str, known: Sequence[str]) -> Iterator[Finding]:
    frame, entity = table.frame, table.columns.entity
    strangers = ~frame[entity].isin(list(known)) & (frame[entity] != "")
    for mask, code, what, remedy in (
        (
            ~np.isfinite(frame[cost]) | (frame[cost] < 0),
            "invalid-cost",
            f"{quote(cost)} is negative or missing",
            "give a cost that is zero or more",
        ),
        (
            strangers,
            "unknown-entity",
            f"the run knows nothing of these in {quote(entity)}",
            "check the spelling; a new entity has no rate yet: fit it first, or leave it out",
        ),
        (
            frame.groupby(entity)[table.columns.channel].transform("nunique") > 1,
            "several-channels",
            f"these in {quote(entity)} stand under more than one channel",
            "give each entity one channel",
        ),
    ):
        rows = np.flatnonzero(np.asarray(mask))
        if len(rows):
            shown = listed([quote(str(name)) for name in frame[entity].iloc[rows].unique()])
            yield Finding(
                code,
                "error",
                places(table.file.name, table.unit, table.locations[rows]),
                f"{what}: {shown} ({counted(len(rows), 'row')})",
                remedy,
            )


def _raise(path: Path, findings: list[Finding]) -> None:
    if findings:
        count = "one fault" if len(findings) == 1 else f"{len(findings)} faults"
        raise DataError(f"the plan {path.name} has {count}:", findings)
