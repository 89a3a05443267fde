"""The PyMC model against a joint log density that is written with NumPy and SciPy alone."""

from __future__ import annotations

from itertools import product

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from bayes_attrib.model import build_model
from bayes_attrib.model.build import expected_amounts, sum_over_edges
from bayes_attrib.model.families import FAMILIES

FORMS = ("centered", "noncentered")
GROUP_SETS = ((), ("format",), ("region", "format"))

TOTAL_LOGP = {
    ("poisson", None): stats.poisson.logpmf,
    ("negative_binomial", "aggregate"): lambda y, mu, a: stats.nbinom.logpmf(y, a, a / (a + mu)),
    ("negative_binomial", "pair"): lambda y, mu, phi: stats.nbinom.logpmf(
        y, mu / phi, 1 / (1 + phi)
    ),
    ("gamma", "aggregate"): lambda y, mu, a: stats.gamma.logpdf(y, a, scale=mu / a),
    ("gamma", "pair"): lambda y, mu, phi: stats.gamma.logpdf(y, mu / phi, scale=phi),
    ("lognormal", "aggregate"): lambda y, mu, sd: stats.lognorm.logpdf(
        y, sd, scale=mu * np.exp(-(sd**2) / 2)
    ),
    ("zero_inflated_poisson", None): lambda y, mu, pi: np.log(
        pi * (y == 0) + (1 - pi) * stats.poisson.pmf(y, mu)
    ),
    ("hurdle_gamma", "aggregate"): lambda y, mu, a, pi: np.log(
        np.where(y == 0, pi, (1 - pi) * stats.gamma.pdf(y, a, scale=mu / a))
    ),
}
"""Log density of totals, from expectations and noise parameters in the family's order."""

PRIOR_LOGP = {
    "LogNormal": lambda x, mu, sigma: stats.lognorm.logpdf(x, sigma, scale=np.exp(mu)),
    "HalfNormal": lambda x, sigma: stats.halfnorm.logpdf(x, scale=sigma),
    "Beta": lambda x, **shape: stats.beta.logpdf(x, shape["alpha"], shape["beta"]),
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
    noise = FAMILIES[family].parameters
    for name, prior in FAMILIES[family].default_priors(data).items():
        logp += PRIOR_LOGP[prior.dist](values[name], **prior.parameters)
    mu = exposure @ values["rate"]
    by_hand = TOTAL_LOGP[family](data.totals[seen], mu[seen], *(values[name] for name in noise))
    return logp + by_hand.sum()


@pytest.mark.parametrize("seed", range(4))
def test_expected_totals_twin(random_data, seed):
    data, rng = random_data(seed), np.random.default_rng(seed)
    rate = rng.lognormal(size=data.n_entities)
    with pm.Model():
        twin = sum_over_edges(data, expected_amounts(data, pm.Data("rate", rate))).eval()
    dense = data.exposure.toarray() @ rate
    np.testing.assert_allclose(twin, dense[dense > 0], rtol=1e-12)
    np.testing.assert_allclose(twin, data.expected_totals(rate)[data.is_exposed], rtol=1e-12)
    assert twin.shape == (5,)


CASES = [
    *product([("poisson", None)], GROUP_SETS[:2], FORMS, FORMS),
    *product(list(TOTAL_LOGP)[:5], GROUP_SETS[2:], FORMS, FORMS),
    *product(list(TOTAL_LOGP)[5:], GROUP_SETS[2:], FORMS[:1], FORMS[:1]),
]


@pytest.mark.parametrize(("family", "groups", "entity", "form"), CASES, ids=str)
def test_log_density(random_data, make_spec, family, groups, entity, form):
    data = random_data(1, counts=FAMILIES[family].counts)
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
        # PyMC keeps constants such as log 1.5 in single precision: 1e-8 off, the same everywhere.
        np.testing.assert_allclose(logp(point), expected, rtol=0, atol=1e-6)


def test_log_density_of_the_unconstrained_space(random_data, make_spec):
    """The sampler's own density adds the Jacobians: log sd for every scale, none for zero sums."""
    model = build_model(random_data(1), make_spec(("negative_binomial", "pair"), ("format",)))
    bare = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    whole = model.compile_logp(jacobian=True, mode="FAST_COMPILE")
    point = random_point(model, np.random.default_rng(3))
    scales = [value for name, value in point.items() if name.endswith("_log__")]
    assert len(scales) == 3
    np.testing.assert_allclose(whole(point) - bare(point), np.sum(scales), rtol=1e-10)


def test_zero_sum_effects_span_an_orthonormal_space(random_data, make_spec):
    """The map from unconstrained effects keeps lengths, so it needs no Jacobian."""
    model = build_model(random_data(1), make_spec(groups=("format",), form="centered"))
    _, values_at = compile_model(model)
    start = model.initial_point()
    columns = [
        values_at(start | {"effect_format_zerosum__": unit})["effect_format"] for unit in np.eye(3)
    ]
    np.testing.assert_allclose(np.array(columns) @ np.array(columns).T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.sum(columns, axis=1), 0.0, atol=1e-12)


@pytest.mark.parametrize("family", list(FAMILIES), ids=str)
def test_units_of_exposure_do_not_matter(random_data, make_spec, family):
    """Rescaled exposures shift log rates by a constant and change no density and no share."""
    counts, factor = FAMILIES[family].counts, 1000.0
    spec = make_spec(family, ("format",), entity="noncentered")
    found = []
    for scale in (1.0, factor):
        model = build_model(random_data(1, counts=counts, scale=scale), spec)
        logp, values_at = compile_model(model)
        point = random_point(model, np.random.default_rng(4))
        found.append((logp(point), values_at(point)["log_rate"]))
    (logp, log_rate), (logp_scaled, log_rate_scaled) = found
    np.testing.assert_allclose(logp_scaled, logp, rtol=1e-12)
    np.testing.assert_allclose(log_rate - log_rate_scaled, np.log(factor), rtol=1e-12)


@pytest.mark.parametrize("family", [key for key in FAMILIES if not FAMILIES[key].counts], ids=str)
def test_units_of_money_do_not_matter(random_data, make_spec, family, make_data):
    """Cents for euros: a constant Jacobian of the totals apart, the density is the same."""
    data, factor = random_data(1, counts=False), 100.0
    cents = make_data(data.exposure.toarray(), factor * data.totals, data.groupings.values())
    spec, found = make_spec(family, ("format",), entity="noncentered"), []
    for unit, scale in ((data, 1.0), (cents, factor)):
        model = build_model(unit, spec)
        point = random_point(model, np.random.default_rng(5))
        if "phi_log__" in point:
            point["phi_log__"] = 0.3 + np.log(scale)
        logp = model.compile_logp(jacobian=True, mode="FAST_COMPILE")(point)
        found.append(logp + data.is_exposed.sum() * np.log(scale))
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)


def test_names_and_dimensions(random_data, make_spec):
    data = random_data(1)
    spec = make_spec(("negative_binomial", "pair"), ("region", "format"))
    model = build_model(data, spec)
    dims = {
        "log_rate": ("entity",),
        "rate": ("entity",),
        "effect_region": ("region",),
        "effect_format": ("format",),
        "total": ("aggregate",),
    }
    assert {name: model.named_vars_to_dims[name] for name in dims} == dims
    assert list(model.coords["entity"]) == list(data.entity_names)
    assert list(model.coords["aggregate"]) == [f"store {b}" for b in (1, 2, 3, 5, 6)]
    assert set(spec.parameters) <= {variable.name for variable in model.free_RVs}


def test_edges_are_data_that_can_be_exchanged(random_data, make_spec):
    """Another exposure on the same edges gives what a model built from it gives."""
    spec = make_spec(entity="noncentered")
    model, other = build_model(random_data(1), spec), build_model(random_data(1, scale=2.0), spec)
    point = random_point(model, np.random.default_rng(6))
    logp = model.compile_logp(mode="FAST_COMPILE")
    before = float(logp(point))
    with model:
        pm.set_data({"edge_exposure": 2.0 * model["edge_exposure"].get_value()})
    # r0 stays that of the first data: the intercept of the other model makes up for it.
    shifted = point | {"intercept": point["intercept"] + np.log(2.0)}
    prior = stats.norm.logpdf([point["intercept"], shifted["intercept"]])
    expected = other.compile_logp(mode="FAST_COMPILE")(shifted) - prior[1] + prior[0]
    assert float(logp(point)) != pytest.approx(before, abs=1.0)
    np.testing.assert_allclose(logp(point), expected, atol=1e-6)
