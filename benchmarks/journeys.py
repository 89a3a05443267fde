"""Ten million touches: processor time and memory of reading, cutting journeys, and every method.

Usage: ``python benchmarks/journeys.py [--touches N] [--channels C] [--out FILE]``. Tables are made
as Parquet in a temporary folder, by one process; another reads and credits them, so that its peak
of memory is that of the work alone. Results go to ``benchmarks/results/journeys.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

RESULT = Path(__file__).parent / "results" / "journeys.json"


def make_tables(folder: Path, n_touches: int, n_channels: int) -> None:
    """Write touches over 90 days, and one conversion for 25 touches."""
    rng = np.random.default_rng(1)
    n_customers, n_conversions = n_touches // 5, n_touches // 25
    popularity = 1.0 / np.arange(1, n_channels + 1)
    channels = np.array([f"Channel {i:02d}" for i in range(n_channels)], dtype=object)
    start = np.datetime64("2025-01-01", "us")
    for stem, n in (("touches", n_touches), ("conversions", n_conversions)):
        frame = pd.DataFrame(
            {
                "customer": pd.Series(rng.integers(0, n_customers, n)).map("K{:08d}".format),
                "time": start + rng.integers(0, 90 * 86_400, n).astype("timedelta64[s]"),
            }
        )
        if stem == "touches":
            frame["channel"] = channels[rng.choice(n_channels, n, p=popularity / popularity.sum())]
        else:
            frame["value"] = np.round(rng.gamma(2.0, 30.0, n), 2)
        frame.to_parquet(folder / f"{stem}.parquet", index=False)


def measure(folder: Path) -> dict[str, object]:
    """Read, build and credit, timing each step."""
    from bayes_attrib.journeys import build_journeys  # noqa: PLC0415 - imports are timed apart
    from bayes_attrib.journeys import credit as crediting  # noqa: PLC0415
    from bayes_attrib.journeys.coalitions import find_coalitions  # noqa: PLC0415
    from bayes_attrib.journeys.markov import build_chain, removal_effects  # noqa: PLC0415
    from bayes_attrib.journeys.position_rules import RULES  # noqa: PLC0415
    from bayes_attrib.journeys.read import read_events  # noqa: PLC0415
    from bayes_attrib.journeys.shapley import (  # noqa: PLC0415
        shapley_of_rates,
        shapley_of_totals,
    )
    from bayes_attrib.journeys.total_tables import tabulate_totals  # noqa: PLC0415
    from bayes_attrib.spec.journeys import JourneySpec  # noqa: PLC0415

    spec = JourneySpec()
    seconds: dict[str, float] = {}

    def timed[T](name: str, action: Callable[[], T]) -> T:
        begin = time.process_time()
        found = action()
        seconds[name] = round(time.process_time() - begin, 3)
        return found

    events = timed("read", lambda: read_events(folder, spec)).events
    journeys = timed("cut into journeys", lambda: build_journeys(events, spec.journeys))
    credited = timed("all methods", lambda: crediting.credit_journeys(journeys, spec.heuristics))
    timed("totals and exposures", lambda: tabulate_totals(events, spec))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    alone: dict[str, float] = {}
    converting = journeys.select((journeys.lengths > 0) & journeys.converts)
    paths = journeys.select(journeys.lengths > 0)
    ended = np.column_stack([paths.conversions, paths.outcome("value")])
    for name, rule in RULES.items():
        begin = time.process_time()
        rule(converting, spec.heuristics)
        alone[name] = round(time.process_time() - begin, 3)
    begin = time.process_time()
    coalitions = find_coalitions(paths, ended)
    shapley_of_totals(coalitions)
    alone["shapley"] = round(time.process_time() - begin, 3)
    begin = time.process_time()
    shapley_of_rates(coalitions, spec.heuristics.permutations, 1)
    alone["shapley_rate"] = round(time.process_time() - begin, 3)
    states = {}
    for order in (1, 2, 3):
        begin = time.process_time()
        chain = build_chain(paths, order, ended)
        removal_effects(chain, len(paths.touchpoints))
        alone[f"markov_{order}"] = round(time.process_time() - begin, 3)
        states[f"markov_{order}"] = [chain.n_states, int(chain.transitions.nnz)]
    return {
        "touches": len(events.touches),
        "conversions": len(events.conversions),
        "channels": len(events.touchpoints),
        "journeys": len(journeys),
        "coalitions": len(coalitions.journeys),
        "processor_seconds": seconds,
        "processor_seconds_in_all": round(sum(seconds.values()), 2),
        "peak_gib": round(peak, 2),
        "processor_seconds_of_methods": alone,
        "states_and_transitions": states,
        "sums_are_exact": all(
            math.fsum([*c.amounts, c.unattributed]) == c.total for c in credited.credits
        ),
        "methods": list(dict.fromkeys(c.method for c in credited.credits)),
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--touches", type=int, default=10_000_000)
    parser.add_argument("--channels", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder is not None:
        print(json.dumps(measure(options.folder)))
        return
    results = []
    for n_channels in options.channels:
        with tempfile.TemporaryDirectory() as folder:
            make_tables(Path(folder), options.touches, n_channels)
            done = subprocess.run(  # noqa: S603 - this very script
                [sys.executable, __file__, "--folder", folder],
                check=True,
                capture_output=True,
                text=True,
            )
        results.append(json.loads(done.stdout))
        print(json.dumps(results[-1], indent=2))
    content = {
        "machine": {"processor": platform.machine(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("numpy", "pandas", "pyarrow", "scipy")},
        "results": results,
    }
    options.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
