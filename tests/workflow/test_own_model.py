"""A model of the user's own goes the whole way: the example in the docs, and its faults."""

import json
import re

import numpy as np
import pymc as pm
import pytest

import bayes_attrib
from bayes_attrib.errors import FitError, RunFolderError
from bayes_attrib.inputs import read_tables
from bayes_attrib.spec import parse_plain
from bayes_attrib.workflow import FitPlan, fit_to_folder, predict


@pytest.fixture(scope="module")
def spec(coupon_spec):
    plain = coupon_spec.model_dump(mode="json")
    plain["inference"] |= {"draws": 60, "tune": 150, "chains": 2}
    plain["likelihood"] = {"family": "negative_binomial", "level": "pair"}
    return parse_plain(plain, source="test")


@pytest.fixture(scope="module")
def documented(spec, coupon_source, root):
    """The variables of the example in the docs, after it has run up to the fit."""
    text = (root / "docs" / "own_model.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    head, fit = code.split("fitted = ")
    assert fit.strip() == "ba.fit_tables(tables, spec, model=model)"
    variables = {"spec": spec, "source": coupon_source}
    exec(compile(head, "docs/own_model.md", "exec"), variables)  # noqa: S102
    return variables


@pytest.fixture(scope="module")
def run(documented, spec, coupon_source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "own"
    plan = FitPlan(spec=spec, source=coupon_source)
    return folder, fit_to_folder(plan, folder, model=documented["model"])


@pytest.mark.sampling
def test_example_of_the_docs_is_fitted_allocated_and_reported(run):
    folder, fitted = run
    tables = fitted.record.tables
    rates = fitted.posterior.draws("rate")
    assert rates.shape == (tables.data.n_entities, 120)
    cells = fitted.result.cells.groupby("week")["amount_mean"].sum()
    totals = dict(zip(tables.data.aggregate_labels, tables.data.totals, strict=True))
    np.testing.assert_allclose(cells, [totals[week] for week in cells.index])
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["model"] == "user's own"
    assert {"intercept", "spread", "effect", "phi", "rate"} <= set(manifest["model_variables"])
    assert (manifest["geometry"], manifest["priors"]) == ({}, {})
    page = (folder / "report.html").read_text()
    assert "a model of the user&#39;s own" in page
    assert "partially pooled:" not in page
    checked = {check.name for check in fitted.diagnostics.checks}
    assert "max_rhat_parameters" in checked
    with pytest.raises(RunFolderError, match=r"lacks sigma_campaign_type.*a model of your own"):
        predict(folder, entities=folder / "none.csv")


def build(names, *, dims="entity", rate="rate", noise="phi"):
    with pm.Model(coords={"entity": list(names)}) as model:
        pm.HalfNormal(noise)
        pm.LogNormal(rate, dims=dims, shape=None if dims else (len(names),))
    return model


def test_faults_are_found_before_anything_is_sampled_or_written(spec, coupon_source, tmp_path):
    entities = read_tables(spec, coupon_source).data.entity_names.tolist()
    plan = FitPlan(spec=spec, source=coupon_source)
    for model, message in (
        (build(entities, rate="lambda"), "no variable 'rate' over the dimension 'entity'"),
        (build(entities, dims=None), "no variable 'rate' over the dimension 'entity'"),
        (build(entities, noise="dispersion"), "no variable 'phi', by which the family"),
        (build(entities[::-1]), "in another order .*number 1 is"),
        (build([*entities[1:], "stranger"]), "unknown: stranger"),
        (build(entities[:-1]), f"{len(entities) - 1} entities and the data {len(entities)}"),
    ):
        with pytest.raises(FitError, match=message):
            fit_to_folder(plan, tmp_path / "run", model=model)
    assert not (tmp_path / "run").exists()


def test_interrupted_run_of_an_own_model_is_not_resumed_without_it(spec, coupon_source, tmp_path):
    FitPlan(spec=spec, source=coupon_source).save(tmp_path, model="user's own")
    with pytest.raises(RunFolderError, match=r"go on from Python: bayes_attrib\.fit_to_folder"):
        FitPlan.load(tmp_path)
    assert callable(bayes_attrib.fit_to_folder)
