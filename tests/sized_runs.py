"""Whole run folders of any size from made-up draws: no sampler runs, and all files agree."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from made_up_draws import plausible_posterior
from made_up_runs import write_made_up_run

from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.spec import parse_plain

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
    fit = plausible_posterior(data, spec, np.random.default_rng(2), n_draws)
    return write_made_up_run(folder, data, spec, fit)
