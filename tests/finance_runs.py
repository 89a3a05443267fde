"""Run folders for the finance workbook: whole and consistent, with made-up draws, in a second."""

import hashlib
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import scipy.sparse as sp
import xarray as xr
from made_up_draws import made_up_posterior, with_unattributed
from made_up_runs import STATUS, write_made_up_run

from bayes_attrib.errors import Finding
from bayes_attrib.inference import Check
from bayes_attrib.inputs import AggregateData, Grouping, SourceFile
from bayes_attrib.spec import parse_plain

N_CHAINS, N_DRAWS, N_STORES, N_WEEKS = 2, 20, 3, 4
N_EMPTY = 2
"""So many weeks more, of a store that was closed: without exposure and with totals of zero."""

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

LOOK_ALIKE = Finding(
    "indistinguishable-entities", "note", "exposures", "the entities a and b look alike"
)


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
    fit = made_up_posterior(data, spec, n_chains=N_CHAINS, n_draws=N_DRAWS)
    return write_made_up_run(
        folder,
        data,
        spec,
        fit,
        checks=_checks(chosen["verdict"]),
        findings=[LOOK_ALIKE],
        repairs=chosen["repairs"],
        sources=[
            SourceFile(table, f"={table}.csv", hashlib.sha256(table.encode()).hexdigest(), 12)
            for table in ("aggregates", "exposures")
        ],
        ended=datetime(2026, 11, 22, 10, 0, 41, tzinfo=UTC),
    )


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
        "inference": {"draws": N_DRAWS, "chains": N_CHAINS},
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
    counts = spec.likelihood.counts
    totals = rng.poisson(40.0, m).astype(float) if counts else rng.gamma(2.0, 500.0, m).round(3)
    store, week = np.divmod(np.arange(m + N_EMPTY), N_WEEKS)
    keys = {"store": [f"s{i}" for i in store], "week": [f"2026-W{i + 1:02d}" for i in week]}
    by_key = {key: keys[key] for key in options["keys"] if key in keys}
    if len(by_key) < len(options["keys"]):
        by_key = {options["keys"][0]: [f"{s} {w}" for s, w in zip(*keys.values(), strict=True)]}
    groups = {
        group: Grouping.from_labels(group, [f"={group}{i % 3}" for i in range(n)])
        for group in options["groups"]
    }
    data = AggregateData(
        aggregate_keys=pd.DataFrame(by_key),
        totals=np.append(totals, np.zeros(N_EMPTY)),
        entity_key="campaign",
        entity_names=np.array(names, dtype=object),
        exposure=sp.csr_array(np.vstack([exposure, np.zeros((N_EMPTY, n))])),
        groupings=groups,
    )
    return with_unattributed(data) if options["unattributed"] else data


def _checks(verdict):
    worst = "worst: =1+1"
    return [
        Check("max_rhat_parameters", 1.002, 1.01, "<=", "ok", worst),
        Check("max_rhat_shares", 1.2, 1.01, "<=", STATUS[verdict], worst),
    ]
