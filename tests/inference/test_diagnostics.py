"""Checks and the verdict: what is not a number fails, and the worst check decides."""

import numpy as np
import pytest
import xarray as xr

from bayes_attrib.inference import Diagnostics, PosteriorFit, entities_to_check, sampling_checks
from bayes_attrib.inference.diagnostics import (
    EFFECTIVE_SAMPLE_SIZE,
    MOST_QUANTITIES,
    RHAT,
    Check,
    make_check,
)


def make_fit(n_chains=4, n_draws=500, n_entities=3, seed=0, **changes):
    rng = np.random.default_rng(seed)
    shape = (n_chains, n_draws)
    posterior = {
        "intercept": (("chain", "draw"), rng.normal(size=shape)),
        "log_rate": (("chain", "draw", "entity"), rng.normal(size=(*shape, n_entities))),
    }
    posterior["rate"] = (posterior["log_rate"][0], np.exp(posterior["log_rate"][1]))
    statistics = {
        "diverging": (("chain", "draw"), np.zeros(shape, dtype=bool)),
        "maxdepth_reached": (("chain", "draw"), np.zeros(shape, dtype=bool)),
        "energy": (("chain", "draw"), rng.normal(size=shape)),
    }
    for name, values in changes.items():
        target = posterior if name in posterior else statistics
        target[name] = (target[name][0], values(target[name][1].copy()))
    coords = {"entity": [f"e{i}" for i in range(n_entities)]}
    tree = xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(posterior, coords=coords),
            "sample_stats": xr.Dataset(statistics),
        }
    )
    return PosteriorFit(tree, "nuts")


def diagnose(fit, shares=None):
    n = fit.posterior.sizes["entity"]
    rates = fit.draws("rate")
    shares = rates / rates.sum(axis=0) if shares is None else shares
    return Diagnostics(sampling_checks(fit, ["intercept"], np.arange(n), shares))


def status_of(diagnostics):
    return {check.name: check.status for check in diagnostics.checks}


def test_independent_draws_are_ok():
    diagnostics = diagnose(make_fit())
    assert diagnostics.verdict == "ok"
    assert {"max_rhat_parameters", "max_rhat_rates", "max_rhat_shares", "min_bfmi"} <= set(
        status_of(diagnostics)
    )


def poison(values):
    values[0, -1] = np.nan
    return values


@pytest.mark.parametrize("name", ["intercept", "log_rate", "energy"])
def test_a_single_nan_fails(name):
    diagnostics = diagnose(make_fit(**{name: poison}), shares=np.full((3, 2000), 1 / 3))
    assert diagnostics.verdict == "not_converged"
    assert None in [check.value for check in diagnostics.checks if check.status == "fail"] or (
        status_of(diagnostics)["variables_with_non_finite_draws"] == "fail"
    )


def test_nan_in_shares_fails_though_parameters_are_fine():
    fit = make_fit()
    shares = fit.draws("rate")
    shares[1, 7] = np.nan
    assert status_of(diagnose(fit, shares))["max_rhat_shares"] == "fail"


def shift_first_chain(values):
    values[0] += 3.0
    return values


def test_chains_that_disagree_fail_and_are_named():
    diagnostics = diagnose(make_fit(intercept=shift_first_chain))
    assert diagnostics.verdict == "not_converged"
    worst = next(c for c in diagnostics.checks if c.name == "max_rhat_parameters")
    assert worst.detail == "worst: intercept"
    assert worst.value > 1.3


def test_shares_that_disagree_fail_on_their_own():
    fit = make_fit()
    shares = np.abs(np.random.default_rng(1).normal(size=(3, 2000)))
    shares[2, :500] += 5.0
    statuses = status_of(diagnose(fit, shares))
    assert statuses["max_rhat_shares"] == "fail"
    assert statuses["max_rhat_rates"] == "ok"


def diverge(n):
    def change(values):
        values.reshape(-1)[:n] = True
        return values

    return change


@pytest.mark.parametrize(("n", "status"), [(0, "ok"), (1, "warn"), (20, "warn"), (21, "fail")])
def test_divergences(n, status):
    diagnostics = diagnose(make_fit(diverging=diverge(n)))
    assert status_of(diagnostics)["divergent_fraction"] == status


def test_shares_known_exactly_are_not_judged_by_their_missing_spread():
    fit = make_fit()
    shares = np.full((3, 2000), 1 / 3)
    assert "max_rhat_shares" not in status_of(diagnose(fit, shares))


@pytest.mark.parametrize(
    ("value", "bounds", "status"),
    [
        (1.01, RHAT, "ok"),
        (1.011, RHAT, "warn"),
        (1.06, RHAT, "fail"),
        (float("nan"), RHAT, "fail"),
        (float("inf"), RHAT, "fail"),
        (400, EFFECTIVE_SAMPLE_SIZE, "ok"),
        (399, EFFECTIVE_SAMPLE_SIZE, "warn"),
        (99, EFFECTIVE_SAMPLE_SIZE, "fail"),
        (float("nan"), EFFECTIVE_SAMPLE_SIZE, "fail"),
    ],
)
def test_bounds(value, bounds, status):
    assert make_check("x", value, bounds).status == status


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [(["ok"], "ok"), (["ok", "warn"], "warn"), (["warn", "fail", "ok"], "not_converged")],
)
def test_the_worst_check_decides(statuses, verdict):
    checks = tuple(Check("x", 1.0, 1.0, "<=", status) for status in statuses)
    assert Diagnostics(checks).verdict == verdict


def test_of_many_entities_the_largest_are_checked():
    shares = np.random.default_rng(0).dirichlet(np.full(5000, 0.1))
    chosen = entities_to_check(shares)
    assert len(chosen) <= MOST_QUANTITIES
    assert len(np.unique(chosen)) == len(chosen)
    largest = np.argsort(-shares)[: MOST_QUANTITIES // 2]
    assert set(largest) <= set(chosen)
