"""Predictive checks: silent where the family holds, plain-spoken where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bayes_attrib.inference import TotalDraws, enough_draws, predictive_checks
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.report.labels import describe_check_name

N_WEEKS, N_STORES, N_DRAWS = 25, 8, 400
NOISE = {"alpha": 8.0, "phi": 3.0, "sigma_total": 0.4, "pi": 0.2, "herfindahl": 0.5}
SIZE = np.exp(np.linspace(0.0, 3.0, N_WEEKS * N_STORES))
"""Expected totals in units of the smallest; each store has all sizes."""


def make_draws(key, totals, mu, seed=0):
    """Draws around expectations that are known to 2%, of a family with known noise."""
    rng, n = np.random.default_rng(seed), len(totals)
    keys = pd.DataFrame(
        {
            "week": [f"w{b // N_STORES}" for b in range(n)],
            "store": [f"s{b % N_STORES}" for b in range(n)],
            "till": [str(b) for b in range(n)],
        }
    )
    data = AggregateData(
        aggregate_keys=keys,
        totals=totals,
        entity_key="who",
        entity_names=np.array(["x"], dtype=object),
        exposure=sp.csr_array(np.ones((n, 1))),
    )
    noise = {name: np.full(N_DRAWS, value) for name, value in NOISE.items()}
    wide = mu[:, np.newaxis] * np.exp(rng.normal(0, 0.02, size=N_DRAWS))
    return TotalDraws(data, FAMILIES[key], wide, noise)


def draw(key, mu, seed=1):
    return FAMILIES[key].draw_totals(mu, NOISE, np.random.default_rng(seed))


def outcome(draws):
    checks, findings = predictive_checks(draws, np.random.default_rng(2))
    warned = {check.name for check in checks if check.status == "warn"}
    assert {check.status for check in checks} <= {"ok", "warn"}
    assert len(findings) == len(warned)
    return {check.name: check for check in checks}, {f.code: f for f in findings}


def mean_of(key):
    return 3.0 * SIZE if FAMILIES[key].counts else 1000.0 * SIZE


@pytest.mark.parametrize("key", list(FAMILIES), ids=str)
def test_totals_of_the_family_pass(key):
    mu = mean_of(key)
    checks, findings = outcome(make_draws(key, draw(key, mu), mu))
    assert findings == {}
    zeros = {"zeros_p_value"} if FAMILIES[key].zeros_allowed else set()
    assert set(checks) == zeros | {
        "dispersion_p_value",
        "extremes_p_value",
        "size_spread_p_value",
        "levels_p_value_week",
        "levels_p_value_store",
    }
    assert all(describe_check_name(name)[1] for name in checks)


def test_bursts_under_poisson_are_told_with_the_figures_and_the_remedy():
    mu = mean_of(("poisson", None))
    totals = draw(("negative_binomial", "pair"), mu)
    _, findings = outcome(make_draws(("poisson", None), totals, mu))
    finding, ratio = findings["dispersion"], np.mean((totals - mu) ** 2 / mu)
    told = float(finding.message.split("spread ")[1].split()[0])
    assert told == pytest.approx(ratio, rel=0.05)
    assert "too narrow" in finding.message
    claimed, shown = finding.message.split("a noise of ")[1].split(", where the data show ")
    assert float(shown.rstrip("%")) == pytest.approx(
        float(claimed.rstrip("%")) * np.sqrt(told), rel=0.01
    )
    assert 'family = "negative_binomial"' in finding.remedy


def test_too_little_spread_is_told_as_well():
    mu = np.full(200, 10.0)
    _, findings = outcome(make_draws(("negative_binomial", "pair"), mu, mu))
    assert "too wide" in findings["dispersion"].message
    assert "at pair level" in findings["dispersion"].message


@pytest.mark.parametrize(
    ("law", "fitted", "family"),
    [
        (("zero_inflated_poisson", None), ("poisson", None), '"zero_inflated_poisson"'),
        (
            ("zero_inflated_negative_binomial", "pair"),
            ("negative_binomial", "pair"),
            '"zero_inflated_negative_binomial"',
        ),
        (("poisson", None), ("zero_inflated_poisson", None), '"poisson"'),
    ],
)
def test_zeros_that_are_too_many_or_too_few(law, fitted, family):
    mu = mean_of(fitted)
    totals = draw(law, mu)
    checks, findings = outcome(make_draws(fitted, totals, mu))
    finding, n_zeros = findings["zeros"], int((totals == 0).sum())
    assert f"{n_zeros} totals are zero" in finding.message
    assert ("more" in finding.message) == fitted[0].startswith(("poisson", "negative"))
    assert f"set likelihood.family = {family}" in finding.remedy
    assert checks["zeros_p_value"].detail.startswith(f"{n_zeros} of 200 totals are zero")


def test_zeros_that_a_constant_probability_does_not_explain():
    mu, key = mean_of(("hurdle_gamma", "aggregate")), ("hurdle_gamma", "aggregate")
    totals = draw(key, mu) * (np.random.default_rng(3).random(200) < 0.6)
    _, findings = outcome(make_draws(key, totals, mu))
    assert "zero_covariates" in findings["zeros"].remedy


@pytest.mark.parametrize(
    ("key", "heavier"),
    [
        (("poisson", None), '"negative_binomial"'),
        (("gamma", "aggregate"), '"lognormal"'),
        (("lognormal", "aggregate"), '"lognormal" with level = "pair_approximation"'),
    ],
)
def test_one_outlier_is_named(key, heavier):
    mu = mean_of(key)
    totals = draw(key, mu)
    totals[77] = round(mu[77] * 12)
    checks, findings = outcome(make_draws(key, totals, mu))
    assert "total of w9 / s5 / 77" in findings["extremes"].message
    assert f"{totals[77]:.6g}" in findings["extremes"].message
    assert heavier in findings["extremes"].remedy
    assert "worst: w9 / s5 / 77" in checks["extremes_p_value"].detail


@pytest.mark.parametrize(
    ("law", "fitted"),
    [(("gamma", "aggregate"), ("gamma", "pair")), (("gamma", "pair"), ("gamma", "aggregate"))],
)
def test_spread_by_size_tells_the_level(law, fitted):
    """Noise that grows like the mean, or like its root: the spread of all totals may agree."""
    mu = 30.0 * SIZE
    totals = draw(law, mu)
    draws = make_draws(fitted, totals, mu)
    estimates = FAMILIES[fitted].moment_parameters(totals, mu)
    draws.noise.update({name: np.full(N_DRAWS, value) for name, value in estimates.items()})
    _, findings = outcome(draws)
    assert set(findings) == {"size-spread"}
    assert f'level = "{law[1]}"' in findings["size-spread"].remedy
    direction = "more" if law[1] == "aggregate" else "less"
    assert f"large totals spread {direction}" in findings["size-spread"].message


def test_a_store_that_sells_more_than_it_should_is_named():
    mu, key = mean_of(("poisson", None)), ("poisson", None)
    store = np.arange(200) % N_STORES
    totals = draw(key, mu * np.where(store == 3, 1.4, 1.0))
    checks, findings = outcome(make_draws(key, totals, mu))
    assert "by store: those of s3 are 1." in findings["levels"].message
    assert 'aggregate_effects = ["store"]' in findings["levels"].remedy
    assert checks["levels_p_value_store"].status == "warn"
    assert checks["levels_p_value_week"].status == "ok"


def test_few_totals_are_not_cut_into_groups():
    mu = np.full(9, 20.0)
    checks, _ = outcome(make_draws(("poisson", None), draw(("poisson", None), mu), mu))
    assert set(checks) == {"dispersion_p_value", "extremes_p_value", "zeros_p_value"}


@pytest.mark.parametrize(("n_aggregates", "n_draws"), [(54, 1000), (30_000, 559), (10**6, 200)])
def test_draws_are_enough_and_fit_into_memory(n_aggregates, n_draws):
    assert enough_draws(n_aggregates) == n_draws


def test_log_density_of_draws():
    mu = mean_of(("gamma", "pair"))
    draws = make_draws(("gamma", "pair"), draw(("gamma", "pair"), mu), mu)
    found = draws.log_density()
    assert found.shape == (200, N_DRAWS)
    expected = FAMILIES["gamma", "pair"].log_density(
        draws.data.totals[7], draws.mu[7, 3], {"phi": 3.0}
    )
    assert found[7, 3] == expected
