from __future__ import annotations

import dataclasses
import json

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from scipy.optimize import minimize

from bayes_attrib.baselines import fit_map, fit_spec_map, fit_unpooled_map, map_estimate, spec_map
from bayes_attrib.inputs import Grouping
from bayes_attrib.model import build_model
from bayes_attrib.model.edge_terms import LevelTerm
from bayes_attrib.spec import ModelSpec

GIVEN = {"sigma_format": 0.4, "sigma_entity": 0.7}
CODES = np.array([0, 1, 2, 0, 1, 2, 0])


@pytest.fixture
def data(random_data):
    """Whole totals of 12 aggregates over 7 entities in 3 formats."""
    data = random_data(3)
    return dataclasses.replace(
        data,
        totals=np.round(data.totals / 10),
        groupings={"format": Grouping.from_labels("format", CODES.astype(str))},
    )


def spec_of(family=("poisson", None), pooling=("format",), form="auto", priors=None):
    return ModelSpec.model_validate(
        {
            "schema_version": 1,
            "name": "test",
            "columns": {"aggregate": ("brick",), "entity": "hcp"},
            "likelihood": {"family": family[0], "level": family[1]},
            "rates": {"pooling": pooling, "geometry": {"entity": form, "groups": form}},
            "priors": priors or {},
        }
    )


def brute_force(data, log_likelihood, *, sigma_format=None, sigma_entity):
    """Log rates at the mode, by BFGS with complex-step gradients of a density written here."""
    w, n = data.exposure.toarray(), data.n_entities

    def log_rates(p):
        effect = p[1:4] - p[1:4].sum() / 3 if sigma_format else 0 * p[1:4]
        return np.log(data.reference_rate) + p[0] + effect[CODES] + p[4:], effect

    def loss(p):
        log_rate, effect = log_rates(p)
        prior = 0.5 * (p[0] ** 2 + np.sum(p[4:] ** 2) / sigma_entity**2)
        prior = prior + 0.5 * np.sum(effect**2) / (sigma_format or 1.0) ** 2
        return prior - np.sum(log_likelihood(data.totals, w @ np.exp(log_rate)))

    def gradient(p):
        return np.array([loss(p + 1e-30j * unit).imag / 1e-30 for unit in np.eye(len(p))])

    found = minimize(
        lambda p: loss(p).real, np.zeros(4 + n), jac=gradient, method="BFGS", options={"gtol": 1e-9}
    )
    assert np.abs(gradient(found.x)).max() < 1e-6
    return log_rates(found.x)[0]


def poisson(y, mu):
    return y * np.log(mu) - mu


def gamma(y, mu):
    return -5.0 * (np.log(mu) + y / mu)


@pytest.mark.parametrize("form", ["centered", "noncentered", "without a graph"])
def test_it_is_the_mode_whatever_the_parameterisation(data, form):
    if form == "without a graph":
        fit = fit_spec_map(data, spec_of(), GIVEN, tolerance=1e-13)
    else:
        fit = fit_map(build_model(data, spec_of(form=form)), data, GIVEN, tolerance=1e-13)
    wanted = brute_force(data, poisson, sigma_format=0.4, sigma_entity=0.7)
    np.testing.assert_allclose(np.log(fit.rate), wanted, atol=1e-6)
    assert fit.converged
    assert fit.stopped == "stationary"
    assert fit.predicted_gain <= 1e-13
    assert fit.gradient_norm < 1e-4
    np.testing.assert_allclose(fit.amount, data.split_totals(fit.rate))
    np.testing.assert_allclose(fit.entity_amount.sum(), data.grand_total)
    mu = data.expected_totals(fit.rate)
    wanted = np.sum(pm.logp(pm.Poisson.dist(mu), data.totals).eval())
    assert fit.log_likelihood[-1] == pytest.approx(wanted, rel=1e-7)
    assert fit.log_likelihood[0] < fit.log_likelihood[-1]
    assert set(fit.hyperparameters) == set(GIVEN)
    assert not set(fit.parameters) & set(GIVEN)
    assert {"intercept", "effect_format", "rate"} <= set(fit.parameters)


def test_gamma_with_its_dispersion_given(data):
    money = dataclasses.replace(data, totals=data.totals + 0.5)
    spec = spec_of(("gamma", "aggregate"))
    given = GIVEN | {"alpha": 5.0}
    wanted = brute_force(money, gamma, sigma_format=0.4, sigma_entity=0.7)
    for fit in (
        fit_map(build_model(money, spec), money, given, tolerance=1e-13),
        fit_spec_map(money, spec, given, tolerance=1e-13),
    ):
        np.testing.assert_allclose(np.log(fit.rate), wanted, atol=1e-6)


def test_unpooled(data):
    """Groups, their priors and hyperparameters are left aside; the intercept's prior is kept."""
    spec = spec_of(priors={"sigma_format": {"dist": "HalfNormal", "sigma": 0.1}})
    fit = fit_unpooled_map(data, spec, GIVEN)
    assert fit.converged
    assert dict(fit.hyperparameters) == {"sigma_entity": 3.0}
    wanted = brute_force(data, poisson, sigma_entity=3.0)
    np.testing.assert_allclose(np.log(fit.rate), wanted, atol=1e-4)


@pytest.fixture
def own_model(data):
    """A user's own model: a scale, rates, and a factor for each of two weeks."""
    week = np.arange(data.n_aggregates) % 2
    with pm.Model(coords={"entity": data.entity_names}) as model:
        sigma = pm.HalfNormal("sigma_entity")
        log_rate = pm.Normal("log_rate", np.log(data.reference_rate), sigma, dims="entity")
        rate = pm.Deterministic("rate", pm.math.exp(log_rate), dims="entity")
        effect = pm.Normal("effect_week", 0, 0.5, shape=2)
        mu = pm.math.dot(data.exposure.toarray(), rate) * pm.math.exp(effect[week])
        pm.Poisson("total", mu, observed=data.totals)
    return model


def test_terms_of_edges_take_part_in_the_split(data, own_model):
    """Each edge has its own factor here, so the split differs from that by rates alone."""
    n = data.n_edges
    term = LevelTerm("effect_week", np.arange(n) % 3)  # 2 stands for no effect
    fit = fit_map(own_model, data, {"sigma_entity": 0.7}, terms=[term])
    factor = np.exp(np.append(fit.parameters["effect_week"], 0.0))[np.arange(n) % 3]
    expected = data.expected_amounts(fit.rate) * factor
    sums = np.bincount(data.edge_aggregate, weights=expected)
    wanted = expected / sums[data.edge_aggregate] * data.totals[data.edge_aggregate]
    np.testing.assert_allclose(fit.amount, wanted)
    prior = stats.norm.logpdf(np.log(fit.rate), np.log(data.reference_rate), 0.7).sum()
    prior += stats.norm.logpdf(fit.parameters["effect_week"], 0, 0.5).sum()
    assert fit.log_density == pytest.approx(prior + fit.log_likelihood[-1], rel=1e-7)
    assert np.abs(fit.amount - data.split_totals(fit.rate)).max() > 1e-3


def test_a_mode_that_was_not_found_is_said(data, own_model):
    fit = fit_map(own_model, data, {"sigma_entity": 0.7}, max_iterations=1, tolerance=1e-300)
    assert (fit.stopped, fit.converged) == ("iterations", False)
    assert fit.predicted_gain > 1e-300


def test_a_search_that_stalls_is_said(data, own_model, monkeypatch):
    monkeypatch.setattr(map_estimate, "FIRST_SEARCH", 1.0)
    monkeypatch.setattr("bayes_attrib.baselines.newton.MOST_STEPS", 0)
    fit = fit_map(own_model, data, {"sigma_entity": 0.7}, tolerance=1e-300)
    assert (fit.stopped, fit.converged) == ("stalled", False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give a value for sigma_entity: with a free scale"),
        ({"sigma": 1.0}, "no free variable 'sigma'; it has sigma_entity, log_rate, effect_week"),
        ({"sigma_entity": [1.0, 2.0]}, r"sigma_entity has shape \(\); got a value of shape \(2,\)"),
        ({"sigma_entity": -1.0}, "not finite at the model's initial point given sigma_entity=-1"),
    ],
)
def test_hyperparameters_that_do_not_fit(data, own_model, given, message):
    with pytest.raises(ValueError, match=message):
        fit_map(own_model, data, given)


def test_tolerance_out_of_range(data, own_model):
    with pytest.raises(ValueError, match="tolerance must be positive; got 0"):
        fit_map(own_model, data, {"sigma_entity": 0.7}, tolerance=0.0)


def test_unequal_spreads_are_scales_too():
    with pm.Model() as model:
        offset = pm.ZeroSumNormal("offset_sigma_spread", shape=2)
        pm.Deterministic("rate", pm.math.exp(pm.Normal("x", 0, pm.math.exp(offset), shape=2)))
    with pytest.raises(ValueError, match="give a value for offset_sigma_spread"):
        map_estimate.condition(model, {})


def test_unpooled_keeps_what_belongs_to_the_unattributed_entity(data, monkeypatch):
    spec = spec_of(priors={"intercept": {"dist": "Normal", "mu": 0.0, "sigma": 2.0}})
    plain = spec.model_dump(mode="json") | {"unattributed": {}}
    monkeypatch.setattr(spec_map, "build_model", lambda _, spec: spec)
    monkeypatch.setattr(spec_map, "fit_map", lambda model, _, given, **__: (model, given))
    given = GIVEN | {"unattributed_share": 0.1}
    model, kept = fit_unpooled_map(data, ModelSpec.model_validate_json(json.dumps(plain)), given)
    assert kept == {"unattributed_share": 0.1, "sigma_entity": 3.0}
    assert model.rates.pooling == ()
    assert set(model.priors) == {"intercept"}
