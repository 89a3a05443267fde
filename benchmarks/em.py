"""Time of an EM iteration and of a certified fit, and iterations to a certified gap.

Run as ``python benchmarks/em.py [small] [large]``. The problems are random bipartite graphs with
2.5 aggregates an entity. Totals are Poisson, or overdispersed so that no rates fit them perfectly.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
import scipy.sparse as sp

from bayes_attrib.baselines import PointFit, fit_em
from bayes_attrib.inputs import AggregateData

SIZES = {"small": (400, 80), "large": (40_000, 8_000)}
PLAIN_LIMIT = {"small": 200_000, "large": 5_000}


def random_problem(n_entities: int, n_aggregates: int, overdispersion: float) -> AggregateData:
    rng = np.random.default_rng(1)
    n_edges = np.maximum(1, rng.poisson(2.5, n_entities))
    entity = np.repeat(np.arange(n_entities), n_edges)
    popularity = rng.lognormal(0, 0.7, n_aggregates)
    aggregate = rng.choice(n_aggregates, len(entity), p=popularity / popularity.sum())
    visits = np.maximum(0.5, rng.poisson(5.0, len(entity)))
    exposure = sp.csr_array((visits, (aggregate, entity)), shape=(n_aggregates, n_entities))
    exposure.sum_duplicates()
    expected = exposure @ rng.lognormal(0, 0.6, n_entities)
    if overdispersion:
        expected = expected * rng.gamma(1 / overdispersion, overdispersion, n_aggregates)
    return AggregateData(
        aggregate_keys=pd.DataFrame({"brick": np.arange(n_aggregates).astype(str)}),
        totals=rng.poisson(expected).astype(float),
        entity_key="hcp",
        entity_names=np.arange(n_entities).astype(str).astype(object),
        exposure=exposure,
    )


def timed(data: AggregateData, **options: object) -> tuple[PointFit, float]:
    start = time.perf_counter()
    fit = fit_em(data, **options)  # type: ignore[arg-type]
    return fit, time.perf_counter() - start


def describe(data: AggregateData, plain_limit: int) -> None:
    _, one_step = timed(data, stop_after=1)
    _, many_steps = timed(data, stop_after=201)
    print(f"  EM iteration with trace and gap: {(many_steps - one_step) / 200 * 1e6:.0f} us")
    for tolerance in (1e-6, 1e-8, 1e-10):
        for accelerate, limit in ((True, 200), (False, plain_limit)):
            if not accelerate and tolerance < 1e-8:
                continue
            fit, seconds = timed(
                data, tolerance=tolerance, accelerate=accelerate, max_iterations=limit
            )
            print(
                f"  {'accelerated' if accelerate else 'plain':>11} to {tolerance:.0e}: "
                f"{fit.iterations:6d} iterations, {seconds:6.2f} s, stopped: {fit.stopped}, "
                f"relative gap {fit.certificate.relative_gap if fit.certificate else np.nan:.1e}"
            )


def main() -> None:
    for size in sys.argv[1:] or SIZES:
        for overdispersion in (0.0, 0.5):
            data = random_problem(*SIZES[size], overdispersion)
            print(
                f"{size}: {data.n_entities} entities x {data.n_aggregates} aggregates, "
                f"{data.n_edges} edges, overdispersion {overdispersion}"
            )
            describe(data, PLAIN_LIMIT[size])


if __name__ == "__main__":
    main()
