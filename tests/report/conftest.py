"""Synthetic run folders: small, self-consistent, and made without the code under test."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

NASTY_NAMES = (
    "<script>alert(1)</script>",
    "=1+1",
    "A & B",
    "$\\frac{$",
    "\"double\" and 'single' quotes",
    "</style></table><b>bold",
    "🎯 targeted 👩‍👩‍👧",
    "حملة الصيف",
    "\u202eright to left override",
    "[bold red]markup[/bold red]",
    "007",
    "NA",
    "1E5",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "bell\x07 and escape\x1b[31m",
    "  spaces  around  ",
    "a very long name " + "without end " * 40,
    "unbreakable" * 30,
)


def _spec(options: dict[str, Any]) -> dict[str, Any]:
    counts = options["family"] != "gamma"
    level = None if options["family"] == "poisson" else "pair"
    return {
        "schema_version": 1,
        "name": "synthetic_run",
        "columns": {
            "aggregate": ["store", "week"],
            "entity": "campaign",
            "total": "units" if counts else "sales",
            "exposure": "visits",
            "amount": "amount",
        },
        "likelihood": {"family": options["family"], "level": level},
        "rates": {
            "pooling": list(options["groups"]),
            "geometry": {"entity": "auto", "groups": "auto"},
        },
        "priors": {"sigma_entity": {"dist": "HalfNormal", "sigma": 0.5}},
        "inference": {
            "method": "nuts",
            "seed": 1,
            "draws": 1000,
            "tune": 500,
            "chains": 4,
            "target_accept": 0.9,
        },
        "report": {
            "interval": {"kind": options["kind"], "prob": 0.94},
            "title": options["title"],
            "currency": options["currency"],
        },
    }


def _interval(draws: np.ndarray, kind: str, prob: float = 0.94) -> tuple[np.ndarray, np.ndarray]:
    """Interval of every row of draws, shape (n, n_draws)."""
    if kind == "eti":
        tail = (1 - prob) / 2
        return np.quantile(draws, tail, axis=1), np.quantile(draws, 1 - tail, axis=1)
    ordered = np.sort(draws, axis=1)
    held = int(np.ceil(prob * draws.shape[1]))
    widths = ordered[:, held - 1 :] - ordered[:, : draws.shape[1] - held + 1]
    start = widths.argmin(axis=1)
    rows = np.arange(len(draws))
    return ordered[rows, start], ordered[rows, start + held - 1]


class _World:
    """Exposures, totals, truth, and draws of amounts that sum to the totals."""

    def __init__(self, entity_names: tuple[str, ...], options: dict[str, Any]) -> None:
        rng = np.random.default_rng(options["seed"])
        n, m, n_draws = len(entity_names), options["n_aggregates"], options["n_draws"]
        counts = options["family"] != "gamma"
        per_entity = min(m, options["aggregates_per_entity"])
        self.names, self.options, self.n_draws = entity_names, options, n_draws
        self.entity = np.repeat(np.arange(n), per_entity)
        self.aggregate = np.concatenate([rng.permutation(m)[:per_entity] for _ in range(n)])
        order = np.lexsort((self.entity, self.aggregate))
        self.entity, self.aggregate = self.entity[order], self.aggregate[order]
        self.exposure = rng.gamma(2.0, 5.0, size=len(order)).round(1) + 0.1
        rate = rng.lognormal(0.0, 0.7, size=n)
        mean = options["scale"] * rate[self.entity] * self.exposure
        self.truth = rng.poisson(mean).astype(float) if counts else rng.gamma(mean, 1.0).round(2)
        self.totals = np.bincount(self.aggregate, weights=self.truth, minlength=m)
        self.rate_draws = rate[:, None] * rng.lognormal(0.0, 0.25, size=(n, n_draws))
        expected = self.rate_draws[self.entity] * self.exposure[:, None]
        self.expected = self._split(expected)
        self.amounts = self._draw_counts(rng) if counts else self.expected.copy()
        self.proportional = self._split(self.exposure[:, None])[:, 0]
        em_rate = np.ones(n)
        for _ in range(30):
            split = self._split((em_rate[self.entity] * self.exposure)[:, None])[:, 0]
            em_rate = np.bincount(self.entity, split) / np.bincount(self.entity, self.exposure)
        self.em = split
        self.groups = {g: rng.integers(0, 3, size=n) for g in options["groups"]}

    def _split(self, expected: np.ndarray) -> np.ndarray:
        sums = np.zeros((len(self.totals), expected.shape[1]))
        np.add.at(sums, self.aggregate, expected)
        return expected / sums[self.aggregate] * self.totals[self.aggregate][:, None]

    def _draw_counts(self, rng: np.random.Generator) -> np.ndarray:
        amounts = np.zeros_like(self.expected)
        for b in np.flatnonzero(self.totals > 0):
            cells = np.flatnonzero(self.aggregate == b)
            p = self.expected[cells] / self.totals[b]
            p /= p.sum(axis=0)
            amounts[cells] = rng.multinomial(int(self.totals[b]), p.T).T
        return amounts

    @property
    def keys(self) -> pd.DataFrame:
        b = np.arange(len(self.totals))
        return pd.DataFrame({"store": [f"0{i % 5}" for i in b], "week": [f"w{i // 5}" for i in b]})

    def rows(self, level: str, labels: list[str], codes: np.ndarray) -> pd.DataFrame:
        """Rows of attribution.csv; ``codes`` says to which label each entity belongs."""
        code = codes[self.entity]
        n, whole, kind = len(labels), self.totals.sum(), self.options["kind"]

        def add(values: np.ndarray) -> np.ndarray:
            sums = np.zeros((n, *values.shape[1:]))
            np.add.at(sums, code, values)
            return sums

        amounts, exposure = add(self.amounts), add(self.exposure)
        expected, expected_rate = add(self.expected), add(self.rate_draws[self.entity] * 1.0)
        rate = expected_rate / np.maximum(1, np.bincount(code, minlength=n))[:, None]
        pairs = pd.DataFrame({"code": code, "aggregate": self.aggregate}).drop_duplicates()
        table = pd.DataFrame({"level": level, "name": labels, "exposure": exposure})
        table["n_aggregates"] = np.bincount(pairs["code"], minlength=n)
        for what, draws in (("amount", amounts), ("share", amounts / whole), ("rate", rate)):
            table[f"{what}_mean"] = draws.mean(axis=1)
            if what == "amount":
                table["amount_sd"] = draws.std(axis=1)
            table[f"{what}_lower"], table[f"{what}_upper"] = _interval(draws, kind)
        ends = _interval(expected, kind)
        table["expected_amount_lower"], table["expected_amount_upper"] = ends
        for method, values in (("em", self.em), ("proportional", self.proportional)):
            table[f"{method}_amount"] = add(values)
            table[f"{method}_share"] = add(values) / whole
        table["interval_kind"], table["interval_prob"] = kind, 0.94
        if self.options["truth"]:
            table["truth_amount"] = add(self.truth)
        return table

    def attribution(self) -> pd.DataFrame:
        n = len(self.names)
        parts = [self.rows("entity", list(self.names), np.arange(n))]
        for group, codes in self.groups.items():
            levels, dense = np.unique(codes, return_inverse=True)
            parts.append(self.rows(group, [f"<i>{group}</i> {i}" for i in levels], dense))
        return pd.concat(parts, ignore_index=True)

    def cells(self) -> pd.DataFrame:
        table = self.keys.iloc[self.aggregate].reset_index(drop=True)
        table["campaign"] = np.asarray(self.names, dtype=object)[self.entity]
        table["exposure"] = self.exposure
        total = np.maximum(self.totals[self.aggregate], 1e-300)
        for what, draws in (("share", self.amounts / total[:, None]), ("amount", self.amounts)):
            table[f"{what}_mean"] = draws.mean(axis=1)
            table[f"{what}_lower"], table[f"{what}_upper"] = _interval(draws, self.options["kind"])
        table["amount_sd"] = self.amounts.std(axis=1)
        table["em_amount"], table["proportional_amount"] = self.em, self.proportional
        if self.options["truth"]:
            table["truth_amount"] = self.truth
        return table

    def posterior(self) -> xr.DataTree:
        rng = np.random.default_rng(7)
        shape = (4, self.n_draws // 4)
        dims = ("chain", "draw")
        variables: dict[str, Any] = {
            "intercept": (dims, rng.normal(0, 0.1, shape)),
            "sigma_entity": (dims, rng.gamma(20, 0.03, shape)),
            "rate": ((*dims, "entity"), self.rate_draws.T.reshape(*shape, -1)),
        }
        coords: dict[str, Any] = {"entity": np.asarray(self.names, dtype=object)}
        for group in self.groups:
            variables[f"sigma_{group}"] = (dims, rng.gamma(10, 0.03, shape))
            variables[f"effect_{group}"] = ((*dims, group), rng.normal(0, 0.1, (*shape, 3)))
            coords[group] = [f"<i>{group}</i> {i}" for i in range(3)]
        if self.options["family"] != "poisson":
            variables["phi"] = (dims, rng.gamma(20, 0.05, shape))
        tree = {"posterior": xr.Dataset(variables, coords=coords)}
        if self.options["observed"]:
            labels = [" / ".join(row) for row in self.keys.itertuples(index=False, name=None)]
            tree["observed_data"] = xr.Dataset(
                {"total": ("aggregate", self.totals)}, coords={"aggregate": labels}
            )
        return xr.DataTree.from_dict(tree)


def _diagnostics(verdict: str) -> dict[str, Any]:
    bad = {"ok": "ok", "warn": "warn", "not_converged": "fail"}[verdict]
    value = {"ok": 812.0, "warn": 312.0, "not_converged": None}[verdict]
    checks = [
        ("variables_with_non_finite_draws", 0.0, 0.0, "<=", "ok", "every draw is a finite number"),
        ("max_rhat_parameters", 1.0034, 1.01, "<=", "ok", "worst: sigma_entity"),
        ("max_rhat_shares", 1.0012, 1.01, "<=", "ok", "worst: <script>alert(1)</script>"),
        ("min_ess_bulk_parameters", value, 400.0, ">=", bad, "worst: sigma_entity"),
        ("min_ess_tail_shares", 1210.0, 400.0, ">=", "ok", "worst: A & B"),
        ("divergent_fraction", 0.0, 0.0, "<=", "ok", "0 of 4000 draws"),
        ("max_depth_fraction", 0.0, 0.01, "<=", "ok", "0 of 4000 draws"),
        ("min_bfmi", 0.87, 0.3, ">=", "ok", "energy of the worst chain"),
        ("chains", 4, 4, ">=", "ok", "chains that can disagree"),
        ("some_new_check", 1.0, 2.0, "<=", "ok", ""),
    ]
    keys = ("name", "value", "threshold", "comparison", "status", "detail")
    alike = {
        "code": "indistinguishable-entities",
        "severity": "note",
        "where": "exposures",
        "message": "the <b>entities</b> A & B look alike",
        "remedy": "",
    }
    finding = {
        "code": "one-level",
        "severity": "warning",
        "where": "entities.csv: <b>column</b> type",
        "message": "5 entities & more",
        "remedy": "drop it",
    }
    return {
        "verdict": verdict,
        "checks": [dict(zip(keys, check, strict=True)) for check in checks],
        "findings": [finding, alike],
    }


def _manifest(world: _World, options: dict[str, Any]) -> dict[str, Any]:
    spec = _spec(options)
    canonical = json.dumps(spec, sort_keys=True, ensure_ascii=False)
    return {
        "schema_version": 1,
        "name": spec["name"],
        "spec": spec,
        "spec_digest": hashlib.sha256(canonical.encode()).hexdigest(),
        "inputs": [
            {
                "table": t,
                "name": f"{t}.csv",
                "sha256": hashlib.sha256(t.encode()).hexdigest(),
                "rows": 1234,
            }
            for t in ("aggregates", "exposures", "entities")
        ],
        "seed": 1,
        "method": "nuts",
        "geometry": {
            "entity": "noncentered",
            "groups": {"type": "centered"},
            "information_median": 0.0312345,
        },
        "priors": {
            "intercept": {"dist": "Normal", "mu": 0.0, "sigma": 1.0},
            "sigma_entity": {"dist": "HalfNormal", "sigma": 0.5},
        },
        "largest_residual": 0.0,
        "sampling": {"draws": 1000, "tune": 500, "chains": 4, "target_accept": 0.9},
        "data": {
            "n_aggregates": len(world.totals),
            "n_entities": len(world.names),
            "n_edges": len(world.entity),
            "grand_total": float(world.totals.sum()),
            "aggregates_without_exposure": 2,
        },
        "repairs": options["repairs"],
        "baselines": {
            "em": {"iterations": 123, "relative_gap": 3e-9, "converged": True, "n_zero": 4}
        },
        "versions": {"python": "3.13.0", "numpy": "2.4.0", "pymc": "6.3.2"},
        "platform": {"system": "Linux", "machine": "x86_64"},
        "started": "2026-11-22T10:00:00+00:00",
        "ended": "2026-11-22T10:00:41+00:00",
    }


_DEFAULTS: dict[str, Any] = {
    "family": "poisson",
    "groups": ("type",),
    "kind": "hdi",
    "title": None,
    "currency": None,
    "truth": True,
    "observed": True,
    "verdict": "ok",
    "repairs": [],
    "n_aggregates": 20,
    "aggregates_per_entity": 8,
    "n_draws": 80,
    "scale": 1.0,
    "seed": 3,
}


def write_run(folder: Path, entity_names: tuple[str, ...] = NASTY_NAMES, **changes: Any) -> Path:
    options = {**_DEFAULTS, **changes}
    folder.mkdir(parents=True, exist_ok=True)
    world = _World(entity_names, options)
    world.attribution().to_csv(folder / "attribution.csv", index=False)
    world.cells().to_parquet(folder / "cells.parquet", index=False)
    world.posterior().to_netcdf(folder / "posterior.nc", engine="h5netcdf")
    diagnostics = json.dumps(_diagnostics(options["verdict"]), indent=2)
    (folder / "diagnostics.json").write_text(diagnostics, encoding="utf-8")
    manifest = json.dumps(_manifest(world, options), indent=2)
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def pristine_runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write each different run once; its folder is for copying only."""
    written: dict[str, Path] = {}

    def get(entity_names: tuple[str, ...], changes: dict[str, Any]) -> Path:
        key = repr((entity_names, sorted(changes.items())))
        if key not in written:
            folder = tmp_path_factory.mktemp("pristine") / "run"
            written[key] = write_run(folder, entity_names, **changes)
        return written[key]

    return get


@pytest.fixture
def make_run(tmp_path: Path, pristine_runs: Callable[..., Path]) -> Callable[..., Path]:
    """Make a run folder: ``make_run(names, verdict="warn", ...)`` returns its path."""

    def make(entity_names: tuple[str, ...] = NASTY_NAMES, **changes: Any) -> Path:
        shutil.copytree(pristine_runs(entity_names, changes), tmp_path / "run")
        return tmp_path / "run"

    return make


@pytest.fixture(scope="session")
def nasty_names() -> tuple[str, ...]:
    return NASTY_NAMES


@pytest.fixture(scope="session")
def nasty_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A read-only run whose entities have names that break careless pages."""
    return write_run(tmp_path_factory.mktemp("nasty") / "run")
