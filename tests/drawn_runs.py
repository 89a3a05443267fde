"""Whole run folders from chosen draws of rates: no sampler runs, and all files agree.

Six creatives in three channels, eight weeks; the noise is Gamma at the level of the aggregate, so
that amounts are the totals times the shares of their expectations.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import scipy.sparse as sp
from made_up_draws import made_up_posterior, with_unattributed
from made_up_runs import checks_of, write_made_up_run

from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.spec import parse_plain

CREATIVES = ("alpha", "beta", "gamma", "delta", "[bold red]epsilon[/]", "sólo")
CHANNEL = ("Search", "Search", "Search", "Social", "Social", "Radio")
OBJECTIVE = ("sell", "sell", "inform", "inform", "sell", "sell")
N_WEEKS, N_CHAINS, N_DRAWS = 8, 2, 100


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
    labels = {
        "channel": CHANNEL,
        "objective": OBJECTIVE,
        "brand": ("b1",) * 3 + ("b2",) * 3,
        "format": ("b1 / x", "b1 / x", "b1 / y", "b2 / x", "b2 / x", "b2 / y"),
    }
    data = AggregateData(
        aggregate_keys=cells[list(keys)].reset_index(drop=True).astype(str),
        totals=rng.gamma(20.0, 1.0, size=len(cells)),
        entity_key="creative",
        entity_names=np.array(CREATIVES, dtype=object),
        exposure=sp.csr_array(exposure),
        groupings={g: Grouping.from_labels(g, labels[g]) for g in groupings},
        aggregate_groupings={
            key: Grouping.from_labels(key, cells[key].to_numpy(dtype=str))
            for key in dict.fromkeys(("week", *keys))
        },
    )
    if unattributed:
        data = with_unattributed(data)
    positions = pd.DataFrame({"position": rng.normal(size=data.n_edges)})
    return dataclasses.replace(data, pair_covariates=positions)


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
    rates = rate_draws() if draws is None else draws
    fit = made_up_posterior(data, spec, n_chains=N_CHAINS, n_draws=N_DRAWS, rates=rates)
    names = ["max_rhat_rates"] if verdict == "ok" else [f"check_{i}" for i in range(5)]
    return write_made_up_run(folder, data, spec, fit, checks=checks_of(verdict, names))
