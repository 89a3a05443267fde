"""Chains of large models begin near the middle of the posterior, and end where others do."""

import numpy as np
import pymc as pm
import pytest

from bayes_attrib import names
from bayes_attrib.inference import SamplerSettings, fit_nuts, starts
from bayes_attrib.inference.density import compiled_density, data_values
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
    known = {k: v for k, v in values.items() if not k.startswith("offset_")}
    common = np.concatenate([np.ravel(v) for v in list(point.values())[:-1]])
    np.testing.assert_allclose(unconstrained(model, known), common, atol=1e-4)


def test_log_odds_are_those_of_pymc():
    with pm.Model() as model:
        pm.Beta("pi", 2, 2)
        pm.Normal(names.ENTITY_OFFSET, shape=3)
    point = unconstrained(model, {"pi": np.asarray(0.2)})
    np.testing.assert_allclose(point, np.log(0.2 / 0.8), atol=1e-4)


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


@pytest.mark.usefixtures("any_size")
def test_slopes_at_the_start_are_neither_steep_nor_flat(data):
    spec = spec_of()
    model, geometry = built(data, spec)
    centre = centre_for(model, data, spec, geometry)()
    structure = describe_structure(data, spec, geometry)
    density = compiled_density(model, ["intercept", "log_rate"], structure)
    bound = density.bind(data_values(model, density.layout.arrays), centre)
    start = bound.initial_point_func(4)
    np.testing.assert_array_equal(start, bound.initial_point_func(4))
    assert not np.array_equal(start, bound.initial_point_func(5))
    assert set(np.abs(start[len(centre) :])) == {1.0}
    reference = model.logp_dlogp_function(ravel_inputs=True)
    reference.set_extra_values({})
    gradient = density._gradient(bound.user_data)
    expected = reference(start)[1]
    np.testing.assert_allclose(gradient(start), expected, rtol=1e-8, atol=1e-8)
    # At two sds from where a normal density peaks its slope is two over the sd.
    off = np.abs(start[: len(centre)] - centre)
    assert np.all(off > 0)
    assert np.abs(expected[: len(centre)] * off / 2).max() < 12


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
