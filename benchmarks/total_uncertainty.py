"""What is gained by treating totals as estimates, what it costs, and whether refits are right.

Worlds of two channels with campaigns. A mix model is made up for each: its estimate of every total
misses the truth by an error that is partly common to a channel, and its draws scatter around the
estimate as the error itself does, so the mix model is calibrated. Run by hand:

    python benchmarks/total_uncertainty.py --part timing     (or perfect, noisy, short, coverage)

Each part writes its figures to ``benchmarks/results/total_uncertainty.json``, which holds all
parts. Seconds are of processor time, of runs in turn.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.stats import beta

from bayes_attrib.attribution import AttributionResult, allocation_rng, attribute
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.inference import PosteriorFit, expected_draws, noise_draws
from bayes_attrib.inference.given_totals import draws_of_totals
from bayes_attrib.inference.refits import TUNE, draws_per_refit
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import Grouping
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec, parse_plain
from bayes_attrib.workflow.methods import METHODS, FitJob
from bayes_attrib.workflow.methods.sampling import sampler_settings
from bayes_attrib.workflow.totals import sample_with_totals

RESULTS = Path(__file__).parent / "results" / "total_uncertainty.json"
TREATMENTS = ("plugin", "paired", "cut")
N_MMM = 2000
COMMON = 0.7
"""Part of the variance of the mix model's error that a channel's periods share."""


def spec_of(treatment: str, *, refits: int = 50, **inference: Any) -> ModelSpec:
    """Gamma totals, rates pooled within channels."""
    return parse_plain(
        {
            "schema_version": 1,
            "name": "totals",
            "columns": {"aggregate": ["aggregate"], "entity": "entity"},
            "likelihood": {"family": "gamma"},
            "rates": {"pooling": ["channel"]},
            "totals": {"uncertainty": treatment, "draws": refits},
            "inference": inference,
        },
        source="benchmark",
    )


def world(seed: int, *, cv: float, periods: int, campaigns: int) -> AggregateData:
    """Two channels; truth, the mix model's estimates as totals, and its draws."""
    rng = np.random.default_rng([seed, 77])
    n, n_entities = 2 * periods, 2 * campaigns
    rate = np.exp(0.5 * rng.standard_normal(n_entities))
    exposure = np.zeros((n, n_entities))
    for c in range(2):
        rows = slice(c * periods, (c + 1) * periods)
        columns = slice(c * campaigns, (c + 1) * campaigns)
        delivered = rng.gamma(1.5, 40.0, (periods, campaigns))
        exposure[rows, columns] = delivered * (rng.random((periods, campaigns)) < 0.7)
        exposure[rows, c * campaigns] = np.maximum(exposure[rows, c * campaigns], 1.0)
    mu = exposure * rate
    truth = mu * rng.gamma(50.0, 1 / 50.0, (n, 1))
    sd = np.sqrt(np.log1p(cv**2))

    def errors(size: int) -> np.ndarray:
        shared = np.repeat(rng.standard_normal((2, size)), periods, axis=0)
        own = rng.standard_normal((n, size))
        return sd * (np.sqrt(COMMON) * shared + np.sqrt(1 - COMMON) * own)

    estimate = truth.sum(axis=1, keepdims=True) * np.exp(errors(1))
    drawn = estimate * np.exp(errors(N_MMM))
    channel = np.repeat(["tv", "web"], campaigns)
    return AggregateData(
        aggregate_keys=pd.DataFrame({"aggregate": [f"b{i}" for i in range(n)]}),
        totals=drawn.mean(axis=1),
        entity_key="entity",
        entity_names=np.array([f"e{i}" for i in range(n_entities)], dtype=object),
        exposure=sp.csr_array(exposure),
        groupings={"channel": Grouping.from_labels("channel", channel)},
        truth=truth[exposure > 0],
        total_draws=DrawnTotals(drawn),
    )


def fitted(data: AggregateData, spec: ModelSpec) -> PosteriorFit:
    """Fit as a run does."""
    return sample_with_totals(METHODS["nuts"], FitJob(data, spec))


def tables(fit: PosteriorFit, data: AggregateData, spec: ModelSpec) -> AttributionResult:
    """Tables as a run makes them."""
    return attribute(
        expected_draws(fit, data, spec),
        get_family(spec.likelihood),
        noise_draws(fit, data, spec),
        baselines={"em": fit_em(data), "proportional": fit_proportional(data)},
        interval=spec.report.interval,
        rng=allocation_rng(spec.inference.seed),
        variance=True,
    )


SIZES = {
    "40 totals, 8 campaigns": {"periods": 20, "campaigns": 4},
    "208 totals, 24 campaigns": {"periods": 104, "campaigns": 12},
    "520 totals, 80 campaigns": {"periods": 260, "campaigns": 40},
}


def timing(known: dict[str, Any], chosen: Sequence[str], rounds: int) -> dict[str, Any]:
    """One fit and 50 refits in turn; sizes that are not chosen keep the figures they have."""
    found = dict(known)
    for label in chosen:
        size = SIZES[label]
        data = world(3, cv=0.3, **size)
        specs = {t: spec_of(t) for t in ("plugin", "cut")}
        for spec in specs.values():  # whatever is compiled once
            fitted(data, spec)
        seconds: dict[str, list[float]] = {t: [] for t in specs}
        walls: dict[str, list[float]] = {t: [] for t in specs}
        steps = {}
        for _ in range(rounds):
            for treatment, spec in specs.items():
                wall, start = time.perf_counter(), time.process_time()
                fit = fitted(data, spec)
                seconds[treatment].append(time.process_time() - start)
                walls[treatment].append(time.perf_counter() - wall)
                steps[treatment] = float(fit.sample_stats["n_steps"].mean())
        settings = sampler_settings(specs["cut"])
        per_chain = 50 * (TUNE + draws_per_refit(settings, 50))
        found[label] = {
            "seconds_of_one_fit": float(np.median(seconds["plugin"])),
            "seconds_of_cut_with_50_refits": float(np.median(seconds["cut"])),
            "ratio": float(np.median(seconds["cut"]) / np.median(seconds["plugin"])),
            "wall_seconds": {t: float(np.median(w)) for t, w in walls.items()},
            "gradients_per_draw": steps,
            "draws_and_tuning_per_chain": {
                "plugin": settings.draws + settings.tune,
                "cut": per_chain,
            },
        }
    return found


def agreement(cv: float, n_refits: int) -> dict[str, Any]:
    """Means and sds of amounts, cut against paired, and both against plugin."""
    data = world(5, cv=cv, periods=52, campaigns=6)
    longer = {"draws": 4000, "tune": 500}
    made = {
        t: tables(fitted(data, spec := spec_of(t, refits=n_refits, **longer)), data, spec).table
        for t in TREATMENTS
    }
    rows = made["plugin"]["level"] == "entity"
    mean = {t: made[t].loc[rows, "amount_mean"].to_numpy() for t in made}
    sd = {t: made[t].loc[rows, "amount_sd"].to_numpy() for t in made}
    # A mean over refits has no smaller error than that of so many draws of the totals.
    error = np.hypot(sd["cut"] / np.sqrt(n_refits), sd["paired"] / np.sqrt(N_MMM))
    if cv < 0.01:  # rates make all of the spread: effective draws are in the thousands
        error = sd["paired"] * np.sqrt(2 / 4000)
    return {
        "cv_of_totals": cv,
        "refits": n_refits,
        "difference_of_means_in_standard_errors": {
            "largest": float(np.max(np.abs(mean["cut"] - mean["paired"]) / error)),
            "rms": _rms((mean["cut"] - mean["paired"]) / error),
        },
        "difference_of_means_in_sds_of_cut_rms": _rms((mean["cut"] - mean["paired"]) / sd["cut"]),
        "sd_of_cut_over_paired": _range(sd["cut"] / sd["paired"]),
        "sd_of_paired_over_plugin": _range(sd["paired"] / sd["plugin"]),
    }


def short() -> dict[str, Any]:
    """Short refits, as a run makes them, against long ones to the same draws of the totals."""
    data = world(6, cv=0.3, periods=52, campaigns=6)
    found: dict[str, tuple[PosteriorFit, ModelSpec]] = {}
    for label, draws in (("short", 1000), ("long", 20_000)):
        spec = spec_of("cut", **spec_sizes(draws, seed=2 if label == "long" else 1))
        found[label] = (fitted(data, spec), spec)
    moments = {}
    for label, (fit, _) in found.items():
        refit = draws_of_totals(fit)
        values = np.log(fit.rate_array().astype(np.float64))
        grouped = values.reshape(len(values), fit.n_chains, 50, -1)
        if not np.array_equal(refit.reshape(fit.n_chains, 50, -1)[0, :, 0], np.arange(50)):
            raise AssertionError("draws are refit by refit in each chain")
        chain_means = grouped.mean(axis=3)  # (entity, chain, refit)
        moments[label] = (
            chain_means.mean(axis=1),
            chain_means.std(axis=1, ddof=1) / np.sqrt(fit.n_chains),
            grouped.std(axis=(1, 3)),
        )
    (a, error_a, sd_a), (b, error_b, sd_b) = moments["short"], moments["long"]
    pooled = np.sqrt(np.mean(error_a**2 + error_b**2, axis=1) / 50)
    scores = (a - b).mean(axis=1) / pooled
    return {
        "draws_of_a_chain_of_a_refit": {"short": 20, "long": 400},
        "mean_log_rates_over_refits_in_standard_errors": {
            "largest": float(np.max(np.abs(scores))),
            "rms": _rms(scores),
            "entities": len(scores),
        },
        "standard_error_in_posterior_sds": float(np.mean(pooled / sd_b.mean(axis=1))),
        "sd_within_refits_short_over_long": _range((sd_a.mean(axis=1)) / sd_b.mean(axis=1)),
    }


def spec_sizes(draws: int, seed: int) -> dict[str, int]:
    """Sizes of a fit."""
    return {"draws": draws, "tune": 500, "chains": 4, "seed": seed}


def coverage(n_worlds: int) -> dict[str, Any]:
    """How often 94% intervals hold the true amounts, over worlds with calibrated mix models."""
    hits: dict[str, dict[str, list[bool]]] = {t: {"entity": [], "channel": []} for t in TREATMENTS}
    widths: dict[str, list[float]] = {t: [] for t in TREATMENTS}
    errors: dict[str, list[float]] = {t: [] for t in TREATMENTS}
    for seed in range(n_worlds):
        data = world(1000 + seed, cv=0.3, periods=26, campaigns=4)
        if data.truth is None:
            raise AssertionError("worlds know the truth")
        truth = data.sum_to_entities(data.truth)
        by_channel = data.groupings["channel"].indicator @ truth
        for treatment in TREATMENTS:
            spec = spec_of(treatment, **spec_sizes(500, seed=seed))
            table = tables(fitted(data, spec), data, spec).table
            for level, wanted in (("entity", truth), ("channel", by_channel)):
                rows = table[table["level"] == level]
                inside = (rows["amount_lower"] <= wanted) & (wanted <= rows["amount_upper"])
                hits[treatment][level] += inside.tolist()
                if level == "entity":
                    width = rows["amount_upper"] - rows["amount_lower"]
                    widths[treatment].append(float(np.mean(width / wanted)))
                    miss = np.abs(rows["amount_mean"] - wanted).sum() / wanted.sum()
                    errors[treatment].append(float(miss))
    return {
        "worlds": n_worlds,
        "cv_of_totals": 0.3,
        "nominal": 0.94,
        **{
            t: {
                **{level: _coverage(inside) for level, inside in levels.items()},
                "mean_width_over_amount": float(np.mean(widths[t])),
                "error_of_means": float(np.mean(errors[t])),
            }
            for t, levels in hits.items()
        },
    }


def _coverage(inside: list[bool]) -> dict[str, float]:
    """Fraction, and its 95% interval as if intervals of one world were independent."""
    n, k = len(inside), int(np.sum(inside))
    lower, upper = beta.ppf([0.025, 0.975], [k + 1e-9, k + 1], [n - k + 1, n - k + 1e-9])
    return {"n": n, "covered": k / n, "lower": float(lower), "upper": float(upper)}


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _range(values: np.ndarray) -> dict[str, float]:
    return {
        "smallest": float(values.min()),
        "median": float(np.median(values)),
        "largest": float(values.max()),
    }


def main() -> None:
    """Run the parts that were asked for and keep their figures."""
    parts: Mapping[str, Callable[[], dict[str, Any]]] = {
        "timing": lambda: timing(found.get("timing", {}), arguments.sizes, arguments.rounds),
        "perfect": lambda: agreement(0.001, 200),
        "noisy": lambda: agreement(0.4, 200),
        "short": short,
        "coverage": lambda: coverage(arguments.worlds),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*parts, "all"], default="all")
    parser.add_argument("--sizes", nargs="*", choices=[*SIZES], default=[*SIZES])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worlds", type=int, default=40)
    arguments = parser.parse_args()
    wanted = arguments.part
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name, measure in parts.items():
        if wanted in {name, "all"}:
            found[name] = measure()
            RESULTS.write_text(json.dumps(found, indent=2) + "\n")
            print(json.dumps({name: found[name]}, indent=2))


if __name__ == "__main__":
    main()
