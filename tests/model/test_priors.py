"""Priors: defaults on the data's own scale, the spec's where it names one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from bayes_attrib.model import build_model, resolve_priors
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.spec.prior import PRIOR_PARAMETERS

LAWS = {
    "Normal": ({"mu": 0.4, "sigma": 1.7}, stats.norm(0.4, 1.7).logpdf),
    "StudentT": ({"nu": 3.5, "mu": -0.4, "sigma": 1.7}, stats.t(3.5, -0.4, 1.7).logpdf),
    "HalfNormal": ({"sigma": 0.3}, stats.halfnorm(scale=0.3).logpdf),
    "HalfStudentT": (
        {"nu": 3.5, "sigma": 0.3},
        lambda x: np.log(2) + stats.t.logpdf(x, 3.5, scale=0.3),
    ),
    "HalfCauchy": ({"beta": 0.6}, stats.halfcauchy(scale=0.6).logpdf),
    "Exponential": ({"lam": 2.2}, stats.expon(scale=1 / 2.2).logpdf),
    "Gamma": ({"alpha": 2.3, "beta": 4.1}, stats.gamma(2.3, scale=1 / 4.1).logpdf),
    "InverseGamma": ({"alpha": 2.3, "beta": 4.1}, stats.invgamma(2.3, scale=4.1).logpdf),
    "LogNormal": ({"mu": 0.2, "sigma": 0.7}, stats.lognorm(0.7, scale=np.exp(0.2)).logpdf),
    "Beta": ({"alpha": 1.2, "beta": 3.4}, stats.beta(1.2, 3.4).logpdf),
    "Weibull": ({"alpha": 1.3, "beta": 0.8}, stats.weibull_min(1.3, scale=0.8).logpdf),
}


def test_every_distribution_of_the_schema_is_compared():
    assert set(LAWS) == set(PRIOR_PARAMETERS)
    assert {name: tuple(given) for name, (given, _) in LAWS.items()} == dict(PRIOR_PARAMETERS)


@pytest.mark.parametrize("dist", LAWS)
def test_the_prior_of_the_spec_is_used(random_data, make_spec, dist):
    name = {"Normal": "intercept", "StudentT": "intercept", "Beta": "pi"}.get(dist, "sigma_entity")
    priors = {name: {"dist": dist, **LAWS[dist][0]}}
    spec = make_spec(("zero_inflated_poisson", None), entity="noncentered", priors=priors)
    model = build_model(random_data(1), spec)
    logp = model.compile_logp(vars=[model[name]], jacobian=False, mode="FAST_COMPILE")
    for unconstrained in (-0.8, 0.0, 0.6):
        point = model.initial_point()
        key, value = {
            "intercept": (name, unconstrained),
            "sigma_entity": (f"{name}_log__", np.exp(unconstrained)),
            "pi": (f"{name}_logodds__", expit(unconstrained)),
        }[name]
        found = logp(point | {key: np.array(unconstrained)})
        np.testing.assert_allclose(found, LAWS[dist][1](value), atol=1e-6)


def as_text(prior):
    return f"{prior.dist}({', '.join(f'{value:g}' for value in prior.parameters.values())})"


@pytest.mark.parametrize("family", list(FAMILIES), ids=str)
def test_default_priors(random_data, make_spec, family):
    data = random_data(1)
    mean_cell = np.log(data.totals.sum() / np.count_nonzero(data.exposure.toarray()))
    pairs = FAMILIES["lognormal", "pair_approximation"].default_priors(data)
    name, level = family
    base = name.removeprefix("zero_inflated_").removeprefix("hurdle_")
    noise = {
        ("poisson", None): {},
        ("negative_binomial", "aggregate"): {"alpha": "LogNormal(2.4, 1.5)"},
        ("negative_binomial", "pair"): {"phi": "LogNormal(0, 1.5)"},
        ("gamma", "aggregate"): {"alpha": "LogNormal(2.4, 1.5)"},
        ("gamma", "pair"): {"phi": f"LogNormal({mean_cell:g}, 1.5)"},
        ("lognormal", "aggregate"): {"sigma_total": f"LogNormal({np.log(0.3):g}, 0.75)"},
        ("lognormal", "pair_approximation"): {"sigma_total": as_text(pairs["sigma_total"])},
    }[base, level]
    if base != name:
        noise = {**noise, "pi": "Beta(1, 1)"}
    expected = {
        "intercept": "Normal(0, 1)",
        "sigma_region": "HalfNormal(1)",
        "sigma_entity": "HalfNormal(1)",
        **noise,
    }
    spec = make_spec(family, ("region",))
    found = {name: as_text(prior) for name, prior in resolve_priors(spec, data).items()}
    assert found == expected
    assert tuple(found) == spec.parameters


def test_the_spec_replaces_only_what_it_names(random_data, make_spec):
    given = {
        "alpha": {"dist": "Exponential", "lam": 0.5},
        "sigma_region": {"dist": "HalfNormal", "sigma": 0.1},
    }
    spec = make_spec(("negative_binomial", "aggregate"), ("region",), priors=given)
    found = {n: as_text(prior) for n, prior in resolve_priors(spec, random_data(1)).items()}
    assert found == {
        "intercept": "Normal(0, 1)",
        "sigma_region": "HalfNormal(0.1)",
        "sigma_entity": "HalfNormal(1)",
        "alpha": "Exponential(0.5)",
    }
