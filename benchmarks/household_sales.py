"""Which model suits the shipped household sales? One fit each, scored against the known truth.

Prints a table in Markdown. The model is chosen by ``elpd``, which knows only the totals;
the truth enters the scores alone. ``--only NAME`` fits one of the models.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from bayes_attrib.inference import total_draws
from bayes_attrib.inference.loo import psis_loo
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.report.scores import interval_coverage, shares_of, total_variation
from bayes_attrib.spec import load_spec, parse_plain
from bayes_attrib.workflow import Fitted, fit_tables

ROOT = Path(__file__).parents[1]
SPEC = "models/household_sales.toml"
FAMILIES: dict[str, dict[str, str]] = {
    "gamma, pair": {"family": "gamma", "level": "pair"},
    "gamma, aggregate": {"family": "gamma", "level": "aggregate"},
    "lognormal, aggregate": {"family": "lognormal", "level": "aggregate"},
    "lognormal, pair approximation": {"family": "lognormal", "level": "pair_approximation"},
}
"""Families, with the rates of the spec."""

RATES: dict[str, dict[str, Any]] = {
    "with an effect of quarters": {"aggregate_effects": ["store_id", "quarter"]},
    "without log(visits)": {"pair_covariates": None},
    "without stores": {"aggregate_effects": []},
    "groups only": {"aggregate_effects": [], "pair_covariates": None},
}
"""What becomes of the spec's rates, with its family."""

COLUMNS = (
    "model | error of shares | RMSE of cells | Spearman | HDIs that hold households | cells "
    "| elpd | bad k | divergences | seconds | verdict"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=[*FAMILIES, *RATES], help="fit this model alone")
    only = parser.parse_args().only
    plain = load_spec(ROOT / SPEC).model_dump(mode="json")
    candidates = {name: {"likelihood": change} for name, change in FAMILIES.items()}
    candidates |= {name: {"rates": plain["rates"] | change} for name, change in RATES.items()}
    print(f"| {COLUMNS} |")
    print("|---" * len(COLUMNS.split(" | ")) + "|")
    for name in [only] if only else candidates:
        fitted = _print_fit(name, plain | candidates[name])
    entities, cells = _by_entity(fitted), fitted.result.cells
    for baseline in ("em", "proportional"):
        points = _point_scores(entities, cells, f"{baseline}_amount")
        print(f"| {baseline} | {points} | | | | | | | |")


def _print_fit(name: str, plain: dict[str, Any]) -> Fitted:
    spec = parse_plain(plain, source="benchmark")
    tables = read_tables(spec, DataSource(folder=ROOT / "data/household_sales"))
    started = time.perf_counter()
    fitted = fit_tables(tables, spec)
    seconds = time.perf_counter() - started
    loo = psis_loo(total_draws(fitted.posterior, tables.data, spec, most=fitted.posterior.n_draws))
    entities, cells = _by_entity(fitted), fitted.result.cells
    divergences = int(fitted.posterior.sample_stats["diverging"].sum())
    print(
        f"| {name} | {_point_scores(entities, cells, 'amount_mean')} | {_coverage(entities):.1%} "
        f"| {_coverage(cells):.1%} | {loo.elpd:.1f} ± {loo.se:.1f} | {loo.n_bad} | {divergences} "
        f"| {seconds:.0f} | {fitted.diagnostics.verdict} |",
        flush=True,
    )
    return fitted


def _by_entity(fitted: Fitted) -> pd.DataFrame:
    return fitted.result.table.query("level == 'entity'")


def _point_scores(entities: pd.DataFrame, cells: pd.DataFrame, column: str) -> str:
    truth = entities["truth_amount"]
    error = total_variation(shares_of(entities[column]), shares_of(truth))
    rmse = float(np.sqrt(np.mean((cells[column] - cells["truth_amount"]) ** 2)))
    ranks = float(spearmanr(entities[column], truth).statistic)
    return f"{error:.3f} | {rmse:.1f} | {ranks:.2f}"


def _coverage(table: pd.DataFrame) -> float:
    return interval_coverage(table["amount_lower"], table["amount_upper"], table["truth_amount"])


if __name__ == "__main__":
    main()
