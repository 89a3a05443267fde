"""Evidence for the mix model and the classical fits beside it, on data of known truth.

    python benchmarks/mmm_lab.py three --worlds 20
    python benchmarks/mmm_lab.py classical --worlds 20
    python benchmarks/mmm_lab.py five --worlds 20
    python benchmarks/mmm_lab.py holdout
    python benchmarks/mmm_lab.py two_geo --file mmm_multidimensional_example.csv

Each part writes ``benchmarks/results/mmm_lab_<part>.json`` after every world, so that a run that is
stopped keeps what it has, and goes on where it stopped. Worlds share one compiled model: data are
exchanged, the graph is not. ``two_geo`` reads the example of pymc-marketing's source distribution.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import nutpie
import pandas as pd

from bayes_attrib.attribution.intervals import interval_of
from bayes_attrib.exposure import carry_over, geometric_weights, hill, normalised
from bayes_attrib.inference.mixing import ess_bulk, rhat
from bayes_attrib.inputs.source import SourceFile
from bayes_attrib.mmm_fit.build import build_mmm
from bayes_attrib.mmm_fit.classical import fit_least_squares, fit_ridge
from bayes_attrib.mmm_fit.fit import fit_mmm
from bayes_attrib.mmm_fit.read_series import read_series
from bayes_attrib.mmm_fit.response import Response, response_of
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries
from bayes_attrib.mmm_fit.upstream import quiet
from bayes_attrib.mmm_fit.validation import validate
from bayes_attrib.mmm_fit.verdict import judge, parameter_columns
from bayes_attrib.simulation import simulate
from bayes_attrib.simulation.mmm_lab import THREE
from bayes_attrib.spec import IntervalSpec

RESULTS = Path(__file__).parent / "results"
INTERVAL = IntervalSpec(kind="hdi", prob=0.94)
CURVE_PARAMETERS = ("adstock_alpha", "saturation_slope", "saturation_kappa", "saturation_beta")

# Fixed before any truth was looked at. Channels have the package's default priors.
THREE_SPEC = MmmSpec.model_validate(
    {
        "schema_version": 1,
        "kind": "mmm",
        "name": "mmm_three_channels",
        "columns": {
            "date": "week",
            "target": "sales",
            "channels": ["tv", "search", "social"],
            "controls": ["promotion"],
        },
        "adstock": {"kind": "geometric", "l_max": 13},
        "saturation": {"kind": "hill"},
        "baseline": {"yearly_seasonality": 1},
        "inference": {"draws": 500, "tune": 500, "chains": 4, "target_accept": 0.95},
    }
)
FIVE_SPEC = MmmSpec.model_validate(
    {
        "schema_version": 1,
        "kind": "mmm",
        "name": "mmm_retail",
        "columns": {
            "date": "week",
            "target": "sales",
            "channels": ["tv", "search", "social", "display", "radio"],
            "controls": ["promotion"],
        },
        "adstock": {"kind": "geometric", "l_max": 8},
        "saturation": {"kind": "hill"},
        "baseline": {"yearly_seasonality": 2, "trend": "linear"},
        "inference": {"draws": 400, "tune": 400, "chains": 4, "target_accept": 0.9},
    }
)


def series_of(spec: MmmSpec, scenario: str, seed: int, **options: Any) -> tuple[MmmSeries, Any]:
    """Return a world, and its true contributions, shape (n_weeks, n_channels)."""
    tables = simulate(scenario, seed=seed, options=options)
    table = tables.others["series"]
    dates = pd.DatetimeIndex(pd.to_datetime(table["week"]))
    channels = spec.columns.channels
    control = [table["promotion"].to_numpy(dtype=float)]
    if spec.trend_names:
        control.append(np.linspace(0.0, 1.0, len(table)))
    truth = tables.exposures.pivot_table(index="week", columns="channel", values="amount")
    return MmmSeries(
        dates,
        ("",),
        channels,
        spec.control_names,
        table[list(channels)].to_numpy(dtype=float)[:, np.newaxis],
        np.stack(control, axis=1)[:, np.newaxis],
        table["sales"].to_numpy(dtype=float)[:, np.newaxis],
        SourceFile("series", "simulated", "", len(table)),
    ), truth[list(channels)].to_numpy()


class Compiled:
    """One compiled model for many worlds of the same size."""

    def __init__(self, spec: MmmSpec, series: MmmSeries) -> None:
        self.spec = spec
        with quiet():
            self.model = build_mmm(spec, series).model
            # Without contributions and other deterministics compiling takes half as long.
            self.compiled = nutpie.compile_pymc_model(self.model, var_names=list(CURVE_PARAMETERS))

    def sample(self, series: MmmSeries, seed: int) -> tuple[Response, dict[str, float]]:
        """Fit a world; return its response and how well it was sampled."""
        spec, chosen = self.spec, self.spec.inference
        channel_scale, target_scale = series.spend.max(axis=0)[0], float(series.target.max())
        with quiet():
            ready = self.compiled.with_data(
                channel_data=series.spend[:, 0],
                target_data=series.target[:, 0],
                channel_scale=channel_scale,
                target_scale=np.asarray(target_scale),
                control_data=series.control[:, 0],
            )
            drawn = nutpie.sample(
                ready,
                draws=chosen.draws,
                tune=chosen.tune,
                chains=chosen.chains,
                cores=1,
                seed=seed,
                target_accept=chosen.target_accept,
                progress_bar=False,
            )
        posterior = drawn["posterior"] if not hasattr(drawn, "posterior") else drawn.posterior
        stats = drawn["sample_stats"] if not hasattr(drawn, "sample_stats") else drawn.sample_stats
        own = {
            name: posterior[f"{name}"].transpose("chain", "draw", "channel").to_numpy()
            for name in CURVE_PARAMETERS
        }
        flat = {name: values.reshape(-1, 1, values.shape[-1]) for name, values in own.items()}
        weights = normalised(geometric_weights(flat["adstock_alpha"], l_max=spec.adstock.l_max))
        response = Response(
            "geometric",
            "hill",
            spec.adstock.l_max,
            weights,
            {k: flat[f"saturation_{k}"][..., None] for k in ("slope", "kappa", "beta")},
            channel_scale[np.newaxis],
            np.array([target_scale]),
        )
        columns = np.concatenate([np.moveaxis(v, -1, 0) for v in own.values()])
        return response, {
            "divergences": int(stats["diverging"].to_numpy().sum()),
            "max_rhat": float(rhat(columns).max()),
            "min_ess_bulk": float(ess_bulk(columns).min()),
        }


def cramer_rao(series: MmmSeries, options: dict[str, Any]) -> list[float]:
    """Return the least standard error of unbiased estimates of total contributions, relative.

    The model is that of the simulator with all its parameters unknown, at their true values.
    """
    spend, promotion = series.spend[:, 0], series.control[:, 0, 0]
    angle = 2 * np.pi * np.arange(len(spend)) / 52
    noise = options.get("noise", 1_000.0)

    def totals(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = []
        for i in range(len(THREE)):
            decay, slope, half, ceiling = theta[4 * i : 4 * i + 4]
            carried = carry_over(spend[:, i], normalised(geometric_weights(decay, l_max=13)))
            parts.append(ceiling * hill(carried, half, slope))
        base, promoted, sine, cosine = theta[-4:]
        rest = base + promoted * promotion + sine * np.sin(angle) + cosine * np.cos(angle)
        return rest + np.sum(parts, axis=0), np.sum(parts, axis=1)

    true = [v for c in THREE for v in (c.decay, c.slope, c.half_saturation, c.ceiling)]
    theta = np.array([*true, 5_000.0, 8_000.0, 4_000.0, 0.0])
    unit = np.where(theta != 0, np.abs(theta), 1_000.0)
    jacobian, gradient = [], []
    for j in range(len(theta)):
        step = np.zeros(len(theta))
        step[j] = 1e-5 * unit[j]
        (up, up_total), (down, down_total) = totals(theta + step), totals(theta - step)
        jacobian.append((up - down) / 2e-5)
        gradient.append((up_total - down_total) / 2e-5)
    information = np.array(jacobian) @ np.array(jacobian).T / noise**2
    sandwich = np.array(gradient).T @ np.linalg.solve(information, np.array(gradient))
    return (np.sqrt(np.diag(sandwich)) / totals(theta)[1]).tolist()


def finite_difference_gap(response: Response, spend: np.ndarray) -> dict[str, float]:
    """Return the largest relative gaps of marginal ROAS from central differences, over all draws.

    ``reported`` is the figure of the tables: all spend of a channel grows by one factor. ``weekly``
    is the derivative to the spend of single weeks, four of those with spend in each channel.
    """
    tail = response.l_max - 1

    def total(changed: np.ndarray) -> np.ndarray:
        return response.contributions(changed, beyond=tail).sum(axis=(1, 2, 3))

    found = response.marginal(spend)
    gaps: dict[str, list[float]] = {"reported": [], "weekly": []}
    for channel in range(spend.shape[2]):
        own = spend[:, 0, channel]
        step = np.zeros_like(spend)
        step[:, 0, channel] = 1e-4 * own
        numeric = (total(spend + step) - total(spend - step)) / (2e-4 * own.sum())
        exact = np.where(own > 0, found[:, :, 0, channel] * own, 0.0).sum(axis=1) / own.sum()
        gaps["reported"].append(float(np.abs(numeric / exact - 1.0).max()))
        weeks = np.flatnonzero(own > 0)
        for week in weeks[np.linspace(0, len(weeks) - 1, 4).astype(int)]:
            step = np.zeros_like(spend)
            step[week, 0, channel] = 1e-4 * own[week]
            numeric = (total(spend + step) - total(spend - step)) / (2e-4 * own[week])
            exact = found[:, week, 0, channel]
            floor = np.maximum(np.abs(exact), 1e-3 * np.abs(exact).max())
            gaps["weekly"].append(float((np.abs(numeric - exact) / floor).max()))
    return {name: max(values) for name, values in gaps.items()}


def three(worlds: int) -> None:
    """Least squares, ridge and posterior on the design as stated, and with dark weeks."""
    record = _load("three")
    compiled = None
    for seed in range(1, worlds + 1):
        for name, dark in (("as_stated", 0), ("with_dark_weeks", 4)):
            key = f"{name}_{seed}"
            if key in record["worlds"]:
                continue
            series, truth = series_of(THREE_SPEC, "mmm_three_channels", seed, dark_blocks=dark)
            total = truth.sum(axis=0)
            least, ridge = fit_least_squares(THREE_SPEC, series), fit_ridge(THREE_SPEC, series)
            compiled = compiled or Compiled(THREE_SPEC, series)
            begun = time.process_time()
            response, sampled = compiled.sample(series, seed)
            draws = response.contributions(series.spend).sum(axis=(1, 2)).T
            lower, upper = interval_of(draws, INTERVAL)
            record["worlds"][key] = {
                "design": name,
                "seed": seed,
                "truth": total.tolist(),
                "cramer_rao_sd": cramer_rao(series, {}),
                "least_squares_error": _error(least.contributions, total),
                "least_squares_rmse": least.rmse(series.target),
                "least_squares_facts": least.facts,
                "ridge_error": _error(ridge.contributions, total),
                "posterior_error": (draws.mean(axis=1) / total - 1).tolist(),
                "lower": lower.tolist(),
                "upper": upper.tolist(),
                "covered": ((lower <= total) & (total <= upper)).tolist(),
                "marginal_roas_gap": finite_difference_gap(response, series.spend),
                "seconds": time.process_time() - begun,
                **sampled,
            }
            _save("three", record)
            print(key, record["worlds"][key], flush=True)


def classical(worlds: int) -> None:
    """Least squares alone, which needs no compiled model, on both designs of three channels."""
    record = _load("classical")
    for seed in range(1, worlds + 1):
        for name, dark in (("with_dark_weeks", 4), ("as_stated", 0)):
            key = f"{name}_{seed}"
            if key in record["worlds"]:
                continue
            series, truth = series_of(THREE_SPEC, "mmm_three_channels", seed, dark_blocks=dark)
            angle = 2 * np.pi * np.arange(len(truth)) / 52
            rest = 5_000 + 8_000 * series.control[:, 0, 0] + 4_000 * np.sin(angle)
            noise = series.target[:, 0] - rest - truth.sum(axis=1)
            fit = fit_least_squares(THREE_SPEC, series)
            record["worlds"][key] = {
                "design": name,
                "error": _error(fit.contributions, truth.sum(axis=0)),
                "rmse": fit.rmse(series.target),
                "noise_rmse": float(np.sqrt((noise**2).mean())),
                "facts": fit.facts,
                "cramer_rao_sd": cramer_rao(series, {}),
            }
            _save("classical", record)


def five(worlds: int) -> None:
    """Coverage of contributions and ROI over worlds of five channels."""
    record = _load("five")
    compiled = None
    for seed in range(1, worlds + 1):
        key = str(seed)
        if key in record["worlds"]:
            continue
        series, truth = series_of(FIVE_SPEC, "mmm_retail", seed)
        compiled = compiled or Compiled(FIVE_SPEC, series)
        begun = time.process_time()
        response, sampled = compiled.sample(series, seed)
        total, spend = truth.sum(axis=0), series.spend.sum(axis=(0, 1))
        draws = response.contributions(series.spend).sum(axis=(1, 2)).T
        lower, upper = interval_of(draws, INTERVAL)
        least = fit_least_squares(FIVE_SPEC, series)
        record["worlds"][key] = {
            "truth": total.tolist(),
            "roi_truth": (total / spend).tolist(),
            "roi_mean": (draws.mean(axis=1) / spend).tolist(),
            "roi_lower": (lower / spend).tolist(),
            "roi_upper": (upper / spend).tolist(),
            "covered": ((lower <= total) & (total <= upper)).tolist(),
            "posterior_error": (draws.mean(axis=1) / total - 1).tolist(),
            "least_squares_error": _error(least.contributions, total),
            "seconds": time.process_time() - begun,
            **sampled,
        }
        _save("five", record)
        print(key, record["worlds"][key], flush=True)


def holdout(seed: int = 1) -> None:
    """Hold-out of the last fifth, through the package's own fit and forecast."""
    series, _ = series_of(FIVE_SPEC, "mmm_retail", seed)
    begun = time.process_time()
    table = validate(FIVE_SPEC, series)
    rows = json.loads(table.to_json(orient="records"))
    _save("holdout", {"rows": rows, "seconds": time.process_time() - begun})
    print(table.to_string())


def two_geo(file: Path) -> None:
    """The example of pymc-marketing: published means, and ours in Monte-Carlo standard errors."""
    spec = MmmSpec.model_validate(
        {
            "schema_version": 1,
            "kind": "mmm",
            "name": "two_geo",
            "likelihood": "truncated_normal",
            "columns": {
                "date": "date",
                "target": "y",
                "channels": ["x1", "x2"],
                "controls": ["event_1", "event_2"],
                "geo": "geo",
            },
            "adstock": {"kind": "geometric", "l_max": 8},
            "saturation": {"kind": "logistic"},
            "pooling": {
                "adstock_alpha": {"kind": "separate"},
                "saturation_beta": {"kind": "partial"},
                "intercept": {"kind": "separate"},
                "gamma_fourier": {"kind": "separate"},
            },
            "priors": {
                "adstock_alpha": {"dist": "Beta", "alpha": 2.0, "beta": 5.0},
                "saturation_lam": {"dist": "Gamma", "alpha": 4.0, "beta": 8.0},
                "saturation_beta": {"dist": "Gamma", "alpha": 6.25, "beta": 25.0},
                "intercept": {"dist": "Gamma", "alpha": 4.0, "beta": 8.0},
            },
            "inference": {"draws": 1000, "tune": 1000, "chains": 4, "target_accept": 0.95},
        }
    )
    series = read_series(spec, file).series
    begun = time.process_time()
    fit = fit_mmm(spec, series)
    published = {
        "adstock_alpha[geo_a, x1]": 0.29,
        "adstock_alpha[geo_a, x2]": 0.31,
        "adstock_alpha[geo_b, x1]": 0.26,
        "adstock_alpha[geo_b, x2]": 0.28,
        "saturation_lam[x1]": 0.47,
        "saturation_lam[x2]": 0.48,
        "y_sigma": 0.184,
    }
    columns = parameter_columns(fit)
    rows = []
    for name, told in published.items():
        draws = columns[name]
        error = float(draws.std(ddof=1) / np.sqrt(ess_bulk(draws[np.newaxis])[0]))
        mean = float(draws.mean())
        rows.append({"name": name, "published": told, "mean": mean, "mcse": error})
    response = response_of(fit)
    rebuilt = response.contributions(series.spend)
    own = fit.draws("channel_contribution_original_scale", own=("date", "channel"))
    gap = float(np.abs(np.moveaxis(rebuilt, 1, 2) - own).max() / np.abs(own).max())
    _save(
        "two_geo",
        {
            "divergences": int(fit.sample_stats["diverging"].to_numpy().sum()),
            "verdict": judge(fit).verdict,
            "rows": rows,
            "contributions_made_again": gap,
            "seconds": time.process_time() - begun,
        },
    )
    print(pd.DataFrame(rows).to_string(), judge(fit).as_dict()["verdict"], gap)


def _error(contributions: np.ndarray, total: np.ndarray) -> list[float]:
    return (contributions.sum(axis=(0, 1)) / total - 1).tolist()


def _load(part: str) -> dict[str, Any]:
    path = RESULTS / f"mmm_lab_{part}.json"
    return json.loads(path.read_text()) if path.is_file() else {"worlds": {}}


def _save(part: str, record: dict[str, Any]) -> None:
    path = RESULTS / f"mmm_lab_{part}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["three", "classical", "five", "holdout", "two_geo"])
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--file", type=Path)
    chosen = parser.parse_args()
    if chosen.part == "two_geo":
        two_geo(chosen.file)
    elif chosen.part == "holdout":
        holdout()
    else:
        {"three": three, "classical": classical, "five": five}[chosen.part](chosen.worlds)


if __name__ == "__main__":
    main()
