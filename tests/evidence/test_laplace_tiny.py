"""Nested Laplace approximations against numerical integration, on a tiny case.

Three totals say little, so the posterior is far from normal: harder than any real use. With 2,000
draws a mean has a standard error of .022 sds and an sd one of 1.6%, or twice that where tails are
heavy. Means are off by at most .06 sds and sds by at most 8%; the bounds are .1 sds and 12%.
Without the trajectories at the end they would be off by up to .25 sds and 27%.
"""

from __future__ import annotations

import numpy as np
import pytest
from tiny_posterior import Tiny, moments

from bayes_attrib.inference import Diagnostics
from bayes_attrib.inference.laplace import (
    LaplaceSettings,
    approximation_checks,
    approximation_findings,
    fit_laplace,
)

CASES = [
    Tiny("poisson", None),
    Tiny("negative_binomial", "pair"),
    Tiny("gamma", "pair"),
    Tiny("lognormal", "aggregate"),
    Tiny("zero_inflated_poisson", None),
    Tiny("hurdle_gamma", "pair"),
]
every_case = pytest.mark.parametrize("tiny", CASES, ids=lambda tiny: f"{tiny.family}-{tiny.level}")


def draws_of(tiny, fit):
    found = {name: fit.draws(name) for name in ("intercept", "sigma_entity")}
    found |= {"pi": fit.draws("pi")} if tiny.has_pi else {}
    if tiny.dispersion:
        found[f"log_{tiny.dispersion[0]}"] = np.log(fit.draws(tiny.dispersion[0]))
    return found | {f"log_rate_{e}": fit.draws("log_rate")[i] for i, e in enumerate("AB")}


def worst_errors(tiny, reference):
    """Largest error of a mean in sds, and of the logarithm of an sd."""
    fit = fit_laplace(tiny.data(), tiny.spec(), LaplaceSettings(draws=2000, seed=1))
    exact = moments(reference)
    means, spreads = [], []
    for name, draws in draws_of(tiny, fit).items():
        mean, variance = exact[name]
        means.append(abs(draws.mean() - mean) / np.sqrt(variance))
        spreads.append(abs(np.log(draws.std() / np.sqrt(variance))))
    return fit, max(means), max(spreads)


@pytest.mark.statistical
@every_case
def test_means_and_sds(tiny):
    fit, mean, spread = worst_errors(tiny, tiny)
    assert mean < 0.1
    assert spread < 0.12
    diagnostics = Diagnostics(approximation_checks(fit), approximation_findings(fit))
    assert diagnostics.verdict == "warn"
    assert diagnostics.checks[0].detail == "approximation: not sampled"
    remembered = {check.name: check for check in diagnostics.checks}["start_remembered"]
    assert remembered.status == "ok"
    assert diagnostics.findings[0].code == "log-marginal-likelihood"


@pytest.mark.statistical
@pytest.mark.parametrize("fault", [{"entity_sd": 0.8}, {"intercept_mean": 0.3}], ids=str)
def test_a_reference_that_differs_is_told_apart(fault):
    _, mean, spread = worst_errors(CASES[0], Tiny("poisson", None, **fault))
    assert mean > 0.1 or spread > 0.12


def test_log_marginal_likelihood_of_a_tiny_case():
    """Against the mean likelihood of 400,000 draws from the prior, at 5 standard errors."""
    tiny, rng, n = CASES[0], np.random.default_rng(5), 400_000
    data = tiny.data()
    sigma, intercept = np.abs(rng.standard_normal(n)), rng.standard_normal(n)
    log_rates = np.log(data.reference_rate) + intercept + sigma * rng.standard_normal((2, n))
    with np.errstate(over="ignore", invalid="ignore"):
        mu = data.exposure.toarray() @ np.exp(np.minimum(log_rates, 50.0))
    log_factorials = [12.801827480081469, 4.787491742782046, 0.0]  # of 9, 5 and 1
    terms = tiny.totals[:, None] * np.log(mu) - mu - np.array(log_factorials)[:, None]
    likelihood = np.exp(terms.sum(axis=0))
    fit = fit_laplace(data, tiny.spec(), LaplaceSettings(draws=2000, seed=1))
    found = float(fit.tree["approximation"]["log_marginal_likelihood"])
    error = likelihood.std() / likelihood.mean() / np.sqrt(n)
    assert error < 0.01
    assert abs(found - np.log(likelihood.mean())) < 5 * error + 0.03


def test_the_same_seed_gives_the_same_draws():
    tiny = CASES[0]
    first, again, other = (
        fit_laplace(tiny.data(), tiny.spec(), LaplaceSettings(draws=50, seed=seed)).draws("rate")
        for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
