"""Seconds and memory of nested Laplace approximations, from 400 to 400,000 entities.

Run as ``OMP_NUM_THREADS=1 python benchmarks/laplace.py S M L XL [--draws 400]``; each size in a
process of its own gives the peak memory of that size. Data are those of the scenario ``hcp_brick``.
Draws are made a few at a time and kept in a scratch file where they are many; timed are the search
for the hyperparameters, the draws, and mean, sd and interval of every rate and of the shares of
groups.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np

from bayes_attrib import names
from bayes_attrib.attribution import summarise
from bayes_attrib.inference.laplace import build_posterior, explore
from bayes_attrib.inference.laplace.assembly import FEW_POINTS, draw_settled
from bayes_attrib.inference.laplace.draws import draw_iterative
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import IntervalSpec, load_spec

SIZES = {"S": (400, 80), "M": (4_000, 800), "L": (40_000, 8_000), "XL": (400_000, 80_000)}
GROUP = "specialty"
BLOCK = 20_000
INTERVAL = IntervalSpec(kind="hdi", prob=0.94)


class Clock:
    """Seconds and processor seconds since the last look."""

    def __init__(self) -> None:
        self._at = time.perf_counter(), time.process_time()

    def look(self) -> str:
        now = time.perf_counter(), time.process_time()
        text = f"{now[0] - self._at[0]:.1f} s ({now[1] - self._at[1]:.1f} s of processor)"
        self._at = now
        return text


def peak_memory() -> float:
    """Peak memory of the process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def summarise_all(file: BinaryIO, n_entities: int, n_draws: int) -> int:
    """Summarise the rates of a file that holds draw after draw; return how many there were."""
    n_seen = 0
    for first in range(0, n_entities, BLOCK):
        n = min(BLOCK, n_entities - first)
        block = np.empty((n_draws, n), dtype=np.float32)
        for draw in range(n_draws):
            file.seek(4 * (draw * n_entities + first))
            block[draw] = np.frombuffer(file.read(4 * n), dtype=np.float32)
        n_seen += len(summarise(np.ascontiguousarray(block.T, dtype=np.float64), INTERVAL).mean)
    return n_seen


def run(size: str, n_draws: int) -> None:
    n_entities, n_aggregates = SIZES[size]
    clock, whole = Clock(), Clock()
    options = {"n_entities": n_entities, "n_aggregates": n_aggregates}
    data = simulate("hcp_brick", seed=1, options=options).build_data([GROUP])
    spec = load_spec(Path(__file__).parents[1] / "models" / "hcp_brick.toml")
    print(f"{size}: {n_entities} x {n_aggregates}, {data.n_edges} edges; made in {clock.look()}")
    print(f"  memory before: {peak_memory():.2f} GB")
    whole.look()
    posterior = build_posterior(data, spec)
    density = explore(posterior, 1)
    modes = ", ".join(f"{k} {v:.4f}" for k, v in posterior.hyper.values(density.centre).items())
    print(f"  hyperparameters in {clock.look()}: {modes}")
    if posterior.exact:
        rates = draw_settled(posterior, density, n_draws, 1).rates
        blocks = iter([np.log(rates.variables()[names.RATE])])
    else:
        points = draw_iterative(posterior, density, FEW_POINTS, n_draws, 1)
        blocks = (point.log_rates for point in points)
    exposure = np.asarray(data.exposure.sum(axis=0)).ravel()
    indicator = data.groupings[GROUP].indicator
    with tempfile.TemporaryFile() as file:
        groups = []
        for log_rates in blocks:
            rates = np.exp(log_rates)
            groups.append(indicator @ (exposure[:, None] * rates))
            file.write(np.ascontiguousarray(rates.T, dtype=np.float32))
        print(f"  {sum(g.shape[1] for g in groups)} draws in {clock.look()}")
        n_seen = summarise_all(file, n_entities, sum(g.shape[1] for g in groups))
    groups = np.hstack(groups)
    shares = summarise(groups / groups.sum(axis=0), INTERVAL)
    print(f"  summaries of {n_seen} rates and {len(shares.mean)} groups in {clock.look()}")
    effort = posterior.effort
    print(
        f"  altogether {whole.look()}, peak {peak_memory():.2f} GB; {effort.climbs} modes, "
        f"{effort.steps} steps, {effort.residuals.products} products"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=["S", "M", "L"])
    parser.add_argument("--draws", type=int, default=400)
    arguments = parser.parse_args()
    for size in arguments.sizes:
        run(size, arguments.draws)


if __name__ == "__main__":
    main()
