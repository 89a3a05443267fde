"""Heuristics and posterior on the same totals of simulated journeys, against what was caused.

Usage: ``OMP_NUM_THREADS=1 python benchmarks/journey_worlds.py [--worlds 10] [--customers 1000]``.
Each world is drawn anew by the scenario ``journeys``, credited by ``bayes-attrib journeys`` with
the shipped spec, and its totals are fitted with the spec that command writes. The error of a method
is the part of all conversions that it credits to the wrong place: total variation distance over
channels, brand search (which causes nothing) and what no touch caused. Results go to
``benchmarks/results/journey_worlds.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_attrib.cli import main as command
from bayes_attrib.simulation import simulate, write_tables

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "journey_worlds.json"


def run(*arguments: str | Path) -> None:
    """Run a command; status 3, a fit that did not converge, is an error here."""
    try:
        command([str(argument) for argument in arguments])
    except SystemExit as done:
        if done.code:
            raise RuntimeError(f"{arguments[0]} ended with status {done.code}") from done


def compare(seed: int, n_customers: int) -> dict[str, object]:
    """Return errors of all methods in one world, and how many intervals hold the truth."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        world = simulate("journeys", seed=seed, options={"n_customers": n_customers})
        write_tables(world, folder / "data")
        spec = ROOT / "models" / "journeys" / "journeys.toml"
        run("journeys", folder / "data", "--spec", spec, "--out", folder / "run", "--quiet")
        model = folder / "run" / "data" / "model.toml"
        run("fit", model, folder / "data", "--out", folder / "fit", "--quiet")
        wide = pd.read_csv(folder / "run" / "attribution.csv").set_index("name")
        fitted = pd.read_csv(folder / "fit" / "attribution.csv").set_index("name")
    truth = fitted["truth_amount"].reindex(wide.index).fillna(0.0)
    methods = [c.removesuffix("_amount") for c in wide if c.endswith("_amount")]
    amounts = {method: wide[f"{method}_amount"] for method in methods}
    for method in ("amount_mean", "em_amount", "proportional_amount"):
        amounts[method] = fitted[method].reindex(wide.index).fillna(0.0)
    total = truth.sum()
    error = {name: float((a - truth).abs().sum() / (2 * total)) for name, a in amounts.items()}
    error["posterior"] = error.pop("amount_mean")
    known = fitted["truth_amount"]
    held = (fitted["amount_lower"] <= known) & (known <= fitted["amount_upper"])
    return {"seed": seed, "errors": error, "held": int(held.sum()), "intervals": len(held)}


def main() -> None:
    """Compare in many worlds and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--customers", type=int, default=1000)
    options = parser.parse_args()
    worlds = []
    for seed in range(1, options.worlds + 1):
        worlds.append(compare(seed, options.customers))
        print(json.dumps(worlds[-1]), flush=True)
    methods = list(worlds[0]["errors"])  # type: ignore[call-overload]
    errors = np.array([[world["errors"][m] for m in methods] for world in worlds])  # type: ignore[index]
    content = {
        "customers": options.customers,
        "mean_error": dict(zip(methods, errors.mean(axis=0).round(4).tolist(), strict=True)),
        "worlds_in_which_the_posterior_is_nearest": int(
            (errors.argmin(axis=1) == methods.index("posterior")).sum()
        ),
        "intervals_that_hold_the_truth": [
            sum(int(world["held"]) for world in worlds),  # type: ignore[call-overload]
            sum(int(world["intervals"]) for world in worlds),  # type: ignore[call-overload]
        ],
        "worlds": worlds,
    }
    RESULT.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
