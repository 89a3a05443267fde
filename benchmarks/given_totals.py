"""What becomes of a split where totals were computed by a mix model, and read as observations.

Usage: ``python benchmarks/given_totals.py [--worlds N]`` (about five minutes); it writes
benchmarks/results/given_totals.json and prints the table of docs/families.md.

Six campaigns of unequal productivity share a channel for 104 weeks. A mix model that is perfect but
for what it cannot see, namely which campaign delivered, gives the channel one multiple of its
saturated adstock. Its totals are split by a fit that reads them as observations (gamma) and by one
that takes them as given; beside them stand totals measured with a noise of 10%.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.exposure import geometric_adstock, hill
from bayes_attrib.inputs import AggregateData, TablesRead
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.fit import fit_tables

N_CAMPAIGNS, N_WEEKS = 6, 104
CASES: Final = (
    ("measured", "gamma"),
    ("mix model", "gamma"),
    ("mix model", "given"),
)
RESULTS: Final = Path(__file__).parent / "results" / "given_totals.json"


def world(seed: int) -> dict[str, AggregateData]:
    """Return the same campaigns with measured totals and with those of a mix model."""
    rng = np.random.default_rng([81, seed])
    size = rng.lognormal(0.0, 0.5, (N_CAMPAIGNS, 1))
    delivery = size * rng.lognormal(0.0, 0.4, (N_CAMPAIGNS, N_WEEKS))
    delivery *= rng.random(delivery.shape) < 0.7
    delivery[0] = np.maximum(delivery[0], 0.2)
    carried = geometric_adstock(delivery, 0.5)
    channel = carried.sum(axis=0)
    exposure = (hill(channel, 3.0, 1.3) / channel * carried).T
    rate = 1000.0 * rng.lognormal(0.0, 0.6, N_CAMPAIGNS)
    truth = exposure * rate
    sums = exposure.sum(axis=1)
    totals = {
        "measured": truth.sum(axis=1) * rng.gamma(100.0, 0.01, N_WEEKS),
        "mix model": sums * truth.sum() / sums.sum(),
    }
    # The truth is scored as shares: the sums of its cells differ from the mix model's totals.
    return {
        name: AggregateData.from_dense(exposure, total, truth=truth)
        for name, total in totals.items()
    }


def spec(family: str) -> ModelSpec:
    """Return the model of a case."""
    return ModelSpec.model_validate(
        {
            "schema_version": 1,
            "name": "given_totals",
            "columns": {"aggregate": ("aggregate",), "entity": "entity"},
            "likelihood": {"family": family},
            "inference": {"draws": 500, "tune": 500, "target_accept": 0.95},
        }
    )


def score(data: AggregateData, family: str) -> dict[str, float]:
    """Fit one case, and hold its shares against the truth."""
    fitted = fit_tables(TablesRead(data, (), (), ()), spec(family))
    table = fitted.result.table.query("level == 'entity'")
    truth = table["truth_amount"] / table["truth_amount"].sum()
    inside = (table["share_lower"] <= truth) & (truth <= table["share_upper"])
    return {
        "error": float(np.abs(table["share_mean"] - truth).mean()),
        "proportional": float(np.abs(table["proportional_share"] - truth).mean()),
        "width": float((table["share_upper"] - table["share_lower"]).mean()),
        "inside": float(inside.sum()),
        "converged": float(fitted.diagnostics.verdict != "not_converged"),
    }


def main() -> None:
    """Run all worlds, write the results, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=10)
    n_worlds = parser.parse_args().worlds
    rows = []
    for seed in range(n_worlds):
        data = world(seed)
        for totals, family in CASES:
            rows.append({"totals": totals, "family": family, **score(data[totals], family)})
    table = pd.DataFrame(rows).groupby(["totals", "family"], sort=False).mean()
    table["inside"] /= N_CAMPAIGNS
    record = {
        "worlds": n_worlds,
        "cases": table.reset_index().to_dict(orient="records"),
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table.round(4).to_string())


if __name__ == "__main__":
    main()
