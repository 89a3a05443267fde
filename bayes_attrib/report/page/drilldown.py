"""Inside an aggregate or a period: who had how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from bayes_attrib.attribution import summarise
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.labels import printable
from bayes_attrib.report.numbers import AmountFormat, interval
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.run_folder import RunFolder

MOST_CELLS: Final = 15_000
"""Cells that are embedded in the page; cells.parquet has all."""

MOST_ROWS: Final = 12
"""Rows of the table that is there without scripts."""

_FIGURES: Final = ("amount", "share")
_COLUMNS: Final = tuple(f"{what}_{end}" for what in _FIGURES for end in ("mean", "lower", "upper"))


@dataclass(frozen=True, slots=True)
class InsideRow:
    """One entity inside an aggregate, as text."""

    name: str
    amount: str
    amount_interval: str
    share: str
    share_interval: str


@dataclass(frozen=True, slots=True)
class Inside:
    """The section that looks inside aggregates.

    Attributes
    ----------
    title : str
        The aggregate that is shown without scripts: the largest one.
    total : str
        Its total.
    rows : tuple of InsideRow
        Its entities, largest first, at most :data:`MOST_ROWS`.
    n_more : int
        Its other entities.
    n_aggregates, n_left : int
        Aggregates that are embedded, and those that are not.
    has_periods : bool
        Whether periods can be chosen too.
    data : dict
        What the page's script needs.
    """

    title: str
    total: str
    rows: tuple[InsideRow, ...]
    n_more: int
    n_aggregates: int
    n_left: int
    has_periods: bool
    data: dict[str, Any]


def look_inside(run: RunFolder, draws: PageDraws | None, amounts: AmountFormat) -> Inside:
    """Choose the aggregates that are embedded, largest totals first, and write them compactly.

    Parameters
    ----------
    run : RunFolder
        The run; amounts and shares of aggregates are those of its cells.parquet.
    draws : PageDraws or None
        Draws over time; without them only aggregates can be chosen.
    amounts : AmountFormat
        How amounts are written.

    Returns
    -------
    Inside
        Shares are those of the expected amounts, as in cells.parquet.
    """
    keys, entity = list(run.spec.columns.aggregate), run.spec.columns.entity
    cells = run.read_cells([*keys, entity, *_COLUMNS])
    number = cells.groupby(keys, sort=False, observed=True).ngroup().to_numpy()
    sums = np.bincount(number, weights=cells["amount_mean"].to_numpy(dtype=np.float64))
    totals = np.asarray(sums, dtype=np.float64)
    chosen = _affordable(totals, np.bincount(number))
    rank = pd.Series(run.entities.index, index=run.entities["name"])
    code = rank.loc[cells[entity].astype(str)].to_numpy(dtype=np.int64)
    first = np.unique(number, return_index=True)[1]
    labels = cells.loc[first, keys].astype(str).to_numpy()
    kept = np.isin(number, chosen)
    block = _block(
        [printable(" · ".join(row)) for row in labels[np.sort(chosen)].tolist()],
        totals[np.sort(chosen)],
        np.searchsorted(np.sort(chosen), number[kept]),
        code[kept],
        cells.loc[kept, list(_COLUMNS)].to_numpy(dtype=np.float64),
    )
    periods = None if draws is None else _periods(run, draws, rank, keys)
    named = _number_named([block, *([] if periods is None else [periods])])
    largest = int(np.argmax(totals))
    inside = cells[number == largest].sort_values("amount_mean", ascending=False, kind="stable")
    records = inside.head(MOST_ROWS)
    return Inside(
        printable(" · ".join(labels[largest])),
        amounts.with_unit(float(totals[largest])),
        tuple(_row(record, entity, amounts) for record in records.to_dict("records")),
        len(inside) - len(records),
        len(chosen),
        len(totals) - len(chosen),
        periods is not None,
        {
            "first": int(np.searchsorted(np.sort(chosen), largest)),
            "total": _with_unit(amounts),
            "names": [printable(str(name)) for name in run.entities["name"].iloc[named]],
            "decimals": [
                amounts.mean_decimals,
                amounts.bound_decimals,
                amounts.share_decimals,
            ],
            "aggregate": block,
            "period": periods,
        },
    )


def _number_named(blocks: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    """Return the entities that blocks speak of, and number those in the blocks by their place."""
    named = np.unique(np.concatenate([block["entity"] for block in blocks]).astype(np.int64))
    for block in blocks:
        block["entity"] = np.searchsorted(named, block["entity"]).tolist()
    return named


def _with_unit(amounts: AmountFormat) -> str:
    """Return how a total is written, with ``{total}`` in the place of the number."""
    return amounts.with_unit(0.0).replace(amounts.mean(0.0), "{total}", 1)


def _affordable(totals: FloatArray, sizes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Aggregates of the largest totals, as many as the budget holds, and one at least."""
    order = np.argsort(-totals, kind="stable")
    fits = np.cumsum(sizes[order]) <= MOST_CELLS
    fits[0] = True
    return order[fits]


def _block(
    labels: list[str],
    totals: FloatArray,
    place: np.ndarray[Any, Any],
    code: np.ndarray[Any, Any],
    values: FloatArray,
) -> dict[str, Any]:
    """Columns of numbers, ordered by aggregate and largest amount first, with row pointers."""
    order = np.lexsort((-values[:, 0], place))
    start = np.searchsorted(place[order], np.arange(len(labels) + 1))
    columns = {
        name: [_short(x) for x in values[order, i].tolist()] for i, name in enumerate(_COLUMNS)
    }
    return {
        "labels": labels,
        "totals": [_short(x, 9) for x in totals.tolist()],
        "start": start.tolist(),
        "entity": code[order].tolist(),
        **columns,
    }


def _periods(
    run: RunFolder, draws: PageDraws, rank: pd.Series, keys: list[str]
) -> dict[str, Any] | None:
    """Amounts and shares per period, where a period is more than one aggregate."""
    found = draws.by_period
    if found is None or not found.has_all or keys == [found.key]:
        return None
    entity, period = np.nonzero(found.row >= 0)
    if len(entity) > MOST_CELLS:
        return None
    rows = found.row[entity, period]
    kind = run.spec.report.interval
    whole = np.where(found.totals > 0, found.totals, 1.0)[period][:, np.newaxis]
    amount = summarise(found.draws.amounts.rows(rows), kind)
    share = summarise(found.draws.expected_amounts.rows(rows) / whole, kind)
    values = np.column_stack(
        [amount.mean, amount.lower, amount.upper, share.mean, share.lower, share.upper]
    )
    labels = draws.data.entity_names[found.entities[entity]].astype(str)
    code = rank.loc[labels].to_numpy(dtype=np.int64)
    return _block(list(map(printable, found.periods)), found.totals, period, code, values)


def _short(value: float, digits: int = 4) -> float | int | None:
    """Return a number with few digits: the page holds many of them."""
    if not np.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short == int(short) else short


def _row(record: dict[Any, Any], entity: str, amounts: AmountFormat) -> InsideRow:
    decimals = amounts.share_decimals
    return InsideRow(
        printable(str(record[entity])),
        amounts.mean(record["amount_mean"]),
        amounts.bounds(record["amount_lower"], record["amount_upper"]),
        amounts.language.number(100 * record["share_mean"], decimals),
        interval(
            100 * record["share_lower"],
            100 * record["share_upper"],
            decimals,
            language=amounts.language,
        ),
    )
