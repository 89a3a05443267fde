"""Derivatives by differences and by dense algebra, for every family that has a latent field."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp

from bayes_attrib.baselines import field_density
from bayes_attrib.baselines.field_density import FieldDensity
from bayes_attrib.inputs import Grouping
from bayes_attrib.model.families import get_family
from bayes_attrib.model.latent_field import latent_field
from bayes_attrib.spec import ModelSpec

SIGMAS = {"sigma_format": 0.4, "sigma_entity": 0.7}
FAMILIES = {
    "poisson": ({"family": "poisson"}, {}),
    "negative binomial": ({"family": "negative_binomial", "level": "aggregate"}, {"alpha": 6.0}),
    "negative binomial of pairs": ({"family": "negative_binomial", "level": "pair"}, {"phi": 0.4}),
    "gamma": ({"family": "gamma", "level": "aggregate"}, {"alpha": 5.0}),
    "lognormal": ({"family": "lognormal", "level": "aggregate"}, {"sigma_total": 0.5}),
}


def density_of(random_data, family="poisson"):
    likelihood, noise = FAMILIES[family]
    data = random_data(3)
    codes = (np.arange(data.n_entities) % 3).astype(str)
    data = dataclasses.replace(
        data,
        totals=np.round(data.totals / 10) + 1,
        groupings={"format": Grouping.from_labels("format", codes)},
    )
    spec = ModelSpec.model_validate(
        {
            "schema_version": 1,
            "name": "test",
            "columns": {"aggregate": ("brick",), "entity": "hcp"},
            "likelihood": likelihood,
            "rates": {"pooling": ("format",)},
        }
    )
    field = latent_field(data, spec)
    return FieldDensity(field, get_family(spec.likelihood), SIGMAS | noise)


@pytest.fixture(params=FAMILIES)
def density(request, random_data):
    return density_of(random_data, request.param)


def point_of(density, seed=1):
    return density.look(0.5 * np.random.default_rng(seed).normal(size=density.field.size))


def dense(product, size):
    return np.column_stack([product(unit) for unit in np.eye(size)])


def test_gradient(density):
    at, h = point_of(density), 1e-5
    units = np.eye(density.field.size)
    wanted = [(density.look(at.x + h * u).loss - density.look(at.x - h * u).loss) for u in units]
    found = density.gradient(at, density.slope(at))
    np.testing.assert_allclose(found, np.array(wanted) / (2 * h), rtol=1e-5, atol=1e-5)


def test_hessian(density):
    at, h = point_of(density), 1e-5
    units = np.eye(density.field.size)

    def gradient(x):
        place = density.look(x)
        return density.gradient(place, density.slope(place))

    wanted = [(gradient(at.x + h * u) - gradient(at.x - h * u)) / (2 * h) for u in units]
    found = dense(density.hessian(at, density.slope(at)), density.field.size)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found, found.T, rtol=1e-6, atol=1e-6)


def test_its_expectation_is_positive_definite_and_is_what_it_says(density):
    """Over its prior, plus the slopes of the expectations times the information about each."""
    at = point_of(density)
    size, field = density.field.size, density.field
    h, units = 1e-6, np.eye(size)
    above, below = (
        np.array([density.look(at.x + sign * h * u).expected for u in units]) for sign in (1, -1)
    )
    slopes = (above - below) / (2 * h)
    expected = at.expected[:, np.newaxis]
    information = density._family.information(expected, density._noise)[:, 0]
    wanted = np.eye(size) + slopes * information @ slopes.T
    found = dense(density.fisher(at), size)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    assert np.linalg.eigvalsh(found).min() > 0.999
    assert field.n_coarse == 4


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("largest_block", [1500, 2])
def test_preconditioner_holds_the_blocks_of_the_expected_hessian(
    random_data, monkeypatch, make, largest_block
):
    density = density_of(random_data)
    density.field = dataclasses.replace(density.field, design=make(density.field.design))
    monkeypatch.setattr(field_density, "LARGEST_BLOCK", largest_block)
    at, k = point_of(density), density.field.n_coarse
    inverse = np.linalg.inv(dense(density.precondition(at), density.field.size))
    fisher = dense(density.fisher(at), density.field.size)
    np.testing.assert_allclose(np.diag(inverse)[k:], np.diag(fisher)[k:], rtol=1e-9)
    np.testing.assert_allclose(inverse[:k, k:], 0, atol=1e-9)
    if largest_block > k:
        np.testing.assert_allclose(inverse[:k, :k], fisher[:k, :k], rtol=1e-8, atol=1e-8)
    else:
        assert np.all(np.diag(inverse)[:k] >= np.diag(fisher)[:k] * (1 - 1e-9))


def test_rates_that_overflow_have_no_density(random_data):
    density = density_of(random_data)
    assert density.look(np.full(density.field.size, 1e4)).loss == np.inf
