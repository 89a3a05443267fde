"""Learned transforms against numerical integration, and against a fit with fixed ones.

Two campaigns with equal rates (their spread has a prior next to zero) deliver in seven weeks. The
unknowns are then the intercept, a decay and a half saturation: three dimensions, summed over a grid
with exposures from functions of fixed transforms and SciPy's Poisson law. Means and variances are
compared in Monte-Carlo standard errors; a comparison fails by chance with probability 1e-6 over the
choice of its seed (see ``two_stage``).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from monte_carlo_error import p_value_of, scores_against_exact
from scipy import stats
from two_stage import is_accepted, is_rejected_at_once

from bayes_attrib.exposure import carry_over, geometric_weights, hill
from bayes_attrib.inference import SamplerSettings, expected_draws, fit_nuts
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.model import build_model
from bayes_attrib.spec import parse_spec

L_MAX = 4
DELIVERY = pd.DataFrame(
    {
        "channel": "TV",
        "week": [1, 2, 5, 1, 3, 4],
        "campaign": ["A", "A", "A", "B", "B", "B"],
        "grps": [1.0, 2.0, 0.5, 0.3, 1.0, 1.5],
    }
)
SERIES = np.array([[1.0, 2.0, 0, 0, 0.5, 0, 0], [0.3, 0, 1.0, 1.5, 0, 0, 0]])
TOTALS = np.array([18.0, 41.0, 35.0, 42.0, 37.0, 11.0, 6.0])
BETA, LOGNORMAL = (4.0, 4.0), (0.0, 0.5)
SPEC = """
schema_version = 1
name = "learned"
columns = {{ aggregate = ["channel", "week"], entity = "campaign", delivery = "grps" }}
[exposure]
semantics = "channel_curve"
channel = "channel"
period = "week"
totals = "measured"
[exposure.channels.TV]
adstock = {{ kind = "geometric", decay = 0.5, l_max = 4, normalise = false }}
saturation = {{ kind = "hill", half_saturation = 1.0, slope = 1.2 }}
[exposure.channels.TV.learn]
decay = {{ dist = "Beta", alpha = {alpha}, beta = 4.0 }}
half_saturation = {{ dist = "LogNormal", mu = 0.0, sigma = 0.5 }}
[priors]
sigma_entity = {{ dist = "HalfNormal", sigma = 0.005 }}
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    DELIVERY.to_csv(folder / "exposures.csv", index=False)
    weeks = np.arange(1, len(TOTALS) + 1)
    aggregates = pd.DataFrame({"channel": "TV", "week": weeks, "total": TOTALS})
    aggregates.to_csv(folder / "aggregates.csv", index=False)
    return folder


def exposures(decay, half):
    """Exposures by week and campaign, shape (n_weeks, 2)."""
    carried = carry_over(SERIES, geometric_weights(decay, l_max=L_MAX))
    total = carried.sum(axis=0)
    return (carried * hill(total, half, 1.2) / total).T


@cache
def exact():
    """Posterior mean and variance of every quantity, by sums over a grid."""
    decays = np.linspace(0.0, 1.0, 62)[1:-1]
    log_halves = LOGNORMAL[0] + LOGNORMAL[1] * np.linspace(-5.0, 5.0, 61)
    intercepts = np.linspace(-2.0, 2.0, 161)
    reference = np.log(TOTALS.sum() / exposures(0.5, 1.0).sum())
    mass, sums = 0.0, {name: np.zeros(2) for name in ("decay", "half", "intercept", "first")}
    for decay in decays:
        for log_half in log_halves:
            exposure = exposures(decay, np.exp(log_half))
            mu = np.exp(reference + intercepts)[:, None] * exposure.sum(axis=1)
            weight = np.exp(
                stats.poisson.logpmf(TOTALS, mu).sum(axis=1) + stats.norm.logpdf(intercepts)
            )
            weight *= stats.beta.pdf(decay, *BETA) * stats.norm.pdf(log_half, *LOGNORMAL)
            first = (TOTALS * exposure[:, 0] / exposure.sum(axis=1)).sum()
            for name, value in (
                ("decay", np.full_like(weight, decay)),
                ("half", np.full_like(weight, log_half)),
                ("intercept", intercepts),
                ("first", np.full_like(weight, first)),
            ):
                sums[name] += weight @ value, weight @ value**2
            mass += weight.sum()
    return {name: (s[0] / mass, s[1] / mass - (s[0] / mass) ** 2) for name, s in sums.items()}


def drawn(folder, size, seed, *, alpha=4.0):
    """Draws by the package: sampler, and the split of the totals that tables are made from."""
    spec = parse_spec(SPEC.format(alpha=alpha))
    data = read_tables(spec, DataSource(folder)).data
    settings = SamplerSettings(draws=size, tune=1000, chains=4, seed=seed)
    fit = fit_nuts(build_model(data, spec), settings)
    decay, half = fit.draws("transform")
    amounts = expected_draws(fit, data, spec).amounts(slice(None))
    of_first = data.edge_entity == 0
    totals = np.zeros((data.n_aggregates, amounts.shape[1]))
    np.add.at(totals, data.edge_aggregate, amounts)
    shares = amounts / totals[data.edge_aggregate]
    found = {
        "decay": decay,
        "half": np.log(half),
        "intercept": fit.draws("intercept"),
        "first": data.totals[data.edge_aggregate[of_first]] @ shares[of_first],
    }
    return {name: draws.reshape(4, -1) for name, draws in found.items()}


def comparison(folder, **fault):
    def p_value(rng, size):
        draws = drawn(folder, size, int(rng.integers(2**31)), **fault)
        return p_value_of(scores_against_exact(draws, exact()))

    return p_value


@pytest.mark.sampling
@pytest.mark.statistical
def test_posterior_equals_numerical_integration(tables):
    assert is_accepted(comparison(tables), size=1000, seed=1)


@pytest.mark.sampling
@pytest.mark.statistical
def test_another_prior_is_noticed(tables):
    assert is_rejected_at_once(comparison(tables, alpha=12.0), size=1000, seed=1)
