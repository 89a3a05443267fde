"""Learned transforms in simulated worlds: coverage, what the check says, the fixed fit, speed.

    python benchmarks/learned_transforms.py --out benchmarks/results/learned_transforms.json

Two channels of four campaigns deliver over 52 weeks. True decays and half saturations are drawn
from the priors that the spec states, rates are lognormal, and totals vary by 10% around what is
expected. With informative totals the intervals of a calibrated method cover as often as they say.

- ``coverage``: 90% equal-tailed intervals of decay and half saturation, and of entity amounts.
- ``check``: contraction of each parameter; warnings where totals tell, and where they do not (one
  campaign of constant delivery per channel, whose curve is a mere multiple of its rate).
- ``point_mass``: priors with sd below 1e-4 against fixed transforms, in Monte-Carlo errors.
- ``speed``: factor of all edges for 1,000 draws at 52 weeks and 200 creatives; NUTS per draw.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
from arviz_stats.base import array_stats
from scipy import stats

from bayes_attrib.exposure import (
    ChannelTransform,
    DeliveryColumns,
    GeometricAdstock,
    HillSaturation,
    build_exposures,
)
from bayes_attrib.inference import SamplerSettings, expected_draws, fit_nuts
from bayes_attrib.inference.learned_checks import (
    LITTLE_CONTRACTION,
    learned_findings,
    summarise_learned,
)
from bayes_attrib.inputs import AggregateData, DataSource, read_tables
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.edge_terms import edge_terms
from bayes_attrib.model.structure import describe_structure
from bayes_attrib.spec import ModelSpec, parse_spec

WEEKS, CAMPAIGNS, L_MAX, SLOPE, SCALE = 52, 4, 8, 1.5, 1000.0
CHANNELS = ("TV", "Radio")
PROB = 0.9

SPEC = """
schema_version = 1
name = "learned_transforms"
columns = {{ aggregate = ["channel", "week"], entity = "campaign", delivery = "grps" }}
likelihood = {{ family = "gamma", level = "aggregate" }}
[exposure]
channel = "channel"
period = "week"
outside = "carry_over"
totals = "measured"
{channels}
"""
CHANNEL = """
[exposure.channels.{name}]
adstock = {{ kind = "geometric", decay = 0.5, l_max = 8 }}
saturation = {{ kind = "hill", half_saturation = 1.0, slope = 1.5 }}
scale = 1000
{learn}
"""
LEARN = """learn.decay = {{ dist = "Beta", alpha = {size}, beta = {size} }}
learn.half_saturation = {{ dist = "LogNormal", mu = 0.0, sigma = {sigma} }}"""


def spec_of(*, size: float = 3.0, sigma: float = 0.5, learn: bool = True) -> ModelSpec:
    """Return the spec; a large ``size`` and a small ``sigma`` put priors next to a point."""
    tables = LEARN.format(size=size, sigma=sigma) if learn else ""
    channels = "".join(CHANNEL.format(name=name, learn=tables) for name in CHANNELS)
    return parse_spec(SPEC.format(channels=channels))


def flighted(rng: np.random.Generator) -> pd.DataFrame:
    """Deliveries in flights of one to five weeks, with pauses of one to eight."""
    rows = []
    for channel in CHANNELS:
        for campaign in range(CAMPAIGNS):
            week = 1 + int(rng.integers(0, 4))
            while week <= WEEKS:
                stop = week + int(rng.integers(1, 6))
                rows += [
                    (channel, on, f"{channel} {campaign}", float(rng.gamma(2.0, 250.0)))
                    for on in range(week, min(stop, WEEKS + 1))
                ]
                week = stop + int(rng.integers(1, 9))
    return pd.DataFrame(rows, columns=["channel", "week", "campaign", "grps"])


def constant(_: np.random.Generator) -> pd.DataFrame:
    """One campaign per channel whose delivery never changes, with enough weeks before the first."""
    rows = [
        (channel, week, f"{channel} {campaign}", 400.0)
        for channel in CHANNELS
        for campaign in range(CAMPAIGNS)
        for week in range(1 - L_MAX, WEEKS + 1)
    ]
    return pd.DataFrame(rows, columns=["channel", "week", "campaign", "grps"])


def world(
    spec: ModelSpec, delivery: pd.DataFrame, rng: np.random.Generator, truth: dict[str, float]
) -> tuple[AggregateData, pd.Series]:
    """Return the data of a world and the true amount of each campaign."""
    transforms = {
        name: ChannelTransform(
            GeometricAdstock(truth[f"{name} / decay"], L_MAX),
            HillSaturation(truth[f"{name} / half_saturation"], SLOPE),
            scale=SCALE,
        )
        for name in CHANNELS
    }
    first = int(delivery["week"].min())
    made = build_exposures(
        delivery,
        transforms,
        columns=DeliveryColumns("campaign", "channel", "week", "grps"),
        periods=range(1, WEEKS + 1),
        history=range(min(first, 1), 1),
        semantics="channel_curve",
    )
    names = sorted(delivery["campaign"].unique())
    rate = dict(zip(names, rng.lognormal(np.log(1000.0), 0.5, len(names)), strict=True))
    made["amount"] = made["exposure"] * made["campaign"].map(rate)
    luck = pd.Series(rng.gamma(100.0, 0.01, WEEKS * len(CHANNELS)))
    luck.index = pd.MultiIndex.from_product([CHANNELS, range(1, WEEKS + 1)])
    keys = pd.MultiIndex.from_frame(made[["channel", "week"]])
    made["amount"] *= luck.reindex(keys).to_numpy()
    totals = made.groupby(["channel", "week"], as_index=False)["amount"].sum()
    with tempfile.TemporaryDirectory() as folder:
        totals.rename(columns={"amount": "total"}).to_csv(f"{folder}/aggregates.csv", index=False)
        delivery.to_csv(f"{folder}/exposures.csv", index=False)
        data = read_tables(spec, DataSource(Path(folder))).data
    return data, made.groupby("campaign")["amount"].sum()


def drawn_truth(rng: np.random.Generator) -> dict[str, float]:
    """Draw true parameters from the priors of the spec."""
    return {
        key: value
        for name in CHANNELS
        for key, value in (
            (f"{name} / decay", float(rng.beta(3.0, 3.0))),
            (f"{name} / half_saturation", float(rng.lognormal(0.0, 0.5))),
        )
    }


def fit_of(data: AggregateData, spec: ModelSpec, seed: int, draws: int = 500) -> Any:
    """Sample the posterior."""
    geometry = choose_geometry(data, spec)
    structure = describe_structure(data, spec, geometry)
    settings = SamplerSettings(draws=draws, tune=500, chains=2, seed=seed, target_accept=0.9)
    return fit_nuts(build_model(data, spec, geometry), settings, structure=structure)


def entity_amounts(fit: Any, data: AggregateData, spec: ModelSpec) -> np.ndarray:
    """Expected amounts given the totals, shape (n_entities, n_draws)."""
    amounts = expected_draws(fit, data, spec).amounts(slice(None))
    totals = np.zeros((data.n_aggregates, amounts.shape[1]))
    np.add.at(totals, data.edge_aggregate, amounts)
    split = amounts / totals[data.edge_aggregate] * data.totals[data.edge_aggregate, None]
    found = np.zeros((data.n_entities, amounts.shape[1]))
    np.add.at(found, data.edge_entity, split)
    return found


def covered(draws: np.ndarray, truth: float) -> bool:
    """Tell whether the equal-tailed interval holds the truth."""
    lower, upper = np.quantile(draws, [(1 - PROB) / 2, (1 + PROB) / 2])
    return bool(lower <= truth <= upper)


def run_worlds(n_worlds: int) -> dict[str, Any]:
    """Fit worlds with informative totals."""
    spec, hits, alarms, contractions, seconds = spec_of(), {}, 0, [], []
    for number in range(n_worlds):
        rng = np.random.default_rng([7, number])
        truth = drawn_truth(rng)
        data, amounts = world(spec, flighted(rng), rng, truth)
        started = time.process_time()
        fit = fit_of(data, spec, number + 1)
        seconds.append(time.process_time() - started)
        draws = fit.draws("transform")
        for at, parameter in enumerate(spec.exposure.learned.parameters):
            hits.setdefault(parameter.name, []).append(covered(draws[at], truth[parameter.label]))
        split = entity_amounts(fit, data, spec)
        for name, of_entity in zip(data.entity_names, split, strict=True):
            hits.setdefault("amount", []).append(covered(of_entity, amounts[name]))
        contractions += [s.contraction for s in summarise_learned(fit, data, spec)]
        codes = {finding.code for finding in learned_findings(fit, data, spec)}
        alarms += "transform-not-identified" in codes
        print(f"world {number}: {seconds[-1]:.1f} s", flush=True)
    return {
        "worlds": n_worlds,
        "prob": PROB,
        "coverage": {
            name: {
                "covered": int(np.sum(found)),
                "of": len(found),
                "band_99": [int(b) for b in stats.binom.interval(0.99, len(found), PROB)],
            }
            for name, found in hits.items()
        },
        "contraction": {
            "smallest": min(contractions),
            "median": float(np.median(contractions)),
            "threshold": LITTLE_CONTRACTION,
            "worlds_with_warning": alarms,
        },
        "seconds_per_fit": float(np.median(seconds)),
    }


def run_unidentified(n_worlds: int) -> dict[str, Any]:
    """Fit worlds whose totals cannot tell: delivery never changes."""
    spec, alarms, contractions = spec_of(), 0, []
    for number in range(n_worlds):
        rng = np.random.default_rng([8, number])
        data, _ = world(spec, constant(rng), rng, drawn_truth(rng))
        fit = fit_of(data, spec, number + 1)
        contractions += [s.contraction for s in summarise_learned(fit, data, spec)]
        named = [
            f.message for f in learned_findings(fit, data, spec) if f.code.endswith("identified")
        ]
        labels = [parameter.label for parameter in spec.exposure.learned.parameters]
        alarms += sum(label in named[0] for label in labels) if named else 0
        print(f"unidentified world {number}: {contractions[-4:]}", flush=True)
    return {
        "worlds": n_worlds,
        "parameters": 4 * n_worlds,
        "named": alarms,
        "largest_contraction": max(contractions),
    }


def run_point_mass() -> dict[str, Any]:
    """Compare priors next to a point with fixed transforms."""
    rng = np.random.default_rng(9)
    values = {f"{n} / decay": 0.5 for n in CHANNELS} | {
        f"{n} / half_saturation": 1.0 for n in CHANNELS
    }
    delivery, state = flighted(rng), rng.bit_generator.state
    found = {}
    for key, spec in (
        ("fixed", spec_of(learn=False)),
        ("learned", spec_of(size=3e7, sigma=1e-4)),
    ):
        rng.bit_generator.state = state
        data, _ = world(spec, delivery, rng, values)
        fit = fit_of(data, spec, 1, draws=1000)
        split = entity_amounts(fit, data, spec)
        order = np.argsort(data.entity_names.astype(str))
        found[key] = split[order].reshape(len(order), fit.n_chains, -1)
    return {"largest_z": largest_z(found["fixed"], found["learned"]), "comparisons": 16}


def largest_z(first: np.ndarray, second: np.ndarray) -> float:
    """Largest difference of means, and of variances, in Monte-Carlo standard errors."""
    scores = []
    for one, two in zip(first, second, strict=True):
        centre = (one.mean() + two.mean()) / 2.0
        for a, b in ((one, two), ((one - centre) ** 2, (two - centre) ** 2)):
            error = np.hypot(
                *(
                    float(array_stats.mcse(x, method="mean", chain_axis=0, draw_axis=1))
                    for x in (a, b)
                )
            )
            scores.append(abs(a.mean() - b.mean()) / error)
    return float(max(scores))


def run_speed() -> dict[str, Any]:
    """Time the factor of all edges for 1,000 draws: 52 weeks, 200 creatives, eight lags."""
    rng = np.random.default_rng(10)
    spec = spec_of()
    delivery = pd.DataFrame(
        [
            (channel, week, f"{channel} {creative}", float(rng.gamma(2.0, 250.0)))
            for channel in CHANNELS
            for creative in range(100)
            for week in range(1, WEEKS + 1)
        ],
        columns=["channel", "week", "campaign", "grps"],
    )
    data, _ = world(spec, delivery, rng, drawn_truth(rng))
    (term,) = edge_terms(data, spec)
    draws = np.vstack([rng.beta(3, 3, (1, 1000)), rng.lognormal(0, 0.5, (1, 1000))])
    draws = np.vstack([draws, draws])
    started = time.process_time()
    for edges in range(0, data.n_edges, 1000):
        term.values(slice(edges, edges + 1000), draws)
    numpy_seconds = time.process_time() - started
    steps = {}
    for key, one in (("learned", spec), ("fixed", spec_of(learn=False))):
        steps[key] = gradient_seconds(data, one)
    return {
        "edges": data.n_edges,
        "draws": 1000,
        "numpy_seconds": numpy_seconds,
        "gradient_microseconds": steps,
    }


def gradient_seconds(data: AggregateData, spec: ModelSpec) -> float:
    """Return microseconds per log density with gradient, compiled for numba."""
    model: pm.Model = build_model(data, spec)
    function = model.logp_dlogp_function(ravel_inputs=True, mode="NUMBA")
    function.set_extra_values({})
    point = pm.blocking.DictToArrayBijection.map(model.initial_point()).data
    function(point)
    started = time.process_time()
    for _ in range(200):
        function(point)
    return float((time.process_time() - started) / 200 * 1e6)


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--unidentified", type=int, default=5)
    parser.add_argument("--only", choices=["informative", "not_identified", "point_mass", "speed"])
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    parts = {
        "informative": lambda: run_worlds(given.worlds),
        "not_identified": lambda: run_unidentified(given.unidentified),
        "point_mass": run_point_mass,
        "speed": run_speed,
    }
    result = json.loads(given.out.read_text(encoding="utf-8")) if given.out.exists() else {}
    for name, part in parts.items():
        if given.only in (None, name):
            result[name] = part()
            given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
