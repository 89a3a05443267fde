"""Of pairs called better with probability .8 to .9, are 80 to 90% truly better? docs/comparing.md.

Every world has the exposures of one simulated data set (`hcp_brick` or `mmm_to_mta`), and rates and
totals drawn from the spec's own prior, so that its posterior ought to be calibrated. A model is
compiled once for each geometry and refitted to the totals of one world after the other. Worlds
whose fit does not converge are left out, as `compare` refuses them: the data decide on that and not
the truth, so what remains ought to be calibrated all the same. Pairs of a world share its rates, so
standard errors are those of sums over worlds; as errors come in clumps, the scores of one pair from
each world are the safer ones. With `--sabotage` rates of the posterior are drawn
together around their mean, by half, as a model would do that is too sure of itself.

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

from bayes_attrib import names
from bayes_attrib.attribution import allocation_rng, draw_grains, grain_of
from bayes_attrib.attribution.comparison import ComparisonRule, compare_draws
from bayes_attrib.attribution.pairwise import Conclusion
from bayes_attrib.inference import (
    Diagnostics,
    ExpectedDraws,
    PosteriorFit,
    noise_draws,
    sample_prior,
    sampling_checks,
)
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.families import get_family
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import ModelSpec, parse_plain

FloatArray = npt.NDArray[np.float64]

DRAWS, TUNE, CHAINS = 500, 500, 4
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


def worlds(data: AggregateData, spec: ModelSpec, n_worlds: int, seed: int) -> Iterator[World]:
    """Yield worlds of the prior: its rates, its totals, and amounts given both."""
    prior = sample_prior(data, spec, draws=n_worlds, seed=seed)
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
    """Compiled models, fitted to the totals of one world after the other."""

    def __init__(self, data: AggregateData, spec: ModelSpec) -> None:
        self._template, self._spec = data, spec
        self._compiled: dict[str, Any] = {}

    def fit(self, data: AggregateData, seed: int) -> PosteriorFit:
        """Sample; the scale of the prior stays that of the template, as in the worlds."""
        totals = data.totals[data.is_exposed]
        counts = self._spec.likelihood.counts
        tree = nutpie.sample(
            self._model(data).with_data(
                observed_total=totals.astype(np.int64) if counts else totals
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

    def _model(self, data: AggregateData) -> Any:
        geometry = choose_geometry(data, self._spec)
        key = repr((geometry.entity, sorted(geometry.groups.items())))
        if key not in self._compiled:
            model = build_model(self._template, self._spec, geometry)
            self._compiled[key] = nutpie.compile_pymc_model(model)
        return self._compiled[key]


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
    return _scored(rows, claimed, came_true, float(np.sqrt((residual**2).sum())))


def independent(rows: pd.DataFrame, claimed: str, came_true: str) -> str:
    """Say the same of one row for each world: trials whose variance is known."""
    error = np.sqrt((rows[claimed] * (1 - rows[claimed])).sum())
    return _scored(rows, claimed, came_true, float(error))


def _scored(rows: pd.DataFrame, claimed: str, came_true: str, error: float) -> str:
    residual = (rows[came_true] - rows[claimed]).sum()
    z = f"{residual / error:+.1f}" if error > 0 else "none"  # claims of certainty alone
    return (
        f"{rows[claimed].mean():.3f} | {rows[came_true].mean():.3f} | {error / len(rows):.3f} | {z}"
    )


def one_each(rows: pd.DataFrame) -> str:
    """Take one pair of each world, blindly."""
    one = rows.sample(frac=1.0, random_state=0).drop_duplicates("world")
    return f"{len(one)} | {independent(one, 'prob', 'right').rpartition('| ')[2]}"


def report(pairs: pd.DataFrame, per_world: pd.DataFrame) -> None:
    """Print the tables."""
    print(
        "| claimed | pairs | mean claim | came true | standard error | z | worlds | z of one each |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for low, high in itertools.pairwise(BINS):
        held = (pairs["prob"] >= low) & (pairs["prob"] < high + (high == 1.0))
        if held.any():
            line = clustered(pairs[held], "prob", "right")
            print(f"| {low:g} to {high:g} | {held.sum():,} | {line} | {one_each(pairs[held])} |")
    print(f"| all | {len(pairs):,} | {clustered(pairs, 'prob', 'right')} |")
    print(f"| within 10% | {len(pairs):,} | {clustered(pairs, 'prob_equal', 'is_equal')} |")
    n_worlds = len(per_world)
    for claimed, came_true, what in (
        ("p_leader", "leader_best", "leader is best"),
        ("set_prob", "set_holds", "set holds the best"),
    ):
        print(f"| {what} | {n_worlds} | {independent(per_world, claimed, came_true)} |")
    losses = clustered(per_world, "loss", "realised")
    print(f"| loss of the leader, over the mean | {n_worlds} | {losses} |")
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
    parser.add_argument("--seed", type=int, default=1, help="of the worlds")
    chosen = parser.parse_args()
    start = time.perf_counter()
    tables = simulate(chosen.scenario, seed=1, options=OPTIONS[chosen.scenario])
    data, spec = tables.build_data(POOLING[chosen.scenario]), spec_of(chosen.scenario)
    refitter = Refitter(data, spec)
    # Rates relative to each other are what is compared; checks look at these as shares.
    found: dict[str, tuple[list[pd.DataFrame], list[dict[str, Any]]]] = {
        "rate": ([], []),
        "amount": ([], []),
    }
    verdicts: list[str] = []
    for i, world in enumerate(worlds(data, spec, chosen.worlds, chosen.seed)):
        fit = refitter.fit(world.data, seed=i)
        rate = fit.draws(names.RATE)
        shares = rate / rate.sum(axis=0)
        checks = sampling_checks(fit, spec.parameters, np.arange(data.n_entities), shares)
        verdicts.append(Diagnostics(checks).verdict)
        if verdicts[-1] == "not_converged":
            continue
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
        f"verdicts {pd.Series(verdicts).value_counts().to_dict()}; "
        f"{time.perf_counter() - start:.0f} s"
    )
    for what, (rows, per_world) in found.items():
        print(f"\n{what}")
        report(pd.concat(rows, ignore_index=True), pd.DataFrame(per_world))


if __name__ == "__main__":
    main()
