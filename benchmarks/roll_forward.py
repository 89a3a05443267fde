"""Rolling a fit forward: false alarms, power, and weighted draws beside a true refit.

Worlds of 12 campaigns in 2 channels, 52 weeks to fit and 4 to follow; the total of a channel and
week is gamma about rate times exposure. Every world is fitted once by NUTS (the settings below),
then meets several futures:

- ``none``: nothing has changed. Verdicts other than "ok" by the joint test are false alarms; their
  number must lie in the binomial band of the stated rates.
- ``campaign``: the rate of the largest campaign is multiplied by 1.5.
- ``all``: all rates are multiplied by 1.3.
- ``new``: three campaigns that the fit has never seen take part of the exposure.

In some worlds the model is fitted anew to all 56 weeks, and shares of the new weeks are compared
with those of the weighted draws, in Monte-Carlo standard errors of the difference.

    python benchmarks/roll_forward.py --worlds 0:60 --out part.json
    python benchmarks/roll_forward.py --join part1.json part2.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom

from bayes_attrib import names
from bayes_attrib.attribution import attribute
from bayes_attrib.attribution.prediction import Source
from bayes_attrib.attribution.rolling import DriftReport, Rolled, check_drift, roll
from bayes_attrib.attribution.rolling.drift import REFIT_P, REFIT_SHIFT, WARN_P, WARN_SHIFT
from bayes_attrib.baselines import fit_proportional
from bayes_attrib.inference.constant_data import FittedData, constant_data
from bayes_attrib.inference.mixing import ess_bulk
from bayes_attrib.inputs import AggregateData, DataSource, read_tables
from bayes_attrib.inputs.following_tables import read_following_tables
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow.fit import fit_tables
from bayes_attrib.workflow.predict_run import known_names

RESULTS = Path(__file__).parent / "results" / "roll_forward.json"
N_WEEKS, N_NEW, PER_CHANNEL = 52, 4, 6
CHANNELS = ("Search", "Social")
SIGMA, CV = 0.5, 0.1
FUTURES = ("none", "campaign", "all", "new")

SPEC = parse_plain(
    {
        "schema_version": 1,
        "name": "roll_forward",
        "columns": {"aggregate": ["channel", "week"], "entity": "campaign"},
        "likelihood": {"family": "gamma", "level": "aggregate"},
        "inference": {"method": "nuts", "draws": 500, "tune": 500, "chains": 4},
    },
    source="benchmark",
)


def make_world(rng: np.random.Generator) -> pd.DataFrame:
    """Rates and exposures of all campaigns over all weeks, new campaigns included."""
    weeks = [f"2025-W{week + 1:02}" for week in range(N_WEEKS)]
    weeks += [f"2026-W{week + 1:02}" for week in range(N_NEW)]
    frames = []
    for channel in CHANNELS:
        for number in range(PER_CHANNEL):
            level = rng.lognormal(0.0, 0.4)
            frames.append(
                pd.DataFrame(
                    {
                        "channel": channel,
                        "week": weeks,
                        "campaign": f"{channel}_{number + 1}",
                        "exposure": level * rng.lognormal(0.0, 0.6, len(weeks)),
                        "rate": 50.0 * rng.lognormal(0.0, SIGMA),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def change(cells: pd.DataFrame, future: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return the new weeks as a future has them."""
    new = cells[cells["week"] >= "2026"].copy()
    if future == "campaign":
        amounts = (new["rate"] * new["exposure"]).groupby(new["campaign"]).sum()
        new.loc[new["campaign"] == amounts.idxmax(), "rate"] *= 1.5
    elif future == "all":
        new["rate"] *= 1.3
    elif future == "new":
        replaced = new["campaign"].isin([f"{CHANNELS[0]}_{number}" for number in (1, 2, 3)])
        names_of_new = new.loc[replaced, "campaign"] + "_next"
        rates = {name: 50.0 * rng.lognormal(0.0, SIGMA) for name in names_of_new.unique()}
        new.loc[replaced, "rate"] = names_of_new.map(rates)
        new.loc[replaced, "campaign"] = names_of_new
    return new


def write_tables(cells: pd.DataFrame, folder: Path, rng: np.random.Generator) -> DataSource:
    """Draw totals and write the two tables."""
    folder.mkdir()
    amount = cells["rate"] * cells["exposure"]
    expected = amount.groupby([cells["channel"], cells["week"]]).sum()
    shape = 1.0 / CV**2
    totals = (expected * rng.gamma(shape, 1.0 / shape, len(expected))).rename("total")
    totals.reset_index().to_csv(folder / "aggregates.csv", index=False)
    exposures = cells[["channel", "week", "campaign", "exposure"]]
    exposures.to_csv(folder / "exposures.csv", index=False)
    return DataSource(folder)


def judge_world(seed: int, folder: Path, *, refit: bool) -> dict:
    """Fit one world, and judge its futures."""
    rng = np.random.default_rng([20260, seed])
    cells = make_world(rng)
    old = cells[cells["week"] < "2026"]
    tables = read_tables(SPEC, write_tables(old, folder / "old", rng))
    fitted = fit_tables(tables, SPEC)
    constants = constant_data(tables.data, SPEC)
    source = Source(fitted.posterior, SPEC, FittedData.of(constants, SPEC))
    known = known_names(SPEC, source.data)
    found: dict = {"seed": seed, "futures": {}}
    for future in FUTURES:
        given = write_tables(change(cells, future, rng), folder / future, rng)
        new = read_following_tables(SPEC, given, known, ())
        rolled = roll(source, constants, new.tables, rng)
        result = attribute(
            rolled.mean,
            get_family(SPEC.likelihood),
            rolled.noise,
            baselines={"proportional": fit_proportional(rolled.data)},
            interval=SPEC.report.interval,
            rng=rng,
        )
        drift = check_drift(rolled, SPEC, result.expected_amounts, rng)
        found["futures"][future] = {
            "verdict": drift.outcome,
            "p_value": drift.surprise.p_value,
            "families": {test.family: test.p_value for test in drift.surprise.families},
            "pareto_k": drift.reweighted.pareto_k,
            "is_reliable": drift.reweighted.is_reliable,
            "largest_shift": float(drift.shifts["shift"].abs().max()),
            "reasons": {reason.code: reason.outcome for reason in drift.reasons},
        }
        if refit and future == "none":
            found["refit"] = compare_with_refit(folder, rolled, drift)
    return found


def compare_with_refit(folder: Path, rolled: Rolled, drift: DriftReport) -> dict:
    """Compare shares of the new weeks under weighted draws with those of a true refit."""
    both = folder / "both"
    both.mkdir()
    for name in ("aggregates.csv", "exposures.csv"):
        parts = [pd.read_csv(folder / part / name) for part in ("old", "none")]
        pd.concat(parts).to_csv(both / name, index=False)
    fitted = fit_tables(read_tables(SPEC, DataSource(both)), SPEC)
    again = fitted.posterior.posterior[names.RATE].sel(entity=list(rolled.data.entity_names))
    before = rolled.fit.posterior[names.RATE]
    shares = [_shares(rolled.data, draws.to_numpy()) for draws in (before, again)]
    weights = drift.reweighted.weights
    flat = [draws.reshape(-1, draws.shape[-1]).T for draws in shares]
    sizes = [ess_bulk(np.moveaxis(draws, -1, 0)) for draws in shares]
    weighted_mean = flat[0] @ weights
    weighted_sd = np.sqrt((flat[0] - weighted_mean[:, None]) ** 2 @ weights)
    effective = sizes[0] / flat[0].shape[1] / np.sum(weights**2)
    error = np.sqrt(weighted_sd**2 / effective + flat[1].std(axis=1) ** 2 / sizes[1])
    gap = weighted_mean - flat[1].mean(axis=1)
    return {
        "pareto_k": drift.reweighted.pareto_k,
        "z": (gap / error).tolist(),
        "gap_in_sd": (gap / flat[1].std(axis=1)).tolist(),
        "shift_in_sd": ((weighted_mean - flat[0].mean(axis=1)) / flat[0].std(axis=1)).tolist(),
        "true_shift_in_sd": (
            (flat[1].mean(axis=1) - flat[0].mean(axis=1)) / flat[0].std(axis=1)
        ).tolist(),
        "sd_ratio": (weighted_sd / flat[1].std(axis=1)).tolist(),
    }


def _shares(data: AggregateData, rates: np.ndarray) -> np.ndarray:
    """Expected shares of the new totals, shape (n_chains, n_draws, n_entities)."""
    shape, flat = rates.shape, rates.reshape(-1, rates.shape[-1])
    mu = data.exposure @ flat.T
    ratio = data.exposure.T @ (data.totals[:, None] / mu)
    return (flat * ratio.T / data.grand_total).reshape(shape)


def summarise_worlds(worlds: list[dict]) -> dict:
    """Rates of verdicts by future, with binomial bands of the false alarms."""
    n = len(worlds)
    summary: dict = {"n_worlds": n, "futures": {}}
    for future in FUTURES:
        rows = [world["futures"][future] for world in worlds]
        p = np.array([row["p_value"] for row in rows])
        summary["futures"][future] = {
            "joint_test_below_warn": int(np.sum(p < WARN_P)),
            "joint_test_below_refit": int(np.sum(p < REFIT_P)),
            "verdicts": {
                verdict: sum(_verdict(row) == verdict for row in rows)
                for verdict in ("ok", "warn", "refit")
            },
            "warned_by_shift_alone": sum(
                row["p_value"] >= WARN_P
                and row["is_reliable"]
                and row["largest_shift"] > WARN_SHIFT
                for row in rows
            ),
            "unreliable_weights": sum(not row["is_reliable"] for row in rows),
            "median_pareto_k": float(np.median([row["pareto_k"] for row in rows])),
            "largest_shift_quantiles": np.quantile(
                [row["largest_shift"] for row in rows], [0.5, 0.9, 0.99]
            ).tolist(),
        }
    summary["band_99"] = {
        str(rate): [int(binom.ppf(0.005, n, rate)), int(binom.ppf(0.995, n, rate))]
        for rate in (WARN_P, REFIT_P)
    }
    refits = [world["refit"] for world in worlds if "refit" in world]
    good = [r for r in refits if r["pareto_k"] <= 0.7]
    z = np.concatenate([r["z"] for r in good]) if good else np.zeros(0)
    summary["refits"] = {
        "n_worlds": len(refits),
        "n_good_pareto_k": len(good),
        "n_shares": len(z),
        "rms_z": float(np.sqrt(np.mean(z**2))),
        "largest_abs_z": float(np.abs(z).max()),
        "largest_gap_in_sd": float(np.abs(np.concatenate([r["gap_in_sd"] for r in good])).max()),
        "rms_true_shift_in_sd": float(
            np.sqrt(np.mean(np.concatenate([r["true_shift_in_sd"] for r in good]) ** 2))
        ),
    }
    return summary


def _verdict(row: dict) -> str:
    """The worst of all checks, by the limits of today."""
    p, shift = row["p_value"], row["largest_shift"] if row["is_reliable"] else 0.0
    unseen = row["reasons"]["unseen"]
    if p < REFIT_P or not row["is_reliable"] or shift > REFIT_SHIFT or unseen == "refit":
        return "refit"
    return "warn" if p < WARN_P or shift > WARN_SHIFT or unseen == "warn" else "ok"


def _worlds(text: str) -> Iterator[int]:
    first, last = map(int, text.split(":"))
    yield from range(first, last)


def main() -> None:
    """Run some worlds, or join the results of several runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default="0:10")
    parser.add_argument("--refits", type=int, default=12, help="worlds below this are refitted")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--join", type=Path, nargs="*")
    options = parser.parse_args()
    if options.join:
        worlds = [world for part in options.join for world in json.loads(part.read_text())]
        summary = summarise_worlds(worlds)
        RESULTS.write_text(json.dumps(summary, indent=2) + "\n")
        print(json.dumps(summary, indent=2))
        return
    worlds = []
    for seed in _worlds(options.worlds):
        with tempfile.TemporaryDirectory() as folder:
            worlds.append(judge_world(seed, Path(folder), refit=seed < options.refits))
        options.out.write_text(json.dumps(worlds))
        print(seed, {f: r["verdict"] for f, r in worlds[-1]["futures"].items()}, flush=True)


if __name__ == "__main__":
    main()
