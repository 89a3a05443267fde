"""How near variational fits come to NUTS, how long they take, and whether parts of totals pay.

Run as ``OMP_NUM_THREADS=1 python benchmarks/variational.py quality S M``: errors of rate means
(root mean square, in posterior sds), median ratio of sds, the error of ``sigma_entity``, Pareto k
and seconds of one processor, for ADVI, Pathfinder, Laplace and ``pymc.fit`` against NUTS.
``steps S M L`` compares the time of a step with that of ``pymc.ADVI``. ``parts L`` fits a Poisson
model with all totals in every step and with a tenth of them, and gives the evidence bound that each
has reached. Data are those of the scenario ``hcp_brick``; ``quality`` also takes the names
``hcp_brick_money`` and ``mmm_to_mta`` of shipped data.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm

from bayes_attrib import names
from bayes_attrib.errors import FitError
from bayes_attrib.inference import PosteriorFit, SamplerSettings, fit_nuts
from bayes_attrib.inference.laplace import LaplaceSettings, fit_laplace
from bayes_attrib.inference.variational import (
    AdviSettings,
    PathfinderSettings,
    fit_advi,
    fit_pathfinder,
)
from bayes_attrib.inference.variational.ascent import BATCH, ascend
from bayes_attrib.inference.variational.normal_laws import MeanField
from bayes_attrib.inference.variational.target import Target
from bayes_attrib.inputs import AggregateData, DataSource, read_tables
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.model import build_model
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import ModelSpec, load_spec

SIZES = {"S": (400, 80), "M": (4_000, 800), "L": (40_000, 8_000)}
SHIPPED = ("hcp_brick_money", "mmm_to_mta")
ROOT = Path(__file__).parents[1]
GROUP = "specialty"
PEER_STEPS = 30_000


def case(size: str) -> tuple[ModelSpec, AggregateData]:
    if size in SHIPPED:
        spec = load_spec(ROOT / "models" / f"{size}.toml")
        return spec, read_tables(spec, DataSource(folder=ROOT / "data" / size)).data
    n_entities, n_aggregates = SIZES[size]
    options = {"n_entities": n_entities, "n_aggregates": n_aggregates}
    data = simulate("hcp_brick", seed=1, options=options).build_data([GROUP])
    return load_spec(ROOT / "models" / "hcp_brick.toml"), data


def peer(model: pm.Model) -> dict[str, FloatArray]:
    """Draws by ``pymc.fit`` with its own optimiser and the steps that its users give it."""
    approximation = pm.fit(PEER_STEPS, model=model, random_seed=1, progressbar=False)
    found = approximation.sample(1000, random_seed=2)["posterior"]
    wanted = (names.LOG_RATE, names.SIGMA_ENTITY)
    return {name: np.moveaxis(found[name].to_numpy()[0], 0, -1) for name in wanted}


def own(fit: PosteriorFit) -> dict[str, FloatArray]:
    found = {name: fit.draws(name) for name in (names.LOG_RATE, names.SIGMA_ENTITY)}
    told = fit.tree["approximation"].to_dataset()
    key = "pareto_k" if "pareto_k" in told else "pareto_k_hyperparameters"
    return found | {"k": np.asarray(told[key])} if key in told else found


def quality(size: str) -> None:
    spec, data = case(size)
    model = build_model(data, spec)
    sampled = fit_nuts(model, SamplerSettings(1000, 400, 4, seed=11))
    rates, sigma = sampled.draws(names.LOG_RATE), sampled.draws(names.SIGMA_ENTITY)
    sd = rates.std(axis=1)
    ways: dict[str, Callable[[], dict[str, FloatArray]]] = {
        "laplace": lambda: own(fit_laplace(data, spec, LaplaceSettings())),
        "advi": lambda: own(fit_advi(model, AdviSettings())),
        "advi, full_rank": lambda: own(fit_advi(model, AdviSettings(rank="full_rank"))),
        "pathfinder": lambda: own(fit_pathfinder(model, PathfinderSettings())),
        f"pymc.fit, {PEER_STEPS:,} steps": lambda: peer(model),
    }
    for name, make in ways.items():
        for attempt in ("first", "again"):  # the first has to compile
            begun = time.process_time()
            try:
                draws = make()
            except FitError as error:
                print(f"{size} {name}: {error}")
                break
            seconds = time.process_time() - begun
            near, spread = draws[names.LOG_RATE], draws[names.SIGMA_ENTITY]
            gap = (near.mean(axis=1) - rates.mean(axis=1)) / sd
            print(
                f"{size} {name}, {attempt}: error {np.sqrt(np.mean(gap**2)):.3f}, "
                f"sd ratio {np.median(near.std(axis=1) / sd):.3f}, sigma_entity off by "
                f"{(spread.mean() - sigma.mean()) / sigma.std():+.2f} sds with ratio "
                f"{spread.std() / sigma.std():.2f}, k {float(draws.get('k', np.nan)):.2f}, "
                f"{seconds:.1f} s of processor",
                flush=True,
            )


def steps(size: str) -> None:
    """Time of a gradient, of a step of this package, and of one of PyMC's."""
    spec, data = case(size)
    model = build_model(data, spec)
    target, n = Target(model), {"S": 3000, "M": 1000, "L": 200}[size]
    law, rng = MeanField(target.start, 0.1), np.random.default_rng(1)
    theirs = pm.ADVI(model=model, random_seed=1).objective.step_function(score=True)
    theirs()

    def climb() -> None:
        ascend(
            target,
            law,
            pace=1e-4,
            most_steps=n // 2,
            least_steps=n // 2,
            rngs=(rng, rng),
            tell=lambda _: None,
        )

    for name, run, times in (
        ("gradient", lambda: target(target.start), n),
        ("step", climb, 1),
        ("step of pymc.ADVI", theirs, n),
    ):
        begun = time.process_time()
        for _ in range(times):
            run()
        print(f"{size} {name}: {(time.process_time() - begun) / n * 1e6:.0f} us")


class PoissonTarget:
    """Density of a Poisson model with one grouping, by a block of the totals at a time.

    Elements are intercept, log sds of groups and entities, effects of groups and offsets.
    """

    def __init__(self, data: AggregateData, n_blocks: int) -> None:
        order = np.random.default_rng(0).permutation(np.flatnonzero(data.is_exposed))
        rows = np.array_split(order, n_blocks)
        self.blocks = [
            (data.exposure[r].tocsr(), data.exposure[r].T.tocsr(), data.totals[r]) for r in rows
        ]
        self.scale, self.log_reference = n_blocks, np.log(data.reference_rate)
        grouping = data.groupings[GROUP]
        self.codes, self.n_groups = grouping.codes, len(grouping.levels)
        self.start = np.zeros(3 + self.n_groups + data.n_entities)
        self.n_elements, self._next = len(self.start), 0

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray]:
        a, log_s, log_t = point[:3]
        s, t = np.exp(log_s), np.exp(log_t)
        effects, offsets = point[3 : 3 + self.n_groups], point[3 + self.n_groups :]
        rates = np.exp(self.log_reference + a + s * effects[self.codes] + t * offsets)
        exposure, transposed, totals = self.blocks[self._next % self.scale]
        self._next += 1
        mu = exposure @ rates
        value = self.scale * float(totals @ np.log(mu) - mu.sum())
        by_rate = self.scale * rates * (transposed @ (totals / mu - 1))
        by_group = np.bincount(self.codes, by_rate, self.n_groups)
        slope = np.concatenate(
            [
                [by_rate.sum() - a, s * (by_group @ effects), t * (by_rate @ offsets)],
                s * by_group - effects,
                t * by_rate - offsets,
            ]
        )
        slope[1:3] += 1 - np.array([s, t]) ** 2
        prior = a**2 + s**2 + t**2 + effects @ effects + offsets @ offsets
        return value - 0.5 * prior + log_s + log_t, slope


def parts(size: str) -> None:
    """Evidence bound that climbs with all totals and with a tenth of them have reached."""
    _, data = case(size)
    whole = PoissonTarget(data, 1)
    for n_blocks, n_steps in ((1, 3000), (1, 6000), (10, 3000), (10, 6000), (10, 10_000)):
        target = PoissonTarget(data, n_blocks)
        rngs = (np.random.default_rng([1, 0]), np.random.default_rng([1, 1]))
        begun = time.process_time()
        arguments: dict[str, Any] = {"most_steps": n_steps // 2, "least_steps": n_steps // 2}
        ascent = ascend(
            target,  # type: ignore[arg-type]
            MeanField(target.start, 0.1),
            pace=0.01,
            rngs=rngs,
            tell=lambda _: None,
            **arguments,
        )
        law = ascent.law
        seconds, rng = time.process_time() - begun, np.random.default_rng(2)
        noise = rng.standard_normal((100, target.n_elements))
        bounds = [whole(law.draw(eps))[0] - law.log_density(eps) for eps in noise]
        print(
            f"{size} 1/{n_blocks} of the totals, {BATCH * len(ascent.bounds)} steps: bound "
            f"{np.mean(bounds):.1f} (standard error {np.std(bounds) / 10:.1f}), {seconds:.1f} s of "
            "processor",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["quality", "steps", "parts"])
    parser.add_argument("sizes", nargs="+", choices=[*SIZES, *SHIPPED])
    asked = parser.parse_args()
    for each in asked.sizes:
        {"quality": quality, "steps": steps, "parts": parts}[asked.what](each)
