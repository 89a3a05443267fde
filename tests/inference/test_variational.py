"""Variational fits of a small model: shapes, seeds, refusals, and what is said of them."""

import dataclasses

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from bayes_attrib import names
from bayes_attrib.errors import FitError, InterruptedFitError
from bayes_attrib.inference import Diagnostics, PosteriorFit, SamplerSettings, Silent, fit_nuts
from bayes_attrib.inference.variational import (
    AdviSettings,
    PathfinderSettings,
    fit_advi,
    fit_pathfinder,
    variational_checks,
    variational_findings,
)

SETTINGS = AdviSettings(draws=120, seed=3)


@pytest.fixture(scope="module")
def model():
    coords = {"entity": ["x", "y", "z"], "group": ["g", "h"]}
    with pm.Model(coords=coords) as model:
        pm.HalfNormal("sigma")
        effect = pm.ZeroSumNormal("effect_group", sigma=0.5, dims="group")
        offset = pm.Normal("offset_entity", dims="entity")
        log_rate = pm.Deterministic(
            "log_rate", 1 + effect[[0, 1, 1]] + model["sigma"] * offset, dims="entity"
        )
        rate = pm.Deterministic("rate", pm.math.exp(log_rate), dims="entity")
        pm.Poisson("total", mu=rate, observed=[3, 9, 4], dims="entity")
    return model


@pytest.fixture(scope="module")
def fit(model):
    return fit_advi(model, SETTINGS)


def figures(fit):
    return fit.tree["approximation"].to_dataset()


def named(checks):
    return {check.name: check for check in checks}


@pytest.mark.sampling
def test_one_chain_with_the_variables_of_a_sampled_fit(model, fit):
    sampled = fit_nuts(model, SamplerSettings(draws=10, tune=50, chains=1)).posterior
    assert {n: v.dims for n, v in fit.posterior.items()} == {n: v.dims for n, v in sampled.items()}
    for dim in set(sampled.dims) - {names.CHAIN, names.DRAW}:
        assert list(fit.posterior[dim].to_numpy()) == list(sampled[dim].to_numpy())
    assert (fit.method, fit.n_chains, fit.n_draws) == ("advi", 1, 120)
    assert fit.tree["observed_data"]["total"].to_numpy().tolist() == [3, 9, 4]
    assert fit.sample_stats["log_weight"].shape == (1, 120)
    np.testing.assert_allclose(fit.draws("rate"), np.exp(fit.draws("log_rate")))


@pytest.mark.sampling
def test_seeds_decide_every_bit(model, fit):
    again = fit_advi(model, SETTINGS)
    xr.testing.assert_identical(again.posterior, fit.posterior)
    xr.testing.assert_identical(figures(again), figures(fit))
    other = fit_advi(model, dataclasses.replace(SETTINGS, seed=4))
    assert not np.isin(other.draws("rate"), fit.draws("rate")).any()


@pytest.mark.sampling
def test_fewer_draws_are_the_first_of_many(model, fit):
    few = fit_advi(model, dataclasses.replace(SETTINGS, draws=7))
    np.testing.assert_array_equal(few.draws("rate"), fit.draws("rate")[:, :7])
    assert float(figures(few)["pareto_k"]) == float(figures(fit)["pareto_k"])


@pytest.mark.sampling
def test_full_rank_has_the_higher_bound(model, fit):
    full = fit_advi(model, dataclasses.replace(SETTINGS, rank="full_rank"))
    gain = figures(full)["evidence_bound"] - figures(fit)["evidence_bound"]
    assert gain > 3 * np.hypot(*(figures(f)["evidence_bound_error"] for f in (fit, full)))
    assert "full-rank ADVI understates" in variational_findings(full)[0].message


@pytest.mark.sampling
def test_a_fit_that_arrived_warns_and_never_is_ok(fit):
    diagnostics = Diagnostics(variational_checks(fit), variational_findings(fit))
    checks = named(diagnostics.checks)
    assert diagnostics.verdict != "ok"
    assert checks["approximate"].status == "warn"
    assert checks["evidence_bound_rise"].status == "ok"
    assert checks["largest_shift"].status == "ok"
    assert checks["independent_draws"].status == "warn"
    assert "mean-field ADVI understates uncertainty" in diagnostics.findings[0].message
    history = figures(fit)["evidence_bound_history"].to_numpy()
    assert history[-10:].mean() > history[0]


@pytest.mark.sampling
def test_too_few_steps_are_not_converged(model):
    fit = fit_advi(model, dataclasses.replace(SETTINGS, most_steps=100))
    diagnostics = Diagnostics(variational_checks(fit), variational_findings(fit))
    assert diagnostics.verdict == "not_converged"
    assert named(diagnostics.checks)["evidence_bound_rise"].value is None
    rising = diagnostics.findings[-1]
    assert rising.code == "evidence-bound-rising"
    assert "still rose when the search ended after 100 steps" in rising.message
    assert "allow more steps" in rising.remedy


class PressCtrlC(Silent):
    """Interrupts once there is progress."""

    def advanced(self, done, divergences):  # noqa: ARG002
        raise KeyboardInterrupt


@pytest.mark.sampling
def test_ctrl_c_is_told_as_an_interruption(model):
    with pytest.raises(InterruptedFitError):
        fit_advi(model, SETTINGS, progress=PressCtrlC())


class Counting(Silent):
    """Remembers what it was told."""

    def __init__(self):
        self.total, self.done = 0, []

    def started(self, total):
        self.total = total

    def advanced(self, done, divergences):
        assert divergences == 0
        self.done.append(done)


@pytest.mark.sampling
def test_progress_counts_steps(model):
    listener = Counting()
    fit = fit_advi(model, dataclasses.replace(SETTINGS, draws=2), progress=listener)
    assert listener.done == sorted(listener.done)
    assert listener.done[-1] == int(figures(fit)["n_steps"]) <= listener.total


@pytest.mark.sampling
def test_pathfinder(model):
    settings = PathfinderSettings(draws=150, seed=5)
    fit = fit_pathfinder(model, settings)
    assert (fit.method, fit.n_chains, fit.n_draws) == ("pathfinder", 1, 150)
    assert not [name for name in fit.posterior if str(name).startswith("offset_")]
    assert list(fit.posterior["entity"].to_numpy()) == ["x", "y", "z"]
    xr.testing.assert_identical(fit_pathfinder(model, settings).posterior, fit.posterior)
    checks = named(variational_checks(fit))
    assert checks["failed_paths_fraction"].value == 0
    assert checks["distinct_draws"].value == len(np.unique(fit.draws("rate")[0]))
    assert "Pathfinder understates uncertainty" in variational_findings(fit)[0].message


def entities(n):
    return {"entity": [f"e{i}" for i in range(n)]}


def test_refusals_name_a_remedy():
    with pm.Model(coords=entities(5_001)) as large:
        pm.Normal("rate", dims="entity")
    with pytest.raises(FitError, match=r"at most 5,000 unknowns.*5,001.*'laplace' or 'advi'"):
        fit_pathfinder(large, PathfinderSettings())
    with pm.Model(coords=entities(2)) as discrete:
        pm.Poisson("rate", 1.0, dims="entity")
    for fit in (fit_pathfinder, fit_advi):
        with pytest.raises(FitError, match="discrete unknowns rate; choose method 'nuts'"):
            fit(discrete, SETTINGS)


@pytest.mark.sampling
def test_full_rank_refuses_many_unknowns():
    with pm.Model(coords=entities(1_501)) as large:
        pm.Normal("rate", dims="entity")
    with pytest.raises(FitError, match=r"1,501 unknowns are more than the 1,500.*'mean_field'"):
        fit_advi(large, dataclasses.replace(SETTINGS, rank="full_rank"))


@pytest.mark.sampling
def test_an_impossible_total_is_told_before_any_step():
    with pm.Model(coords=entities(1)) as impossible:
        rate = pm.HalfNormal("rate", dims="entity")
        pm.Uniform("total", 0, rate, observed=[1e6], dims="entity")
    with pytest.raises(FitError, match="not finite at the model's starting point"):
        fit_advi(impossible, SETTINGS)


def made_up(method, **figures):
    """A fit with given figures."""
    rate = xr.Dataset(
        {"rate": (("chain", "draw", "entity"), np.ones((1, 500, 1)))}, {"entity": ["x"]}
    )
    approximation = xr.Dataset({name: ((), float(value)) for name, value in figures.items()})
    groups = {"posterior": rate, "approximation": approximation}
    return PosteriorFit(xr.DataTree.from_dict(groups), method=method)


ADVI = {
    "n_elements": 9,
    "n_search_steps": 1000,
    "most_steps": 2000,
    "rise_in_standard_errors": 1.0,
    "loss_in_standard_errors": 0.0,
    "largest_shift": 0.0,
    "pareto_k": 0.3,
    "evidence_bound": -5.0,
    "evidence_bound_error": 0.1,
    "is_full_rank": 0,
}


@pytest.mark.parametrize(
    ("change", "name", "status"),
    [
        ({}, "pareto_k", "ok"),
        ({"pareto_k": 0.71}, "pareto_k", "warn"),
        ({"pareto_k": np.inf}, "pareto_k", "warn"),
        ({"rise_in_standard_errors": 2.1}, "evidence_bound_rise", "fail"),
        ({"rise_in_standard_errors": np.nan}, "evidence_bound_rise", "fail"),
        ({"loss_in_standard_errors": 3.1}, "evidence_bound_loss", "fail"),
        ({"largest_shift": 0.2}, "largest_shift", "warn"),
        ({"largest_shift": 0.6}, "largest_shift", "fail"),
        ({}, "independent_draws", "ok"),
    ],
)
def test_thresholds(change, name, status):
    assert named(variational_checks(made_up("advi", **ADVI | change)))[name].status == status


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (0.3, "Pareto k is 0.30, which finds no gross mismatch"),
        (1.5, "Pareto k is 1.50, above 0.7: the law is far from the posterior"),
        (np.inf, "Pareto k cannot be computed, above 0.7"),
    ],
)
def test_the_label_gives_the_measured_k(k, words):
    (honest, bound) = variational_findings(made_up("advi", **ADVI | {"pareto_k": k}))
    assert honest.severity == "warning"
    assert words in honest.message
    assert "'nuts'" in honest.remedy
    assert "-5.00" in bound.message


def raising(error):
    def fit(*_args, **_options):
        raise error

    return fit


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ValueError("no path"), FitError, "Pathfinder failed: no path; choose method 'nuts'"),
        (KeyboardInterrupt(), InterruptedFitError, "interrupted"),
    ],
)
def test_failures_of_pathfinder_are_told(model, monkeypatch, error, kind, words):
    monkeypatch.setattr("pymc_extras.fit_pathfinder", raising(error))
    with pytest.raises(kind, match=words):
        fit_pathfinder(model, PathfinderSettings())


def test_pathfinder_whose_draws_collapse_fails_with_the_measured_k(model, monkeypatch):
    shapes = {"sigma": (), "effect_group": (2,), "log_rate": (3,), "rate": (3,)}
    rng = np.random.default_rng(1)
    posterior = xr.Dataset(
        {
            name: (("chain", "draw", *(f"{name}_{i}" for i in range(len(shape)))), values)
            for name, shape in shapes.items()
            for values in [np.repeat(rng.normal(size=(1, 2, *shape)), 200, axis=1)]
        }
    )
    told = xr.Dataset(
        {"pareto_k": 38.96, "num_draws": 400, "num_paths": 4, "num_successful_paths": 4}
    )
    groups = {
        "posterior": posterior,
        "pathfinder": told,
        "lbfgs": xr.Dataset({"niter_mean": 30.0}),
    }
    tree = xr.DataTree.from_dict(groups)
    monkeypatch.setattr("pymc_extras.fit_pathfinder", lambda *_args, **_options: tree)
    with pytest.raises(FitError, match=r"leave 2 different draws of 400 \(Pareto k 39.0"):
        fit_pathfinder(model, PathfinderSettings(draws=400))


PATHFINDER = {
    "n_elements": 9,
    "pareto_k": 0.8,
    "distinct_draws": 390,
    "n_draws": 500,
    "n_paths": 4,
    "n_successful_paths": 4,
}


@pytest.mark.parametrize(
    ("change", "name", "status"),
    [
        ({}, "distinct_draws", "warn"),
        ({"distinct_draws": 99}, "distinct_draws", "fail"),
        ({"n_successful_paths": 3}, "failed_paths_fraction", "warn"),
        ({"n_successful_paths": 0}, "failed_paths_fraction", "fail"),
        ({}, "pareto_k", "warn"),
    ],
)
def test_thresholds_of_pathfinder(change, name, status):
    fit = made_up("pathfinder", **PATHFINDER | change)
    assert named(variational_checks(fit))[name].status == status
