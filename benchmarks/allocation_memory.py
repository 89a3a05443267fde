"""Memory and time of the allocation at a million edges and a thousand draws.

The rates are drawn around the truth and kept in a scratch file, as a fit of this size would leave
them. Peak memory is the resident set of the whole process, measured by the operating system.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np

from bayes_attrib.attribution import attribute
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.inference import DrawMatrix, ExpectedDraws
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import IntervalSpec


def peak_gb() -> float:
    """Peak resident memory of this process in GB; the system counts in kB on Linux."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=400_000)
    parser.add_argument("--aggregates", type=int, default=80_000)
    parser.add_argument("--draws", type=int, default=1000)
    arguments = parser.parse_args()
    options = {"n_entities": arguments.entities, "n_aggregates": arguments.aggregates}
    data = simulate("hcp_brick", seed=1, options=options).build_data(["specialty"])
    rng = np.random.default_rng(0)
    rates = DrawMatrix(data.n_entities, arguments.draws)
    for start in range(0, data.n_entities, 2000):
        rows = np.arange(start, min(start + 2000, data.n_entities))
        rates.add(rows, rng.lognormal(0.0, 0.3, size=(len(rows), arguments.draws)))
    baselines = {"em": fit_em(data, tolerance=1e-6), "proportional": fit_proportional(data)}
    print(f"{data.n_edges:,} edges, {arguments.draws} draws; before: peak {peak_gb():.2f} GB")
    started = time.perf_counter()
    result = attribute(
        ExpectedDraws(data, rates),
        FAMILIES["poisson", None],
        {},
        baselines=baselines,
        interval=IntervalSpec(),
        rng=rng,
    )
    seconds = time.perf_counter() - started
    print(f"allocated in {seconds:.0f} s; peak {peak_gb():.2f} GB")
    print(f"largest residual {result.largest_residual:g}; {len(result.cells):,} cells summarised")


if __name__ == "__main__":
    main()
