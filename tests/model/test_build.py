"""The PyMC model against a joint log density that is written with NumPy and SciPy alone."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from bayes_attrib import names
from bayes_attrib.model import build_model
from bayes_attrib.model.build import expected_totals
from bayes_attrib.model.families import FAMILIES

FORMS = ("centered", "noncentered")
GROUP_SETS = ((), ("format",), ("region", "format"))

TOTAL_LOGP = {
    ("poisson", None): lambda y, mu, _: stats.poisson.logpmf(y, mu),
    ("negative_binomial", "aggregate"): lambda y, mu, a: stats.nbinom.logpmf(y, a, a / (a + mu)),
    ("negative_binomial", "pair"): lambda y, mu, phi: stats.nbinom.logpmf(
        y, mu / phi, 1 / (1 + phi)
    ),
    ("gamma", "aggregate"): lambda y, mu, a: stats.gamma.logpdf(y, a, scale=mu / a),
    ("gamma", "pair"): lambda y, mu, phi: stats.gamma.logpdf(y, mu / phi, scale=phi),
}

DISPERSION_PRIOR_MEDIAN = {
    ("negative_binomial", "aggregate"): lambda _: np.exp(2.4),
    ("negative_binomial", "pair"): lambda _: 1.0,
    ("gamma", "aggregate"): lambda _: np.exp(2.4),
    ("gamma", "pair"): lambda data: data.totals.sum() / data.exposure.nnz,
}


def compile_model(model):
    """Functions of a point: log density without Jacobians, and all variables on their own scale."""
    logp = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    variables = model.unobserved_value_vars
    values = model.compile_fn(variables, mode="FAST_COMPILE", on_unused_input="ignore")
    keys = [variable.name for variable in variables]
    return logp, lambda point: dict(zip(keys, values(point), strict=True))


def random_point(model, rng):
    """A point of the unconstrained space that is not far from the prior."""
    start = model.initial_point()
    return {name: value + 0.5 * rng.standard_normal(value.shape) for name, value in start.items()}


def log_density(data, family, groups, values, *, centered_groups, centered_entities):
    """Joint log density of constrained values and totals, from the formulas of the model."""
    exposure = data.exposure.toarray()
    seen = exposure.sum(axis=1) > 0
    logp = stats.norm.logpdf(values["intercept"])
    centre = np.log(data.totals.sum() / exposure.sum()) + values["intercept"]
    for group in groups:
        sigma, effect = values[f"sigma_{group}"], values[f"effect_{group}"]
        logp += stats.halfnorm.logpdf(sigma)
        np.testing.assert_allclose(effect.sum(), 0.0, atol=1e-12)
        # A normal law on the hyperplane of vectors that sum to zero has one dimension less.
        free, scale = (effect, sigma) if centered_groups else (effect / sigma, 1.0)
        logp += stats.norm.logpdf(free, scale=scale).sum() - stats.norm.logpdf(0, scale=scale)
        centre = centre + effect[data.groupings[group].codes]
    sigma = values["sigma_entity"]
    logp += stats.halfnorm.logpdf(sigma)
    if centered_entities:
        logp += stats.norm.logpdf(values["log_rate"], centre, sigma).sum()
    else:
        offset = values["offset_entity"]
        np.testing.assert_allclose(values["log_rate"], centre + sigma * offset, rtol=1e-12)
        logp += stats.norm.logpdf(offset).sum()
    np.testing.assert_allclose(values["rate"], np.exp(values["log_rate"]), rtol=1e-12)
    dispersion = values.get(FAMILIES[family].dispersion)
    if dispersion is not None:
        median = DISPERSION_PRIOR_MEDIAN[family](data)
        logp += stats.lognorm.logpdf(dispersion, 1.5, scale=median)
    mu = exposure @ values["rate"]
    return logp + TOTAL_LOGP[family](data.totals[seen], mu[seen], dispersion).sum()


@pytest.mark.parametrize("seed", range(4))
def test_expected_totals_twin(random_data, seed):
    data, rng = random_data(seed), np.random.default_rng(seed)
    rate = rng.lognormal(size=data.n_entities)
    with pm.Model():
        twin = expected_totals(data, pm.Data("rate", rate)).eval()
    dense = data.exposure.toarray() @ rate
    np.testing.assert_allclose(twin, dense[dense > 0], rtol=1e-12)
    np.testing.assert_allclose(twin, data.expected_totals(rate)[data.is_exposed], rtol=1e-12)
    assert twin.shape == (5,)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("entity", FORMS)
@pytest.mark.parametrize("groups", GROUP_SETS, ids=str)
@pytest.mark.parametrize("family", list(FAMILIES), ids=str)
def test_log_density(random_data, make_spec, family, groups, entity, form):
    data = random_data(1, counts=family[0] != "gamma")
    model = build_model(data, make_spec(family, groups, entity=entity, form=form))
    logp, values_at = compile_model(model)
    rng = np.random.default_rng(2)
    for _ in range(3):
        point = random_point(model, rng)
        expected = log_density(
            data,
            family,
            groups,
            values_at(point),
            centered_groups=form == "centered",
            centered_entities=entity == "centered",
        )
        np.testing.assert_allclose(logp(point), expected, rtol=1e-10)
