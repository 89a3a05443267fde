"""Is one pass over the edges as an operation of its own faster than PyTensor's graph? Tables.

The model writes expected totals as gather, multiply and scatter-add over edges, and PyTensor fuses
those into one loop with 64-bit indices. Here stands the alternative: an operation with a numba
kernel, unsigned 32-bit indices and a running sum, whose gradient is the same operation with the two
ends of the edges exchanged. Log densities and gradients of both are held against each other before
they are timed; whether the draws agree stands in the table.

Under PyTensor 3.3.7 the operation was 1.1 to 1.25 times as fast for 1,000 to 1,000,000 edges, and
took as long to compile with a filled cache. Edges are less than half of the work, so the model
keeps the graph. Run by hand; ``--sizes S M L XL`` selects sizes. Milliseconds are medians of calls
in turn; seconds are of processor time.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
from pytensor.configdefaults import config
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from bayes_attrib import names
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model import build_model
from bayes_attrib.model.build import build_expectations
from bayes_attrib.model.families import get_family
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import ModelSpec, parse_plain

SIZES = {"S": (400, 80), "M": (4_000, 800), "L": (40_000, 8_000), "XL": (400_000, 80_000)}
"""Entities and aggregates; about 2.6 edges per entity."""

CALLS_OF_EDGES = 40_000_000
"""Calls per function times edges: how long a size is timed."""

DRAWS, TUNE, CHAINS, ROUNDS = 500, 300, 2, 3
WORLDS: dict[str, dict[str, object]] = {
    "poisson": {"family": "poisson"},
    "gamma": {"family": "gamma", "alpha": 5.0, "price": 60.0},
}
"""Options of the simulated data by the family that is fitted to them."""


class SumOverEdges(Op):
    """out[t_i] is the sum over edges i of values[s_i] * weight_i, with s and t the edges' ends."""

    __props__ = ()

    def make_node(self, values: Any, weight: Any, source: Any, target: Any, size: int) -> Apply:
        ends = [pt.as_tensor_variable(end) for end in (source, target)]
        inputs = [pt.as_tensor_variable(values), pt.as_tensor_variable(weight), *ends]
        return Apply(self, [*inputs, pt.as_tensor_variable(size)], [pt.dvector()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:  # noqa: ARG002
        values, weight, source, target, size = inputs
        output_storage[0][0] = np.bincount(target, values[source] * weight, minlength=int(size))

    def infer_shape(self, fgraph: Any, node: Apply, shapes: Any) -> Any:  # noqa: ARG002
        return [(node.inputs[4],)]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:  # noqa: ARG002
        return [[True], [True], [False], [False], [False]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> list[Any]:  # noqa: ARG002
        values, weight, source, target, _ = inputs
        (slope,) = cotangents
        of_values = self(slope, weight, target, source, values.shape[0])
        of_weight = values[source] * slope[target]
        return [of_values, of_weight, *(DisconnectedType()() for _ in range(3))]


@register_funcify_default_op_cache_key(SumOverEdges)
def kernel_of(op: SumOverEdges, **_: Any) -> Callable[..., Any]:  # noqa: ARG001
    @numba_njit
    def sum_over_edges(values, weight, source, target, size):  # noqa: ANN001, ANN202
        out = np.zeros(size.item())
        if len(weight) == 0:
            return out
        # A running sum keeps the sums of sorted targets in a register; any order is correct.
        current, total = target[0], 0.0
        for i in range(len(weight)):
            if target[i] != current:
                out[current] += total
                current, total = target[i], 0.0
            total += values[source[i]] * weight[i]
        out[current] += total
        return out

    return sum_over_edges


def build_kernel_model(data: AggregateData, spec: ModelSpec) -> pm.Model:
    """Build the model of a spec without factors of edges, with totals from the kernel."""
    model, _, noise = build_expectations(data, spec)
    exposed = data.is_exposed
    row = (np.cumsum(exposed) - 1)[data.edge_aggregate]
    with model:
        ends = [
            pm.Data(name, values.astype(np.uint32))
            for name, values in (("entity_of_edge", data.edge_entity), ("row_of_edge", row))
        ]
        weight, size = model["edge_exposure"], int(exposed.sum())
        mu = SumOverEdges()(model[names.RATE], weight, *ends, size)
        get_family(spec.likelihood).add_total(mu, data.totals[exposed], noise, dims=names.AGGREGATE)
    return model


BUILDERS = {"stock": build_model, "kernel": build_kernel_model}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES))
    options.add_argument("--compile-only", choices=BUILDERS, help=argparse.SUPPRESS)
    wanted = options.parse_args()
    if wanted.compile_only:
        model = BUILDERS[wanted.compile_only](*problem("M", "poisson"))
        print(cpu_seconds(lambda: compile_model(model)))
        return
    print("| family | size | edges | stock, ms | kernel, ms | stock / kernel |")
    print("|---|---|---|---|---|---|")
    for size in wanted.sizes:
        for family in WORLDS if size == "M" else ("poisson",):
            print(gradient_row(size, family), flush=True)
    print("\n| at M, poisson | stock, s | kernel, s |\n|---|---|---|")
    for row in (*compile_rows(), sampling_row()):
        print(row, flush=True)


def problem(size: str, family: str) -> tuple[AggregateData, ModelSpec]:
    """Simulated data of a size, and the plain model of a family for them."""
    n_entities, n_aggregates = SIZES[size]
    options = {"n_entities": n_entities, "n_aggregates": n_aggregates} | WORLDS[family]
    data = simulate("hcp_brick", seed=1, options=options).build_data()
    plain = {
        "schema_version": 1,
        "name": "kernel",
        "columns": {"aggregate": ["brick_id"], "entity": "hcp_id"},
        "likelihood": {"family": family},
    }
    return data, parse_plain(plain, source="benchmark")


def compile_model(model: pm.Model) -> Any:
    """Compile as the package does."""
    with config.change_flags(numba__fastmath=False):
        return nutpie.compile_pymc_model(model, var_names=[names.RATE])


def gradient_row(size: str, family: str) -> str:
    """One row: log density and gradient, as the sampler calls them."""
    data, spec = problem(size, family)
    calls = {key: gradient_call(compile_model(make(data, spec))) for key, make in BUILDERS.items()}
    require_equal(*(np.concatenate(call()) for call in calls.values()))
    seconds: dict[str, list[float]] = {key: [] for key in calls}
    for _ in range(max(60, min(2000, CALLS_OF_EDGES // data.n_edges))):
        for key, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[key].append(time.perf_counter() - start)
    ratio = np.median(np.divide(seconds["stock"], seconds["kernel"]))
    stock, kernel = (1e3 * np.median(seconds[key]) for key in BUILDERS)
    row = f"| {family} | {size} | {data.n_edges:,} |"
    return f"{row} {stock:.3g} | {kernel:.3g} | {ratio:.2f} |"


def gradient_call(compiled: Any) -> Callable[[], Any]:
    """Return a function that computes log density and gradient at a random point."""
    pointer, n = ctypes.c_void_p, compiled.n_dim
    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[pointer] * 4)
    function = prototype(compiled.compiled_logp_func.address)
    point = 0.1 * np.random.default_rng(0).standard_normal(n)
    gradient, log_density = np.zeros(n), np.zeros(1)

    def call() -> Any:
        memory = (point, gradient, log_density, compiled.user_data)
        if function(n, *(array.ctypes.data for array in memory)) != 0:
            raise RuntimeError("the log density or its gradient is not finite")
        return gradient, log_density

    return call


def require_equal(first: Any, second: Any) -> None:
    np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-12 * np.abs(first).max())


def compile_rows() -> list[str]:
    """Compilation in processes of their own, with an empty and with a filled cache."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for key in BUILDERS:
            with tempfile.TemporaryDirectory() as cache:
                for state in ("cold", "warm"):
                    found.setdefault((state, key), []).append(compile_seconds(key, Path(cache)))
    return [
        f"| compilation, {state} cache | "
        + " | ".join(f"{np.median(found[state, key]):.1f}" for key in BUILDERS)
        + " |"
        for state in ("cold", "warm")
    ]


def compile_seconds(builder: str, cache: Path) -> float:
    flags = f"{os.environ.get('PYTENSOR_FLAGS', '')},base_compiledir={cache}".lstrip(",")
    command = [sys.executable, __file__, "--compile-only", builder]
    done = subprocess.run(  # noqa: S603
        command, env=os.environ | {"PYTENSOR_FLAGS": flags}, capture_output=True, check=True
    )
    return float(done.stdout)


def sampling_row() -> str:
    """Sampling with the same seed by either model; the draws must be the same."""
    data, spec = problem("M", "poisson")
    compiled = {key: compile_model(make(data, spec)) for key, make in BUILDERS.items()}
    seconds: dict[str, list[float]] = {key: [] for key in compiled}
    rates: dict[str, Any] = {}
    for _ in range(ROUNDS):
        for key, model in compiled.items():
            start = time.process_time()
            tree = nutpie.sample(
                model,
                draws=DRAWS,
                tune=TUNE,
                chains=CHAINS,
                cores=1,
                seed=1,
                target_accept=0.95,
                progress_bar=False,
            )
            seconds[key].append(time.process_time() - start)
            rates[key] = tree["posterior"][names.RATE].to_numpy()
    same = "the same" if np.array_equal(*rates.values()) else "other"
    stock, kernel = (np.median(seconds[key]) for key in BUILDERS)
    return f"| sampling, {CHAINS} x {TUNE}+{DRAWS}; {same} draws | {stock:.1f} | {kernel:.1f} |"


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
