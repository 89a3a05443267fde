"""Whether recommended splits bring more than the plan, where the truth is known.

Usage: ``python benchmarks/budget.py [--worlds N]`` (about four minutes); it writes
benchmarks/results/budget.json and prints the table of docs/budget.md.

In each world six campaigns of a channel deliver for 60 weeks; the channel's total is measured with
a noise of 15%. Rates differ by a sd of .5 of their logarithms. Each campaign has its own curve
(Michaelis-Menten on geometric adstock). The plan is the delivery of the last 12 weeks at equal
costs per impression. A split is recommended from the posterior for each objective, with changes of
at most 50%, and judged by the true rates.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.attribution.budget import (
    OBJECTIVES,
    Plan,
    PlanCurves,
    build_response,
    limits_of,
    recommend,
)
from bayes_attrib.exposure import (
    ChannelTransform,
    DeliveryColumns,
    GeometricAdstock,
    MichaelisMentenSaturation,
    build_exposures,
)
from bayes_attrib.inputs import AggregateData, TablesRead
from bayes_attrib.spec import IntervalSpec, ModelSpec
from bayes_attrib.workflow.fit import fit_tables

N_CAMPAIGNS, N_WEEKS, N_PLANNED = 6, 60, 12
COLUMNS: Final = DeliveryColumns("campaign", "channel", "week", delivery="impressions")
TRANSFORM: Final = ChannelTransform(
    GeometricAdstock(decay=0.5, l_max=6), MichaelisMentenSaturation(half_saturation=1.0), scale=1e4
)
CURVES: Final = PlanCurves({"TV": TRANSFORM}, "own_curve", COLUMNS)
RESULTS: Final = Path(__file__).parent / "results" / "budget.json"
SPEC: Final = ModelSpec.model_validate(
    {
        "schema_version": 1,
        "name": "budget",
        "columns": {"aggregate": ("aggregate",), "entity": "entity"},
        "likelihood": {"family": "gamma"},
        "inference": {"draws": 500, "tune": 500, "target_accept": 0.95},
    }
)


def world(seed: int) -> tuple[AggregateData, Plan, np.ndarray]:
    """Return totals and exposures, a plan, and the true rates."""
    rng = np.random.default_rng([83, seed])
    size = 8000.0 * rng.lognormal(0.0, 0.6, N_CAMPAIGNS)
    weeks = [str(day.date()) for day in pd.date_range("2024-01-01", periods=N_WEEKS, freq="7D")]
    impressions = size * rng.lognormal(0.0, 0.6, (N_WEEKS, N_CAMPAIGNS))
    impressions *= rng.random(impressions.shape) < 0.8
    impressions[:, 0] = np.maximum(impressions[:, 0], 0.2 * size[0])
    names = [f"c{i + 1}" for i in range(N_CAMPAIGNS)]
    frame = pd.DataFrame(impressions, index=pd.Index(weeks, name="week"), columns=names)
    delivery = frame.reset_index().melt("week", var_name="campaign", value_name="impressions")
    delivery["channel"] = "TV"
    exposure = build_exposures(
        delivery, CURVES.transforms, columns=COLUMNS, periods=weeks, semantics="own_curve"
    )
    dense = exposure.pivot_table(index="week", columns="campaign", values="exposure").fillna(0.0)
    rates = 1000.0 * rng.lognormal(0.0, 0.5, N_CAMPAIGNS)
    totals = (dense.to_numpy() @ rates) * rng.gamma(1 / 0.15**2, 0.15**2, N_WEEKS)
    data = AggregateData.from_dense(dense.to_numpy(), totals, entity_names=names)
    planned = delivery[delivery["week"].isin(weeks[-N_PLANNED:]) & (delivery["impressions"] > 0)]
    planned = planned.assign(spend=planned["impressions"] / 100.0).reset_index(drop=True)
    cost = planned.groupby("campaign", sort=False)["spend"].sum()
    order = [names.index(name) for name in cost.index]
    plan = Plan(
        planned,
        CURVES,
        tuple(cost.index),
        np.array(["TV"] * len(cost), dtype=object),
        cost.to_numpy(),
    )
    return data, plan, rates[order]


def judge(seed: int) -> list[dict[str, float | str]]:
    """Recommend splits in a world, and hold them against its truth."""
    data, plan, truth = world(seed)
    fitted = fit_tables(TablesRead(data, (), (), ()), SPEC)
    rates = fitted.posterior.draws("rate")[[int(name[1:]) - 1 for name in plan.entities]]
    peaks = pd.Series(data.exposure.max(axis=0).toarray().ravel(), index=data.entity_names)
    response, limits = build_response(plan), limits_of(plan, max_change=0.5)
    now = response.totals(np.ones(len(truth))) @ truth
    rows: list[dict[str, float | str]] = []
    for name, kind in OBJECTIVES.items():
        found = recommend(
            plan, rates, limits, kind(), largest=peaks, interval=IntervalSpec(), seed=seed
        )
        spend = found.table["recommended"].to_numpy()
        gain = response.totals(spend / plan.cost) @ truth - now
        lower, upper = np.quantile(found.gain, [0.03, 0.97])
        rows.append(
            {
                "objective": name,
                "probability": found.probability,
                "stated": float(found.gain.mean() / now),
                "gain": float(gain / now),
                "held": float(lower <= gain <= upper),
            }
        )
    return rows


def main() -> None:
    """Run all worlds, write the results, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=20)
    n_worlds = parser.parse_args().worlds
    table = pd.DataFrame([row for seed in range(n_worlds) for row in judge(seed)])
    table["sure"] = table["probability"] > 0.9
    table["better"] = table["gain"] > 0
    summary = table.groupby("objective", sort=False).agg(
        stated=("stated", "mean"), gain=("gain", "mean"), worst=("gain", "min"),
        better=("better", "sum"), sure=("sure", "sum"), held=("held", "sum"),
    )  # fmt: skip
    summary["better_where_sure"] = [
        int(table.loc[(table["objective"] == name) & table["sure"], "better"].sum())
        for name in summary.index
    ]
    record = {"worlds": n_worlds, "objectives": summary.reset_index().to_dict(orient="records")}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(summary.round(4).to_string())


if __name__ == "__main__":
    main()
