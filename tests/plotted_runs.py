"""Runs to draw figures of: draws are invented, tables are computed from them, nothing is fitted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import scipy.sparse as sp
from made_up_draws import plausible_posterior, with_unattributed
from made_up_runs import checks_of, write_made_up_run

from bayes_attrib.inference import expected_draws, noise_draws
from bayes_attrib.inputs import AggregateData, Grouping, Repair, RepairRecord
from bayes_attrib.report import RunFolder
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
    fit = plausible_posterior(data, spec, rng, n_draws)
    left_out = RepairRecord(Repair.DROP_NEGATIVE_TOTALS, "aggregates", 1, "", excluded)
    repairs = [left_out] if excluded else []
    write_made_up_run(folder, data, spec, fit, checks=checks_of(verdict), repairs=repairs)
    run = RunFolder.load(folder)
    em = run.entities.set_index("name")["em_amount"]
    _write_em_errors(folder, em.loc[data.entity_names])  # in the order of the data, as a fit does
    run = dataclasses.replace(run)  # a test changes its table: it must not remember rows
    return RunDraws(run, fit, data, expected_draws(fit, data, spec), noise_draws(fit, data, spec))


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
    """Add what no exposure explains, and its amounts: the last of each aggregate."""
    extra = np.maximum(1.0, np.rint(0.2 * data.totals))
    truth = np.insert(data.truth, data.exposure.indptr[1:], extra)
    return with_unattributed(data, totals=data.totals + extra, truth=truth)


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


def _write_em_errors(folder, em):
    """Errors of three kinds: some that reach below zero, one without end, and none at zero."""
    se = 0.6 * em + 1.0
    table = pd.DataFrame(
        {
            "name": em.index,
            "em_amount": em,
            **dict.fromkeys(("em_se", "em_lower", "em_upper"), np.nan),
            "em_information_se": se,
            "em_information_lower": (em - 2 * se).where(em > 0),
            "em_information_upper": (em + 2 * se).where(em > 0),
        }
    )
    table.loc[table["em_information_se"].idxmax(), "em_information_upper"] = np.inf
    table.to_csv(folder / "em_errors.csv", index=False)
