"""Of pairs called better with probability .8 to .9, are 80 to 90% truly better? docs/comparing.md.

Every world has the exposures of one simulated data set (`hcp_brick` or `mmm_to_mta`), and rates and
totals drawn from the spec's own prior, so that its posterior ought to be calibrated. A model is
compiled once and refitted to the totals of one world after the other. Comparisons of rates and of
amounts are held against the true ones. Pairs of a world share its rates, so standard errors are
those of sums over worlds. With `--sabotage` rates of the posterior are drawn together around their
mean, by half, as a model would do that is too sure of itself.

Run as ``python benchmarks/comparison_calibration.py [--worlds 100] [--scenario mmm_to_mta]``.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import nutpie
import pandas as pd
from arviz_stats.base.array import array_stats

from bayes_attrib import names
from bayes_attrib.attribution import allocation_rng, draw_grains, grain_of
from bayes_attrib.attribution.comparison import ComparisonRule, compare_draws
from bayes_attrib.attribution.pairwise import Conclusion
from bayes_attrib.inference import ExpectedDraws, PosteriorFit, noise_draws, sample_prior
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.families import get_family
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import ModelSpec, parse_plain

FloatArray = npt.NDArray[np.float64]

DRAWS, TUNE, CHAINS = 1000, 500, 2
BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
OPTIONS: dict[str, dict[str, object]] = {
    "hcp_brick": {"n_entities": 30, "n_aggregates": 25},
    "mmm_to_mta": {"n_weeks": 26, "n_geos": 2},
}
POOLING = {"hcp_brick": ["specialty"], "mmm_to_mta": ["channel", "objective"]}
LIKELIHOOD = {
    "hcp_brick": {"family": "poisson"},
    "mmm_to_mta": {"family": "gamma", "level": "aggregate"},
}


@dataclass(frozen=True, eq=False)
class World:
    """Data, and the true rates and amounts of entities, shape (n_entities,)."""

    data: AggregateData
    rate: FloatArray
    amount: FloatArray


def spec_of(scenario: str) -> ModelSpec:
    """Return a spec whose priors keep totals within what people see."""
    spreads = [names.SIGMA_ENTITY, *map(names.sigma_of, POOLING[scenario])]
    half = {"dist": "HalfNormal", "sigma": 0.5}
    centre = {"dist": "Normal", "mu": 0.0, "sigma": 0.5}
    return parse_plain(
        {
            "schema_version": 1,
            "name": "comparison_calibration",
            "columns": {"aggregate": ["aggregate"], "entity": "entity"},
            "likelihood": LIKELIHOOD[scenario],
            "rates": {"pooling": POOLING[scenario]},
            "priors": {names.INTERCEPT: centre, **dict.fromkeys(spreads, half)},
        },
        source="benchmark",
    )


def worlds(data: AggregateData, spec: ModelSpec, n_worlds: int) -> Iterator[World]:
    """Yield worlds of the prior: its rates, its totals, and amounts given both."""
    prior = sample_prior(data, spec, draws=n_worlds, seed=1)
    rates = prior.draws(names.RATE)
    for i in range(n_worlds):
        totals = np.zeros(data.n_aggregates)
        totals[data.is_exposed] = prior.totals[:, i]
        own = replace(data, totals=totals, truth=None)
        noise = {name: prior.draws(name)[..., [i]] for name in spec.likelihood.parameters}
        amount = entity_amounts(own, spec, rates[:, [i]], noise, seed=10_000 + i)
        yield World(own, rates[:, i], amount[:, 0])


def entity_amounts(
    data: AggregateData, spec: ModelSpec, rates: FloatArray, noise: Any, *, seed: int
) -> FloatArray:
    """Draw the amounts of entities given the totals, one for each draw of the rates."""
    mean = ExpectedDraws(data, DrawMatrix.of(rates))
    family, grain = get_family(spec.likelihood), grain_of(data, [names.ENTITY])
    (found,) = draw_grains(mean, family, noise, [grain], allocation_rng(seed))
    return found.amounts.rows(slice(None))


class Refitter:
    """A compiled model, fitted to the totals of one world after the other."""

    def __init__(self, data: AggregateData, spec: ModelSpec) -> None:
        self.spec = spec
        self._counts = spec.likelihood.counts
        model = build_model(data, spec, choose_geometry(data, spec))
        self._compiled = nutpie.compile_pymc_model(model)

    def fit(self, data: AggregateData, seed: int) -> PosteriorFit:
        """Sample; the scale of the prior stays that of the template, as in the worlds."""
        totals = data.totals[data.is_exposed]
        tree = nutpie.sample(
            self._compiled.with_data(
                observed_total=totals.astype(np.int64) if self._counts else totals
            ),
            draws=DRAWS,
            tune=TUNE,
            chains=CHAINS,
            cores=1,
            seed=seed,
            target_accept=0.98,
            save_warmup=False,
            progress_bar=False,
        )
        return PosteriorFit(tree, "nuts")


def score(draws: FloatArray, truth: FloatArray, world: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Hold a comparison against the truth: one row per pair, and one for the world."""
    found = compare_draws(draws, ComparisonRule())
    pairs = found.pairs
    first, second = truth[pairs.first], truth[pairs.second]
    turned = pairs.prob_greater < 0.5  # ask about the likelier direction
    prob = np.where(turned, pairs.prob_less, pairs.prob_greater)
    greater = (first > second) + 0.5 * (first == second)
    rows = pd.DataFrame(
        {
            "world": world,
            "prob": prob,
            "right": np.where(turned, 1 - greater, greater),
            "prob_equal": pairs.prob_equal,
            "is_equal": found.rule.equivalence.holds(first, second),
            "conclusion": pairs.conclusion.astype(str),
        }
    )
    best = truth == truth.max()
    leader = int(found.ranking.prob_best.argmax())
    return rows, {
        "world": world,
        "p_leader": found.ranking.prob_best[leader],
        "leader_best": float(best[leader]) / best.sum(),
        "set_size": len(found.best_set),
        "set_prob": found.ranking.prob_best[found.best_set].sum(),
        "set_holds": float(best[found.best_set].sum() / best.sum()),
        "loss": found.expected_loss[leader] / truth.mean(),
        "realised": (truth.max() - truth[leader]) / truth.mean(),
        "expected_errors": pairs.expected_errors,
    }


def clustered(rows: pd.DataFrame, claimed: str, came_true: str) -> str:
    """Say how often something came true, how often it should have, and the standard score."""
    residual = (rows[came_true] - rows[claimed]).groupby(rows["world"]).sum()
    error = float(np.sqrt((residual**2).sum()))
    z = residual.sum() / error if error > 0 else 0.0
    return (
        f"{rows[claimed].mean():.3f} | {rows[came_true].mean():.3f} | "
        f"{error / len(rows):.3f} | {z:+.1f}"
    )


def report(pairs: pd.DataFrame, per_world: pd.DataFrame) -> None:
    """Print the tables."""
    print("| claimed P | pairs | mean claim | came true | standard error | z |")
    print("|---|---|---|---|---|---|")
    for low, high in itertools.pairwise(BINS):
        held = (pairs["prob"] >= low) & (pairs["prob"] < high + (high == 1.0))
        if held.any():
            line = clustered(pairs[held], "prob", "right")
            print(f"| {low:g} to {high:g} | {held.sum():,} | {line} |")
    print(f"| all | {len(pairs):,} | {clustered(pairs, 'prob', 'right')} |")
    print(f"| within 10% | {len(pairs):,} | {clustered(pairs, 'prob_equal', 'is_equal')} |")
    for claimed, came_true, what in (
        ("p_leader", "leader_best", "leader is best"),
        ("set_prob", "set_holds", "set holds the best"),
        ("loss", "realised", "loss of the leader, over the mean"),
    ):
        print(f"| {what} | {len(per_world)} | {clustered(per_world, claimed, came_true)} |")
    ordered = pairs[pairs["conclusion"].isin([Conclusion.GREATER, Conclusion.LESS])]
    equal = pairs[pairs["conclusion"] == Conclusion.EQUAL]
    print(
        f"put in order {len(ordered):,} ({len(ordered) / len(pairs):.0%}), wrongly "
        f"{(1 - ordered['right']).sum():g}, expected {per_world['expected_errors'].sum():.1f}; "
        f"practically equal {len(equal):,}, rightly {equal['is_equal'].sum():,}; "
        f"set of {per_world['set_size'].mean():.1f} on average"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--scenario", choices=list(OPTIONS), default="hcp_brick")
    parser.add_argument("--sabotage", action="store_true")
    chosen = parser.parse_args()
    start = time.perf_counter()
    tables = simulate(chosen.scenario, seed=1, options=OPTIONS[chosen.scenario])
    data, spec = tables.build_data(POOLING[chosen.scenario]), spec_of(chosen.scenario)
    refitter = Refitter(data, spec)
    found: dict[str, tuple[list[pd.DataFrame], list[dict[str, Any]]]] = {
        "rate": ([], []),
        "amount": ([], []),
    }
    worst_ess, divergences = np.inf, 0
    for i, world in enumerate(worlds(data, spec, chosen.worlds)):
        fit = refitter.fit(world.data, seed=i)
        rate = fit.draws(names.RATE)
        log_rate = np.log(fit.posterior[names.RATE].to_numpy())
        ess = array_stats.ess(log_rate, method="bulk", chain_axis=0, draw_axis=1)
        worst_ess = min(worst_ess, float(np.min(ess)))
        divergences += int(fit.sample_stats["diverging"].sum())
        if chosen.sabotage:
            centre = np.log(rate).mean(axis=1, keepdims=True)
            rate = np.exp(centre + 0.5 * (np.log(rate) - centre))
        noise = noise_draws(fit, world.data, spec)
        amount = entity_amounts(world.data, spec, rate, noise, seed=i)
        for what, draws, truth in (("rate", rate, world.rate), ("amount", amount, world.amount)):
            rows, row = score(draws, truth, i)
            found[what][0].append(rows)
            found[what][1].append(row)
    print(
        f"{chosen.worlds} worlds of {chosen.scenario}{', sabotaged' * chosen.sabotage}: "
        f"{data.n_entities} entities, {data.n_aggregates} aggregates; {CHAINS} chains of {DRAWS}; "
        f"smallest ESS of a log rate {worst_ess:.0f}, {divergences} divergences; "
        f"{time.perf_counter() - start:.0f} s"
    )
    for what, (rows, per_world) in found.items():
        print(f"\n{what}")
        report(pd.concat(rows, ignore_index=True), pd.DataFrame(per_world))


if __name__ == "__main__":
    main()
