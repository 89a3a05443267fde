"""What becomes of all others when one campaign is cut into proportional parts.

Six campaigns of one channel deliver over some weeks and geos; exposures follow the channel's curve.
One of them is cut into two parts, 30 and 70 percent of its delivery, and the model is fitted to
both forms of the same data by NUTS. Under ``channel_curve`` all other exposures stay as they are,
so a shift of another campaign's share comes from the prior alone: the sum of two parts with a rate
each has another prior than one campaign with one rate. Models:

- ``flat``: parts are entities like all others (partial pooling of entities).
- ``nested``: parts are entities below the level ``campaign``.
- ``tied``: as ``nested``, with a prior that leaves entities next to no spread below their campaign.

Each is fitted to the whole campaigns (``flat``, or with a creative for each campaign whose exposure
is the campaign's) and to the parts. Shifts are in posterior sds of the fit to whole campaigns, and
in Monte-Carlo standard errors of the difference.

    python benchmarks/splitting.py --size rich --seed 0 --out part.json
    python benchmarks/splitting.py --join part0.json part1.json
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.exposure import (
    ChannelTransform,
    DeliveryColumns,
    GeometricAdstock,
    HillSaturation,
    build_exposures,
)
from bayes_attrib.inference.mixing import ess_bulk
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.spec import ModelSpec, parse_plain
from bayes_attrib.workflow.fit import Fitted, fit_tables

FloatArray = npt.NDArray[np.float64]

RESULTS = Path(__file__).parent / "results" / "splitting.json"
CUT, PARTS = "C1", {"C1a": 0.3, "C1b": 0.7}
SIZES = {"rich": (52, 5, 0.1), "poor": (8, 1, 0.3)}
"""Weeks, geos, and coefficient of variation of the totals."""

DRAWS = 1500


def spec_of(model: str) -> ModelSpec:
    """Return the spec of a model."""
    rates: dict[str, Any] = {} if model == "flat" else {"nested": ["campaign"]}
    priors = {"sigma_entity": {"dist": "HalfNormal", "sigma": 0.01}} if model == "tied" else {}
    return parse_plain(
        {
            "schema_version": 1,
            "name": f"splitting_{model}",
            "columns": {"aggregate": ["channel", "week", "geo"], "entity": "creative"},
            "likelihood": {"family": "gamma", "level": "aggregate"},
            "rates": rates,
            "priors": priors,
            "inference": {
                "method": "nuts",
                "draws": DRAWS,
                "tune": 1000,
                "chains": 4,
                "target_accept": 0.9,
            },
        },
        source="benchmark",
    )


def make_delivery(rng: np.random.Generator, n_weeks: int, n_geos: int) -> pd.DataFrame:
    """Return the delivery of whole campaigns."""
    rows = [
        ("TV", week + 1, f"g{geo}", f"C{number + 1}", level * rng.lognormal(0.0, 0.8))
        for number, level in enumerate(rng.lognormal(0.0, 0.3, 6))
        for geo in range(n_geos)
        for week in range(n_weeks)
    ]
    return pd.DataFrame(rows, columns=["channel", "week", "geo", "creative", "grps"])


def cut(delivery: pd.DataFrame) -> pd.DataFrame:
    """Return the delivery with one campaign in proportional parts."""
    whole = delivery["creative"] == CUT
    parts = [
        delivery[whole].assign(creative=name, grps=delivery["grps"] * part)
        for name, part in PARTS.items()
    ]
    return pd.concat([delivery[~whole], *parts], ignore_index=True)


def expose(delivery: pd.DataFrame, semantics: str) -> pd.DataFrame:
    """Return the exposures of delivery."""
    transform = ChannelTransform(
        GeometricAdstock(decay=0.5, l_max=4, normalise=True),
        HillSaturation(half_saturation=6.0, slope=1.5),
    )
    columns = DeliveryColumns(
        entity="creative", channel="channel", period="week", delivery="grps", geo="geo"
    )
    weeks = sorted(delivery["week"].unique())
    return build_exposures(
        delivery, {"TV": transform}, columns=columns, periods=weeks, semantics=semantics
    )


def fit(exposures: pd.DataFrame, totals: pd.DataFrame, model: str) -> Fitted:
    """Fit a model to exposures and totals."""
    with tempfile.TemporaryDirectory() as folder:
        totals.to_csv(Path(folder) / "aggregates.csv", index=False)
        exposures.to_csv(Path(folder) / "exposures.csv", index=False)
        creatives = pd.Series(exposures["creative"].unique())
        campaigns = creatives.str.removesuffix("a").str.removesuffix("b")
        pd.DataFrame({"creative": creatives, "campaign": campaigns}).to_csv(
            Path(folder) / "entities.csv", index=False
        )
        spec = spec_of(model)
        return fit_tables(read_tables(spec, DataSource(Path(folder))), spec)


def shares(fitted: Fitted) -> dict[str, FloatArray]:
    """Return draws of the shares of the grand total by campaign, shape (n_chains, n_draws)."""
    data = fitted.record.tables.data
    rates = fitted.posterior.posterior[names.RATE].to_numpy()
    flat = rates.reshape(-1, rates.shape[-1])
    ratio = data.exposure.T @ (data.totals[:, np.newaxis] / (data.exposure @ flat.T))
    drawn = (flat * ratio.T / data.grand_total).reshape(rates.shape)
    found: dict[str, FloatArray] = {}
    for place, name in enumerate(map(str, data.entity_names)):
        campaign = CUT if name in PARTS else name
        found[campaign] = found.get(campaign, 0.0) + drawn[..., place]
    return found


def compare(whole: dict[str, FloatArray], parts: dict[str, FloatArray]) -> dict[str, dict]:
    """Return shifts of all campaigns between two fits."""
    found = {}
    for campaign, before in whole.items():
        after = parts[campaign]
        error = np.sqrt(sum(float(x.var() / ess_bulk(x[np.newaxis])[0]) for x in (before, after)))
        gap = float(after.mean() - before.mean())
        found[campaign] = {
            "shift_in_sd": gap / float(before.std()),
            "z": gap / error,
            "error_in_sd": error / float(before.std()),
            "sd_ratio": float(after.std() / before.std()),
        }
    return found


def one_world(size: str, seed: int) -> dict:
    """Fit one world in all forms."""
    n_weeks, n_geos, cv = SIZES[size]
    rng = np.random.default_rng([77, seed, n_weeks])
    delivery = make_delivery(rng, n_weeks, n_geos)
    parts = cut(delivery)
    exposures = {
        (form, semantics): expose(table, semantics)
        for form, table in (("whole", delivery), ("parts", parts))
        for semantics in ("channel_curve", "own_curve")
    }
    whole = exposures["whole", "channel_curve"]
    rates = {f"C{number + 1}": 100.0 * rng.lognormal(0.0, 0.5) for number in range(6)}
    keys = ["channel", "week", "geo"]
    expected = (whole["exposure"] * whole["creative"].map(rates)).groupby(
        [whole[key] for key in keys]
    )
    totals = expected.sum().rename("total").reset_index()
    totals["total"] *= rng.gamma(1 / cv**2, cv**2, len(totals))
    base = shares(fit(whole, totals, "flat"))
    found: dict[str, Any] = {"size": size, "seed": seed, "models": {}}
    for model in ("flat", "nested", "tied"):
        cut_fit = fit(exposures["parts", "channel_curve"], totals, model)
        found["models"][model] = compare(base, shares(cut_fit))
    own = {form: exposures[form, "own_curve"] for form in ("whole", "parts")}
    found["own_curve_sum_ratio"] = float(_of_cut(own["parts"]).sum() / _of_cut(own["whole"]).sum())
    channel = {form: exposures[form, "channel_curve"] for form in ("whole", "parts")}
    found["channel_curve_largest_change_of_others"] = _change_of_others(channel, keys)
    return found


def _of_cut(exposures: pd.DataFrame) -> pd.Series:
    return exposures.loc[exposures["creative"].str.startswith(CUT), "exposure"]


def _change_of_others(exposures: dict[str, pd.DataFrame], keys: list[str]) -> float:
    others = [
        table[~table["creative"].str.startswith(CUT)].set_index([*keys, "creative"])["exposure"]
        for table in exposures.values()
    ]
    return float((others[0] / others[1].reindex(others[0].index) - 1.0).abs().max())


def summarise(worlds: list[dict]) -> dict:
    """Shifts of the other campaigns by size and model."""
    found: dict[str, Any] = {}
    for size in SIZES:
        for model in ("flat", "nested", "tied"):
            rows = [
                values
                for world in worlds
                if world["size"] == size
                for campaign, values in world["models"][model].items()
                if campaign != CUT
            ]
            own = [w["models"][model][CUT]["shift_in_sd"] for w in worlds if w["size"] == size]
            shift = np.array([row["shift_in_sd"] for row in rows])
            z = np.array([row["z"] for row in rows])
            found[f"{size}/{model}"] = {
                "n": len(rows),
                "rms_shift_in_sd": float(np.sqrt(np.mean(shift**2))),
                "largest_shift_in_sd": float(np.abs(shift).max()),
                "rms_z": float(np.sqrt(np.mean(z**2))),
                "typical_error_in_sd": float(np.median([row["error_in_sd"] for row in rows])),
                "mean_shift_of_the_cut_campaign_in_sd": float(np.mean(own)),
            }
    found["own_curve_sum_ratio"] = [world["own_curve_sum_ratio"] for world in worlds]
    found["channel_curve_largest_change_of_others"] = max(
        world["channel_curve_largest_change_of_others"] for world in worlds
    )
    return found


def main() -> None:
    """Fit one world, or join the figures of several runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", choices=list(SIZES), default="rich")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--join", type=Path, nargs="*")
    options = parser.parse_args()
    if options.join:
        worlds = [world for part in options.join for world in json.loads(part.read_text())]
        RESULTS.write_text(json.dumps(summarise(worlds), indent=2) + "\n")
        print(RESULTS.read_text())
        return
    options.out.write_text(json.dumps([one_world(options.size, options.seed)]))


if __name__ == "__main__":
    main()
