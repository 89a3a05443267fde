"""Amounts sampled with the parameters, against amounts integrated out and drawn afterwards.

The two routes share the prior of rates and noise and nothing of the likelihood: densities of pairs
and a NumPy law of amounts given their sum here, the density of the sum and the package's allocation
there. Means and variances of shares, amounts and hyperparameters are compared in Monte-Carlo
standard errors that know of autocorrelation. A test fails by chance with probability 1e-6 over the
choice of its seed (see ``two_stage``).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pymc as pm
import pytest
from monte_carlo_error import p_value_of, scores_between
from scipy import stats
from two_stage import is_accepted, is_rejected_at_once, smallest

from bayes_attrib.attribution import allocate
from bayes_attrib.errors import FitError
from bayes_attrib.inference import (
    ChainStore,
    SamplerSettings,
    expected_draws,
    fit_nuts,
    noise_draws,
)
from bayes_attrib.inference.chains import Chain
from bayes_attrib.inference.explicit import fit_explicit
from bayes_attrib.inputs import AggregateData, TablesRead
from bayes_attrib.model import build_model, explicit
from bayes_attrib.model.explicit import PAIR_LAWS, build_explicit_model
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import ModelSpec
from bayes_attrib.workflow.fit import fit_tables
from bayes_attrib.workflow.own_model import check_own_model

SIZE, CHAINS = 800, 4
POISSON, NEGATIVE_BINOMIAL, GAMMA = list(PAIR_LAWS)
PHI = 1.5
RATES = np.array([2.0, 4.0, 1.0, 6.0, 3.0])

every_family = pytest.mark.parametrize("key", list(PAIR_LAWS), ids=str)


@cache
def make_data(key):
    """Twelve aggregates of five entities, two in five pairs without exposure."""
    rng = np.random.default_rng(3)
    exposure = rng.gamma(0.5, 2.0, size=(12, 5)) * (rng.random((12, 5)) < 0.6)
    exposure[np.arange(12), np.arange(12) % 5] += 1.0
    mu = exposure * RATES
    amounts = {
        POISSON: lambda: rng.poisson(mu),
        NEGATIVE_BINOMIAL: lambda: rng.poisson(rng.gamma(mu / PHI, PHI)),
        GAMMA: lambda: rng.gamma(mu / PHI, PHI),
    }[key]()
    return AggregateData.from_dense(exposure, amounts.sum(axis=1))


def make_spec(key, amounts="explicit", **inference):
    family, level = key
    return ModelSpec.model_validate(
        {
            "schema_version": 1,
            "name": "small",
            "columns": {"aggregate": ("aggregate",), "entity": "entity"},
            "likelihood": {"family": family, "level": level, "amounts": amounts},
            "inference": inference,
            "rates": {"geometry": {"entity": "noncentered"}},
            "priors": {},
        }
    )


def quantities(fit, data, amounts):
    """Draws of what is compared, each of shape (n_chains, n_draws), from amounts of edges."""
    mu = data.exposure.data[:, None] * fit.draws("rate")[data.edge_entity]
    found = {"intercept": fit.draws("intercept"), "sigma_entity": fit.draws("sigma_entity")}
    if "phi" in fit.posterior:
        found["log_phi"] = np.log(fit.draws("phi"))
    sums = np.add.reduceat(mu, data.exposure.indptr[:-1], axis=0)
    expected = (data.totals[:, None] / sums)[data.edge_aggregate] * mu
    for e, name in enumerate(data.entity_names):
        own = data.edge_entity == e
        found[f"share_{name}"] = expected[own].sum(axis=0) / data.grand_total
        found[f"amount_{name}"] = amounts(e)
    return {name: draws.reshape(fit.n_chains, -1) for name, draws in found.items()}


def explicit_draws(key, size, seed):
    data = make_data(key)
    settings = SamplerSettings(draws=size, tune=300, chains=CHAINS, seed=seed, target_accept=0.9)
    fit = fit_explicit(build_explicit_model(data, make_spec(key)), data, settings)
    amounts = fit.draws("amount")
    sums = np.add.reduceat(amounts, data.exposure.indptr[:-1], axis=0)
    np.testing.assert_allclose(sums, np.broadcast_to(data.totals[:, None], sums.shape), rtol=1e-12)
    return quantities(fit, data, lambda e: amounts[data.edge_entity == e].sum(axis=0))


def marginal_draws(key, size, seed):
    data, spec = make_data(key), make_spec(key, amounts="marginal")
    settings = SamplerSettings(draws=size, tune=300, chains=CHAINS, seed=seed, target_accept=0.9)
    fit = fit_nuts(build_model(data, spec), settings)
    allocation = allocate(
        expected_draws(fit, data, spec),
        get_family(spec.likelihood),
        noise_draws(fit, data, spec),
        interval=spec.report.interval,
        rng=np.random.default_rng(seed),
    )
    return quantities(fit, data, lambda e: allocation.amounts.rows(np.array([e]))[0])


def comparison(key):
    """P-value of one route against the other."""

    def p_value(rng, size):
        own_seed, other_seed = (int(seed) for seed in rng.integers(2**31, size=2))
        routes = explicit_draws(key, size, own_seed), marginal_draws(key, size, other_seed)
        return p_value_of(scores_between(*routes))

    return p_value


@pytest.mark.sampling
@pytest.mark.statistical
@every_family
def test_both_routes_have_one_posterior(key):
    assert is_accepted(comparison(key), size=SIZE, seed=1)


def law_p_value(key, mu):
    """P-value of the first of two amounts given their sum, against SciPy's law."""
    total, noise = 9, {"phi": PHI}
    a, b = mu / PHI
    law = {
        POISSON: stats.binom(total, mu[0] / mu.sum()),
        NEGATIVE_BINOMIAL: stats.betabinom(total, a, b),
        GAMMA: stats.beta(a, b, scale=total),
    }[key]

    def p_value(rng, size):
        pairs = np.array([PAIR_LAWS[key].draw(total, mu, noise, rng) for _ in range(size)])
        if key == GAMMA:
            return smallest(stats.kstest(np.exp(pairs[:, 0]), law.cdf).pvalue)
        counts = np.bincount(pairs[:, 0], minlength=total + 1)
        expected = size * law.pmf(np.arange(total + 1))
        bins = np.minimum(np.arange(total + 1), np.flatnonzero(expected > 5).max())
        observed, wanted = np.bincount(bins, counts), np.bincount(bins, expected)
        return smallest(stats.chisquare(observed, wanted).pvalue)

    return p_value


@pytest.mark.statistical
@every_family
def test_amounts_given_their_total(key):
    assert is_accepted(law_p_value(key, np.array([1.2, 3.4])), size=2000, seed=2)


@pytest.mark.statistical
@every_family
def test_another_law_of_amounts_is_found(key, monkeypatch):
    honest = type(PAIR_LAWS[key]).draw

    def biased(self, total, mu, noise, rng):
        return honest(self, total, mu**1.3, noise, rng)

    p_value = law_p_value(key, np.array([1.2, 3.4]))
    monkeypatch.setattr(type(PAIR_LAWS[key]), "draw", biased)
    assert is_rejected_at_once(p_value, size=2000, seed=2)


def test_amounts_too_small_for_a_number_stay_finite_as_logarithms():
    rng = np.random.default_rng(1)
    log_amounts = PAIR_LAWS[GAMMA].draw(7.0, np.array([1e-6, 1e-3, 2.0]), {"phi": 1.0}, rng)
    assert np.isfinite(log_amounts).all()
    np.testing.assert_allclose(np.exp(log_amounts).sum(), 7.0, rtol=1e-12)


@pytest.mark.sampling
def test_spec_selects_the_route_and_a_stored_chain_is_taken_as_it_is(tmp_path):
    data = make_data(POISSON)
    spec = make_spec(POISSON, draws=30, tune=60, chains=2, seed=4)
    fitted = fit_tables(TablesRead(data, (), (), ()), spec)
    fit = fitted.posterior
    assert fit.method == "nuts_within_gibbs"
    assert fit.posterior["amount"].dims == ("chain", "draw", "pair")
    assert fit.posterior["amount"].shape == (2, 30, data.n_edges)
    assert fit.posterior["pair"].to_numpy()[0].startswith("b1 / e")
    assert fitted.result.largest_residual == 0
    assert {"min_bfmi", "divergent_fraction"} <= {c.name for c in fitted.diagnostics.checks}

    store = ChainStore(tmp_path, {})
    draws, statistics = (
        {str(name): array.to_numpy()[0] for name, array in group.data_vars.items()}
        for group in (fit.posterior, fit.sample_stats)
    )
    store.save(0, Chain(draws, statistics))
    heard = Listener()
    settings = SamplerSettings(draws=30, tune=60, chains=2, seed=4, target_accept=0.95)
    model = build_explicit_model(data, spec)
    again = fit_explicit(model, data, settings, store=store, progress=heard)
    assert again.posterior.identical(fit.posterior)
    assert again.tree["observed_data"].identical(fit.tree["observed_data"])
    assert store.completed() == {0, 1}
    assert heard.events == [("started", 90), ("advanced", 50), ("finished",)]


class Listener:
    """Keeps what it was told."""

    def __init__(self):
        self.events = []

    def started(self, total):
        self.events.append(("started", total))

    def advanced(self, done, divergences):  # noqa: ARG002
        self.events.append(("advanced", done))

    def finished(self):
        self.events.append(("finished",))


def test_many_pairs_are_refused(monkeypatch):
    monkeypatch.setattr(explicit, "MOST_PAIRS", 10)
    with pytest.raises(FitError, match=r"at most 10 pairs .* 'marginal'"):
        build_explicit_model(make_data(POISSON), make_spec(POISSON))


def test_own_model_is_refused_with_explicit_amounts():
    data = make_data(POISSON)
    with pm.Model(coords={"entity": data.entity_names}) as model:
        pm.LogNormal("rate", dims="entity")
    with pytest.raises(FitError, match="your own model says itself what it samples"):
        check_own_model(model, data, make_spec(POISSON))
