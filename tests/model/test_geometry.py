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


def test_campaigns_with_many_weeks_are_centered(make_spec):
    geometry = simulated("mmm_to_mta", make_spec, ["channel"], ("gamma", "aggregate"))
    assert geometry.entity == "centered"
    assert geometry.groups == {"channel": "noncentered"}
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


def test_information_of_poisson_totals_is_the_curvature_of_their_log_likelihood(random_data):
    """E of the negative second derivative, by differences of sum(mu log m - m) at m = mu."""
    data = random_data(2)
    rate = np.full(data.n_entities, data.reference_rate)
    mu = data.exposure.toarray() @ rate
    seen, step = mu > 0, 1e-4

    def expected_log_likelihood(log_factor, entity):
        shifted = rate.copy()
        shifted[entity] *= np.exp(log_factor)
        m = (data.exposure.toarray() @ shifted)[seen]
        return np.sum(mu[seen] * np.log(m) - m)

    curvature = [
        (2 * expected_log_likelihood(0.0, e) - sum(
            expected_log_likelihood(side * step, e) for side in (-1, 1)
        )) / step**2
        for e in range(data.n_entities)
    ]  # fmt: skip
    found = entity_information(data, FAMILIES["poisson", None])
    np.testing.assert_allclose(found, curvature, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", list(FAMILIES), ids=str)
def test_information_by_hand(make_data, make_spec, family):
    """Two aggregates, equal rates: information is mu_eb**2 over the variance of the total."""
    data = make_data([[2.0, 6.0], [0.0, 4.0]], [24.0, 12.0])
    mu_edges = np.array([[6.0, 18.0], [0.0, 12.0]])  # r0 = 36 / 12 = 3
    law = FAMILIES[family]
    totals, mu = data.totals, mu_edges.sum(axis=1)
    variance = law.variance(mu, law.moment_dispersion(totals, mu))
    expected = (mu_edges**2 / variance[:, np.newaxis]).sum(axis=0)
    np.testing.assert_allclose(entity_information(data, law), expected, rtol=1e-12)
    geometry = choose_geometry(data, make_spec(family))
    median = REFERENCE_SIGMA**2 * np.median(expected)
    np.testing.assert_allclose(geometry.information_median, median, rtol=1e-12)
    assert geometry.entity == ("centered" if median > 1 else "noncentered")
