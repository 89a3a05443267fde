"""How often does `choose` prefer the family that made the data? The tables of docs/choosing.md.

Simulated data of one design: 40 entities in 150 aggregates of 4 entities each. The structure is
fixed, so that each family is compiled once and refitted to every data set. Run by hand; words on
the command line select pairs by name, and `--sets N` changes their number, `--first N` their seeds.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import nutpie

from bayes_attrib import names
from bayes_attrib.inference import PosteriorFit, predictive_checks, total_draws
from bayes_attrib.inference.loo import psis_loo
from bayes_attrib.inference.model_choice import Contender, Decision, decide
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model import build_model
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import LikelihoodSpec, ModelSpec, parse_plain

N_ENTITIES, N_AGGREGATES, PER_AGGREGATE = 40, 150, 4
DRAWS, TUNE, CHAINS, SETS = 300, 300, 2, 20
SIGMA_ENTITY = 0.5

Key = tuple[str, str | None]
POISSON, ZIP = ("poisson", None), ("zero_inflated_poisson", None)
NB, NB_PAIR = ("negative_binomial", "aggregate"), ("negative_binomial", "pair")
GAMMA, GAMMA_PAIR = ("gamma", "aggregate"), ("gamma", "pair")
LOGNORMAL = ("lognormal", "aggregate")


@dataclass(frozen=True)
class Pair:
    """Two families, the values of their noise parameters, and the sizes of totals.

    Attributes
    ----------
    name : str
        What the pair is about.
    first, second : (str, str or None)
        Families and levels.
    noise : mapping of str to float
        True values by parameter, for either family.
    mean : float
        Typical expected total.
    spread : float
        Totals' expectations vary by a factor of exp(spread) up and down, evenly on the log scale.
    """

    name: str
    first: Key
    second: Key
    noise: Mapping[str, float]
    mean: float
    spread: float = 0.3


PAIRS = (
    Pair("counts", POISSON, NB, {"alpha": 5.0}, 50.0),
    Pair("nb-level", NB, NB_PAIR, {"alpha": 3.0, "phi": 15.0}, 50.0, 2.0),
    Pair("gamma-level", GAMMA, GAMMA_PAIR, {"alpha": 4.0, "phi": 12.5}, 50.0, 2.0),
    Pair("tail", GAMMA, LOGNORMAL, {"alpha": 1.0, "sigma_total": 1.0}, 50.0),
    Pair("zeros", POISSON, ZIP, {"pi": 0.15}, 15.0),
    Pair("counts-little", POISSON, NB, {"alpha": 500.0}, 50.0),
    Pair("nb-level-even", NB, NB_PAIR, {"alpha": 3.0, "phi": 15.0}, 50.0, 0.1),
    Pair("gamma-level-even", GAMMA, GAMMA_PAIR, {"alpha": 4.0, "phi": 12.5}, 50.0, 0.1),
    Pair("tail-light", GAMMA, LOGNORMAL, {"alpha": 11.0, "sigma_total": 0.3}, 50.0),
    Pair("zeros-few", POISSON, ZIP, {"pi": 0.05}, 1.5),
    Pair("tail-heavy", GAMMA, LOGNORMAL, {"alpha": 0.5, "sigma_total": 1.5}, 50.0),
)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("pairs", nargs="*")
    options.add_argument("--sets", type=int, default=SETS)
    options.add_argument("--first", type=int, default=0, help="seed of the first data set")
    wanted = options.parse_args()
    print("| pair | true family | preferred | told apart from the other | median z | bad k | s |")
    print("|---|---|---|---|---|---|---|")
    for pair in PAIRS:
        if not wanted.pairs or pair.name in wanted.pairs:
            for truth in (0, 1):
                seeds = range(wanted.first, wanted.first + wanted.sets)
                print(score(pair, truth, seeds), flush=True)


def score(pair: Pair, truth: int, seeds: range) -> str:
    """One row of the table: the outcomes over data sets that a family of the pair made."""
    start = time.perf_counter()
    outcomes = [outcome(pair, truth, seed) for seed in seeds]
    decisions = [decision for decision, _ in outcomes]
    right = sum(decision.preferred == truth for decision in decisions)
    apart = [len(decision.tied) == 1 for decision in decisions]
    rightly = sum(a and d.best == truth for a, d in zip(apart, decisions, strict=True))
    z = np.median([(1 if d.best == truth else -1) * d.differences[1 - d.best].z for d in decisions])
    bad = np.median([count for _, count in outcomes])
    name, level = (pair.first, pair.second)[truth]
    seconds = time.perf_counter() - start
    return (
        f"| {pair.name} | {name} {level or ''} | {right} of {len(seeds)} | {rightly} rightly, "
        f"{sum(apart) - rightly} wrongly | {z:.1f} | {bad:g} | {seconds:.0f} |"
    )


def outcome(pair: Pair, truth: int, seed: int) -> tuple[Decision, int]:
    """Simulate one data set, fit both families, and let the rule decide."""
    data = simulate(pair, (pair.first, pair.second)[truth], seed)
    contenders = [contender(data, key, seed=seed) for key in (pair.first, pair.second)]
    return decide(contenders), max(c.loo.n_bad for c in contenders)


def simulate(pair: Pair, key: Key, seed: int) -> AggregateData:
    """Totals from a family; rates, sizes and noise depend on the seed, the structure does not."""
    rng = np.random.default_rng([seed, [p.name for p in PAIRS].index(pair.name)])
    structure = membership()
    size = np.exp(pair.spread * rng.uniform(-1.0, 1.0, N_AGGREGATES))
    exposure = structure * rng.uniform(0.5, 1.5, structure.shape) * size[:, np.newaxis]
    rate = np.exp(SIGMA_ENTITY * rng.standard_normal(N_ENTITIES)) * pair.mean / PER_AGGREGATE
    family = get_family(likelihood(key))
    noise = {name: np.array([pair.noise[name]]) for name in family.parameters}
    totals = family.draw_totals((exposure @ rate)[:, np.newaxis], noise, rng)[:, 0]
    return AggregateData.from_dense(exposure, totals)


@functools.cache
def membership() -> np.ndarray:
    """Which entities belong to which aggregate: 0/1, shape (n_aggregates, n_entities)."""
    rng = np.random.default_rng(0)
    rows = [rng.permutation(N_ENTITIES)[:PER_AGGREGATE] for _ in range(N_AGGREGATES)]
    found = np.zeros((N_AGGREGATES, N_ENTITIES))
    for row, entities in zip(found, rows, strict=True):
        row[entities] = 1.0
    return found


def contender(data: AggregateData, key: Key, *, seed: int) -> Contender:
    draws = total_draws(refit(key)(data, seed), data, spec_of(key), most=CHAINS * DRAWS)
    checks, _ = predictive_checks(draws, np.random.default_rng([seed, 9]))
    p_value = checks[0].value
    return Contender(
        loo=psis_loo(draws),
        n_parameters=len(draws.family.parameters),
        dispersion_p_value=np.nan if p_value is None else p_value,
        converged=True,
    )


@functools.cache
def refit(key: Key) -> Callable[[AggregateData, int], PosteriorFit]:
    """Compile a family once; what differs between data sets is exchanged."""
    spec = spec_of(key)
    pattern = next(p for p in PAIRS if key in {p.first, p.second})
    model = build_model(simulate(pattern, key, 0), spec)
    kept = [names.RATE, *spec.parameters]
    compiled = nutpie.compile_pymc_model(model, var_names=kept)
    kind = np.int64 if spec.likelihood.counts else np.float64

    def fit(data: AggregateData, seed: int) -> PosteriorFit:
        exchanged = compiled.with_data(
            observed_total=data.totals.astype(kind),
            edge_exposure=data.exposure.data,
            log_reference_rate=np.log(data.reference_rate),
        )
        tree = nutpie.sample(
            exchanged,
            draws=DRAWS,
            tune=TUNE,
            chains=CHAINS,
            cores=1,
            seed=seed,
            target_accept=0.9,
            save_warmup=False,
            progress_bar=False,
        )
        return PosteriorFit(tree, "nuts")

    return fit


@functools.cache
def spec_of(key: Key) -> ModelSpec:
    family, level = key
    plain = {
        "schema_version": 1,
        "name": "family_choice",
        "columns": {"aggregate": ["aggregate"], "entity": "entity"},
        "likelihood": {"family": family, "level": level},
    }
    return parse_plain(plain, source="benchmark")


def likelihood(key: Key) -> LikelihoodSpec:
    return LikelihoodSpec(family=key[0], level=key[1])


if __name__ == "__main__":
    main()
