"""Seconds of EM and of the posterior mode, from 400 to 400,000 entities. Tables.

Run as ``OMP_NUM_THREADS=1 python benchmarks/em.py [--sizes S M L XL] [--rounds 3]``. Data are those
of the scenario ``hcp_brick``; seconds are of processor time, medians of rounds in which all methods
take turns, and hold everything from data to a fit.

- *EM within 1e-6*: plain iterations until the log-likelihood is within 1e-6 nats per unit of the
  grand total of its maximum, which the certified fit tells. SQUAREM (Varadhan and Roland,
  Scandinavian Journal of Statistics 35, 2008) is there for comparison.
- *EM certified*: until the duality gap proves it, with Newton steps after 20 plain iterations.
- *MAP*: until the gain that Newton's method predicts for one more step is below 1e-10 of the log
  posterior density, or below 1e-10 nats. L-BFGS minimises the same loss with the same gradient, to
  the value that the mode has, but for 1e-10 of it.
- *Products*: what the package does with exposures is done by SciPy's compressed rows. The kernels
  are the alternatives in numba: a product with unsigned 32-bit indices, and one pass that does both
  products of an EM iteration. Ratios above one say that the package's way is faster.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.optimize import minimize

from bayes_attrib.baselines import fit_em, fit_spec_map, poisson_log_likelihood
from bayes_attrib.baselines.field_density import FieldDensity
from bayes_attrib.baselines.free_rates import FreeRates
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import get_family
from bayes_attrib.model.latent_field import latent_field
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import ModelSpec, load_spec

SIZES = {"S": (400, 80), "M": (4_000, 800), "L": (40_000, 8_000), "XL": (400_000, 80_000)}
SCALES = {"sigma_entity": 0.6, "sigma_specialty": 0.3}
NEAR = 1e-6
MOST_PLAIN = 200
Array = npt.NDArray[np.float64]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES))
    options.add_argument("--rounds", type=int, default=3)
    wanted = options.parse_args()
    spec = load_spec(Path(__file__).parents[1] / "models" / "hcp_brick.toml")
    lines = []
    for size in wanted.sizes:
        n_entities, n_aggregates = SIZES[size]
        sizes = {"n_entities": n_entities, "n_aggregates": n_aggregates}
        data = simulate("hcp_brick", seed=1, options=sizes).build_data(["specialty"])
        found = medians(point_estimates(data, spec), wanted.rounds)
        lines.append([f"{size}, {data.n_edges:,} edges", *found, *product_ratios(data)])
    print_table(lines)


def point_estimates(data: AggregateData, spec: ModelSpec) -> Mapping[str, Callable[[], str]]:
    """Methods by name; each does its work and returns how much of it there was."""
    best = float(fit_em(data, tolerance=1e-12).log_likelihood[-1])
    enough = best - NEAR * data.grand_total
    plain = fit_em(data, stop_after=MOST_PLAIN).log_likelihood
    n_plain = int(np.argmax(plain >= enough))
    level = abs(fit_spec_map(data, spec, SCALES).log_density)

    def em(**options: Any) -> str:
        fit = fit_em(data, **options)
        return f"{fit.iterations} it."

    def mode(tolerance: float) -> str:
        fit = fit_spec_map(data, spec, SCALES, tolerance=tolerance)
        if not fit.converged:
            raise RuntimeError("the mode was not found")
        return f"{fit.iterations} steps"

    return {
        "EM within 1e-6": lambda: em(stop_after=n_plain),
        "SQUAREM within 1e-6": lambda: f"{squarem(data, enough)} it.",
        "EM certified to 1e-6": lambda: em(tolerance=1e-6),
        "EM certified to 1e-10": lambda: em(tolerance=1e-10),
        "MAP to 1e-10": lambda: mode(1e-10 * level),
        "MAP to 1e-10 nats": lambda: mode(1e-10),
        "L-BFGS to the mode": lambda: f"{search_by_lbfgs(data, spec)} it.",
    }


def medians(methods: Mapping[str, Callable[[], str]], rounds: int) -> list[str]:
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    said = {}
    for _ in range(rounds):
        for name, method in methods.items():
            start = time.process_time()
            said[name] = method()
            seconds[name].append(time.process_time() - start)
    return [f"{np.median(seconds[name]):.3g} s ({said[name]})" for name in methods]


def squarem(data: AggregateData, enough: float) -> int:
    """Two EM updates and an extrapolation along them, kept where the likelihood does not fall."""
    problem = FreeRates(data)
    at = problem.evaluate(problem.on_scale(np.ones(data.n_entities)))
    height, updates = poisson_log_likelihood(data.totals, at.expected), 0
    while height < enough and updates < 10 * MOST_PLAIN:
        first = at.rate * at.score
        middle = problem.evaluate(first)
        second = first * middle.score
        change, bend = first - at.rate, second - 2 * first + at.rate
        length = -float(np.linalg.norm(change) / np.linalg.norm(bend))
        tried = at.rate - 2 * length * change + length**2 * bend
        after = problem.evaluate(problem.on_scale(np.maximum(tried, 0.01 * second)))
        reached = poisson_log_likelihood(data.totals, after.expected)
        if reached < height:
            after = problem.evaluate(second)
            reached = poisson_log_likelihood(data.totals, after.expected)
        at, height, updates = after, reached, updates + 3
    return updates


class ReachedError(Exception):
    """The search is where it should go."""


def search_by_lbfgs(data: AggregateData, spec: ModelSpec) -> int:
    density = FieldDensity(latent_field(data, spec), get_family(spec.likelihood), SCALES)
    constant = density.log_density(density.look(np.zeros(density.field.size)))
    constant += density.look(np.zeros(density.field.size)).loss
    goal = constant - fit_spec_map(data, spec, SCALES).log_density
    evaluations = 0

    def loss(x: Array) -> tuple[float, Array]:
        nonlocal evaluations
        evaluations += 1
        at = density.look(x)
        if at.loss <= goal + 1e-10 * abs(goal):
            raise ReachedError
        return at.loss, density.gradient(at, density.slope(at))

    try:
        start = np.zeros(density.field.size)
        limits = {"maxiter": 5000, "maxfun": 5000, "ftol": 0.0, "gtol": 0.0}
        minimize(loss, start, jac=True, method="L-BFGS-B", options=limits)
    except ReachedError:
        return evaluations
    raise RuntimeError("L-BFGS did not reach the mode")


@njit(error_model="numpy")
def product_kernel(starts, entity, exposure, rate, expected):  # noqa: ANN001, ANN201
    for b in range(len(expected)):
        total = 0.0
        for i in range(starts[b], starts[b + 1]):
            total += exposure[i] * rate[entity[i]]
        expected[b] = total


@njit(error_model="numpy")
def one_pass_kernel(starts, entity, exposure, totals, rate, expected, summed):  # noqa: ANN001, ANN201, PLR0917
    summed[:] = 0.0
    for b in range(len(expected)):
        first, end, total = starts[b], starts[b + 1], 0.0
        for i in range(first, end):
            total += exposure[i] * rate[entity[i]]
        expected[b] = total
        ratio = totals[b] / total if totals[b] > 0.0 else 0.0
        for i in range(first, end):
            summed[entity[i]] += exposure[i] * ratio


def product_ratios(data: AggregateData) -> list[str]:
    """Ratios to the package's way: SciPy's product, and the kernels."""
    problem = FreeRates(data)
    matrix, totals = data.exposure, data.totals
    starts, entity = matrix.indptr.astype(np.uint32), matrix.indices.astype(np.uint32)
    rate = np.random.default_rng(1).lognormal(size=data.n_entities)
    expected, summed = np.empty(data.n_aggregates), np.empty(data.n_entities)

    def both() -> Array:
        mu = problem.expected_totals(rate)
        ratio = np.divide(totals, mu, out=np.zeros_like(mu), where=problem.is_positive)
        return problem.sum_over_aggregates(ratio)

    ways = {
        "ours": lambda: data.expected_totals(rate),
        "scipy": lambda: matrix @ rate,
        "kernel": lambda: product_kernel(starts, entity, matrix.data, rate, expected),
        "both": both,
        "one pass": lambda: one_pass_kernel(
            starts, entity, matrix.data, totals, rate, expected, summed
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(max(30, 20_000_000 // data.n_edges // 10)):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    np.testing.assert_allclose(expected, matrix @ rate, rtol=1e-12)
    np.testing.assert_allclose(summed, both(), rtol=1e-12)
    at = {name: float(np.median(values[1:])) for name, values in seconds.items()}
    return [
        f"{1e3 * at['ours']:.3g} ms",
        f"{at['scipy'] / at['ours']:.2f}",
        f"{at['kernel'] / at['ours']:.2f}",
        f"{at['one pass'] / at['both']:.2f}",
    ]


def print_table(lines: list[list[str]]) -> None:
    """A row for each method, a column for each size."""
    labels = [
        "",
        "EM within 1e-6",
        "SQUAREM within 1e-6",
        "EM certified to 1e-6",
        "EM certified to 1e-10",
        "MAP to 1e-10",
        "MAP to 1e-10 nats",
        "L-BFGS to the mode",
        "product with the exposures",
        "- SciPy's, over ours",
        "- kernel's, over ours",
        "- one pass of EM by a kernel, over two products",
    ]
    for i, row in enumerate(zip(labels, *lines, strict=True)):
        print(f"| {' | '.join(row)} |")
        if i == 0:
            print("|" + "---|" * len(row))


if __name__ == "__main__":
    main()
