"""What nesting is worth: 2,000 creatives under four levels, half of them with next to no exposure.

On designs of the scenario ``creative_nested``, fresh rates and totals are drawn (five levels of
normal offsets on the log rate; Gamma noise of totals), the nested model is fitted, and its log
rates are compared with the truth, beside EM and the maximum a posteriori estimate without groups.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
import nutpie
from pytensor.configdefaults import config as pytensor_config
from scipy.optimize import minimize

from bayes_attrib.attribution import interval_of
from bayes_attrib.baselines import fit_em
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model import build_model
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import IntervalSpec, parse_plain

LEVELS = ("channel", "platform", "format", "campaign")
SPREADS = {"channel": 0.4, "platform": 0.3, "format": 0.3, "campaign": 0.3, "entity": 0.4}
ALPHA = 20.0
SIZES = {
    "n_channels": 5,
    "n_platforms": 15,
    "n_formats": 50,
    "n_campaigns": 250,
    "n_creatives": 2000,
    "n_weeks": 52,
    "n_geos": 5,
}
SPEC = parse_plain(
    {
        "schema_version": 1,
        "name": "nested",
        "columns": {"aggregate": ["channel", "week", "geo"], "entity": "creative"},
        "likelihood": {"family": "gamma", "level": "aggregate"},
        "rates": {"nested": list(LEVELS)},
    },
    source="benchmark",
)
INTERVAL = IntervalSpec(kind="hdi", prob=0.94)
FLOOR = 0.01
"""Rates of zero count as this fraction of the mean rate, which is kind to EM."""


def draw_world(data: AggregateData, rng: np.random.Generator) -> tuple[np.ndarray, AggregateData]:
    """Fresh log rates, and data with the totals that they earn."""
    log_rate = np.log(40.0) + SPREADS["entity"] * rng.standard_normal(data.n_entities)
    for level in LEVELS:
        grouping = data.groupings[level]
        log_rate += SPREADS[level] * rng.standard_normal(len(grouping.levels))[grouping.codes]
    factor = rng.gamma(ALPHA, 1.0 / ALPHA, size=data.n_aggregates)
    totals = data.expected_totals(np.exp(log_rate)) * factor
    return log_rate, replace(data, totals=totals, truth=None)


def unpooled_map(data: AggregateData, sigma: float) -> np.ndarray:
    """Log rates that maximise likelihood times a normal prior around the data's own rate."""
    centre, exposure, y = np.log(data.reference_rate), data.exposure, data.totals

    def objective(log_rate: np.ndarray) -> tuple[float, np.ndarray]:
        rate = np.exp(log_rate)
        mu = exposure @ rate
        deviation = (log_rate - centre) / sigma
        value = ALPHA * np.sum(np.log(mu) + y / mu) + 0.5 * np.sum(deviation**2)
        slope = ALPHA * rate * (exposure.T @ (1.0 / mu - y / mu**2)) + deviation / sigma
        return float(value), slope

    found = minimize(objective, np.full(data.n_entities, centre), jac=True, method="L-BFGS-B")
    return found.x


def run_design(seed: int, worlds: int, arguments: argparse.Namespace) -> list[dict[str, float]]:
    """Fit fresh worlds of one design with one compiled model."""
    design = simulate("creative_nested", seed=seed, options=SIZES).build_data(nested=LEVELS)
    model = build_model(design, SPEC)
    with pytensor_config.change_flags(numba__fastmath=False):
        compiled = nutpie.compile_pymc_model(
            model, var_names=["log_rate", "sigma_entity", "sigma_campaign"]
        )
    rows = []
    for world in range(worlds):
        rng = np.random.default_rng([seed, world])
        truth, data = draw_world(design, rng)
        started = time.perf_counter()
        tree = nutpie.sample(
            compiled.with_data(
                observed_total=data.totals, log_reference_rate=np.log(data.reference_rate)
            ),
            draws=arguments.draws,
            tune=arguments.tune,
            chains=2,
            cores=arguments.cores,
            seed=int(rng.integers(2**31)),
            target_accept=0.9,
            progress_bar=False,
        )
        seconds = time.perf_counter() - started
        drawn = tree["posterior"]["log_rate"].to_numpy().reshape(-1, data.n_entities).T
        lower, upper = interval_of(drawn, INTERVAL)
        sparse = np.diff(data.exposure.tocsc().indptr) <= 2
        em = np.log(np.maximum(fit_em(data).rate, FLOOR * data.reference_rate))
        errors = {
            "posterior": drawn.mean(axis=1) - truth,
            "map 1": unpooled_map(data, 1.0) - truth,
            "map .5": unpooled_map(data, 0.5) - truth,
            "em": em - truth,
        }
        row = {f"mse {name}": float(np.mean(error**2)) for name, error in errors.items()}
        inside = (truth >= lower) & (truth <= upper)
        row |= {"held": inside.mean(), "held sparse": inside[sparse].mean()}
        row |= {"sparse": sparse.mean(), "seconds": seconds}
        row["divergences"] = float(tree["sample_stats"]["diverging"].sum())
        rows.append(row)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in row.items())
        print(f"design {seed}, world {world}: {shown}", flush=True)
    return rows


def main() -> None:
    """Print one line per world and their means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=2)
    parser.add_argument("--worlds", type=int, default=10, help="worlds per design")
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--tune", type=int, default=400)
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    rows = [
        row
        for seed in range(1, arguments.designs + 1)
        for row in run_design(seed, arguments.worlds, arguments)
    ]
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        print(f"{name}: mean {values.mean():.4f}, from {values.min():.4f} to {values.max():.4f}")


if __name__ == "__main__":
    main()
