"""Processor time and memory of downscaling a year to hours, from the file of the profile on.

By default 200 creatives in 52 weeks, an hourly profile for each: 10,400 cells, 1,747,200 rows, 500
draws. The profile is read from Parquet, cells are assigned, slots are summarised and rounded;
rebuilding the run and writing the table are not in it. Amounts of cells are made up. Each law runs
in a process of its own, so that peaks of memory are its own. Seconds are of processor time, which
does not fall with the number of threads.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from bayes_attrib.attribution.downscaling import (
    ProfileOptions,
    RunCells,
    SplitLaw,
    assign_profiles,
    read_profile,
    round_slots,
    slot_summaries,
)
from bayes_attrib.inference import DrawMatrix
from bayes_attrib.inputs import AggregateData
from bayes_attrib.spec import IntervalSpec

LAWS = {
    "money": (False, 100.0, None),
    "money, C = 100": (False, 100.0, 100.0),
    "money, C = 1000": (False, 100.0, 1000.0),
    "counts of 10": (True, 10.0, None),
    "counts of 10, C = 1000": (True, 10.0, 1000.0),
    "counts of 100": (True, 100.0, None),
    "counts of 1000": (True, 1000.0, None),
    "counts of 1000, C = 1000": (True, 1000.0, 1000.0),
}
"""Whether amounts are counts, their mean in a cell, and the concentration of the profile."""


def peak_gb() -> float:
    """Peak resident memory of this process in GB; the system counts in kB on Linux."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def make_cells(n_creatives: int, n_weeks: int, mean: float) -> RunCells:
    """Every creative in every week."""
    rng = np.random.default_rng(1)
    weeks = pd.date_range("2024-01-01", periods=n_weeks, freq="7D").strftime("%G-W%V")
    data = AggregateData(
        aggregate_keys=pd.DataFrame({"week": weeks}),
        totals=np.ones(n_weeks),
        entity_key="creative",
        entity_names=np.array([f"creative {i}" for i in range(n_creatives)], dtype=object),
        exposure=sp.csr_array(np.ones((n_weeks, n_creatives))),
    )
    return RunCells(data, rng.gamma(5.0, mean / 5.0, data.n_edges), "week")


def write_profile(path: Path, cells: RunCells) -> None:
    """Write a day's rhythm with noise for every creative and hour."""
    rng = np.random.default_rng(2)
    names, n_hours = cells.data.entity_names, 168 * cells.data.n_aggregates
    hours = pd.date_range("2024-01-01", periods=n_hours, freq="h")
    rhythm = 1.0 + np.sin((hours.hour.to_numpy() - 8) / 12 * np.pi)
    delivery = rng.gamma(2.0, 1.0, (n_hours, len(names))) * rhythm[:, np.newaxis]
    table = {
        "creative": np.tile(names, n_hours),
        "timestamp": np.repeat(hours.to_numpy(), len(names)),
        "delivery": delivery.ravel(),
    }
    pd.DataFrame(table).to_parquet(path)


def measure(law: str, profile: Path, sizes: argparse.Namespace) -> None:
    """Downscale under one law and print a row of the table."""
    counts, mean, concentration = LAWS[law]
    cells = make_cells(sizes.creatives, sizes.weeks, mean)
    rng = np.random.default_rng(3)
    drawn = cells.amount[:, np.newaxis] * rng.gamma(50.0, 0.02, (len(cells.amount), sizes.draws))
    amounts = DrawMatrix.of(np.rint(drawn) if counts else drawn)
    units = np.rint(cells.amount * (1 if counts else 100)).astype(np.int64)
    started, n_rows = time.process_time(), 0
    assigned = assign_profiles(
        read_profile(profile, cells, ProfileOptions()), cells, ProfileOptions()
    )
    profiles = assigned.profiles
    for block in slot_summaries(
        amounts, profiles, SplitLaw(counts, concentration), IntervalSpec(kind="hdi", prob=0.94)
    ):
        slot, share = profiles.slot[block.entry], profiles.share[block.entry]
        round_slots(block.summary.mean, block.cell, slot, units, share=share)
        n_rows += len(block.cell)
    seconds = time.process_time() - started
    print(f"| {law} | {n_rows:,} | {seconds:.1f} | {peak_gb():.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--creatives", type=int, default=200)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--law", choices=LAWS, help="this one only, in this process")
    parser.add_argument("--profile", type=Path, help="with --law: file of the profile")
    arguments = parser.parse_args()
    if arguments.law is not None:
        measure(arguments.law, arguments.profile, arguments)
        return
    print("| law | rows | processor seconds | peak GB |\n|---|---|---|---|", flush=True)
    sizes = [f"--{name}={getattr(arguments, name)}" for name in ("creatives", "weeks", "draws")]
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile.parquet"
        write_profile(profile, make_cells(arguments.creatives, arguments.weeks, 1.0))
        for law in LAWS:
            words = [sys.executable, __file__, f"--law={law}", f"--profile={profile}", *sizes]
            subprocess.run(words, check=True)  # noqa: S603 - this very file


if __name__ == "__main__":
    main()
