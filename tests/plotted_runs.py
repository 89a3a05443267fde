"""Runs to draw figures of: draws are invented, tables are computed from them, nothing is fitted."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import pandas as pd
import scipy.sparse as sp
import xarray as xr

from bayes_attrib.attribution import allocation_rng, attribute
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.inference import PosteriorFit, expected_draws, noise_draws
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model.families import get_family
from bayes_attrib.report import RunFolder
from bayes_attrib.report.records import Diagnostics, Manifest
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.spec import parse_plain

NASTY = (
    "<script>alert(1)</script>",
    "=1+1",
    "$\\frac{$",
    "cost $5 to $10",
    "🎯 targeted 👩‍👩‍👧",
    "حملة الصيف",
    "\u202eright to left override",
    "bell\x07, line\nbreak",
    "夏のキャンペーン",
    "a very long name " + "without end " * 20 + "A",
    "a very long name " + "without end " * 20 + "B",
    "]]>--><!-- & \"'",
)


def plain_names(n):
    return tuple(f"campaign {i:05d}" for i in range(n))


def make_source(
    folder,
    *,
    names=NASTY,
    n_aggregates=24,
    n_channels=1,
    n_periods=6,
    n_draws=60,
    truth=True,
    unattributed=False,
    counts=True,
    verdict="ok",
    excluded=0.0,
    per_entity=6,
):
    """Return the draws of a run in a folder that holds what figures read from files."""
    rng = np.random.default_rng(7)
    data = _data(rng, names, n_aggregates, n_channels, n_periods, per_entity, counts=counts)
    if unattributed:
        data = _with_unattributed(data)
    if not truth:
        data = dataclasses.replace(data, truth=None)
    spec = _spec(data, counts=counts, n_channels=n_channels)
    fit = _posterior(rng, data, spec, n_draws)
    em = fit_em(data)
    mean, noise = expected_draws(fit, data, spec), noise_draws(fit, data, spec)
    result = attribute(
        mean,
        get_family(spec.likelihood),
        noise,
        baselines={"em": em, "proportional": fit_proportional(data)},
        interval=spec.report.interval,
        rng=allocation_rng(spec.inference.seed),
    )
    folder.mkdir(parents=True, exist_ok=True)
    result.cells.to_parquet(folder / "cells.parquet")
    observed = xr.Dataset(
        {"total": ("aggregate", data.totals)}, {"aggregate": data.aggregate_labels.astype(str)}
    )
    xr.DataTree.from_dict({"observed_data": observed}).to_netcdf(
        folder / "posterior.nc", engine="h5netcdf"
    )
    _write_em_errors(folder, data, em)
    table = result.table.copy()
    if "truth_amount" not in table:
        table["truth_amount"] = np.nan
    diagnostics = Diagnostics(verdict=verdict, checks=())
    run = RunFolder(folder, table, diagnostics, _manifest(spec, data, excluded))
    return RunDraws(run, fit, data, mean, noise)


def _data(rng, names, n_aggregates, n_channels, n_periods, per_entity, *, counts):
    """Every entity is exposed in some aggregates of its channel, every aggregate to somebody."""
    n, n_channels = len(names), min(n_channels, len(names), n_aggregates)
    channel_of = np.arange(n) % n_channels
    rows, columns = [], []
    for entity in range(n):
        own = np.arange(channel_of[entity], n_aggregates, n_channels)
        chosen = rng.permutation(own)[:per_entity]
        rows.append(chosen)
        columns.append(np.full(len(chosen), entity))
    everyone = np.arange(n_aggregates)
    rows.append(everyone)
    columns.append(everyone % n_channels)
    pairs = np.unique(np.stack([np.concatenate(rows), np.concatenate(columns)]), axis=1)
    weight = rng.gamma(2.0, 3.0, size=pairs.shape[1]) + 0.1
    exposure = sp.csr_array((weight, (pairs[0], pairs[1])), shape=(n_aggregates, n))
    exposure.sort_indices()
    rate = rng.lognormal(0.5, 0.8, size=n)
    expected = rate[exposure.indices] * exposure.data
    amounts = rng.poisson(expected).astype(float) if counts else rng.gamma(expected, 900.0)
    of_edge = np.repeat(np.arange(n_aggregates), np.diff(exposure.indptr))
    period = np.arange(n_aggregates) * n_periods // n_aggregates
    keys = pd.DataFrame(
        {
            "store": [f"s{i:03d}" for i in range(n_aggregates)],
            "month": [f"{2020 + p // 12}-{1 + p % 12:02d}" for p in period],
        },
        dtype="str",
    )
    labels = [f"channel {c}" for c in channel_of]
    return AggregateData(
        aggregate_keys=keys,
        totals=np.bincount(of_edge, weights=amounts, minlength=n_aggregates),
        entity_key="campaign",
        entity_names=np.array(names, dtype=object),
        exposure=exposure,
        groupings={"channel": Grouping.from_labels("channel", labels)} if n_channels > 1 else {},
        truth=amounts,
    )


def _with_unattributed(data):
    """Add what no exposure explains: one unit of exposure everywhere, and a part of the totals."""
    n = data.n_aggregates
    exposure = sp.csr_array(sp.hstack([data.exposure, np.ones((n, 1))]))
    last = exposure.indices == data.n_entities
    extra = np.maximum(1.0, np.rint(0.2 * data.totals))
    amounts = np.zeros(exposure.nnz)
    amounts[~last] = data.truth
    amounts[last] = extra
    return dataclasses.replace(
        data,
        totals=data.totals + extra,
        entity_names=np.append(data.entity_names, "unattributed"),
        exposure=exposure,
        groupings={
            name: Grouping(name, (*g.levels, "unattributed"), np.append(g.codes, len(g.levels)))
            for name, g in data.groupings.items()
        },
        has_unattributed=True,
        truth=amounts,
    )


def _spec(data, *, counts, n_channels):
    plain = {
        "schema_version": 1,
        "name": "plotted_run",
        "columns": {
            "aggregate": ["store", "month"],
            "entity": "campaign",
            "total": "units" if counts else "sales",
            "exposure": "visits",
        },
        "likelihood": {"family": "poisson"} if counts else {"family": "gamma"},
        "rates": {"pooling": ["channel"]} if n_channels > 1 else {},
        "report": {"title": "Sales of $5 & <b>more</b>", **({} if counts else {"currency": "EUR"})},
    }
    if data.has_unattributed:
        plain["unattributed"] = {}
    return parse_plain(plain, source="test")


def _posterior(rng, data, spec, n_draws):
    dims, shape = ("chain", "draw"), (2, n_draws // 2)
    centre = np.log(data.reference_rate)
    variables = {
        "intercept": (dims, rng.normal(0.0, 0.1, shape)),
        "sigma_entity": (dims, rng.gamma(50.0, 0.015, shape)),
    }
    own = rng.normal(0.0, 0.7, size=data.n_entities)
    log_rate = centre + own + rng.normal(0.0, 0.25, size=(*shape, data.n_entities))
    coords = {"entity": data.entity_names}
    for group in spec.rates.groups:
        levels = data.attributable_grouping(group).levels
        variables[f"effect_{group}"] = ((*dims, group), rng.normal(0, 0.1, (*shape, len(levels))))
        variables[f"sigma_{group}"] = (dims, rng.gamma(10.0, 0.03, shape))
        coords[group] = list(levels)
    variables["log_rate"] = ((*dims, "entity"), log_rate)
    variables["rate"] = ((*dims, "entity"), np.exp(log_rate))
    if not spec.likelihood.counts:
        variables["alpha"] = (dims, rng.gamma(50.0, 0.4, shape))
    return PosteriorFit(xr.DataTree.from_dict({"posterior": xr.Dataset(variables, coords)}), "nuts")


def _write_em_errors(folder, data, em):
    """Errors of three kinds: some that reach below zero, one without end, and none at zero."""
    se = 0.6 * em.entity_amount + 1.0
    low, high = em.entity_amount - 2 * se, em.entity_amount + 2 * se
    nothing = np.full(len(se), np.nan)
    table = pd.DataFrame(
        {
            "name": data.entity_names,
            "em_amount": em.entity_amount,
            **dict.fromkeys(("em_se", "em_lower", "em_upper"), nothing),
            "em_information_se": se,
            "em_information_lower": np.where(em.entity_amount > 0, low, np.nan),
            "em_information_upper": np.where(em.entity_amount > 0, high, np.nan),
        }
    )
    table.loc[table["em_information_se"].idxmax(), "em_information_upper"] = np.inf
    table.to_csv(folder / "em_errors.csv", index=False)


def _manifest(spec, data, excluded):
    plain = spec.model_dump(mode="json")
    canonical = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    return Manifest.model_validate(
        {
            "schema_version": 1,
            "name": spec.name,
            "spec": plain,
            "spec_digest": hashlib.sha256(canonical.encode()).hexdigest(),
            "inputs": [],
            "seed": spec.inference.seed,
            "method": "nuts",
            "data": {
                "n_aggregates": data.n_aggregates,
                "n_entities": data.n_entities,
                "n_edges": data.n_edges,
                "grand_total": data.grand_total,
            },
            "repairs": [{"repair": "drop-bad-rows", "total_excluded": excluded}] * (excluded > 0),
            "started": "2026-01-01T00:00:00+00:00",
            "ended": "2026-01-01T00:01:00+00:00",
        }
    )
