from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import gammaln, xlogy

from bayes_attrib.baselines import fit_em_covariates
from bayes_attrib.baselines.linear_rates import LinearRates

NAMES = ("seniority", "potential")
FAMILIES = ("poisson", "gamma")


@pytest.fixture
def problem(data_of):
    """Totals over two standardised covariates: 9 entities, 7 aggregates, most pairs exposed."""

    def build(seed, *, family="poisson", n_aggregates=7, n_entities=9):
        rng = np.random.default_rng(seed)
        exposure = rng.lognormal(size=(n_aggregates, n_entities))
        exposure *= rng.uniform(size=exposure.shape) < 0.5
        exposure[np.arange(n_entities) % n_aggregates, np.arange(n_entities)] = 1.0
        matrix = rng.normal(size=(n_entities, 2))
        matrix = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
        mu = 10 * exposure @ np.exp(matrix @ [0.5, -0.3] + rng.normal(0, 0.3, n_entities))
        totals = rng.poisson(mu) + 1.0 if family == "poisson" else mu * rng.gamma(4, 0.25, len(mu))
        return data_of(exposure, totals), matrix

    return build


def penalised(data, matrix, ridge, family, parameters, alpha):
    """Penalised log-likelihood of the totals, written down once more."""
    rate = np.exp(parameters[0] + matrix @ parameters[1:])
    mu = data.exposure.toarray() @ rate
    if family == "poisson":
        nats = xlogy(data.totals, mu) - mu - gammaln(data.totals + 1)
    else:
        shape, y = alpha, data.totals
        nats = xlogy(shape, shape * y / mu) - shape * y / mu - gammaln(shape) - np.log(y)
    return nats.sum() - 0.5 * ridge * np.sum(parameters[1:] ** 2)


def maximise(function, start):
    near = minimize(lambda p: -function(p), start, method="BFGS").x
    options = {
        "xatol": 1e-9,
        "fatol": 1e-14,
        "initial_simplex": near + 1e-4 * np.eye(len(near) + 1, len(near)),
    }
    return minimize(lambda p: -function(p), near, method="Nelder-Mead", options=options).x


# What is maximised


@pytest.mark.parametrize("ridge", [0.0, 2.0])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("family", "alpha"), [("poisson", None), ("gamma", 3.0)])
def test_it_is_the_direct_maximum(problem, seed, family, alpha, ridge):
    data, matrix = problem(seed, family=family)
    fit = fit_em_covariates(
        data, matrix, NAMES, ridge=ridge, family=family, alpha=alpha, tolerance=1e-15
    )
    found = np.array([fit.intercept, *fit.coefficients])
    direct = maximise(lambda p: penalised(data, matrix, ridge, family, p, alpha), found + 0.1)
    assert fit.converged
    np.testing.assert_allclose(found, direct, atol=1e-6)
    value = penalised(data, matrix, ridge, family, found, alpha)
    assert fit.penalised_log_likelihood[-1] == pytest.approx(value, rel=1e-10)
    assert fit.log_likelihood[-1] == pytest.approx(
        value + 0.5 * ridge * np.sum(fit.coefficients**2), rel=1e-10
    )


@pytest.mark.parametrize("seed", range(2))
def test_alpha_is_maximised_with_the_coefficients(problem, seed):
    data, matrix = problem(seed, family="gamma")
    fit = fit_em_covariates(data, matrix, NAMES, ridge=1.0, family="gamma", tolerance=1e-15)
    found = np.array([fit.intercept, *fit.coefficients, np.log(fit.alpha)])
    direct = maximise(
        lambda p: penalised(data, matrix, 1.0, "gamma", p[:-1], np.exp(p[-1])), found + 0.05
    )
    np.testing.assert_allclose(found, direct, atol=1e-6)


def test_the_first_iteration_is_one_e_step_and_one_glm(problem):
    data, matrix = problem(5)
    fit = fit_em_covariates(data, matrix, NAMES, ridge=2.0, max_iterations=1)
    w = data.exposure.toarray()
    split = (data.totals / w.sum(axis=1))[:, None] * w  # equal rates
    got, exposure = split.sum(axis=0), w.sum(axis=0)

    def complete(parameters):
        eta = np.log(exposure) + parameters[0] + matrix @ parameters[1:]
        return got @ eta - np.exp(eta).sum() - np.sum(parameters[1:] ** 2)

    direct = maximise(complete, np.zeros(3))
    np.testing.assert_allclose([fit.intercept, *fit.coefficients], direct, atol=1e-6)
    assert (fit.iterations, fit.stopped, fit.converged) == (1, "iterations", False)


def test_gamma_with_one_entity_per_aggregate_is_an_ordinary_glm(data_of):
    rng = np.random.default_rng(8)
    x, w, y = rng.normal(size=(12, 1)), rng.lognormal(size=12), rng.gamma(2.0, size=12)
    fit = fit_em_covariates(
        data_of(np.diag(w), y), x, ["x"], ridge=0.5, family="gamma", alpha=2.0, tolerance=1e-15
    )

    def glm(p):
        mu = w * np.exp(p[0] + x[:, 0] * p[1])
        return stats.gamma.logpdf(y, 2.0, scale=mu / 2.0).sum() - 0.25 * p[1] ** 2

    np.testing.assert_allclose([fit.intercept, *fit.coefficients], maximise(glm, [0, 0]), atol=1e-6)


def test_an_unweighted_gamma_glm_of_split_totals_solves_another_equation(problem):
    """What the module says about the M step that comes to mind first."""
    data, matrix = problem(2, family="gamma")
    w, y = data.exposure.toarray(), data.totals
    x = np.column_stack([np.ones(len(matrix)), matrix])
    edge = w > 0
    parameters = np.zeros(3)
    for _ in range(3000):  # gamma GLM of the split totals by Fisher scoring, weights one
        mu = w * np.exp(x @ parameters)
        relative = (mu * (y / mu.sum(axis=1))[:, None] / np.where(edge, mu, 1) - 1) * edge
        step = np.linalg.solve((x.T * edge.sum(axis=0)) @ x, x.T @ relative.sum(axis=0))
        parameters = parameters + 0.5 * step
    assert np.abs(step).max() < 1e-12
    residual = y / mu.sum(axis=1) - 1
    np.testing.assert_allclose((edge.T @ residual) @ x, 0, atol=1e-9)
    shares = mu / mu.sum(axis=1, keepdims=True)
    assert np.abs((shares.T @ residual) @ x).max() > 0.05  # gradient of the marginal likelihood
    fit = fit_em_covariates(data, matrix, NAMES, ridge=0.0, family="gamma", alpha=1.0)
    mu = w * fit.rate
    shares, residual = mu / mu.sum(axis=1, keepdims=True), y / mu.sum(axis=1) - 1
    np.testing.assert_allclose((shares.T @ residual) @ x, 0, atol=1e-5)


# How it gets there


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("accelerate", [True, False])
def test_the_penalised_likelihood_never_falls(problem, family, accelerate):
    for seed in range(2):
        data, matrix = problem(seed, family=family, n_aggregates=5, n_entities=20)
        fit = fit_em_covariates(
            data, matrix, NAMES, ridge=0.1, family=family, accelerate=accelerate, max_iterations=40
        )
        assert np.all(np.diff(fit.penalised_log_likelihood) > 0)
        assert len(fit.penalised_log_likelihood) == len(fit.log_likelihood) == fit.iterations + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_em_alone_comes_to_the_same_place(problem, family):
    data, matrix = problem(1, family=family)
    fast, slow = (
        fit_em_covariates(
            data, matrix, NAMES, ridge=1.0, family=family, accelerate=a, max_iterations=2000
        )
        for a in (True, False)
    )
    assert fast.converged
    assert slow.converged
    assert fast.iterations < slow.iterations
    np.testing.assert_allclose(fast.coefficients, slow.coefficients, atol=1e-5)


def test_a_step_that_overshoots_is_halved(problem, monkeypatch):
    data, matrix = problem(3)
    m_step = LinearRates._m_step
    monkeypatch.setattr(
        LinearRates,
        "_m_step",
        lambda self, at: at.parameters + 9 * (m_step(self, at) - at.parameters),
    )
    fit = fit_em_covariates(data, matrix, NAMES, ridge=1.0, max_iterations=10, accelerate=False)
    assert np.all(np.diff(fit.penalised_log_likelihood) > 0)


def test_being_stuck_is_said(problem, monkeypatch):
    data, matrix = problem(3)
    monkeypatch.setattr(LinearRates, "_m_step", lambda _, at: at.parameters)
    fit = fit_em_covariates(data, matrix, NAMES, ridge=1.0)
    assert (fit.stopped, fit.converged, fit.iterations) == ("stalled", False, 0)


def test_alpha_that_was_estimated_can_be_given(problem):
    data, matrix = problem(0, family="gamma")
    free = fit_em_covariates(data, matrix, NAMES, ridge=1.0, family="gamma")
    fixed = fit_em_covariates(data, matrix, NAMES, ridge=1.0, family="gamma", alpha=free.alpha)
    np.testing.assert_allclose(fixed.coefficients, free.coefficients, atol=1e-5)
    assert fixed.alpha == free.alpha


# What it means


def test_the_split_conserves_totals(problem):
    data, matrix = problem(4)
    fit = fit_em_covariates(data, matrix, NAMES, ridge=1.0)
    sums = np.bincount(data.edge_aggregate, weights=fit.amount, minlength=data.n_aggregates)
    np.testing.assert_allclose(sums, data.totals, rtol=1e-12)
    np.testing.assert_allclose(fit.rate, np.exp(fit.intercept + matrix @ fit.coefficients))
    with pytest.raises(ValueError, match="read-only"):
        fit.coefficients[0] = 1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_strong_ridge_makes_rates_equal(problem, family):
    data, matrix = problem(4, family=family)
    fit = fit_em_covariates(data, matrix, NAMES, ridge=1e9, family=family)
    assert fit.converged
    np.testing.assert_allclose(fit.rate, fit.rate[0], rtol=1e-5)
    if family == "poisson":
        np.testing.assert_allclose(fit.rate, data.reference_rate, rtol=1e-5)


def test_the_currency_does_not_matter_to_gamma(problem, data_of):
    data, matrix = problem(6, family="gamma")
    cents = data_of(data.exposure.toarray(), 100 * data.totals)
    euro, cent = (
        fit_em_covariates(d, matrix, NAMES, ridge=1.0, family="gamma") for d in (data, cents)
    )
    np.testing.assert_allclose(cent.coefficients, euro.coefficients, atol=1e-6)
    assert cent.intercept == pytest.approx(euro.intercept + np.log(100), abs=1e-6)
    assert cent.alpha == pytest.approx(euro.alpha, rel=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_entities_and_aggregates_without_exposure(problem, data_of, family):
    data, matrix = problem(7, family=family)
    exposure = np.zeros((8, 10))
    exposure[:7, :9] = data.exposure.toarray()
    more = data_of(exposure, [*data.totals, 0])
    fit = fit_em_covariates(data, matrix, NAMES, ridge=1.0, family=family)
    wide = fit_em_covariates(more, [*matrix, [0.0, 0.0]], NAMES, ridge=1.0, family=family)
    np.testing.assert_allclose(wide.coefficients, fit.coefficients, atol=1e-8)
    assert wide.rate[-1] == pytest.approx(np.exp(wide.intercept))  # a new entity: from covariates
    assert wide.entity_amount[-1] == 0


def test_the_unattributed_entity_has_a_rate_of_its_own(problem):
    data, matrix = problem(8)
    data = dataclasses.replace(data, has_unattributed=True)
    fit = fit_em_covariates(data, matrix[:-1], NAMES, ridge=50.0, tolerance=1e-15)
    assert fit.covariates == (*NAMES, "unattributed")
    full = np.zeros((9, 3))
    full[:-1, :2], full[-1, 2] = matrix[:-1], 1.0

    def objective(p):
        free = penalised(data, full, 0.0, "poisson", p, None)
        return free - 25.0 * np.sum(p[1:3] ** 2)

    direct = maximise(objective, np.array([fit.intercept, *fit.coefficients]) + 0.1)
    np.testing.assert_allclose([fit.intercept, *fit.coefficients], direct, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ridge": -1.0}, "ridge must be finite and not negative; got -1"),
        ({"tolerance": 0.0}, "tolerance must be positive; got 0"),
        ({"max_iterations": 0}, "max_iterations must be at least 1; got 0"),
        ({"family": "normal"}, "family must be 'poisson' or 'gamma'; got 'normal'"),
        ({"alpha": 2.0}, "alpha belongs to the gamma family; got alpha=2"),
        ({"family": "gamma", "alpha": 0.0}, "alpha must be positive and finite; got 0"),
        ({"covariates": ("one",)}, r"got shape \(9, 2\) for 9 entities and names \('one',\)"),
        ({"matrix": np.zeros((9, 0)), "covariates": ()}, "at least one; got shape"),
        ({"matrix": np.full((9, 2), np.nan)}, "'seniority' of 'H1' is nan"),
        ({"matrix": np.ones((9, 2)), "ridge": 0.0}, "have rank 1 .* give a positive ridge"),
    ],
)
def test_options_out_of_range(problem, change, message):
    data, matrix = problem(0)
    options = {"matrix": matrix, "covariates": NAMES, "ridge": 1.0} | change
    with pytest.raises(ValueError, match=message):
        fit_em_covariates(data, **options)


def test_totals_that_the_family_cannot_have_produced(data_of):
    data = data_of(np.eye(2), [0, 3])
    with pytest.raises(
        ValueError, match=r"1 aggregate.s. have total 0, first 'B1'; leave them out"
    ):
        fit_em_covariates(data, np.eye(2), NAMES, ridge=1.0, family="gamma")
    with pytest.raises(ValueError, match="all totals are zero"):
        fit_em_covariates(data_of(np.eye(2), [0, 0]), np.eye(2), NAMES, ridge=1.0)
