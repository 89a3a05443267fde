"""Whole runs whose totals are estimates: files, resuming, verifying, the page, and refusals."""

from __future__ import annotations

import json
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayes_attrib.errors import FitError, InterruptedFitError, SpecError
from bayes_attrib.inference import ChainStore
from bayes_attrib.inference.given_totals import given_totals
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.report import RunFolder
from bayes_attrib.report.html import render_html
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.spec import parse_spec
from bayes_attrib.workflow.fit import fit_tables, fit_to_folder
from bayes_attrib.workflow.plan import FitPlan
from bayes_attrib.workflow.verify_run import verify_run

N_MMM = 120
SPEC = """
schema_version = 1
name = "noisy"

[columns]
aggregate = ["channel", "week"]
entity = "campaign"

[likelihood]
family = "{family}"

[rates]
pooling = ["channel"]

[totals]
uncertainty = "{treatment}"
draws = 10

[inference]
method = "{method}"
draws = 200
tune = 200
chains = 2

[report]
period = "week"
"""


def spec_of(treatment, family="gamma", method="nuts"):
    return parse_spec(SPEC.format(treatment=treatment, family=family, method=method))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Totals of two channels over ten weeks; what is not known of them is common to a channel."""
    folder = tmp_path_factory.mktemp("noisy")
    rng = np.random.default_rng(4)
    common = {channel: rng.standard_normal(N_MMM) for channel in ("tv", "web")}
    keys, draws, exposures = [], [], []
    for channel in ("tv", "web"):
        rate = np.exp(0.5 * rng.standard_normal(3))
        for week in range(1, 11):
            delivered = rng.gamma(2.0, 20.0, 3)
            z = 0.9 * common[channel] + 0.4 * rng.standard_normal(N_MMM)
            keys.append((channel, f"2024-W{week:02d}"))
            draws.append(delivered @ rate * rng.gamma(60.0, 1 / 60.0) * np.exp(0.25 * z))
            exposures += [(*keys[-1], f"{channel}{e}", delivered[e]) for e in range(len(delivered))]
    columns = ["channel", "week"]
    aggregates = pd.DataFrame(keys, columns=columns).assign(total=np.mean(draws, axis=1))
    aggregates.to_csv(folder / "aggregates.csv", index=False)
    pd.DataFrame(exposures, columns=[*columns, "campaign", "exposure"]).to_csv(
        folder / "exposures.csv", index=False
    )
    names = [(f"{channel}{e}", channel) for channel in ("tv", "web") for e in range(3)]
    pd.DataFrame(names, columns=["campaign", "channel"]).to_csv(
        folder / "entities.csv", index=False
    )
    table = pa.Table.from_pandas(aggregates[columns], preserve_index=False)
    lists = pa.array([row.tolist() for row in draws])
    pq.write_table(table.append_column("draws", lists), folder / "total_draws.parquet")
    return DataSource(folder)


@pytest.fixture(scope="module")
def runs(source, tmp_path_factory):
    """One finished run per treatment."""
    folder = tmp_path_factory.mktemp("runs")
    for treatment in ("plugin", "paired", "cut"):
        fit_to_folder(FitPlan(spec_of(treatment), source), folder / treatment)
    return folder


def tables_of(run):
    found = (path for path in run.iterdir() if path.suffix in {".csv", ".nc", ".parquet"})
    return {path.name: path.read_bytes() for path in found}


@pytest.mark.sampling
@pytest.mark.parametrize("treatment", ["plugin", "paired", "cut"])
def test_runs_verify_and_their_draws_sum_to_their_own_totals(runs, source, treatment):
    run = runs / treatment
    verified = verify_run(run, source)
    assert [(o.name, o.detail) for o in verified.failed] == []
    assert "variance_split" in {o.name for o in verified.outcomes}
    draws = RunDraws.load(RunFolder.load(run))
    amounts = draws.amounts("channel", "week").amounts.rows(slice(None))
    found = given_totals(draws.fit, draws.data)
    if treatment == "plugin":
        assert found is None
        wanted = draws.data.totals[:, None]
    else:
        assert found.treatment == treatment
        wanted = found.rows(np.arange(draws.data.n_aggregates))
        assert len(np.unique(found.of_draw)) == (10 if treatment == "cut" else N_MMM)
    np.testing.assert_allclose(amounts, np.broadcast_to(wanted, amounts.shape), rtol=1e-9)
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["method"] == ("nuts_cut" if treatment == "cut" else "nuts")
    codes = {finding.code for finding in RunFolder.load(run).diagnostics.findings}
    assert f"totals-{treatment}" in codes


@pytest.mark.sampling
def test_a_changed_part_of_the_variance_is_noticed(runs, tmp_path):
    run = tmp_path / "changed"
    run.mkdir()
    for path in (runs / "paired").iterdir():
        (run / path.name).write_bytes(path.read_bytes())
    table = pd.read_csv(run / "variance_split.csv")
    table.loc[0, "variance_from_totals"] *= 1.001
    table.to_csv(run / "variance_split.csv", index=False)
    failed = {(o.name, o.file) for o in verify_run(run).failed}
    assert {("sha256", "variance_split.csv"), ("variance_split", "variance_split.csv")} <= failed


@pytest.mark.sampling
def test_treatments_widen_intervals_and_say_so_on_the_page(runs):
    sd, pages = {}, {}
    for treatment in ("plugin", "paired", "cut"):
        run = RunFolder.load(runs / treatment)
        sd[treatment] = run.attribution.set_index(["level", "name"])["amount_sd"]
        pages[treatment] = render_html(run)
    entities = sd["plugin"].loc["entity"].index
    assert (sd["paired"].loc["entity"] > sd["plugin"].loc["entity"][entities]).all()
    # 10 draws of the totals tell an sd to about a quarter of itself.
    ratio = sd["cut"].loc["channel"] / sd["paired"].loc["channel"]
    assert ratio.between(0.4, 1.8).all()
    assert "conditional on them" in pages["plugin"]
    assert "one draw of all totals together" in pages["paired"]
    assert "each of 10 draws of all totals" in pages["cut"]
    for page in pages.values():
        assert "Where the uncertainty comes from" in page
        assert "unless a lift test informs it" in page


@pytest.mark.sampling
def test_interrupted_refits_resume_to_the_same_files(runs, source, tmp_path):
    run, plan = tmp_path / "run", FitPlan(spec_of("cut"), source)
    save, made = ChainStore.save, []

    def stop(store, chain, content):
        if len(made) == 5:
            raise KeyboardInterrupt
        save(store, chain, content)
        made.append((store.folder.name, chain))

    with mock.patch.object(ChainStore, "save", stop), pytest.raises(InterruptedFitError) as caught:
        fit_to_folder(plan, run)
    assert made == [("pilot", 0), *(("refits", k) for k in range(4))]
    assert (caught.value.completed, caught.value.wanted) == (8, 20)
    resumed = []
    with mock.patch.object(
        ChainStore,
        "save",
        lambda store, chain, content: (resumed.append(chain), save(store, chain, content)),
    ):
        fit_to_folder(FitPlan.load(run), run)
    assert resumed == list(range(4, 10))
    assert tables_of(run) == tables_of(runs / "cut")
    assert not (run / "chains").exists()


@pytest.mark.sampling
def test_laplace_draws_are_paired_too(source):
    tables = read_tables(spec_of("paired", method="laplace"), source)
    fitted = fit_tables(tables, spec_of("paired", method="laplace"))
    found = given_totals(fitted.posterior, tables.data)
    assert found.treatment == "paired"
    assert fitted.result.variance["variance_from_totals"].min() > 0


def test_refits_are_refused_where_they_cannot_be_made(source, tmp_path):
    with pytest.raises(SpecError, match=r"cut-needs-sampling.*laplace"):
        fit_to_folder(FitPlan(spec_of("cut", method="laplace"), source), tmp_path / "run")
    with pytest.raises(SpecError, match="cut-without-effect"):
        fit_to_folder(FitPlan(spec_of("cut", family="given"), source), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    tables = read_tables(spec_of("plugin"), source)
    for treatment, message in (("paired", "hold no draws"), ("cut", "there are 0 draws")):
        with pytest.raises(FitError, match=message):
            fit_tables(tables, spec_of(treatment))
