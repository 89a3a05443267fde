"""Run folders for the finance workbook: whole and consistent, with made-up draws, in a second."""

import hashlib
import json

import numpy as np
import pandas as pd
import scipy.sparse as sp
import xarray as xr

from bayes_attrib.attribution import allocation_rng, attribute
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.inference import PosteriorFit, expected_draws, noise_draws, save_tree
from bayes_attrib.inference.constant_data import constant_data
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model import build_model
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import parse_plain

N_CHAINS, N_DRAWS, N_STORES, N_WEEKS = 2, 20, 3, 4

FORMULA_NAMES = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://example.com","x")',
    "=cmd|' /C calc'!A0",
    "{=1+1}",
    "<r><t>markup</t></r>",
    "_x0041_",
    "http://example.com",
    "mailto:a@example.com",
    "007",
    "1E5",
    "TRUE",
    "#REF!",
    "'quoted",
    " spaces ",
    "bell\x07 tab\t line\nend",
    "not\ufffein\uffffXML",
    "🎯 حملة",
    "x" * 40_000,
)
"""Names that a spreadsheet would calculate, follow, convert, refuse, or cannot hold."""


def write_finance_run(folder, names=("a", "b", "c", "d"), **options):
    """Write a run of stores and weeks; returns its folder."""
    chosen = {
        "family": "gamma",
        "currency": "EUR",
        "locale": "en",
        "title": None,
        "unattributed": False,
        "groups": ("type",),
        "keys": ("store", "week"),
        "verdict": "ok",
        "repairs": [],
        "seed": 3,
        **options,
    }
    spec = _spec(chosen)
    data = _data(tuple(names), spec, chosen)
    fit = _posterior(data, spec)
    result = attribute(
        expected_draws(fit, data, spec),
        get_family(spec.likelihood),
        noise_draws(fit, data, spec),
        baselines={"em": fit_em(data), "proportional": fit_proportional(data)},
        interval=spec.report.interval,
        rng=allocation_rng(spec.inference.seed),
    )
    folder.mkdir(parents=True)
    result.table.to_csv(folder / "attribution.csv", index=False)
    result.cells.to_parquet(folder / "cells.parquet", index=False)
    observed = xr.Dataset(
        {"total": ("aggregate", data.totals)}, coords={"aggregate": data.aggregate_labels}
    )
    tree = {
        "posterior": fit.posterior,
        "constant_data": constant_data(data, spec),
        "observed_data": observed,
    }
    save_tree(xr.DataTree.from_dict(tree), folder / "posterior.nc")
    _write_json(folder / "diagnostics.json", _diagnostics(chosen["verdict"]))
    _write_json(folder / "manifest.json", _manifest(spec, data, chosen))
    return folder


def totals_of(folder):
    """Totals by aggregate, from the cells of the proportional split and the observed data."""
    with xr.open_datatree(folder / "posterior.nc", engine="h5netcdf") as tree:
        total = tree["observed_data"]["total"].load()
    return pd.Series(total.to_numpy(), total["aggregate"].to_numpy())


def _spec(options):
    plain = {
        "schema_version": 1,
        "name": "finance_run",
        "columns": {
            "aggregate": list(options["keys"]),
            "entity": "campaign",
            "total": "sales",
            "exposure": "visits",
        },
        "likelihood": {"family": options["family"]},
        "rates": {"pooling": list(options["groups"])},
        "report": {
            "currency": options["currency"],
            "title": options["title"],
            "locale": options["locale"],
        },
    }
    if options["unattributed"]:
        plain["unattributed"] = {}
    return parse_plain(plain, source="test")


def _data(names, spec, options):
    rng = np.random.default_rng(options["seed"])
    n, m = len(names), N_STORES * N_WEEKS
    exposure = rng.lognormal(size=(m, n)) * (rng.random((m, n)) < 0.8)
    exposure[:, 0] = 1.0
    last = ["unattributed"] * bool(options["unattributed"])
    if last:
        exposure = np.hstack([exposure, np.ones((m, 1))])
    store, week = np.divmod(np.arange(m), N_WEEKS)
    keys = {"store": [f"s{i}" for i in store], "week": [f"2026-W{i + 1:02d}" for i in week]}
    by_key = {key: keys[key] for key in options["keys"] if key in keys}
    if len(by_key) < len(options["keys"]):
        by_key = {options["keys"][0]: [f"{s} {w}" for s, w in zip(*keys.values(), strict=True)]}
    counts = spec.likelihood.counts
    totals = rng.poisson(40.0, m).astype(float) if counts else rng.gamma(2.0, 500.0, m).round(3)
    groups = {
        group: Grouping.from_labels(group, [*(f"={group}{i % 3}" for i in range(n)), *last])
        for group in options["groups"]
    }
    return AggregateData(
        aggregate_keys=pd.DataFrame(by_key),
        totals=totals,
        entity_key="campaign",
        entity_names=np.array([*names, *last], dtype=object),
        exposure=sp.csr_array(exposure),
        groupings=groups,
        has_unattributed=bool(last),
    )


def _posterior(data, spec):
    """Random values for every variable of the model, with its dimensions and coordinates."""
    model = build_model(data, spec)
    rng = np.random.default_rng(2)
    variables = {}
    for variable in [*model.free_RVs, *model.deterministics]:
        dims = model.named_vars_to_dims.get(variable.name, ())
        shape = [len(model.coords[dim]) for dim in dims]
        values = 0.2 + 0.6 * rng.random((N_CHAINS, N_DRAWS, *shape))
        variables[variable.name] = (("chain", "draw", *dims), values)
    used = {dim for dims, _ in variables.values() for dim in dims} & set(model.coords)
    posterior = xr.Dataset(variables, {dim: np.array(model.coords[dim], object) for dim in used})
    return PosteriorFit(xr.DataTree.from_dict({"posterior": posterior}), "nuts")


def _diagnostics(verdict):
    status = {"ok": "ok", "warn": "warn", "not_converged": "fail"}[verdict]
    check = {"threshold": 1.01, "comparison": "<=", "detail": "worst: =1+1"}
    return {
        "verdict": verdict,
        "checks": [
            {"name": "max_rhat_parameters", "value": 1.002, "status": "ok", **check},
            {"name": "max_rhat_shares", "value": 1.2, "status": status, **check},
        ],
        "findings": [
            {
                "code": "indistinguishable-entities",
                "severity": "note",
                "where": "exposures",
                "message": "the entities a and b look alike",
                "remedy": "",
            }
        ],
    }


def _manifest(spec, data, options):
    plain = spec.model_dump(mode="json")
    return {
        "schema_version": 1,
        "name": spec.name,
        "spec": plain,
        "spec_digest": spec.digest,
        "inputs": [
            {
                "table": table,
                "name": f"={table}.csv",
                "sha256": hashlib.sha256(table.encode()).hexdigest(),
                "rows": 12,
            }
            for table in ("aggregates", "exposures")
        ],
        "seed": spec.inference.seed,
        "method": "nuts",
        "geometry": {"entity": "noncentered", "groups": {"type": "centered"}},
        "sampling": {"draws": N_DRAWS, "chains": N_CHAINS, "target_accept": 0.95},
        "data": {
            "n_aggregates": len(data.totals),
            "n_entities": data.n_entities,
            "n_edges": data.n_edges,
            "grand_total": data.grand_total,
            "aggregates_without_exposure": 2,
        },
        "repairs": options["repairs"],
        "baselines": {"em": {"iterations": 12, "converged": True, "n_zero": 1}},
        "versions": {"numpy": "2.5.5"},
        "platform": {"system": "Linux"},
        "started": "2026-11-22T10:00:00+00:00",
        "ended": "2026-11-22T10:00:41+00:00",
    }


def _write_json(file, content):
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
