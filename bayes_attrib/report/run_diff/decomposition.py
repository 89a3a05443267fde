"""A change of amounts, split into what new totals did and what new shares did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib.report.run_diff.sources import AMOUNT, SHARE, Side

PARTS: Final = (
    "from_added_aggregates",
    "from_removed_aggregates",
    "from_totals",
    "from_shares",
)
"""Columns of a decomposition; they sum to the change of the amount."""


def decompose(
    old: Side,
    new: Side,
    old_label: Mapping[str, str] | None = None,
    new_label: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Split the change of every amount into four parts.

    An aggregate that both runs have contributes ``(y2 - y1) p1`` by its total and ``y2 (p2 - p1)``
    by the shares, where y is its total and p the share of the entity in it, the mean amount over
    the total. Aggregates that only one run has contribute their whole amount.

    Parameters
    ----------
    old, new : Side
        Two runs whose aggregates have the same key columns.
    old_label, new_label : mapping of str to str, optional
        What each entity belongs to in each run; the entities themselves by default.

    Returns
    -------
    DataFrame, shape (n_labels, 4)
        Columns ``PARTS`` in the unit of the totals, indexed by label.
    """
    before, after = _shares(old, old_label), _shares(new, new_label)
    both = before.add_suffix("_1").join(after.add_suffix("_2"), how="outer").fillna(0.0)
    key = both.index.get_level_values("key")
    y_1, y_2 = (_totals_of(side, key) for side in (old, new))
    added, removed = np.isnan(y_1), np.isnan(y_2)
    kept = ~added & ~removed
    p_1, p_2 = both["share_1"].to_numpy(), both["share_2"].to_numpy()
    with np.errstate(invalid="ignore"):
        parts = {
            PARTS[0]: np.where(added, both["amount_2"], 0.0),
            PARTS[1]: np.where(removed, -both["amount_1"], 0.0),
            PARTS[2]: np.where(kept, (y_2 - y_1) * p_1, 0.0),
            PARTS[3]: np.where(kept, y_2 * (p_2 - p_1), 0.0),
        }
    frame = pd.DataFrame(parts, index=both.index.get_level_values("label"))
    return frame.groupby(level=0, sort=False).sum()


def decompose_whole(table: pd.DataFrame, old_total: float, new_total: float) -> pd.DataFrame:
    """Split changes by the grand totals, for runs whose aggregates cannot be matched.

    Parameters
    ----------
    table : DataFrame
        Columns ``share_old`` and ``share_new``, zero where a run does not have the row.
    old_total, new_total : float
        Grand totals.

    Returns
    -------
    DataFrame
        Columns ``PARTS``: old shares of the change of the total, and the change of shares of the
        new total; nothing comes from single aggregates.
    """
    zero = np.zeros(len(table))
    by_total = table["share_old"].to_numpy() * (new_total - old_total)
    by_share = (table["share_new"] - table["share_old"]).to_numpy() * new_total
    values = (zero, zero, by_total, by_share)
    return pd.DataFrame(dict(zip(PARTS, values, strict=True)), index=table.index)


def _shares(side: Side, label: Mapping[str, str] | None) -> pd.DataFrame:
    cells = side.cells
    labels = cells["entity"] if label is None else cells["entity"].map(label)
    total = _totals_of(side, pd.Index(cells["key"], tupleize_cols=False))
    with np.errstate(invalid="ignore", divide="ignore"):
        by_amount = cells[AMOUNT].to_numpy() / total
    share = np.where(total > 0, by_amount, cells[SHARE])  # of nothing: what would have been split
    frame = pd.DataFrame(
        {"key": cells["key"], "label": labels, "amount": cells[AMOUNT], "share": share}
    )
    return frame.groupby(["key", "label"], sort=False)[["amount", "share"]].sum()


def _totals_of(side: Side, key: pd.Index) -> npt.NDArray[np.float64]:
    """Total of each key; NaN where the run has no such aggregate."""
    position = side.totals.index.get_indexer(pd.Index(list(key), tupleize_cols=False))
    return np.where(position < 0, np.nan, side.totals.to_numpy()[position])
