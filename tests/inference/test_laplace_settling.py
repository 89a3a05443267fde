"""The joint density that trajectories go along, and the trajectories themselves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

from bayes_attrib.inference.laplace import build_posterior
from bayes_attrib.inference.laplace.joint import JointDensity
from bayes_attrib.inference.laplace.settling import settle, tempered
from bayes_attrib.inference.laplace.trajectories import NormalLaw, Travel, travel
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import load_spec, parse_plain

SHIPPED = ["hcp_brick", "hcp_brick_money", "creative_nested", "household_sales", "coupon_campaigns"]
every_model = pytest.mark.parametrize("name", SHIPPED)
TOLD = pytest.mark.parametrize("told", [0.0, 0.9])


@pytest.fixture(scope="module")
def posterior_of(root):
    known = {}

    def get(name):
        if name not in known:
            spec = load_spec(root / "models" / f"{name}.toml")
            data = read_tables(spec, DataSource(folder=root / "data" / name)).data
            known[name] = build_posterior(data, spec)
        return known[name]

    return get


def somewhere(posterior, told, n=2):
    rng = np.random.default_rng(1)
    centre = posterior.hyper.start
    density = JointDensity(posterior, centre, [told] * len(posterior.field.blocks))
    x = 0.1 * rng.standard_normal((posterior.field.size, n))
    points = centre[:, None] + 0.2 * rng.standard_normal((posterior.hyper.size, n))
    return density, x, points, rng


@every_model
@TOLD
def test_slopes_are_the_derivatives_of_the_log_density(posterior_of, name, told):
    density, x, points, rng = somewhere(posterior_of(name), told)
    u, t = density.coordinates(x, points)
    place = density(u, t)
    v, w = rng.standard_normal(u.shape), rng.standard_normal(t.shape)
    h = 1e-5
    slope = (density(u + h * v, t + h * w).height - density(u - h * v, t - h * w).height) / (2 * h)
    along = (place.slope_u * v).sum(axis=0) + (place.slope_t * w).sum(axis=0)
    scale = np.abs(place.slope_u * v).sum(axis=0) + np.abs(place.slope_t * w).sum(axis=0)
    np.testing.assert_allclose(along / scale, slope / scale, atol=1e-4)


@every_model
def test_both_kinds_of_coordinates_stand_for_the_same_density(posterior_of, name):
    """They differ by the logarithm of the Jacobian: sds to the power of the number of effects."""
    posterior = posterior_of(name)
    heights = []
    for told in (0.0, 0.9):
        density, x, points, _ = somewhere(posterior, told)
        place = density(*density.coordinates(x, points))
        effects = density.effects(place.u, place.t)
        assert np.all(np.isfinite(place.height))
        of_draw = posterior.target(points[:, 1])
        expected = posterior.field.effects(x[:, 1:], of_draw.scale)[:, 0]
        np.testing.assert_allclose(effects[:, 1], expected, rtol=1e-9, atol=1e-12)
        found = density.values(place.t)
        for i, name_of in enumerate(posterior.hyper.names):
            value = found[name_of]
            back = logit(value) if posterior.hyper.in_unit[i] else np.log(value)
            np.testing.assert_allclose(back, points[i], atol=1e-9)
        heights.append(place.height)
    blocks = [block for block in posterior.field.blocks if isinstance(block.sd, str)]
    at = [posterior.hyper.names.index(block.sd) for block in blocks]
    powers = np.array([1 - block.size for block in blocks])
    jacobian = powers @ points[at]
    np.testing.assert_allclose(np.diff(heights[1] - heights[0]), np.diff(jacobian), rtol=1e-6)


def test_the_sign_of_a_spread_does_not_matter(posterior_of):
    density, x, points, _ = somewhere(posterior_of("hcp_brick"), 0.0)
    u, t = density.coordinates(x, points)
    own = density.field.blocks[-1].span
    mirrored = np.array(u)
    mirrored[own] *= -1
    there = density(mirrored, t * np.array([[1.0], [-1.0]]))
    np.testing.assert_allclose(there.height, density(u, t).height, rtol=1e-12)


def test_short_steps_keep_the_energy(posterior_of):
    posterior = posterior_of("hcp_brick")
    rng = np.random.default_rng(2)
    centre = posterior.hyper.start
    mode = posterior.exact_mode(centre)
    density = JointDensity(posterior, centre, [0.0] * len(posterior.field.blocks))
    u, t = density.coordinates(mode.x.repeat(8, axis=1), centre[:, None].repeat(8, axis=1))
    law = NormalLaw(mode, mode.x, t[:, :1], 0.1 * np.eye(len(t)))
    accepted = [
        travel(density, law, density(u, t), Travel(step), rng, tune=False)[1].accepted
        for step in (0.02, 0.5)
    ]
    assert accepted[0] > 0.99
    assert accepted[0] > accepted[1] + 0.01


@pytest.mark.statistical
def test_what_is_known_is_drawn_again(root):
    """Totals of next to no exposure say nothing, so draws must be those of the prior.

    From a start far off: means at 5 standard errors, variances at 5 too.
    """
    plain = load_spec(root / "models" / "hcp_brick.toml").model_dump(mode="json")
    plain["rates"]["pooling"] = []
    plain["priors"] = {"intercept": {"dist": "Normal", "mu": 0.3, "sigma": 0.5}}
    options = {"n_entities": 6, "n_aggregates": 2}
    data = simulate("hcp_brick", seed=1, options=options).build_data([])
    posterior = build_posterior(data, parse_plain(plain, source="test"))
    posterior.field.totals[:] = 0.0
    posterior.field.exposure.data[:] *= 1e-6
    posterior.field.exposure_by_entity.data[:] *= 1e-6
    rng, n = np.random.default_rng(3), 2000
    x = 0.3 + 0.5 * rng.standard_normal((posterior.field.size, n))
    points = np.log(0.5) + 0.3 * rng.standard_normal((1, n))
    settled = settle(posterior, x, points, n, rng)
    assert settled is not None
    assert settled.start_left < 0.2
    intercept, spread = settled.effects[0], settled.values["sigma_entity"]
    own = settled.effects[1:] / spread
    for draws, mean, sd in (
        (intercept, 0.3, 0.5),
        (spread, np.sqrt(2 / np.pi), np.sqrt(1 - 2 / np.pi)),
        (own[0], 0.0, 1.0),
        (own[-1], 0.0, 1.0),
    ):
        assert abs(draws.mean() - mean) < 5 * sd / np.sqrt(n)
        assert abs(draws.var() / sd**2 - 1) < 5 * np.sqrt(2 / n)


def test_weights_are_tempered_until_enough_draws_are_in_effect():
    rng = np.random.default_rng(1)
    mild, wild = 0.1 * rng.standard_normal(500), 30 * rng.standard_normal(500)
    as_given = np.exp(tempered(mild, 0.3))
    np.testing.assert_allclose(as_given, np.exp(mild) / np.exp(mild).sum(), rtol=1e-9)
    weights = np.exp(tempered(wild, 0.3))
    assert weights.sum() == pytest.approx(1.0)
    assert 0.3 * 500 <= 1 / np.sum(weights**2) < 0.6 * 500
    assert np.corrcoef(np.log(np.maximum(weights, 1e-300)), wild)[0, 1] > 0.99
