"""What is kept of one measured fit: seconds, memory, effective sizes, and moments to compare."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from arviz_stats.base.array import array_stats

from peers.problem import FloatArray, Problem


@dataclass(eq=False)
class Drawn:
    """Draws in memory, and what it took to get them.

    Attributes
    ----------
    rates : ndarray, shape (n_chains, n_draws, n_entities)
        Rates per unit of exposure.
    hyper : dict of str to ndarray, shape (n_chains, n_draws)
        Intercept and sds.
    seconds : dict of str to float
        ``total`` from data in memory to draws in memory, and ``sampling`` alone.
    peak : float
        Peak memory of the process at that moment, in GB.
    facts : dict
        Settings and counts, such as divergences.
    """

    rates: FloatArray
    hyper: dict[str, FloatArray]
    seconds: dict[str, float]
    peak: float
    facts: dict[str, Any] = field(default_factory=dict)


def peak_memory(who: int = resource.RUSAGE_SELF) -> float:
    """Peak memory in GB of this process, or of the children that ended."""
    return resource.getrusage(who).ru_maxrss / 1024**2


@dataclass
class Spans:
    """Seconds spent in named spans."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Add the time of a block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@contextmanager
def watched_nutpie(spans: Spans) -> Iterator[None]:
    """Time what PyMC asks of nutpie: compiling and sampling."""
    import nutpie  # noqa: PLC0415

    originals = {"compile": "compile_pymc_model", "sampling": "sample"}
    kept = {attribute: getattr(nutpie, attribute) for attribute in originals.values()}

    def timed(name: str, function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            with spans.span(name):
                return function(*args, **kwargs)

        return call

    for name, attribute in originals.items():
        setattr(nutpie, attribute, timed(name, kept[attribute]))
    try:
        yield
    finally:
        for attribute, function in kept.items():
            setattr(nutpie, attribute, function)


def effective_sizes(draws: FloatArray) -> FloatArray:
    """Bulk effective sample sizes, rank-normalised, by arviz-stats, one per last index."""
    if draws.ndim == 2:
        draws = draws[:, :, np.newaxis]
    sizes = array_stats.ess(draws, method="bulk", chain_axis=0, draw_axis=1)
    return np.atleast_1d(np.asarray(sizes, dtype=np.float64))


def describe(drawn: Drawn, problem: Problem, moments: Path, *, sizes: bool) -> dict[str, Any]:
    """Write the moments of the draws, and return the figures of a fit.

    Parameters
    ----------
    drawn : Drawn
        The fit.
    problem : Problem
        The data.
    moments : Path
        File for means, sds and effective sizes.
    sizes : bool
        Whether effective sizes are computed; draws that are independent need none.
    """
    n_draws = drawn.rates.shape[0] * drawn.rates.shape[1]
    hyper = drawn.hyper
    rate_sizes = effective_sizes(drawn.rates) if sizes else np.full(drawn.rates.shape[2], n_draws)
    hyper_sizes = {k: float(effective_sizes(v)[0]) if sizes else n_draws for k, v in hyper.items()}
    flat = drawn.rates.reshape(n_draws, -1)
    shares = problem.group_shares(flat)
    by_chain = shares.reshape(*drawn.rates.shape[:2], -1)
    np.savez(
        moments,
        mean=flat.mean(axis=0),
        sd=flat.std(axis=0, ddof=1),
        size=rate_sizes,
        share_mean=shares.mean(axis=0),
        share_sd=shares.std(axis=0, ddof=1),
        share_size=effective_sizes(by_chain) if sizes else np.full(shares.shape[1], n_draws),
        hyper_names=list(hyper),
        hyper_mean=[v.mean() for v in hyper.values()],
        hyper_sd=[v.std(ddof=1) for v in hyper.values()],
        hyper_size=list(hyper_sizes.values()),
    )
    return {
        "seconds": drawn.seconds,
        "peak_gb": drawn.peak,
        "draws": n_draws,
        "ess_rates_min": float(rate_sizes.min()),
        "ess_rates_median": float(np.median(rate_sizes)),
        "ess_hyper": hyper_sizes,
        **drawn.facts,
    }
