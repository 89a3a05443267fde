"""Marginal laws of the totals, family by family, against SciPy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from total_laws import COUNTS, law_of

from bayes_attrib import names
from bayes_attrib.model import build_model
from bayes_attrib.model.families import FAMILIES, get_family
from bayes_attrib.spec import LikelihoodSpec
from bayes_attrib.spec.likelihood import LEVELS

MU = (0.02, 0.7, 5.0, 83.0, 1200.0)
VALUES = {
    "alpha": (0.05, 0.6, 3.0, 40.0),
    "phi": (0.05, 0.6, 3.0, 40.0),
    "sigma_total": (0.05, 0.4, 1.0, 2.5),
    "pi": (0.003, 0.4, 0.97),
    "herfindahl": (0.01, 0.4, 1.0),
}
ZERO = (0.0,)
COUNT_TOTALS = (1.0, 2.0, 9.0, 75.0, 1000.0, 4000.0)
MONEY_TOTALS = (1e-3, 0.4, 1.0, 9.5, 75.25, 1000.0, 4000.0)

every_family = pytest.mark.parametrize("key", list(FAMILIES), ids=str)


def needed(key):
    """Names of all that the law of a total depends on beside its expectation."""
    family = FAMILIES[key]
    return (*family.parameters, *[names.HERFINDAHL] * family.needs_herfindahl)


def grid(key):
    """All combinations of expectation, parameters and total, as flat arrays."""
    totals = COUNT_TOTALS if key in COUNTS else MONEY_TOTALS
    totals = ZERO * FAMILIES[key].zeros_allowed + totals
    rows = product(MU, totals, *(VALUES[name] for name in needed(key)))
    mu, totals, *values = np.array(list(rows)).T
    return mu, totals, dict(zip(needed(key), values, strict=True))


def model_of(key, mu, parameters, totals):
    with pm.Model(coords={"b": range(len(mu))}) as model:
        given = {name: pm.Data(name, value) for name, value in parameters.items()}
        FAMILIES[key].add_total(pm.Data("mu", mu), totals, given, dims="b")
    assert [variable.name for variable in model.observed_RVs] == [names.TOTAL]
    assert model.named_vars_to_dims[names.TOTAL] == ("b",)
    return model


def model_logp(key, mu, parameters, totals):
    """Log density of each total as the family adds it to a PyMC model."""
    model = model_of(key, mu, parameters, totals)
    (logp,) = model.compile_fn(model.logp(sum=False), inputs=[], mode="FAST_COMPILE")({})
    return logp


def numpy_logp(key, mu, parameters, totals):
    return FAMILIES[key].log_density(totals, mu, parameters)


def test_every_family_of_the_schema_is_there():
    wanted = {(name, level) for name, levels in LEVELS.items() for level in levels or (None,)}
    wanted.remove(("given", None))  # it has no law of the totals
    assert set(FAMILIES) == wanted
    for name, level in wanted:
        spec = LikelihoodSpec(family=name, level=level)
        family = get_family(spec)
        assert (family.name, family.level) == (name, level)
        assert family.parameters == spec.parameters
        assert family.counts == spec.counts == ((name, level) in COUNTS)
        assert family.zeros_allowed == spec.zeros_allowed


@pytest.mark.parametrize("logp", [model_logp, numpy_logp])
@every_family
def test_log_density_of_totals(key, logp):
    mu, totals, parameters = grid(key)
    expected = law_of(key, mu, parameters).log_density(totals)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(logp(key, mu, parameters, totals), expected, rtol=1e-9)


@every_family
def test_log_density_broadcasts_totals_against_draws(key):
    rng, shape = np.random.default_rng(1), (4, 3)
    mu = rng.lognormal(1.0, 1.0, size=shape)
    totals = np.array([[0.0 if FAMILIES[key].zeros_allowed else 2.0], [1.0], [4.0], [9.0]])
    parameters = {name: rng.uniform(0.2, 0.9, size=3) for name in needed(key)}
    per_aggregate = {names.PI, names.HERFINDAHL} & set(parameters)
    parameters |= {name: rng.uniform(0.2, 0.9, size=shape) for name in per_aggregate}
    found = FAMILIES[key].log_density(totals, mu, parameters)
    assert found.shape == shape
    for b, d in np.ndindex(shape):
        here = {n: v[b, d] if n in per_aggregate else v[d] for n, v in parameters.items()}
        law = law_of(key, mu[b, d], here)
        np.testing.assert_allclose(found[b, d], law.log_density(totals[b, 0]), rtol=1e-9)


@pytest.mark.parametrize("total", [1e6, 1e9])
@every_family
def test_log_density_of_huge_totals(key, total):
    # Terms as large as y log y cancel: no formula in log-gamma functions can do better than this.
    tolerance = 20 * np.finfo(float).eps * total * np.log(total)
    totals = np.round(total * (1 + np.array([-3, -1, 0, 2]) * total**-0.5))
    mu = np.full(4, total)
    parameters = {name: np.full(4, 0.5 if name == "pi" else 2.5) for name in needed(key)}
    expected = law_of(key, mu, parameters).log_density(totals)
    for logp in (model_logp, numpy_logp):
        found = logp(key, mu, parameters, totals)
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@every_family
def test_mean_and_variance(key):
    mu, _, parameters = grid(key)
    law, family = law_of(key, mu, parameters), FAMILIES[key]
    np.testing.assert_allclose(family.mean(mu, parameters), law.mean(), rtol=1e-12)
    np.testing.assert_allclose(family.variance(mu, parameters), law.var(), rtol=1e-10)


@pytest.mark.parametrize("key", [key for key in FAMILIES if "_" in key[0]], ids=str)
def test_gradients_are_finite_at_zeros_and_elsewhere(key):
    mu, totals, parameters = grid(key)
    with pm.Model() as model:
        log_mu = pm.Flat("log_mu", shape=len(mu))
        free = {name: pm.Flat(name, shape=len(mu)) for name in parameters}
        FAMILIES[key].add_total(pm.math.exp(log_mu), totals, free)
    gradient = model.compile_dlogp(mode="FAST_COMPILE")({"log_mu": np.log(mu), **parameters})
    assert np.isfinite(gradient).all()
    assert (gradient != 0).mean() > 0.5


@pytest.mark.statistical
@pytest.mark.parametrize("key", [key for key in FAMILIES if names.PI in needed(key)], ids=str)
def test_the_graph_draws_what_it_has_the_density_of(key):
    """Zeros and mean of prior-predictive totals, at 5 standard errors: false alarms below 1e-5."""
    mu, size = np.array([0.5, 4.0, 30.0]), 4000
    values = {"alpha": 2.0, "phi": 0.7, "sigma_total": 0.5, "pi": 0.3, "herfindahl": 0.5}
    parameters = {name: np.full(3, values[name]) for name in needed(key)}
    law = law_of(key, mu, parameters)
    model = model_of(key, mu, parameters, np.ones(3))
    drawn = pm.draw(model[names.TOTAL], draws=size, random_seed=1, mode="FAST_COMPILE")
    chance = np.exp(law.log_density(np.zeros(3)))
    error = np.sqrt(chance * (1 - chance) / size)
    assert (np.abs((drawn == 0).mean(axis=0) - chance) < 5 * error).all()
    assert (np.abs(drawn.mean(axis=0) - law.mean()) < 5 * np.sqrt(law.var() / size)).all()
    assert stats.norm.sf(5) * 2 * 6 < 1e-5


@pytest.mark.parametrize("key", [key for key in FAMILIES if "lognormal" in key[0]], ids=str)
def test_the_model_gives_a_family_all_that_it_needs(random_data, make_spec, key):
    """The sum of squared shares, where the law of a total depends on it."""
    data = random_data(1, counts=False)
    model = build_model(data, make_spec(key, entity="noncentered"))
    logp = model.compile_logp(vars=[model[names.TOTAL]], mode="FAST_COMPILE")
    variables = model.unobserved_value_vars
    values_at = model.compile_fn(variables, mode="FAST_COMPILE", on_unused_input="ignore")
    point = {name: value + 0.3 for name, value in model.initial_point().items()}
    found = {v.name: value for v, value in zip(variables, values_at(point), strict=True)}
    parameters = {name: found[name] for name in FAMILIES[key].parameters}
    amounts = (data.exposure.toarray() * found[names.RATE])[data.is_exposed]
    mu = amounts.sum(axis=1)
    parameters[names.HERFINDAHL] = (amounts**2).sum(axis=1) / mu**2
    expected = law_of(key, mu, parameters).log_density(data.totals[data.is_exposed]).sum()
    np.testing.assert_allclose(logp(point), expected, rtol=1e-9)


@every_family
def test_score_is_the_derivative_of_the_log_density(key):
    """Complex steps would need other formulas; central differences of 1e-5 leave 1e-9 or so."""
    mu, totals, parameters = grid(key)
    step = 1e-5 * mu
    ends = [numpy_logp(key, mu + sign * step, parameters, totals) for sign in (1, -1)]
    slope = (ends[0] - ends[1]) / (2 * step)
    noise = 1e-15 * (1 + np.abs(ends[0])) / step  # rounding of the log densities
    difference = np.abs(FAMILIES[key].score(totals, mu, parameters) - slope)
    third = 1e-9 * (1 + np.abs(slope)) * (1 + 1 / mu**2) ** 0.5
    assert (difference <= 20 * noise + 1e-6 * np.abs(slope) + third).all()


@every_family
def test_information_is_the_mean_squared_score(key):
    """Brute force: sums over all counts that matter, or quadrature over quantiles of money."""
    family = FAMILIES[key]
    mu, _, parameters = grid(key)
    chosen = np.unique(np.column_stack([mu, *parameters.values()]), axis=0)
    chosen = chosen[(chosen[:, 0] >= 0.7) & (chosen[:, 0] < 100)]
    for row in chosen:
        here = dict(zip(parameters, row[1:], strict=True))
        if row[0] < 0.05 * here.get("phi", 0.0):
            continue  # no sum or grid reaches the end of such a tail
        expected = mean_squared_score(key, row[0], here)
        found = family.information(np.array([row[0]]), here)[0]
        np.testing.assert_allclose(found, expected, rtol=2e-6, err_msg=str((row[0], here)))


def mean_squared_score(key, mu, parameters):
    """E score**2 under SciPy's law of a total."""
    law = law_of(key, np.array([mu]), {n: np.array([v]) for n, v in parameters.items()})
    mu = np.array([mu])
    if key in COUNTS:
        totals = np.arange(200_000.0)
        weights = np.exp(law.log_density(totals))
    else:
        # Money: trapezoids in log y, which decay at both ends at least exponentially.
        log_total = np.linspace(-650.0, 30.0, 200_001)[1:]
        log_total, step = log_total + np.log(mu), log_total[1] - log_total[0]
        totals = np.exp(log_total)
        weights = np.exp(law.log_density(totals) + log_total) * step
    score = FAMILIES[key].score(totals, mu, parameters)
    return float(np.sum(weights * score**2))
