"""Lift tests: calibration of fits and of the conflict check; what covariates of a platform add.

Usage: python benchmarks/lift_tests.py [--worlds 150] [--out benchmarks/results/lift_tests.json]

``calibration``: truth is drawn from priors that the spec holds, totals and tests from the truth.
Intervals of 94% should hold the truth in 94% of worlds, with the tests and without, and the
conflict check should warn in 1% of them. A conflict is then planted: an increment is moved.

``allocation``: in families whose amounts vary given their totals, rates know a test and amounts do
not. Weights make draws of amounts that know it, for comparison.

``covariates``: conversions that a platform reports per unit of exposure, related to rates more or
less closely, as a covariate of the rate.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy import stats

from bayes_attrib.attribution import summarise
from bayes_attrib.inference import (
    ExpectedDraws,
    PosteriorFit,
    SamplerSettings,
    expected_draws,
    fit_nuts,
    noise_draws,
)
from bayes_attrib.inference.laplace import LaplaceSettings, fit_laplace
from bayes_attrib.inference.lift_moments import lift_moments
from bayes_attrib.inference.lift_reference import LiftReference
from bayes_attrib.inference.lift_summary import judge_tests
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.lift_test import LiftTest
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.families import Cells, get_family
from bayes_attrib.model.structure import describe_structure
from bayes_attrib.spec import ModelSpec, parse_plain
from bayes_attrib.spec.schema import IntervalSpec
from bayes_attrib.workflow.lift_reference import expected_amounts_of

N_ENTITIES, N_WEEKS = 6, 26
INTERVAL = IntervalSpec(kind="eti", prob=0.94)
SPREAD, ALPHA = 0.6, 40.0
RELATIVE_ERROR = 0.15


def make_spec(family: str, **rates: Any) -> ModelSpec:
    """A spec whose priors are those that worlds are drawn from, as far as they are parameters."""
    return parse_plain(
        {
            "schema_version": 1,
            "name": "lift",
            "columns": {"aggregate": "week", "entity": "campaign"},
            "likelihood": {"family": family},
            "rates": {"geometry": {"entity": "noncentered"}, **rates},
            "priors": {"sigma_entity": {"dist": "HalfNormal", "sigma": 0.8}},
        },
        source="benchmark",
    )


def make_world(
    rng: np.random.Generator, family: str, size: float = 100.0
) -> tuple[AggregateData, Any]:
    """Six campaigns, of which the first two are always on in the same measure."""
    sigma = abs(rng.normal(0.0, 0.8))
    log_rate = np.log(size) + sigma * rng.standard_normal(N_ENTITIES)
    exposure = rng.gamma(2.0, 0.5, (N_WEEKS, N_ENTITIES))
    exposure[:, 1] = exposure[:, 0]
    mu = exposure * np.exp(log_rate)
    if family == "gamma":
        amounts = mu * rng.gamma(ALPHA, 1 / ALPHA, N_WEEKS)[:, np.newaxis]
    else:
        amounts = rng.poisson(mu).astype(np.float64)
    data = AggregateData(
        aggregate_keys=pd.DataFrame({"week": [f"{w:02d}" for w in range(N_WEEKS)]}),
        totals=amounts.sum(axis=1),
        entity_key="campaign",
        entity_names=np.array([f"c{e}" for e in range(N_ENTITIES)], dtype=object),
        exposure=sp.csr_array(exposure),
        truth=amounts.ravel(),
    )
    return data, amounts


def with_tests(data: AggregateData, amounts: Any, rng: np.random.Generator) -> AggregateData:
    """The first campaign was off for ten weeks, the fourth for other eight."""
    tests = []
    for name, entity, weeks in (("first", 0, range(10)), ("fourth", 3, range(12, 20))):
        true = float(amounts[list(weeks), entity].sum())
        error = RELATIVE_ERROR * float(data.totals[list(weeks)].sum()) / N_ENTITIES
        edges = np.array([week * N_ENTITIES + entity for week in weeks])
        measured = true + error * rng.standard_normal()
        tests.append(LiftTest(name, "", "", "", measured, error, 1.0, edges))
    return replace(data, lift_tests=tuple(tests))


def fit(data: AggregateData, spec: ModelSpec, seed: int) -> PosteriorFit:
    """Sample, with compiled code that is used again."""
    geometry = choose_geometry(data, spec)
    model = build_model(data, spec, geometry)
    settings = SamplerSettings(draws=500, tune=400, chains=2, seed=seed, target_accept=0.9)
    structure = describe_structure(data, spec, geometry)
    return fit_nuts(model, settings, structure=structure, cores=1)


def share_of(expected: ExpectedDraws) -> Any:
    """Draws of shares of the grand total, shape (n_entities, n_draws)."""
    return expected_amounts_of(expected).rows(slice(None)) / expected.data.grand_total


def judged(
    fitted: PosteriorFit, without: PosteriorFit, data: AggregateData, spec: ModelSpec
) -> Any:
    """Hold the tests against a fit without them."""
    moments = [
        lift_moments(expected_draws(f, data, spec), spec, noise_draws(f, data, spec))
        for f in (fitted, without)
    ]
    n, ones = without.n_draws, np.ones(data.n_entities)
    equal = np.full(n, -np.log(n))
    reference = LiftReference("refit", 0.0, moments[1], equal, 2, ones, ones)
    return judge_tests(data, moments[0], reference, INTERVAL.prob)


def try_world(seed: int, world: int) -> dict[str, Any]:
    """Fit one world with its tests and without, and hold the tests against the latter."""
    spec, rng = make_spec("gamma"), np.random.default_rng([seed, world])
    bare, amounts = make_world(rng, "gamma")
    data = with_tests(bare, amounts, rng)
    true = amounts.sum(axis=0) / amounts.sum()
    fits = {"with": fit(data, spec, world), "without": fit(bare, spec, world)}
    spans, covered = {}, {}
    for kind, found in fits.items():
        summary = summarise(share_of(expected_draws(found, data, spec)), INTERVAL)
        covered[kind] = ((summary.lower <= true) & (true <= summary.upper)).tolist()
        spans[kind] = summary.upper - summary.lower
    found_tests = judged(fits["with"], fits["without"], data, spec)
    planted = {}
    for factor in (2.0, 3.0):
        first = data.lift_tests[0]
        moved = replace(first, increment=factor * first.increment)
        other = replace(data, lift_tests=(moved, data.lift_tests[1]))
        seen = judged(fits["with"], fits["without"], other, spec)
        planted[f"{factor:g}"] = seen[0].by_model.tail
    return {
        "covered": covered,
        "widths": (spans["with"] / spans["without"]).tolist(),
        "tails": [j.by_model.tail for j in found_tests],
        "others": [j.by_others.tail for j in found_tests if j.by_others is not None],
        "planted": planted,
    }


def calibrate(n_worlds: int, seed: int, kept: Path | None) -> dict[str, Any]:
    """Coverage of shares, false alarms of the check, and its power."""
    lines = kept.read_text().splitlines() if kept is not None and kept.exists() else []
    worlds = [json.loads(line) for line in lines][:n_worlds]
    for world in range(len(worlds), n_worlds):
        worlds.append(try_world(seed, world))
        if kept is not None:
            with kept.open("a") as file:
                file.write(json.dumps(worlds[-1]) + "\n")
    tails = np.concatenate([w["tails"] for w in worlds])
    others = np.concatenate([w["others"] for w in worlds])
    low, high = stats.binom.ppf([0.005, 0.995], n_worlds, INTERVAL.prob) / n_worlds
    return {
        "worlds": n_worlds,
        "interval": INTERVAL.prob,
        "binomial_band_99": [float(low), float(high)],
        "coverage": {
            kind: np.mean([w["covered"][kind] for w in worlds], axis=0).tolist()
            for kind in ("with", "without")
        },
        "median_width_ratio": np.median([w["widths"] for w in worlds], axis=0).tolist(),
        "tails_below": {f"{p:g}": int(np.sum(tails < p)) for p in (0.01, 0.05, 0.1, 0.5)},
        "tails": len(tails),
        "given_the_other_below": {f"{p:g}": int(np.sum(others < p)) for p in (0.01, 0.1, 0.5)},
        "given_the_other": len(others),
        "planted_found": {
            factor: int(sum(w["planted"][factor] < 0.01 for w in worlds)) for factor in ("2", "3")
        },
    }


def compare_allocation(seed: int) -> list[dict[str, float]]:
    """Amounts that know a test beside amounts that do not, by weights, for counts."""
    spec, rows = make_spec("poisson"), []
    for share in (0.25, 0.5, 1.0, 2.0, 4.0):
        rng = np.random.default_rng([seed, 7])
        data, amounts = make_world(rng, "poisson", size=20.0)
        edges = np.arange(10) * N_ENTITIES
        true = float(amounts[:10, 0].sum())
        part = true / data.totals[:10].sum()
        own = float(np.sqrt(data.totals[:10].sum() * part * (1 - part)))
        test = LiftTest("t", "", "", "", true + share * own, share * own, 1.0, edges)
        tested = replace(data, lift_tests=(test,))
        found = fit(tested, spec, 5)
        mean = expected_draws(found, tested, spec)
        law = lift_moments(mean, spec, {})
        amount = _window_amount(mean, spec, edges, rng)
        weights = stats.norm.pdf(test.increment, amount, test.standard_error)
        weights /= np.exp(law.log_density(np.array([test.increment]))[0])
        weights /= weights.sum()
        know = weights @ amount
        sd = np.sqrt(weights @ (amount - know) ** 2)
        rows.append(
            {
                "error_over_allocation_sd": share,
                "mean_gap_in_sds": float((amount.mean() - know) / sd),
                "sd_ratio": float(amount.std() / sd),
                "effective_draws": float(1 / np.sum(weights**2)),
            }
        )
    return rows


def _window_amount(mean: ExpectedDraws, spec: ModelSpec, edges: Any, rng: Any) -> Any:
    data, family = mean.data, get_family(spec.likelihood)
    cells = Cells(data.totals, data.exposure.indptr, mean.amounts(slice(0, data.n_edges)))
    return family.draw_amounts(cells, {}, rng)[edges].sum(axis=0)


def compare_covariates(n_worlds: int, seed: int) -> list[dict[str, float]]:
    """Error of shares with and without conversions that a platform reports."""
    rows = []
    for correlation in (0.0, 0.5, 0.8, 0.95):
        errors: dict[str, list[float]] = {"without": [], "with": []}
        inside = {"without": 0, "with": 0}
        for world in range(n_worlds):
            rng = np.random.default_rng([seed, 11, world])
            z = rng.standard_normal(20)
            log_rate = 4 + 0.6 * (
                correlation * z + np.sqrt(1 - correlation**2) * rng.standard_normal(20)
            )
            exposure = rng.gamma(1.0, 1.0, (20, 20)) * (rng.random((20, 20)) < 0.6)
            exposure[:, 0] += 0.1
            amounts = exposure * np.exp(log_rate) * rng.gamma(ALPHA, 1 / ALPHA, 20)[:, np.newaxis]
            stored = sp.csr_array(exposure)
            data = AggregateData(
                aggregate_keys=pd.DataFrame({"week": [f"{w:02d}" for w in range(20)]}),
                totals=amounts.sum(axis=1),
                entity_key="campaign",
                entity_names=np.array([f"c{e:02d}" for e in range(20)], dtype=object),
                exposure=stored,
                entity_covariates=pd.DataFrame({"conversion_rate": np.exp(-4 + 0.5 * z)}),
            )
            true = amounts.sum(axis=0) / amounts.sum()
            for kind, rates in (
                ("without", {}),
                ("with", {"covariates": "log(conversion_rate)"}),
            ):
                spec = make_spec("gamma", **rates)
                given = data if rates else replace(data, entity_covariates=None)
                found = fit_laplace(given, spec, LaplaceSettings(draws=1000, seed=world))
                share = share_of(expected_draws(found, given, spec))
                errors[kind].append(float(np.mean(np.abs(share.mean(axis=1) - true))))
                summary = summarise(share, INTERVAL)
                inside[kind] += int(np.sum((summary.lower <= true) & (true <= summary.upper)))
        gap = np.array(errors["with"]) - np.array(errors["without"])
        rows.append(
            {
                "correlation": correlation,
                "worlds": n_worlds,
                "share_mae_without": float(np.mean(errors["without"])),
                "share_mae_with": float(np.mean(errors["with"])),
                "gap_standard_error": float(gap.std(ddof=1) / np.sqrt(n_worlds)),
                "coverage_without": inside["without"] / (20 * n_worlds),
                "coverage_with": inside["with"] / (20 * n_worlds),
            }
        )
    return rows


def main() -> None:
    """Run all three parts and write their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("calibration", "allocation", "covariates"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/lift_tests.json"))
    parser.add_argument("--kept", type=Path, help="file that keeps worlds, to go on with later")
    args = parser.parse_args()
    known = json.loads(args.out.read_text()) if args.out.exists() else {}
    parts = {
        "calibration": lambda: calibrate(args.worlds, args.seed, args.kept),
        "allocation": lambda: compare_allocation(args.seed),
        "covariates": lambda: compare_covariates(max(2, args.worlds // 5), args.seed),
    }
    for name, part in parts.items():
        if args.only in {None, name}:
            known[name] = part()
            print(json.dumps({name: known[name]}, indent=1))
    args.out.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
