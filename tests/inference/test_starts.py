"""Chains of large models begin near the middle of the posterior, and end where others do."""

import ctypes

import numpy as np
import pymc as pm
import pytest

from bayes_attrib import names
from bayes_attrib.inference import SamplerSettings, fit_nuts, starts
from bayes_attrib.inference.density import Centre, compiled_density, data_values
from bayes_attrib.inference.density.frame import make_frame
from bayes_attrib.inference.density.shear import Shear
from bayes_attrib.inference.mixing import ess_bulk
from bayes_attrib.inference.starts import centre_for, unconstrained
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.structure import describe_structure
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import parse_plain

PLAIN = {
    "schema_version": 1,
    "name": "test",
    "columns": {"aggregate": "brick_id", "entity": "hcp_id"},
    "rates": {"pooling": ["specialty"], "geometry": {"entity": "noncentered"}},
}


def spec_of(**changes):
    return parse_plain(PLAIN | changes, source="test")


@pytest.fixture(scope="module")
def data():
    options = {"n_entities": 120, "n_aggregates": 40}
    return simulate("hcp_brick", seed=3, options=options).build_data(["specialty"])


@pytest.fixture
def any_size(monkeypatch):
    monkeypatch.setattr(starts, "FEWEST_ENTITIES", 1)


def built(data, spec):
    geometry = choose_geometry(data, spec)
    return build_model(data, spec, geometry), geometry


def values_of(model):
    """Parameters as the transforms of PyMC make them of random points."""
    rng = np.random.default_rng(1)
    point = {v.name: rng.normal(size=model.initial_point()[v.name].shape) for v in model.value_vars}
    variables = [*model.free_RVs, *model.deterministics]
    graphs = model.replace_rvs_by_values(variables)
    found = model.compile_fn(graphs, inputs=model.value_vars, on_unused_input="ignore")(point)
    return point, {v.name: value for v, value in zip(variables, found, strict=True)}


@pytest.mark.parametrize("groups", ["centered", "noncentered"])
def test_parameters_find_their_place_on_the_unconstrained_scale(data, groups):
    rates = PLAIN["rates"] | {"geometry": {"entity": "noncentered", "groups": groups}}
    model, _ = built(data, spec_of(rates=rates))
    point, values = values_of(model)
    own = values.pop(names.ENTITY_OFFSET)
    known = {k: v for k, v in values.items() if not k.startswith("offset_")}
    common = np.concatenate([np.ravel(v) for v in list(point.values())[:-1]])
    found = unconstrained(model, known | {names.ENTITY_OFFSET: own})
    np.testing.assert_allclose(found.common, common, atol=1e-4)
    np.testing.assert_allclose(found.offsets, own, atol=1e-4)
    assert found.is_effect.tolist() == [True, False, False, *[True] * (len(common) - 3)]


def test_log_odds_are_those_of_pymc():
    with pm.Model() as model:
        pm.Beta("pi", 2, 2)
        pm.Normal(names.ENTITY_OFFSET, shape=3)
    point = unconstrained(model, {"pi": np.asarray(0.2), names.ENTITY_OFFSET: np.zeros(3)})
    np.testing.assert_allclose(point.common, np.log(0.2 / 0.8), atol=1e-4)


def test_unknown_parameters_and_scales_leave_the_start_to_pymc(data):
    model, _ = built(data, spec_of())
    assert unconstrained(model, {"intercept": np.asarray(0.0)}) is None
    with pm.Model() as bounded:
        pm.Uniform("bounded", 0, 2)
        pm.Normal(names.ENTITY_OFFSET, shape=3)
    assert unconstrained(bounded, {"bounded": np.asarray(1.0)}) is None
    with pm.Model() as without_entities:
        pm.Normal("intercept")
    assert unconstrained(without_entities, {"intercept": np.asarray(0.0)}) is None


@pytest.mark.usefixtures("any_size")
def test_small_data_and_other_models_start_as_pymc_does(data, monkeypatch):
    spec = spec_of()
    model, geometry = built(data, spec)
    assert centre_for(model, data, spec, geometry) is not None
    monkeypatch.setattr(starts, "FEWEST_ENTITIES", data.n_entities + 1)
    assert centre_for(model, data, spec, geometry) is None
    monkeypatch.setattr(starts, "FEWEST_ENTITIES", 1)
    other = spec_of(rates=PLAIN["rates"] | {"geometry": {"entity": "centered"}})
    assert centre_for(*built_for(data, other)) is None
    student = spec_of(priors={"intercept": {"dist": "StudentT", "nu": 4, "mu": 0, "sigma": 1}})
    assert centre_for(*built_for(data, student)) is None


def built_for(data, spec):
    model, geometry = built(data, spec)
    return model, data, spec, geometry


@pytest.fixture
def bound(data, any_size):  # noqa: ARG001
    """The model's gradient by PyMC, its compiled density, and what nutpie is given."""
    spec = spec_of()
    model, geometry = built(data, spec)
    centre = centre_for(model, data, spec, geometry)()
    structure = describe_structure(data, spec, geometry)
    density = compiled_density(model, ["intercept", "log_rate"], structure)
    values = data_values(model, density.layout.arrays)
    reference = model.logp_dlogp_function(ravel_inputs=True)
    reference.set_extra_values({})
    return centre, reference, density, density.bind(values, centre)


def value_of(density, point, words):
    """Log density and slope as the sampler sees them."""
    pointer, slope, value = ctypes.c_void_p, np.empty(len(point)), np.empty(1)
    kinds = (ctypes.c_uint64, pointer, pointer, pointer, pointer)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(density.density.address)
    places = (a.ctypes.data for a in (point, slope, value, words))
    assert call(len(point), *places) == 0
    return value[0], slope


def shear_of(bound_model):
    data = bound_model.shared_data
    return Shear(data["shear_places"], data["shear_weights"])


def to_model_in_numpy(shear, point):
    there = point.copy()
    there[shear.places] = point @ shear.weights
    return there


def test_the_sheared_density_is_the_original_but_for_a_constant(bound):
    _, reference, density, for_nutpie = bound
    shear, rng = shear_of(for_nutpie), np.random.default_rng(1)
    differences = []
    for _ in range(5):
        point = for_nutpie.initial_point_func(1) + 0.3 * rng.normal(size=density.layout.n_dim)
        there = to_model_in_numpy(shear, point)
        np.testing.assert_allclose(shear.to_sampler(there), point, atol=1e-8)
        value, slope = value_of(density, point, for_nutpie.user_data)
        expected, expected_slope = reference(there)
        differences.append(value - expected)
        # By the chain rule: x = T z with T the identity but for the sheared rows.
        full = np.eye(len(point))
        full[shear.places] = shear.weights.T
        np.testing.assert_allclose(slope, full.T @ expected_slope, rtol=1e-7, atol=1e-6)
        direction = rng.normal(size=len(point))
        ends = [
            value_of(density, point + s * 1e-5 * direction, for_nutpie.user_data)[0]
            for s in (1, -1)
        ]
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-5, slope @ direction, rtol=1e-4)
    assert np.ptp(differences) < 1e-8 * abs(expected)


def test_draws_are_stored_in_coordinates_of_the_model(bound):
    _, _, density, for_nutpie = bound
    point = for_nutpie.initial_point_func(2)
    stored = np.empty(density.layout.n_stored)
    pointer = ctypes.c_void_p
    kinds = (ctypes.c_uint64, ctypes.c_uint64, pointer, pointer, pointer)
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(density.expand.address)
    places = (a.ctypes.data for a in (point, stored, for_nutpie.user_data))
    assert call(len(point), len(stored), *places) == 0
    there = to_model_in_numpy(shear_of(for_nutpie), point)
    np.testing.assert_allclose(stored[0], there[0], rtol=1e-12)


def test_common_effects_are_independent_of_entities_at_the_centre(bound):
    centre, reference, _, for_nutpie = bound
    shear = shear_of(for_nutpie)
    n = len(centre.common)
    assert shear.places.tolist() == np.flatnonzero(centre.is_effect).tolist()
    middle = np.concatenate([centre.common, centre.offsets])
    step, full = 1e-4, np.eye(len(middle))
    full[shear.places] = shear.weights.T
    rows = []
    for i in shear.places:
        e = np.zeros(len(middle))
        e[i] = step
        slopes = [reference(middle + s * e)[1] for s in (-1, 1)]
        rows.append((slopes[0] - slopes[1]) / (2 * step))
    before = np.abs(np.array(rows)[:, n:]).max()
    hessian = np.array(rows)
    own, coupling = hessian[:, shear.places], hessian @ full
    after = np.abs(shear.weights[shear.places] @ coupling[:, n:]).max()
    scaled = np.abs(np.linalg.cholesky(np.linalg.inv(own)).T @ hessian[:, n:]).max()
    assert before > 0
    assert after < scaled / 3


def test_starts_are_a_function_of_the_seed_and_their_slopes_are_not_steep(bound):
    centre, _, density, for_nutpie = bound
    start = for_nutpie.initial_point_func(4)
    np.testing.assert_array_equal(start, for_nutpie.initial_point_func(4))
    assert not np.array_equal(start, for_nutpie.initial_point_func(5))
    assert set(np.abs(start[len(centre.common) :])) == {1.0}
    _, slope = value_of(density, start, for_nutpie.user_data)
    # Two sds off the middle of a standard normal the slope is two.
    assert np.abs(slope[shear_of(for_nutpie).places]).max() < 12


def test_many_effects_and_a_centre_of_no_curvature_leave_coordinates_alone():
    def flat(point):
        return np.zeros_like(point)

    def normal(point):
        return -point

    many = Centre(np.zeros(40), np.ones(40, dtype=bool), np.zeros(5))
    few = Centre(np.zeros(2), np.array([True, False]), np.zeros(5))
    assert make_frame(many, normal).shear is None
    assert make_frame(few, flat).shear is None
    frame = make_frame(few, normal)
    np.testing.assert_allclose(frame.shear.weights[0], [1.0], atol=1e-6)
    assert np.abs(make_frame(few, flat).start(1)).tolist() == [2.0, 2.0, *[1.0] * 5]


@pytest.mark.sampling
@pytest.mark.usefixtures("any_size")
def test_chains_from_the_centre_and_from_the_prior_agree(data):
    spec = spec_of()
    model, geometry = built(data, spec)
    structure = describe_structure(data, spec, geometry)
    settings = SamplerSettings(500, 300, 4, seed=2, target_accept=0.9)
    centre = centre_for(model, data, spec, geometry)
    near = fit_nuts(model, settings, structure=structure, centre=centre)
    far = fit_nuts(model, settings, structure=structure)
    for name in ("intercept", "sigma_entity", "sigma_specialty"):
        a, b = near.posterior[name].to_numpy(), far.posterior[name].to_numpy()
        errors = [x.var() / ess_bulk(x[np.newaxis])[0] for x in (a, b)]
        # |z| > 4.5 in one of three: a false alarm in one of 50,000 runs.
        assert abs(a.mean() - b.mean()) < 4.5 * np.sqrt(sum(errors)), name


@pytest.mark.sampling
@pytest.mark.usefixtures("any_size")
def test_a_resumed_chain_begins_where_it_would_have_begun(data):
    spec = spec_of()
    model, geometry = built(data, spec)
    structure = describe_structure(data, spec, geometry)
    two, three = (SamplerSettings(20, 40, n, seed=2) for n in (2, 3))
    centre = centre_for(model, data, spec, geometry)
    few = fit_nuts(model, two, structure=structure, centre=centre)
    many = fit_nuts(model, three, structure=structure, centre=centre, cores=1)
    np.testing.assert_array_equal(
        few.posterior["intercept"].to_numpy(), many.posterior["intercept"].to_numpy()[:2]
    )
