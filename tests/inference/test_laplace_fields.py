"""Derivatives, solvers and modes of the latent field, and the refusal of what it does not serve."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytest
from scipy import stats
from scipy.special import logsumexp

from bayes_attrib.attribution import allocation_rng
from bayes_attrib.errors import SpecError
from bayes_attrib.inference import SamplerSettings
from bayes_attrib.inference.laplace import build_posterior, require_supported
from bayes_attrib.inference.laplace.axes import AxisDensity, HyperDensity, principal_axes
from bayes_attrib.inference.laplace.conditional import noise_of_precision
from bayes_attrib.inference.laplace.elimination import EliminationSolver
from bayes_attrib.inference.laplace.explore_exact import explore_exact
from bayes_attrib.inference.laplace.explore_iterative import SlopeField, explore_iterative
from bayes_attrib.inference.laplace.hyperparameters import prior_law
from bayes_attrib.inference.laplace.residuals import Residuals
from bayes_attrib.inference.laplace.solvers import (
    FieldSideSolver,
    IterativeSolver,
    TotalsSideSolver,
)
from bayes_attrib.inference.laplace.streams import Purpose, stream
from bayes_attrib.inference.laplace.weights import resample, weigh
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.spec import PriorSpec, load_spec, parse_plain
from bayes_attrib.spec.prior import PRIOR_PARAMETERS, distributions_on

SHIPPED = ["hcp_brick", "hcp_brick_money", "mmm_to_mta", "creative_nested", "household_sales"]
every_model = pytest.mark.parametrize("name", SHIPPED)


def shipped(root, name):
    spec = load_spec(root / "models" / f"{name}.toml")
    data = read_tables(spec, DataSource(folder=root / "data" / name)).data
    return data, spec


@pytest.fixture(scope="module")
def posterior_of(root):
    known = {}

    def get(name):
        if name not in known:
            known[name] = build_posterior(*shipped(root, name))
        return known[name]

    return get


def somewhere(posterior):
    """A target at the start of the hyperparameters, and two fields."""
    rng = np.random.default_rng(1)
    target = posterior.target(posterior.hyper.start)
    return target, 0.1 * rng.standard_normal((posterior.field.size, 2)), rng


@every_model
def test_gradient_is_the_derivative_of_the_log_joint(posterior_of, name):
    target, x, rng = somewhere(posterior_of(name))
    direction = rng.standard_normal((len(x), 1))
    step = 1e-5 * direction
    slope = (target.log_joint(x + step) - target.log_joint(x - step)) / 2e-5
    found = (target.gradient(x, target.expectations(x)) * direction).sum(axis=0)
    np.testing.assert_allclose(found, slope, rtol=1e-6)


@every_model
def test_linearisation_is_the_derivative_of_log_expected_totals(posterior_of, name):
    target, x, rng = somewhere(posterior_of(name))
    found = target.expectations(x[:, :1])
    linearised = target.linearise(found)
    direction = rng.standard_normal((len(x), 1))
    ends = [np.log(target.expectations(x[:, :1] + h * direction).mu) for h in (1e-5, -1e-5)]
    slope = linearised.root[:, None] * (ends[0] - ends[1]) / 2e-5
    np.testing.assert_allclose(linearised.forward(direction), slope, atol=1e-7)
    other = rng.standard_normal(slope.shape)
    there, back = np.sum(slope * other), np.sum(direction * linearised.backward(other))
    assert back == pytest.approx(there, rel=1e-6)


@every_model
def test_solvers_agree(posterior_of, name):
    target, x, rng = somewhere(posterior_of(name))
    linearised = target.linearise(target.expectations(x[:, :1]))
    r = rng.standard_normal((len(x), 3))
    field, totals = FieldSideSolver(linearised), TotalsSideSolver(linearised)
    residuals = Residuals()
    iterative = IterativeSolver(linearised, residuals, tolerance=1e-9)
    expected = field.solve(r)
    applied = expected + linearised.backward(linearised.forward(expected))
    np.testing.assert_allclose(applied, r, atol=1e-9)
    np.testing.assert_allclose(totals.solve(r), expected, atol=1e-9)
    np.testing.assert_allclose(iterative.solve(r), expected, atol=1e-6)
    elimination = EliminationSolver(linearised, Residuals())
    for _ in range(2):  # the second time it knows the common effects
        gap = elimination.solve(r) - expected
        length, error = (
            np.sqrt(np.sum(v**2, axis=0) + np.sum(linearised.forward(v) ** 2, axis=0))
            for v in (expected, gap)
        )
        assert np.all(error < 3e-3 * length)
    assert field.log_det == pytest.approx(totals.log_det, rel=1e-9)
    assert 0 < residuals.worst <= 1e-9
    assert residuals.products < 200


@every_model
def test_modes_are_found_by_both_solvers(posterior_of, name):
    posterior = posterior_of(name)
    exact = posterior.exact_mode(posterior.hyper.start)
    iterative = posterior.iterative_mode(posterior.hyper.start)
    assert exact.converged
    assert iterative.converged
    target = posterior.target(posterior.hyper.start)
    gradient = target.gradient(exact.x, target.expectations(exact.x))
    assert np.sqrt(np.sum(gradient * exact.solver.solve(gradient))) < 1e-4
    gap = iterative.x - exact.x
    length = np.sum(gap * (gap + exact.linearised.backward(exact.linearised.forward(gap))))
    assert np.sqrt(length) < 0.02  # in posterior sds, over all elements together


@pytest.mark.statistical
def test_perturbed_modes_have_the_covariance_of_the_precision(posterior_of):
    """Each variance of 20,000 draws at 5 standard errors: false alarms below 1e-4 over 18."""
    posterior = posterior_of("mmm_to_mta")
    mode = posterior.exact_mode(posterior.hyper.start)
    v, squared = noise_of_precision(mode, 20_000, np.random.default_rng(3))
    variance = np.diag(mode.solver.solve(np.eye(posterior.field.size)))
    assert np.all(np.abs(v.var(axis=1) / variance - 1) < 5 * np.sqrt(2 / 20_000))
    assert abs(squared.mean() / len(v) - 1) < 5 * np.sqrt(2 / len(v) / 20_000)


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["hcp_brick", "hcp_brick_money"])
def test_draws_by_elimination_have_the_covariance_of_the_precision(posterior_of, name):
    """Variances of 20,000 draws of some 400 effects, and along 20 directions, at 5 errors."""
    posterior, rng = posterior_of(name), np.random.default_rng(4)
    mode = posterior.exact_mode(posterior.hyper.start)
    solver = EliminationSolver(mode.linearised, Residuals())
    v = solver.noise(20_000, rng)
    directions = np.hstack([np.eye(len(v)), rng.standard_normal((len(v), 20))])
    variance = np.einsum("ij,ij->j", directions, mode.solver.solve(directions))
    ratio = (directions.T @ v).var(axis=1) / variance
    assert np.all(np.abs(ratio - 1) < 5 * np.sqrt(2 / 20_000))
    assert np.all(np.abs((directions.T @ v).mean(axis=1)) < 5 * np.sqrt(variance / 20_000))


@pytest.mark.parametrize("name", ["hcp_brick", "hcp_brick_money"])
def test_slopes_without_determinants_agree_with_those_of_the_exact_surface(posterior_of, name):
    """At the mode of the exact surface, slopes are zero to within a few tenths of an sd."""
    posterior = posterior_of(name)
    exact = explore_exact(posterior)
    slope = SlopeField(posterior, 1)(exact.centre)
    assert np.all(np.abs(exact.axes.T @ slope) < 0.3)
    other = explore_iterative(posterior, 1)
    assert np.all(np.abs(np.linalg.solve(exact.axes, other.centre - exact.centre)) < 0.3)


def test_an_axis_density_gives_back_what_it_went_through():
    z = np.linspace(-4, 4, 17)
    density = AxisDensity.through(z, stats.norm.logpdf(z))
    probability = (np.arange(4000) + 0.5) / 4000
    position, height = density.quantiles(probability)
    np.testing.assert_allclose(position[200:-200], stats.norm.ppf(probability)[200:-200], atol=0.02)
    np.testing.assert_allclose(height[200:-200], stats.norm.logpdf(position)[200:-200], atol=0.03)
    steep = AxisDensity.through(np.array([-2.0, 0.0, 1.0]), np.array([-2.0, 0.0, -9.0]))
    assert steep.quantiles(np.array([0.5]))[0][0] < -0.3  # an exponential tail to the left


def test_points_of_a_density_have_that_density():
    hessian = np.array([[-4.0, 1.5], [1.5, -1.0]])
    axes = principal_axes(hessian)
    np.testing.assert_allclose(axes @ axes.T, np.linalg.inv(-hessian), rtol=1e-9)
    z = np.linspace(-5, 5, 41)
    along = AxisDensity.through(z, stats.norm.logpdf(z))
    points, log_density = HyperDensity(np.array([1.0, -2.0]), axes, (along, along)).points(
        np.random.default_rng(1).uniform(0.01, 0.99, size=(50, 2))
    )
    law = stats.multivariate_normal([1.0, -2.0], np.linalg.inv(-hessian))
    np.testing.assert_allclose(log_density, law.logpdf(points), atol=0.03)


def test_weights_are_used_only_where_they_can_be_relied_on():
    rng = np.random.default_rng(1)
    mild, wild = 0.1 * rng.standard_normal((64, 20)), 8 * rng.standard_normal((64, 20))
    points = 0.1 * rng.standard_normal(64)
    good, bad = weigh(points, mild), weigh(points, wild)
    assert good.corrects_field
    assert not bad.corrects_field
    assert bad.effective_draws < 0.2 < good.effective_draws
    for weights in (good, bad):
        assert logsumexp(weights.log_weights) == pytest.approx(0, abs=1e-9)
    by_point = np.exp(bad.log_weights).reshape(64, 20)
    assert np.ptp(by_point, axis=1).max() < 1e-12
    assert np.corrcoef(np.exp(good.log_weights), mild.ravel())[0, 1] > 0.9
    chosen = resample(good.log_weights, 5000, rng)
    counts = np.bincount(chosen, minlength=1280) / 5000
    np.testing.assert_allclose(counts, np.exp(good.log_weights), atol=1.01 / 5000)


@pytest.mark.parametrize("dist", sorted({*distributions_on("positive"), *distributions_on("unit")}))
def test_priors_are_those_of_pymc(dist):
    parameters = dict(zip(PRIOR_PARAMETERS[dist], (1.7, 0.8), strict=False))
    prior = PriorSpec.model_validate({"dist": dist, **parameters})
    values = np.array([0.05, 0.4, 0.9])
    expected = pm.logp(getattr(pm, dist).dist(**parameters), values).eval()
    np.testing.assert_allclose(prior_law(prior).logpdf(values), expected, rtol=1e-7)


REFUSED = {
    "rates.drift": {"rates": {"drift": {"kind": "random_walk", "period": "brick_id"}}},
    "rates.heteroscedastic": {"rates": {"pooling": ["specialty"], "heteroscedastic": "specialty"}},
    "unattributed": {"unattributed": {}},
    "likelihood.amounts": {"likelihood": {"family": "poisson", "amounts": "explicit"}},
    "likelihood.zero_covariates": {
        "likelihood": {"family": "zero_inflated_poisson", "zero_covariates": "x"}
    },
    "likelihood.level": {"likelihood": {"family": "lognormal", "level": "pair_approximation"}},
    "priors.intercept": {
        "priors": {"intercept": {"dist": "StudentT", "nu": 4.0, "mu": 0.0, "sigma": 1.0}}
    },
}


@pytest.mark.parametrize("where", REFUSED)
def test_what_is_not_served_is_named(root, where):
    plain = load_spec(root / "models" / "hcp_brick.toml").model_dump(mode="json")
    require_supported(parse_plain(plain, source="test"))
    with pytest.raises(SpecError) as caught:
        require_supported(parse_plain(plain | REFUSED[where], source="test"))
    (finding,) = caught.value.findings
    assert finding.where == where
    assert "nuts" in finding.remedy


def test_streams_are_apart_from_each_other_and_from_those_of_a_run():
    """Equal first numbers of 63 bits would be no accident."""
    settings = SamplerSettings(seed=1, chains=4)
    known = [np.random.default_rng(1), allocation_rng(1), np.random.default_rng([1, 2])]
    known += [np.random.default_rng(seed) for seed in settings.chain_seeds]
    known += np.random.default_rng(1).spawn(4)
    own = [stream(1, purpose, i) for purpose in Purpose for i in range(3)]
    own += [stream(2, purpose) for purpose in Purpose]
    first = [int(rng.integers(1 << 62)) for rng in (*known, *own)]
    assert len(set(first)) == len(first)
    again = stream(1, Purpose.DRAWS, 2)
    assert again.integers(1 << 62) == stream(1, Purpose.DRAWS, 2).integers(1 << 62)
