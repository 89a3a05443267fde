"""Point estimates: EM against scikit-learn's KL-NMF with a fixed basis, MAP, and the product."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.decomposition import non_negative_factorization

from bayes_attrib.baselines import fit_em, fit_spec_map, poisson_log_likelihood
from peers.measured import peak_memory
from peers.problem import FloatArray, Problem

EM_GAP = 1e-6
"""Relative gap of the log-likelihood, per unit of the grand total, at which EM is timed."""

MAP_GAIN = 1e-10
"""Predicted gain in nats at which a mode counts as found."""

SCALES = {"sigma_specialty": 0.15, "sigma_entity": 0.5}
"""Scales that the mode is found at; of the order of the posterior means."""

MOST_DENSE = 100_000_000
"""Elements of the dense basis that scikit-learn needs; 800 MB."""

REPEATS = 5


def em(problem: Problem) -> dict[str, Any]:
    """Time EM to a proved relative gap of ``EM_GAP``."""
    seconds, fit = median_of(lambda: fit_em(problem.data, tolerance=EM_GAP))
    if fit.certificate is None or fit.certificate.relative_gap > EM_GAP:
        raise RuntimeError(f"EM did not reach a gap of {EM_GAP:g}")
    return {
        "seconds": {"total": seconds},
        "iterations": fit.iterations,
        "relative_gap": float(fit.certificate.relative_gap),
        "peak_gb": peak_memory(),
    }


def mode(problem: Problem) -> dict[str, Any]:
    """Time MAP to a predicted gain of ``MAP_GAIN``; there is nothing to compile."""
    seconds, fit = median_of(
        lambda: fit_spec_map(problem.data, problem.spec, SCALES, tolerance=MAP_GAIN), repeats=3
    )
    if not fit.converged:
        raise RuntimeError(f"the mode was not found: {fit.stopped}")
    return {
        "seconds": {"total": seconds},
        "iterations": fit.iterations,
        "predicted_gain": float(fit.predicted_gain),
        "peak_gb": peak_memory(),
    }


def nmf(problem: Problem) -> dict[str, Any]:
    """Time scikit-learn's multiplicative updates to the gap that EM is timed at.

    Its updates with a fixed basis are those of EM. It has no certificate, so the number of updates
    that reach the gap is found first, in blocks of ten, and then that many are timed.
    """
    data = problem.data
    if data.n_entities * data.n_aggregates > MOST_DENSE:
        raise MemoryError("scikit-learn needs the basis as a dense matrix")
    exposed = data.is_exposed
    basis = np.ascontiguousarray(data.exposure[exposed].toarray().T)
    totals = data.totals[exposed][np.newaxis]
    proved = fit_em(data, tolerance=1e-10)
    highest = poisson_log_likelihood(data.totals, data.expected_totals(_filled(proved.rate)))

    def updates(n: int) -> FloatArray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it was stopped early, as asked
            rates, _, _ = non_negative_factorization(
                totals,
                H=basis,
                n_components=basis.shape[0],
                init="custom",
                update_H=False,
                solver="mu",
                beta_loss="kullback-leibler",
                tol=0,
                max_iter=n,
            )
        return np.asarray(rates[0])

    def gap(rates: FloatArray) -> float:
        found = poisson_log_likelihood(data.totals, data.expected_totals(rates))
        return float(highest - found) / data.grand_total

    n = next(n for n in range(10, 2000, 10) if gap(updates(n)) <= EM_GAP)
    seconds, rates = median_of(lambda: updates(n), repeats=2)
    return {
        "seconds": {"total": seconds},
        "iterations": n,
        "relative_gap": gap(rates),
        "peak_gb": peak_memory(),
    }


def product(problem: Problem) -> dict[str, Any]:
    """Time expected totals against SciPy's product of the same matrix, in turn."""
    rates = np.full(problem.data.n_entities, 0.7)
    matrix = problem.data.exposure.copy()
    ours, scipys = [], []
    for _ in range(40):
        ours.append(seconds_of(lambda: problem.data.expected_totals(rates)))
        scipys.append(seconds_of(lambda: matrix @ rates))
    return {
        "seconds": {"total": float(np.median(ours)), "scipy": float(np.median(scipys))},
        "peak_gb": peak_memory(),
    }


def median_of(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """Return the median of seconds, and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), result


def seconds_of(work: Callable[[], Any]) -> float:
    """Seconds of one call."""
    return median_of(work, repeats=1)[0]


def _filled(rate: FloatArray) -> FloatArray:
    """Rates with zeros for entities without exposure."""
    return np.nan_to_num(rate)
