"""Whole run folders from chosen draws of rates: no sampler runs, and all files agree.

Six creatives in three channels, eight weeks; the noise is Gamma at the level of the aggregate, so
that amounts are the totals times the shares of their expectations.
"""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock

import numpy as np
import pandas as pd
import scipy.sparse as sp
import xarray as xr

from bayes_attrib.attribution import allocation_rng, attribute
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.inference import (
    Check,
    Diagnostics,
    PosteriorFit,
    expected_draws,
    noise_draws,
)
from bayes_attrib.inputs import AggregateData, Grouping, TablesRead
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.families import get_family
from bayes_attrib.model.priors import resolve_priors
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow.manifest import RunRecord
from bayes_attrib.workflow.write import write_run

CREATIVES = ("alpha", "beta", "gamma", "delta", "[bold red]epsilon[/]", "sólo")
CHANNEL = ("Search", "Search", "Search", "Social", "Social", "Radio")
OBJECTIVE = ("sell", "sell", "inform", "inform", "sell", "sell")
N_WEEKS, N_CHAINS, N_DRAWS = 8, 2, 100
STATUS = {"ok": "ok", "warn": "warn", "not_converged": "fail"}


def rate_draws():
    """Alpha is surely the best of Search, beta and gamma are alike; shape (6, chains, draws)."""
    rng = np.random.default_rng(8)
    centre = np.array([4.0, 2.0, 2.0, 5.0, 3.0, 1.0])[:, np.newaxis, np.newaxis]
    return centre * rng.lognormal(0.0, 0.15, size=(6, N_CHAINS, N_DRAWS))


def make_data(keys, groupings, *, unattributed):
    """Cells of channel and week, or of week alone if the channel is no key."""
    rng = np.random.default_rng(9)
    cells = pd.DataFrame(
        [(c, f"2026-W{w + 1:02}") for w in range(N_WEEKS) for c in dict.fromkeys(CHANNEL)],
        columns=["CHANNEL", "week"],
    )
    exposure = rng.gamma(3.0, 1.0, size=(len(cells), 6))
    if "CHANNEL" in keys:
        exposure *= cells[["CHANNEL"]].to_numpy() == np.array(CHANNEL)
    else:
        cells, exposure = cells.iloc[::3], exposure[::3]
    last = ["unattributed"] * unattributed
    exposure = np.hstack([exposure, np.ones((len(cells), len(last)))])
    labels = {
        "channel": [*CHANNEL, *last],
        "objective": [*OBJECTIVE, *last],
        "brand": [*("b1",) * 3, *("b2",) * 3, *last],
        "format": ["b1 / x", "b1 / x", "b1 / y", "b2 / x", "b2 / x", "b2 / y", *last],
    }
    return AggregateData(
        aggregate_keys=cells[list(keys)].reset_index(drop=True).astype(str),
        totals=rng.gamma(20.0, 1.0, size=len(cells)),
        entity_key="creative",
        entity_names=np.array([*CREATIVES, *last], dtype=object),
        exposure=sp.csr_array(exposure),
        groupings={g: Grouping.from_labels(g, labels[g]) for g in groupings},
        aggregate_groupings={
            "week": Grouping.from_labels("week", cells["week"].to_numpy(dtype=str))
        },
        pair_covariates=pd.DataFrame({"position": rng.normal(size=int((exposure > 0).sum()))}),
        has_unattributed=unattributed,
    )


def make_posterior(data, spec, rates):
    """Chosen rates, and something for every other variable of the model."""
    model = build_model(data, spec)
    rng = np.random.default_rng(2)
    variables = {}
    for variable in [*model.free_RVs, *model.deterministics]:
        dims = model.named_vars_to_dims.get(variable.name, ())
        shape = [len(model.coords[dim]) for dim in dims]
        values = 0.2 + 0.6 * rng.random((N_CHAINS, N_DRAWS, *shape))
        variables[variable.name] = (("chain", "draw", *dims), values)
    values = variables["rate"][1]
    values[..., : len(rates)] = np.moveaxis(rates, 0, -1)
    used = {dim for dims, _ in variables.values() for dim in dims} & set(model.coords)
    coords = {dim: np.array(model.coords[dim], object) for dim in used}
    observed = xr.Dataset(
        {"total": ("aggregate", data.totals)}, {"aggregate": list(data.aggregate_labels)}
    )
    groups = {"posterior": xr.Dataset(variables, coords), "observed_data": observed}
    return PosteriorFit(xr.DataTree.from_dict(groups), "nuts")


def write_drawn_run(folder, *, draws=None, keys=("CHANNEL", "week"), verdict="ok", **sections):
    """Write a run folder of a spec with these sections, and return its path."""
    pooling = {"rates": {"pooling": ["objective"]}}
    plain = {
        "schema_version": 1,
        "name": "drawn",
        "columns": {"aggregate": list(keys), "entity": "creative", "exposure": "grps"},
        "likelihood": {"family": "gamma", "level": "aggregate"},
        "report": {"currency": "EUR"},
    }
    spec = parse_plain(plain | pooling | sections, source="test")
    data = make_data(keys, spec.rates.groups, unattributed=spec.unattributed is not None)
    fit = make_posterior(data, spec, rate_draws() if draws is None else draws)
    baselines = {"em": fit_em(data), "proportional": fit_proportional(data)}
    result = attribute(
        expected_draws(fit, data, spec),
        get_family(spec.likelihood),
        noise_draws(fit, data, spec),
        baselines=baselines,
        interval=spec.report.interval,
        rng=allocation_rng(spec.inference.seed),
    )
    names = ["max_rhat_rates"] if verdict == "ok" else [f"check_{i}" for i in range(5)]
    checks = tuple(Check(name, 2.0, 1.0, "<=", STATUS[verdict]) for name in names)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    record = RunRecord(
        spec=spec,
        tables=TablesRead(data, findings=(), repairs=(), sources=()),
        geometry=choose_geometry(data, spec),
        priors=resolve_priors(spec, data),
        baselines=baselines,
        largest_residual=result.largest_residual,
        started=now,
        ended=now,
    )
    folder.mkdir(parents=True)
    with mock.patch("bayes_attrib.workflow.write.write_reports"):  # nobody looks at pages here
        write_run(folder, record, fit, result, Diagnostics(checks))
    return folder
