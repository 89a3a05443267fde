"""The mode without a graph is that of the graph, for every model that has a latent field."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.baselines import fit_map, fit_spec_map, spec_map
from bayes_attrib.errors import SpecError
from bayes_attrib.inference.laplace.supported import require_supported
from bayes_attrib.inputs import Grouping
from bayes_attrib.model import build_model
from bayes_attrib.model.latent_field import has_latent_field
from bayes_attrib.spec import ModelSpec

SIGMAS = {"sigma_format": 0.4, "sigma_entity": 0.7}


@pytest.fixture
def data(random_data):
    data = random_data(5, shape=(14, 9))
    format_, campaign = ["a", "b", "c"] * 3, [f"{i}" for i in range(9)]
    paths = [f"{top} / {below}" for top, below in zip(format_, campaign, strict=True)]
    return dataclasses.replace(
        data,
        totals=np.round(data.totals / 10) + 1,
        groupings={
            "format": Grouping.from_labels("format", format_),
            "campaign": Grouping.from_labels("campaign", paths),
            "region": Grouping.from_labels("region", ["n", "s", "s"] * 3),
        },
        entity_covariates=pd.DataFrame({"reach": np.linspace(-1.0, 2.0, 9)}),
    )


def spec_of(likelihood=None, rates=None, **further):
    return ModelSpec.model_validate(
        {
            "schema_version": 1,
            "name": "test",
            "columns": {"aggregate": ("brick",), "entity": "hcp"},
            "likelihood": likelihood or {"family": "poisson"},
            "rates": {"geometry": {"entity": "centered", "groups": "centered"}} | (rates or {}),
        }
        | further
    )


MODELS = {
    "plain": ({}, {}, {"sigma_entity": 0.7}),
    "groups": ({}, {"pooling": ("format",)}, SIGMAS),
    "covariates": (
        {"family": "negative_binomial", "level": "aggregate"},
        {"pooling": ("format",), "covariates": "reach"},
        SIGMAS | {"alpha": 4.0},
    ),
    "excess zeros": (
        {"family": "hurdle_gamma", "level": "aggregate"},
        {"pooling": ("format",)},
        SIGMAS | {"alpha": 4.0, "pi": 0.1},
    ),
    "pair noise": (
        {"family": "negative_binomial", "level": "pair"},
        {"pooling": ("format", "region")},
        SIGMAS | {"sigma_region": 0.2, "phi": 0.5},
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_it_is_the_mode_of_the_graph(data, name, monkeypatch):
    likelihood, rates, given = MODELS[name]
    spec = spec_of(likelihood, rates)
    wanted = fit_map(build_model(data, spec), data, given)
    monkeypatch.setattr(spec_map, "fit_map", None)  # the graph is not asked
    found = fit_spec_map(data, spec, given)
    assert wanted.converged
    assert found.stopped == "stationary"
    assert found.predicted_gain <= 1e-10
    assert found.gradient_norm < 1e-4
    np.testing.assert_allclose(np.log(found.rate), np.log(wanted.rate), atol=2e-5)
    np.testing.assert_allclose(found.amount, wanted.amount, rtol=1e-4)
    assert found.log_likelihood == pytest.approx(wanted.log_likelihood, rel=1e-6)
    assert found.log_density == pytest.approx(wanted.log_density, rel=1e-9)
    for variable, values in found.parameters.items():
        np.testing.assert_allclose(values, wanted.parameters[variable], atol=1e-4)
        assert np.shape(values) == np.shape(wanted.parameters[variable])


OTHERS = {
    "a hyperparameter is missing": ({}, {}, {}, "give a value for sigma_entity"),
    "one is unknown": ({}, {}, {"sigma_entity": 1.0, "x": 1.0}, "no free variable 'x'"),
    "one is negative": ({}, {}, {"sigma_entity": -1.0}, "not finite at the model's initial point"),
    "one has a shape": ({}, {}, {"sigma_entity": [1.0]}, "got a value of shape"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_wrong_is_said_by_the_graph(data, name):
    likelihood, rates, given, message = OTHERS[name]
    with pytest.raises(ValueError, match=message):
        fit_spec_map(data, spec_of(likelihood, rates), given)


def test_other_models_are_built(data, monkeypatch):
    seen = {}
    monkeypatch.setattr(spec_map, "build_model", lambda *_: None)
    monkeypatch.setattr(spec_map, "fit_map", lambda *_, **options: seen.update(options))
    fit_spec_map(data, spec_of(priors={"intercept": LAPLACE}), {"sigma_entity": 1.0}, tolerance=0.1)
    assert seen["tolerance"] == 0.1


LAPLACE = {"dist": "StudentT", "nu": 3.0, "mu": 0.0, "sigma": 1.0}


def test_totals_that_the_family_does_not_allow(data):
    broken = dataclasses.replace(data, totals=0.0 * data.totals + np.eye(1, 14)[0])
    spec = spec_of({"family": "gamma", "level": "aggregate"})
    with pytest.raises(ValueError, match="not finite at equal rates given sigma_entity"):
        fit_spec_map(broken, spec, {"sigma_entity": 0.7, "alpha": 3.0})


def test_a_mode_that_was_not_found_is_said(data):
    fit = fit_spec_map(data, spec_of(), {"sigma_entity": 0.7}, max_iterations=1, tolerance=1e-300)
    assert (fit.stopped, fit.converged, fit.iterations) == ("iterations", False, 1)


@pytest.mark.parametrize(
    ("likelihood", "rates", "further"),
    [
        ({}, {}, {}),
        ({}, {"pooling": ("format",), "covariates": "reach"}, {}),
        ({"family": "lognormal", "level": "pair_approximation"}, {}, {}),
        ({"family": "lognormal", "level": "aggregate"}, {}, {}),
        ({}, {}, {"unattributed": {}}),
        ({}, {"pooling": ("format",), "heteroscedastic": "format"}, {}),
        ({}, {}, {"priors": {"intercept": LAPLACE}}),
    ],
)
def test_laplace_serves_the_models_that_have_a_latent_field(likelihood, rates, further):
    spec = spec_of(likelihood, rates, **further)
    try:
        require_supported(spec)
        is_served = True
    except SpecError:
        is_served = False
    assert has_latent_field(spec) == is_served
