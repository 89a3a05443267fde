"""Cells of a small run, as downscaling sees them, and profiles written to files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import scipy.sparse as sp
from made_up_draws import with_unattributed

from bayes_attrib.attribution.downscaling import RunCells
from bayes_attrib.inputs import AggregateData, Grouping

CREATIVES = ("C1", "C2", "C3", "C4")
CHANNELS = ("Search", "Search", "Social", "Social")
WEEKS = ("2025-W12", "2025-W13")  # in W13, on 30 March, Spanish clocks go forward


def make_cells(
    weeks=WEEKS, *, period="week", geos=("north",), unattributed=False, amount=None, grouped=True
):
    """All creatives in all geos and weeks; amounts are 10, 20, 30, ... in the order of cells."""
    keys = pd.DataFrame(
        [(geo, week) for geo in geos for week in weeks], columns=["geo", "week"], dtype="str"
    )
    data = AggregateData(
        aggregate_keys=keys,
        totals=np.full(len(keys), 100.0),
        entity_key="creative",
        entity_names=np.array(CREATIVES, dtype=object),
        exposure=sp.csr_array(np.ones((len(keys), len(CREATIVES)))),
        groupings={"channel": Grouping.from_labels("channel", CHANNELS)} if grouped else {},
    )
    if unattributed:
        data = with_unattributed(data)
    amounts = 10.0 * np.arange(1, data.n_edges + 1) if amount is None else np.asarray(amount)
    return RunCells(data, amounts, period)


def write_profile(path, rows, columns=("timestamp", "delivery")):
    """Write rows as a CSV file, every cell as it is given."""
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def hours_of(start, end, zone="Europe/Madrid"):
    """All hours from one local day to another, as pandas tells them."""
    return pd.date_range(start, end, freq="h", inclusive="left", tz=zone)


def shares_of(assigned, table, cell):
    """Shares of the slots of a cell, by the label of the slot."""
    entries = assigned.profiles.entries(int(assigned.profiles.of_cell[cell]))
    labels = [table.slots.labels[slot] for slot in assigned.profiles.slot[entries]]
    return pd.Series(assigned.profiles.share[entries], labels)
