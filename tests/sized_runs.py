"""Whole run folders of any size from made-up draws: no sampler runs, and all files agree."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

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
from bayes_attrib.model import choose_geometry
from bayes_attrib.model.families import get_family
from bayes_attrib.model.priors import resolve_priors
from bayes_attrib.spec import ModelSpec, parse_plain
from bayes_attrib.workflow.manifest import RunRecord
from bayes_attrib.workflow.write import write_run

FORMULA = '=HYPERLINK("https://example.org","x")'


def make_names(n: int, *, nasty: bool = False) -> list[str]:
    """So many names; nasty ones would break a careless page."""
    plain = [f"campaign {i:05d}" for i in range(n)]
    hard = [
        "<script>document.title='ran'</script>",
        FORMULA,
        "$\\frac{$",
        "🎯 targeted 👩‍👩‍👧",
        "حملة الصيف",
        "unbreakable" * 28,
        "<img src=x onerror=document.title='ran'>",
        "</script><script>document.title='ran'</script>",
    ]
    return [*hard, *plain][:n] if nasty else plain


def make_data(
    entity_names: list[str], n_aggregates: int, n_channels: int, per_entity: int, *, counts: bool
) -> AggregateData:
    """Cells of channel and week, or of week alone where there is one channel."""
    rng = np.random.default_rng(5)
    n = len(entity_names)
    weeks = -(-n_aggregates // n_channels)
    start = pd.Timestamp("2020-01-06")
    dates = [str((start + pd.Timedelta(weeks=w)).date()) for w in range(weeks)]
    channels = [f"channel {c}" for c in range(n_channels)]
    keys = pd.DataFrame(list(itertools.product(channels, dates)), columns=["channel", "week"])
    channel = np.arange(n) % n_channels
    per_entity = min(per_entity, weeks)
    column = np.repeat(np.arange(n), per_entity)
    first = rng.integers(0, weeks - per_entity + 1, size=n)
    week = (first[:, np.newaxis] + np.arange(per_entity)).ravel()
    row = channel[column] * weeks + week
    exposure = sp.csr_array(
        (rng.gamma(2.0, 5.0, size=len(row)) + 0.1, (row, column)), shape=(len(keys), n)
    )
    rate = rng.lognormal(0.0, 0.7, size=n)
    mean = exposure @ rate
    totals = rng.poisson(mean).astype(float) if counts else rng.gamma(20.0, mean / 20.0)
    if n_channels == 1:
        keys = keys[["week"]]
    exposed = np.diff(exposure.indptr) > 0
    return AggregateData(
        aggregate_keys=keys[exposed].reset_index(drop=True),
        totals=totals[exposed],
        entity_key="campaign",
        entity_names=np.array(entity_names, dtype=object),
        exposure=sp.csr_array(exposure[np.flatnonzero(exposed)]),
        groupings={
            "channel": Grouping.from_labels("channel", [channels[c] for c in channel]),
        }
        if n_channels > 1
        else {},
    )


def make_posterior(data: AggregateData, spec: ModelSpec, n_draws: int) -> PosteriorFit:
    """Draws of every variable of the model, as a fit might have left them."""
    rng = np.random.default_rng(2)
    shape = (2, n_draws // 2)
    dims = ("chain", "draw")
    centre = np.log(data.reference_rate)
    offset = rng.normal(0.0, 0.7, size=data.n_entities) + rng.normal(
        0.0, 0.25, size=(*shape, data.n_entities)
    )
    variables = {
        "intercept": (dims, rng.normal(0.0, 0.1, shape)),
        "sigma_entity": (dims, rng.gamma(50.0, 0.015, shape)),
    }
    coords = {"entity": data.entity_names}
    log_rate = centre + offset
    for group, grouping in data.groupings.items():
        effect = rng.normal(0.0, 0.1, (*shape, len(grouping.levels)))
        variables[f"sigma_{group}"] = (dims, rng.gamma(10.0, 0.03, shape))
        variables[f"effect_{group}"] = ((*dims, group), effect)
        coords[group] = list(grouping.levels)
        log_rate = log_rate + effect[..., grouping.codes]
    variables["log_rate"] = ((*dims, "entity"), log_rate)
    variables["rate"] = ((*dims, "entity"), np.exp(log_rate))
    if not spec.likelihood.counts:
        variables["alpha"] = (dims, rng.gamma(50.0, 0.4, shape))
    observed = xr.Dataset(
        {"total": ("aggregate", data.totals)}, {"aggregate": list(data.aggregate_labels)}
    )
    groups = {"posterior": xr.Dataset(variables, coords), "observed_data": observed}
    return PosteriorFit(xr.DataTree.from_dict(groups), "nuts")


def write_sized_run(
    folder: Path,
    *,
    n_entities: int,
    n_aggregates: int,
    n_channels: int = 1,
    per_entity: int = 5,
    n_draws: int = 400,
    counts: bool = True,
    nasty: bool = False,
) -> Path:
    """Write a run folder of this size, and return its path."""
    entity_names = make_names(n_entities, nasty=nasty)
    data = make_data(entity_names, n_aggregates, n_channels, per_entity, counts=counts)
    pooled = {"rates": {"pooling": ["channel"]}} if n_channels > 1 else {}
    plain = {
        "schema_version": 1,
        "name": "sized_run",
        "columns": {
            "aggregate": list(data.aggregate_keys.columns),
            "entity": "campaign",
            "total": "units" if counts else "sales",
            "exposure": "visits",
        },
        "likelihood": {"family": "poisson"}
        if counts
        else {"family": "gamma", "level": "aggregate"},
        "report": {} if counts else {"currency": "EUR"},
        **pooled,
    }
    spec = parse_plain(plain, source="test")
    fit = make_posterior(data, spec, n_draws)
    baselines = {"em": fit_em(data), "proportional": fit_proportional(data)}
    result = attribute(
        expected_draws(fit, data, spec),
        get_family(spec.likelihood),
        noise_draws(fit, data, spec),
        baselines=baselines,
        interval=spec.report.interval,
        rng=allocation_rng(spec.inference.seed),
    )
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
    checks = (Check("max_rhat_rates", 1.0, 1.01, "<=", "ok"),)
    write_run(folder, record, fit, result, Diagnostics(checks))
    return folder
