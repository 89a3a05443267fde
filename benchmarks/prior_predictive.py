"""What do the default priors claim about the shipped cases? Figures and tables of docs/priors.md.

Needs no sampler: draws are independent, and a case takes a few seconds.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

import matplotlib.pyplot as plt

from bayes_attrib.inference import PriorDraws, sample_prior
from bayes_attrib.inputs import AggregateData, DataSource, read_tables
from bayes_attrib.report import summarise_prior
from bayes_attrib.spec import ModelSpec, load_spec, parse_plain

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "figures"
DRAWS, SEED = 2000, 1
SCALES = (0.25, 0.5, 1.0, 2.0)
PRIOR, OBSERVED = "#0072b2", "#d55e00"
HOUSEHOLDS = {
    "schema_version": 1,
    "name": "household_sales",
    "columns": {
        "aggregate": ["store_id", "quarter"],
        "entity": "household_id",
        "total": "sales",
        "exposure": "visits",
        "amount": "sales_true",
    },
    "likelihood": {"family": "gamma", "level": "pair"},
    "rates": {"pooling": ["income", "household_size"]},
}


def load_cases() -> dict[str, tuple[AggregateData, ModelSpec]]:
    specs = {
        name: load_spec(ROOT / f"models/{name}.toml")
        for name in ("hcp_brick", "coupon_campaigns", "mmm_to_mta")
    }
    specs["household_sales"] = parse_plain(HOUSEHOLDS, source="benchmark")
    return {
        name: (read_tables(spec, DataSource(folder=ROOT / "data" / name)).data, spec)
        for name, spec in specs.items()
    }


def with_spreads(spec: ModelSpec, scale: float) -> ModelSpec:
    """The spec with HalfNormal(scale) for the sd of entities and of all groups."""
    plain = spec.model_dump(mode="json")
    sigmas = [name for name in spec.parameters if name.startswith("sigma_") and "total" not in name]
    plain["priors"] |= {name: {"dist": "HalfNormal", "sigma": scale} for name in sigmas}
    return parse_plain(plain, source="benchmark")


def true_rates(data: AggregateData) -> np.ndarray:
    """Known rates of the entities that earned anything, over the data's own rate."""
    amount = data.sum_to_entities(data.truth)
    exposure = data.sum_to_entities(data.exposure.data)
    return (amount / exposure / data.reference_rate)[amount > 0]


def plot_totals(draws: dict[str, PriorDraws]) -> None:
    figure, axes = plt.subplots(2, 2, figsize=(9, 6), layout="constrained")
    for axis, (name, prior) in zip(axes.flat, draws.items(), strict=True):
        quantiles = summarise_prior(prior).quantiles
        level = 100 * quantiles["level"]
        axis.vlines(level, quantiles["lower"], quantiles["upper"], color=PRIOR, alpha=0.4, lw=5)
        axis.plot(level, quantiles["median"], ".", color=PRIOR)
        axis.plot(level, quantiles["observed"], "o", color=OBSERVED, ms=4)
        linear_width = 0.03 * quantiles["observed"].median()
        ticks = [0, *(10**i for i in range(1, 7) if 10**i > 1.5 * linear_width)]
        axis.set_yscale("asinh", linear_width=linear_width)
        axis.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
        axis.yaxis.minorticks_off()
        axis.set_ylim(0, 1.2 * quantiles["upper"].max())
        family = prior.spec.likelihood.family.replace("_", " ")
        axis.set_title(f"{name}: {prior.spec.columns.total}, {family}", fontsize=10)
        axis.set_xlabel("quantile of the totals, %")
        axis.grid(alpha=0.3)
    labels = ["94% of prior draws", "prior median", "observed"]
    figure.legend(
        axes[0, 0].collections + axes[0, 0].lines, labels, loc="outside upper center", ncols=3
    )
    figure.savefig(FIGURES / "prior_totals.png", dpi=80)
    plt.close(figure)


def plot_spreads(cases: dict[str, tuple[AggregateData, ModelSpec]]) -> None:
    figure, axes = plt.subplots(
        2, 4, figsize=(11, 5), sharex=True, sharey="row", layout="constrained"
    )
    print(
        "| case | prior of spreads | 94% of rates, x r0 | 94% of totals | largest share | > 50% |"
    )
    print("|---|---|---|---|---|---|")
    for column, (name, (data, spec)) in zip(axes.T, cases.items(), strict=True):
        for i, scale in enumerate(SCALES):
            prior = sample_prior(data, with_spreads(spec, scale), draws=DRAWS, seed=SEED)
            summary = summarise_prior(prior)
            largest = np.quantile(prior.shares.max(axis=0), [0.03, 0.5, 0.97])
            bar(column[0], i, [summary.rate_lower, 1.0, summary.rate_upper])
            bar(column[1], i, 100 * largest)
            print(
                f"| {name} | HalfNormal({scale:g}) | {summary.rate_lower:.2g} to "
                f"{summary.rate_upper:.3g} | {summary.total_lower:.3g} to "
                f"{summary.total_upper:,.0f} | {largest[1]:.1%} | {summary.dominance:.1%} |",
                flush=True,
            )
        rates = true_rates(data)
        column[0].axhspan(*np.quantile(rates, [0.03, 0.97]), color=OBSERVED, alpha=0.2, lw=0)
        share = data.sum_to_entities(data.truth).max() / data.grand_total
        column[1].axhline(100 * share, color=OBSERVED)
        column[0].set_yscale("log")
        column[0].set_title(name)
        column[1].set_yscale("log")
        column[1].set_ylim(0.3, 110)
        column[1].set_yticks([0.3, 1, 3, 10, 30, 100], ["0.3", "1", "3", "10", "30", "100"])
        column[1].yaxis.minorticks_off()
        column[1].set_xticks(range(len(SCALES)), [f"{scale:g}" for scale in SCALES])
    axes[0, 0].set_ylabel("rate, times the data's own")
    axes[1, 0].set_ylabel("largest share, %")
    figure.supxlabel("scale of the half-normal prior of every spread (sigma_*)")
    figure.savefig(FIGURES / "prior_spreads.png", dpi=80)
    plt.close(figure)


def bar(axis: plt.Axes, x: float, ends: np.ndarray | list[float]) -> None:
    lower, middle, upper = ends
    axis.vlines(x, lower, upper, color=PRIOR, alpha=0.4, lw=9)
    axis.plot(x, middle, "o", color=PRIOR, ms=5)
    axis.grid(axis="y", alpha=0.3)


def print_truths(cases: dict[str, tuple[AggregateData, ModelSpec]]) -> None:
    print("| case | entities | sd of true log rates | central 94% of true rates, x r0 |")
    print("|---|---|---|---|")
    for name, (data, _) in cases.items():
        rates = true_rates(data)
        low, high = np.quantile(rates, [0.03, 0.97])
        print(f"| {name} | {len(rates)} | {np.log(rates).std():.2f} | {low:.2g} to {high:.2g} |")


def print_units(cases: dict[str, tuple[AggregateData, ModelSpec]]) -> None:
    """Totals in other units, exposures in others still: what changes?"""
    print("| case | largest difference of a prior share | predicted totals, median factor |")
    print("|---|---|---|")
    for name, (data, spec) in cases.items():
        other = dataclasses.replace(
            data, totals=100 * data.totals, exposure=1000 * data.exposure, truth=None
        )
        one = sample_prior(data, spec, draws=DRAWS, seed=SEED)
        two = sample_prior(other, spec, draws=DRAWS, seed=SEED)
        gap = np.abs(one.shares - two.shares).max()
        factor = np.median(two.totals.mean(axis=0) / one.totals.mean(axis=0))
        print(f"| {name} | {gap:.1e} | {factor:.3f} |", flush=True)


def main() -> None:
    FIGURES.mkdir(exist_ok=True)
    cases = load_cases()
    draws = {
        name: sample_prior(data, spec, draws=DRAWS, seed=SEED)
        for name, (data, spec) in cases.items()
    }
    plot_totals(draws)
    print("| case | 94% of predicted totals | observed | observed inside their own 94% |")
    print("|---|---|---|---|")
    for name, prior in draws.items():
        summary = summarise_prior(prior)
        print(
            f"| {name} | {summary.total_lower:.3g} to {summary.total_upper:,.0f} | "
            f"{summary.observed_lowest:g} to {summary.observed_highest:,.0f} | "
            f"{summary.n_inside} of {summary.n_totals} |"
        )
    print_truths(cases)
    plot_spreads(cases)
    print_units(cases)


if __name__ == "__main__":
    main()
