"""Nested levels, covariates, aggregate effects, drift and baselines against a density by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import scipy.sparse as sp
import xarray as xr
from scipy import stats
from scipy.special import expit, logit

from bayes_attrib.inference import PosteriorFit, expected_draws, noise_draws
from bayes_attrib.inference.information import information_fraction
from bayes_attrib.inputs import AggregateData, Grouping
from bayes_attrib.model import build_model, resolve_priors
from bayes_attrib.spec import parse_plain

N_GEOS, N_WEEKS, N_ENTITIES = 3, 5, 8
CHANNELS = list("aaaabbbb")
PATHS = ["a / x", "a / x", "a / y", "a / y", "b / x", "b / x", "b / x", "b / y"]
OBJECTIVES = list("pqpqpqpq")


def build_structured_data(*, unattributed=False, counts=True):
    rng = np.random.default_rng(5)
    n_aggregates = N_GEOS * N_WEEKS
    exposure = rng.lognormal(size=(n_aggregates, N_ENTITIES))
    exposure *= rng.random(exposure.shape) < 0.6
    exposure[:, 0] = 1.0
    geo, week = np.divmod(np.arange(n_aggregates), N_WEEKS)
    groupings = {
        name: Grouping.from_labels(name, [*labels, *["unattributed"] * unattributed])
        for name, labels in (("channel", CHANNELS), ("format", PATHS), ("objective", OBJECTIVES))
    }
    if unattributed:
        exposure = np.hstack([exposure, np.ones((n_aggregates, 1))])
    stored = sp.csr_array(exposure)
    totals = rng.poisson(9.0, size=n_aggregates) + (0.0 if counts else 0.5)
    totals[3] = 0.0 if counts else totals[3]
    return AggregateData(
        aggregate_keys=pd.DataFrame({"geo": geo.astype(str), "week": week.astype(str)}),
        totals=totals,
        entity_key="creative",
        entity_names=np.array(
            [*(f"c{i}" for i in range(N_ENTITIES)), *["unattributed"] * unattributed], dtype=object
        ),
        exposure=stored,
        groupings=groupings,
        aggregate_groupings={
            "geo": Grouping.from_labels("geo", geo.astype(str)),
            "week": Grouping("week", tuple(map(str, range(N_WEEKS))), week),
        },
        entity_covariates=pd.DataFrame({"seconds": rng.lognormal(size=N_ENTITIES)}),
        pair_covariates=pd.DataFrame({"position": rng.normal(size=stored.nnz)}),
        aggregate_covariates=pd.DataFrame({"stores": rng.normal(size=n_aggregates)}),
        has_unattributed=unattributed,
    )


def make_structured_spec(*, rates, family="poisson", form="centered", **sections):
    likelihood = {"family": family} | sections.pop("likelihood", {})
    return parse_plain(
        {
            "schema_version": 1,
            "name": "structured",
            "columns": {"aggregate": ["geo", "week"], "entity": "creative"},
            "likelihood": likelihood,
            "rates": {**rates, "geometry": {"entity": form, "groups": form}},
            **sections,
        },
        source="test",
    )


def values_and_logp(model, seed):
    """A random point: all variables on their own scale, and the log density without Jacobians."""
    rng = np.random.default_rng(seed)
    start = model.initial_point()
    point = {name: value + 0.4 * rng.standard_normal(value.shape) for name, value in start.items()}
    variables = model.unobserved_value_vars
    values = model.compile_fn(variables, mode="FAST_COMPILE", on_unused_input="ignore")(point)
    logp = model.compile_logp(jacobian=False, mode="FAST_COMPILE")(point)
    return {v.name: np.asarray(x) for v, x in zip(variables, values, strict=True)}, logp


def as_fit(draws):
    """A posterior of one chain; the first axis of every array is the draw."""
    variables = {}
    for name, drawn in draws.items():
        own = ["entity"] if name in ("rate", "log_rate") else range(drawn.ndim - 1)
        dims = [axis if name in ("rate", "log_rate") else f"{name}_{axis}" for axis in own]
        variables[name] = (("chain", "draw", *dims), drawn[None])
    return PosteriorFit(xr.DataTree.from_dict({"posterior": xr.Dataset(variables)}), "test")


def one_draw(values):
    """A posterior of a single draw."""
    return as_fit({name: np.asarray(value)[None] for name, value in values.items()})


def standardised(column):
    return (column - column.mean()) / column.std()


def zero_sum_logp(effect, sigma):
    np.testing.assert_allclose(effect.sum(), 0.0, atol=1e-12)
    return stats.norm.logpdf(effect, scale=sigma).sum() - stats.norm.logpdf(0, scale=sigma)


def total_logp(data, mu_edge):
    """Poisson density of the totals from expected amounts of edges, summed one by one."""
    mu = np.zeros(data.n_aggregates)
    for edge, amount in enumerate(mu_edge):
        mu[data.edge_aggregate[edge]] += amount
    return stats.poisson.logpmf(data.totals, mu).sum(), mu


def base_logp(data, values, *, form):
    """Prior density of nested and entity effects, and the rates that they imply, by hand."""
    n = data.n_attributable
    exposure = data.exposure.toarray()[:, :n]
    centre = np.log(data.totals.sum() / exposure.sum()) + values["intercept"]
    logp = stats.norm.logpdf(values["intercept"])
    for level, zero_sum in (("channel", True), ("format", False)):
        sigma, effect = values[f"sigma_{level}"], values[f"effect_{level}"]
        logp += stats.halfnorm.logpdf(sigma)
        free, scale = (effect, sigma) if form == "centered" else (effect / sigma, 1.0)
        law = zero_sum_logp if zero_sum else lambda v, s: stats.norm.logpdf(v, scale=s).sum()
        logp += law(free, scale)
        centre = centre + effect[data.groupings[level].codes[:n]]
    logp += stats.halfnorm.logpdf(values["sigma_entity"])
    return logp, centre


@pytest.mark.parametrize("form", ["centered", "noncentered"])
def test_nested_levels_with_covariates_and_unequal_spreads(form):
    data = build_structured_data()
    rates = {
        "nested": ["channel", "format"],
        "covariates": "log(seconds)",
        "heteroscedastic": "channel",
    }
    spec = make_structured_spec(rates=rates, form=form)
    model = build_model(data, spec)
    for seed in range(3):
        values, found = values_and_logp(model, seed)
        logp, centre = base_logp(data, values, form=form)
        x = standardised(np.log(data.entity_covariates["seconds"].to_numpy()))
        logp += stats.norm.logpdf(values["beta"], scale=0.5).sum()
        centre = centre + x * values["beta"][0]
        logp += stats.halfnorm.logpdf(values["sigma_spread"], scale=0.5)
        offset = values["offset_sigma_spread"]
        logp += zero_sum_logp(offset, 1.0)
        spreads = values["sigma_entity"] * np.exp(values["sigma_spread"] * offset)
        np.testing.assert_allclose(values["sigma_entity_of_channel"], spreads)
        sigma = spreads[data.groupings["channel"].codes]
        if form == "centered":
            logp += stats.norm.logpdf(values["log_rate"], centre, sigma).sum()
        else:
            logp += stats.norm.logpdf(values["offset_entity"]).sum()
            np.testing.assert_allclose(values["log_rate"], centre + sigma * values["offset_entity"])
        mu = values["rate"][data.edge_entity] * data.exposure.data
        logp += total_logp(data, mu)[0]
        np.testing.assert_allclose(found, logp, atol=1e-6)


@pytest.mark.parametrize("by", ["entity", "channel"])
@pytest.mark.parametrize("unattributed", [False, True])
def test_factors_of_edges_and_an_unattributed_entity(by, unattributed):
    data = build_structured_data(unattributed=unattributed)
    rates = {
        "nested": ["channel", "format"],
        "pair_covariates": "position",
        "aggregate_effects": ["geo"],
        "drift": {"kind": "random_walk", "period": "week", "by": by},
    }
    extra = {"unattributed": {}} if unattributed else {}
    spec = make_structured_spec(rates=rates, **extra)
    model = build_model(data, spec)
    n = data.n_attributable
    for seed in range(3):
        values, found = values_and_logp(model, seed)
        logp, centre = base_logp(data, values, form="centered")
        own = values["log_rate_attributable" if unattributed else "log_rate"]
        logp += stats.norm.logpdf(own, centre, values["sigma_entity"]).sum()
        if unattributed:
            share = values["unattributed_share"]
            logp += stats.beta.logpdf(share, 1, 9)
            # At that rate, one unit of exposure in each aggregate earns its share of everything.
            amount = values["rate"][-1] * data.n_aggregates
            np.testing.assert_allclose(amount, share * data.totals.sum())
        logp += stats.halfnorm.logpdf(values["sigma_geo"])
        logp += zero_sum_logp(values["effect_geo"], values["sigma_geo"])
        logp += stats.norm.logpdf(values["beta_pair"], scale=0.5).sum()
        logp += stats.halfnorm.logpdf(values["sigma_drift"], scale=1 / np.sqrt(N_WEEKS))
        steps = values["offset_drift"]
        logp += stats.norm.logpdf(steps).sum()
        walk = np.cumsum(np.hstack([np.zeros((len(steps), 1)), steps]), axis=1)
        drift = values["sigma_drift"] * (walk - walk.mean(axis=1, keepdims=True))
        np.testing.assert_allclose(values["drift"], drift, atol=1e-12)
        explained = data.edge_entity < n
        position = data.pair_covariates["position"].to_numpy()
        x = np.zeros(data.n_edges)
        x[explained] = standardised(position[explained])
        mu = np.empty(data.n_edges)
        for edge in range(data.n_edges):
            b, e = data.edge_aggregate[edge], data.edge_entity[edge]
            factor = values["effect_geo"][b // N_WEEKS] + x[edge] * values["beta_pair"][0]
            if e < n:
                series = e if by == "entity" else data.groupings["channel"].codes[e]
                factor += drift[series, b % N_WEEKS]
            mu[edge] = values["rate"][e] * data.exposure.data[edge] * np.exp(factor)
        total, by_hand = total_logp(data, mu)
        np.testing.assert_allclose(found, logp + total, atol=1e-6)
        draws = expected_draws(one_draw(values), data, spec)
        np.testing.assert_allclose(draws.amounts(slice(None))[:, 0], mu)
        np.testing.assert_allclose(draws.totals()[:, 0], by_hand)
        np.testing.assert_allclose(
            draws.sums_of_squares()[:, 0], np.bincount(data.edge_aggregate, weights=mu**2)
        )


def test_smooth_drift_has_the_covariance_of_its_gaussian_process():
    data = build_structured_data()
    drift = {"kind": "hsgp", "period": "week", "by": "channel"}
    spec = make_structured_spec(
        rates={"pooling": ["channel"], "drift": drift},
        priors={
            "sigma_drift": {"dist": "LogNormal", "mu": np.log(0.5), "sigma": 1e-6},
            "lengthscale_drift": {"dist": "LogNormal", "mu": np.log(2.0), "sigma": 1e-6},
        },
    )
    model = build_model(data, spec)
    assert model["drift"].eval().shape == (2, N_WEEKS)
    n_draws = 4000
    paths = pm.draw(model["drift"], draws=n_draws, random_seed=3)
    np.testing.assert_allclose(paths.mean(axis=-1), 0.0, atol=1e-10)
    lag = np.subtract.outer(np.arange(N_WEEKS), np.arange(N_WEEKS))
    kernel = 0.25 * np.exp(-0.5 * (lag / 2.0) ** 2)
    centring = np.eye(N_WEEKS) - 1 / N_WEEKS
    wanted = centring @ kernel @ centring
    found = np.cov(paths.reshape(-1, N_WEEKS).T)
    # Five Monte-Carlo standard errors of a covariance of 8,000 normal pairs, and 1% of the basis.
    tolerance = 5 * np.sqrt(2 / (2 * n_draws)) * 0.25 + 0.01 * 0.25
    np.testing.assert_allclose(found, wanted, atol=tolerance)
    assert np.abs(wanted).max() > 3 * tolerance


def test_covariates_of_zeros_move_their_probability():
    data = build_structured_data()
    spec = make_structured_spec(
        rates={}, family="zero_inflated_poisson", likelihood={"zero_covariates": "stores"}
    )
    values, found = values_and_logp(build_model(data, spec), 1)
    logp = stats.norm.logpdf(values["intercept"]) + stats.halfnorm.logpdf(values["sigma_entity"])
    centre = np.log(data.reference_rate) + values["intercept"]
    logp += stats.norm.logpdf(values["log_rate"], centre, values["sigma_entity"]).sum()
    logp += stats.norm.logpdf(values["beta_zero"], scale=1.0).sum()
    x = standardised(data.aggregate_covariates["stores"].to_numpy())
    pi = expit(logit(values["pi"]) + x * values["beta_zero"][0])
    mu = data.exposure @ values["rate"]
    mass = (1 - pi) * stats.poisson.pmf(data.totals, mu) + pi * (data.totals == 0)
    assert spec.likelihood.parameters == ("pi", "beta_zero")
    np.testing.assert_allclose(noise_draws(one_draw(values), data, spec)["pi"][:, 0], pi)
    prior_of_pi = resolve_priors(spec, data)["pi"].parameters
    logp += stats.beta.logpdf(values["pi"], prior_of_pi["alpha"], prior_of_pi["beta"])
    np.testing.assert_allclose(found, logp + np.log(mass).sum(), atol=1e-6)


def test_information_knows_groups_covariates_and_unequal_spreads():
    data = build_structured_data()
    rates = {
        "nested": ["channel", "format"],
        "covariates": "log(seconds)",
        "heteroscedastic": "channel",
    }
    spec = make_structured_spec(rates=rates, form="noncentered")
    model = build_model(data, spec)
    wanted = ["rate", "log_rate", "intercept", "sigma_entity", "sigma_entity_of_channel", "beta"]
    wanted += ["effect_channel", "effect_format", "offset_entity"]
    with model:
        drawn = pm.draw([model[name] for name in wanted], draws=400, random_seed=1)
    drawn = dict(zip(wanted, drawn, strict=True))
    offsets = drawn.pop("offset_entity")
    fit = as_fit(drawn)
    fraction = information_fraction(fit, data, spec)
    np.testing.assert_allclose(fraction, np.clip(1 - offsets.var(axis=0), 0, 1), atol=1e-9)


def test_structured_data_must_bring_what_the_spec_names():
    data = build_structured_data()
    for name, key in (
        ("entity_covariates", "covariates"),
        ("pair_covariates", "pair_covariates"),
    ):
        spec = make_structured_spec(rates={key: "seconds" if key == "covariates" else "position"})
        without = dataclasses.replace(data, **{name: None})
        with pytest.raises(ValueError, match=name):
            build_model(without, spec)
