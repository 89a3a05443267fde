"""The choice of parameterisation."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.inputs import Grouping
from bayes_attrib.model import Geometry, build_model, choose_geometry
from bayes_attrib.model.families import FAMILIES
from bayes_attrib.model.geometry import REFERENCE_SIGMA, entity_information
from bayes_attrib.simulation import simulate


def simulated(scenario, make_spec, pooling, family):
    data = simulate(scenario, seed=3).build_data(pooling)
    return choose_geometry(data, make_spec(family, tuple(pooling)))


def test_physicians_in_bricks_are_noncentered(make_spec):
    geometry = simulated("hcp_brick", make_spec, ["specialty"], ("poisson", None))
    assert geometry.entity == "noncentered"
    assert geometry.groups == {"specialty": "centered"}
    assert 0.0 < geometry.information_median < 0.5
    assert geometry.chosen_by == "information"


def test_campaigns_that_run_side_by_side_are_noncentered_for_all_their_weeks(make_spec):
    """520 totals say much about the sum of six campaigns, and little about each."""
    geometry = simulated("mmm_to_mta", make_spec, ["channel"], ("gamma", "aggregate"))
    assert geometry.entity == "noncentered"
    assert geometry.groups == {"channel": "noncentered"}
    assert 0.1 < geometry.information_median < 1.0


def test_entities_that_the_totals_tell_apart_are_centered(make_data, make_spec):
    data = make_data(np.diag([5.0, 8.0, 3.0, 9.0]), [40, 30, 55, 60])
    geometry = choose_geometry(data, make_spec())
    assert geometry.entity == "centered"
    assert geometry.information_median > 5.0


@pytest.mark.parametrize(
    ("n_levels", "form"), [(2, "noncentered"), (3, "noncentered"), (4, "centered")]
)
def test_few_levels_are_noncentered(make_data, make_spec, n_levels, form):
    grouping = Grouping.from_labels("format", [str(e % n_levels) for e in range(8)])
    data = make_data(np.ones((2, 8)), [3, 4], [grouping])
    assert choose_geometry(data, make_spec(groups=("format",))).groups == {"format": form}


@pytest.mark.parametrize("entity", ["centered", "noncentered"])
@pytest.mark.parametrize("form", ["centered", "noncentered"])
def test_the_spec_overrides(random_data, make_spec, entity, form):
    spec = make_spec(groups=("region", "format"), entity=entity, form=form)
    geometry = choose_geometry(random_data(1), spec)
    assert (geometry.entity, geometry.chosen_by) == (entity, "spec")
    assert geometry.groups == {"region": form, "format": form}
    assert geometry.as_dict() == {
        "entity": entity,
        "groups": {"region": form, "format": form},
        "information_median": geometry.information_median,
        "chosen_by": "spec",
    }


def test_a_given_geometry_is_built(random_data, make_spec):
    spec = make_spec(groups=("format",), entity="centered", form="centered")
    geometry = Geometry("noncentered", {"format": "noncentered"}, 0.0, "spec")
    free = {variable.name for variable in build_model(random_data(1), spec, geometry).free_RVs}
    assert {"offset_entity", "offset_format"} <= free
    free = {variable.name for variable in build_model(random_data(1), spec).free_RVs}
    assert {"log_rate", "effect_format"} <= free


@pytest.mark.parametrize("family", list(FAMILIES), ids=str)
def test_information_is_what_a_dense_inverse_gives(random_data, family):
    data, law = random_data(2), FAMILIES[family]
    seen = data.is_exposed
    mu_edges = data.exposure.toarray()[seen] * data.reference_rate
    mu = mu_edges.sum(axis=1)
    variance = law.variance(mu, law.moment_parameters(data.totals[seen], mu))
    fisher = mu_edges.T @ (mu_edges / variance[:, np.newaxis])
    prior = np.eye(data.n_entities) / REFERENCE_SIGMA**2
    expected = REFERENCE_SIGMA**2 / np.diag(np.linalg.inv(fisher + prior)) - 1
    everybody = np.arange(data.n_entities)
    found = entity_information(data, law, everybody)
    np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.005)
    np.testing.assert_array_equal(entity_information(data, law, everybody[2:3]), found[2:3])


def test_fisher_information_is_the_curvature_of_the_log_likelihood(make_data):
    """One entity alone: by differences of mu log m - m at m = mu."""
    data, step = make_data([[4.0]], [12.0]), 1e-3
    mu = 12.0

    def expected_log_likelihood(log_factor):
        m = mu * np.exp(log_factor)
        return mu * np.log(m) - m

    curvature = (
        2 * expected_log_likelihood(0)
        - expected_log_likelihood(step)
        - expected_log_likelihood(-step)
    ) / step**2
    (found,) = entity_information(data, FAMILIES["poisson", None], np.array([0]))
    assert found == pytest.approx(REFERENCE_SIGMA**2 * curvature, rel=1e-4)


def test_two_entities_always_together_inform_each_other_away(make_data):
    """The diagonal of the Fisher information would call both well informed."""
    data = make_data(np.ones((30, 2)), np.full(30, 100.0))
    information = entity_information(data, FAMILIES["poisson", None], np.array([0, 1]))
    assert np.all(information < 1.1)
    alone = make_data(np.ones((30, 1)), np.full(30, 100.0))
    assert entity_information(alone, FAMILIES["poisson", None], np.array([0]))[0] > 100
