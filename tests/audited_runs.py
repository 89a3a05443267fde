"""Run folders of the whole pass but the sampling: draws are invented, all else is computed.

What these runs hold is as consistent as a real one: every table comes from the posterior file.
"""

from __future__ import annotations

from unittest import mock

import numpy as np
import pandas as pd
from made_up_draws import random_variables

from bayes_attrib.inference import PosteriorFit
from bayes_attrib.inference.chains import Chain, join_chains
from bayes_attrib.inputs import DataSource
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow import FitPlan, fit_to_folder

NAMES = (
    *("=1+1", "+49 30", "-2", "@home", "'quoted'", 'a "b", c', "line\nbreak", "007", "NA", "1E5"),
    *("<b>bold</b>", "🎯", "حملة", "\u202eoverride", "bell\x07", "[red]x[/]"),
)
N_STORES, N_WEEKS = 3, 6


def write_data(folder, *, names=NAMES, weeks=N_WEEKS, seed=1):
    """Write tables of stores and weeks, each with some of the entities; the same seed, the same."""
    rng = np.random.default_rng(seed)
    rows = [(s, w, e) for w in range(weeks) for s in range(N_STORES) for e in range(len(names))]
    cells = pd.DataFrame(rows, columns=["store", "week", "entity"])
    cells["exposure"] = rng.gamma(2.0, 2.0, size=len(cells)).round(2) + 0.01
    cells["amount"] = rng.poisson(3.0 * cells["exposure"])
    cells = cells[(cells["entity"] + cells["store"] + cells["week"]) % 3 != 0]
    cells["entity"] = np.array(names, dtype=object)[cells["entity"]]
    cells["store"] = "0" + cells["store"].astype(str)
    cells["week"] = "2026-W" + (cells["week"] + 1).astype(str).str.zfill(2)
    totals = cells.groupby(["store", "week"], as_index=False)["amount"].sum()
    folder.mkdir(parents=True)
    totals.rename(columns={"amount": "total"}).to_csv(folder / "aggregates.csv", index=False)
    cells.to_csv(folder / "exposures.csv", index=False)
    kinds = [f"=kind {i % 2}" for i in range(len(names))]
    pd.DataFrame({"entity": names, "kind": kinds}).to_csv(folder / "entities.csv", index=False)
    return folder


def make_spec(**sections):
    """Return a spec of counts pooled by kind, with sections changed."""
    plain = {
        "schema_version": 1,
        "name": "audited",
        "columns": {"aggregate": ["store", "week"], "entity": "entity"},
        "likelihood": {"family": "poisson"},
        "rates": {"pooling": ["kind"]},
        "inference": {"draws": 50, "chains": 4, "tune": 10},
    }
    return parse_plain(plain | sections, source="test")


def write_audited_run(run, data, **sections):
    """Fit, with invented draws, and return the run folder."""
    plan = FitPlan(spec=make_spec(**sections), source=DataSource(folder=data))
    with mock.patch("bayes_attrib.workflow.methods.sampling.fit_nuts", invented_nuts):
        fit_to_folder(plan, run)
    return run


def invented_nuts(model, settings, **_):
    """Stand in for the sampler: positive draws for every variable, rates around 3."""
    chains = [_chain(model, settings, chain) for chain in range(settings.chains)]
    observed = {rv.name: model.rvs_to_values[rv].eval() for rv in model.observed_RVs}
    return PosteriorFit(join_chains(model, chains, observed), method="nuts")


def _chain(model, settings, chain):
    rng = np.random.default_rng([settings.seed, chain])
    variables = random_variables(model, rng, 1, settings.draws, offsets=False)
    draws = {name: values[0] for name, (_, values) in variables.items()}
    centre = 2.0 + np.arange(draws["rate"].shape[-1]) % 4
    draws["rate"] = centre * rng.lognormal(0.0, 0.1, size=draws["rate"].shape)
    draws["log_rate"] = np.log(draws["rate"])
    quiet = np.zeros(settings.draws, dtype=bool)
    statistics = dict.fromkeys(("diverging", "maxdepth_reached"), quiet)
    return Chain(draws, {**statistics, "energy": rng.normal(size=settings.draws)})
