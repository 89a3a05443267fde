"""Compiled code that is used again gives the draws that code compiled for the data gives."""

import dataclasses
import os

import numpy as np
import pytest
import xarray as xr

from bayes_attrib.inference import ChainStore, SamplerSettings, fit_nuts, large_rates
from bayes_attrib.inference.density import cache
from bayes_attrib.inference.density import compile as compiling
from bayes_attrib.inference.density.structure import structure_digest
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.structure import describe_structure
from bayes_attrib.simulation import simulate
from bayes_attrib.spec import load_spec, parse_plain

SETTINGS = SamplerSettings(draws=30, tune=60, chains=2, seed=5)
PLAIN = {
    "schema_version": 1,
    "name": "test",
    "columns": {"aggregate": "brick_id", "entity": "hcp_id"},
}
STORED = ["intercept", "log_rate"]


@pytest.fixture(autouse=True)
def empty_caches(monkeypatch, tmp_path):
    """Start each test with nothing compiled, and a folder of its own."""
    folder = tmp_path / "code"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(folder))
    monkeypatch.setattr(cache, "_compiled", type(cache._compiled)())
    return folder


@pytest.fixture
def compilations(monkeypatch):
    """Names of what was compiled, one entry per compilation."""
    made = []

    def counted(model, stored):
        made.append(model)
        return compiling.compile_density(model, stored)

    monkeypatch.setattr(cache, "compile_density", counted)
    return made


def spec_of(**changes):
    return parse_plain(PLAIN | changes, source="test")


def world(seed, n_entities=12, n_aggregates=6):
    options = {"n_entities": n_entities, "n_aggregates": n_aggregates}
    return simulate("hcp_brick", seed=seed, options=options).build_data()


def fit(data, spec, settings=SETTINGS):
    geometry = choose_geometry(data, spec)
    structure = describe_structure(data, spec, geometry)
    model = build_model(data, spec, geometry)
    return fit_nuts(model, settings, cores=1, structure=structure)


def with_totals(data, seed):
    """Other totals and exposures on the same pairs."""
    rng = np.random.default_rng(seed)
    exposure = data.exposure.copy()
    exposure.data = exposure.data * rng.uniform(0.5, 2.0, size=len(exposure.data))
    totals = data.totals + rng.poisson(5, len(data.totals)) * data.is_exposed
    return dataclasses.replace(data, totals=totals, exposure=exposure)


@pytest.mark.sampling
def test_second_fit_of_a_structure_compiles_nothing_and_draws_the_same(
    root, compilations, monkeypatch
):
    spec = load_spec(root / "models" / "hcp_brick.toml")
    first = read_tables(spec, DataSource(folder=root / "data" / "hcp_brick")).data
    second = with_totals(first, 3)
    fit(first, spec)
    reused = fit(second, spec)
    assert len(compilations) == 1
    cache._compiled.clear()
    monkeypatch.setenv(cache.CACHE_VARIABLE, "off")
    alone = fit(second, spec)
    assert len(compilations) == 2
    np.testing.assert_array_equal(alone.draws("rate"), reused.draws("rate"))
    np.testing.assert_array_equal(alone.draws("intercept"), reused.draws("intercept"))


@pytest.mark.sampling
def test_code_from_disk_draws_the_same_and_damaged_code_is_made_again(compilations, empty_caches):
    spec, data = spec_of(), world(1)
    made = fit(data, spec)
    (path,) = empty_caches.iterdir()
    cache._compiled.clear()
    loaded = fit(data, spec)
    assert len(compilations) == 1
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    cache._compiled.clear()
    again = fit(data, spec)
    assert len(compilations) == 2
    assert path.read_bytes() != whole[:-1] + bytes([whole[-1] ^ 1])
    for other in (loaded, again):
        np.testing.assert_array_equal(other.draws("rate"), made.draws("rate"))


@pytest.mark.sampling
def test_cached_code_and_the_sampler_without_it_have_the_same_posterior(compilations):
    """Starting points differ, so draws do: means agree within 5 Monte-Carlo standard errors.

    Of 14 comparisons none fails by chance with probability above 0.9999.
    """
    spec, data = spec_of(), world(1)
    settings = SamplerSettings(draws=1000, tune=300, chains=2, seed=5)
    ours = fit(data, spec, settings)
    assert len(compilations) == 1
    plain = fit_nuts(build_model(data, spec), settings)
    for name in ("log_rate", "intercept", "sigma_entity"):
        means, variances = [], []
        for one in (ours, plain):
            draws = np.atleast_2d(one.draws(name))
            # Forty batches of fifty draws each give the standard error of the mean.
            batches = draws.reshape(len(draws), 40, 50).mean(axis=2)
            means.append(batches.mean(axis=1))
            variances.append(batches.var(axis=1, ddof=1) / 40)
        assert np.all(np.abs(means[0] - means[1]) < 5 * np.sqrt(variances[0] + variances[1])), name


def digest(data, spec, stored=STORED):
    geometry = choose_geometry(data, spec)
    structure = describe_structure(data, spec, geometry)
    return structure_digest(build_model(data, spec, geometry), stored, structure)


@pytest.mark.parametrize(
    ("changes", "size", "stored"),
    [
        ({"priors": {"sigma_entity": {"dist": "HalfNormal", "sigma": 2.0}}}, 12, STORED),
        ({"rates": {"geometry": {"entity": "centered"}}}, 12, STORED),
        ({"likelihood": {"family": "negative_binomial"}}, 12, STORED),
        ({}, 13, STORED),
        ({}, 12, ["log_rate"]),
    ],
)
def test_whatever_changes_the_code_changes_its_digest(changes, size, stored):
    usual = digest(world(1), spec_of())
    assert digest(world(1, size), spec_of(**changes), stored) != usual


@pytest.mark.parametrize("name", ["hcp_brick", "creative_nested", "mmm_to_mta"])
def test_data_of_a_shipped_spec_are_no_part_of_its_code(root, name):
    """Specs whose priors are on the scale of the data are another matter: theirs are compiled."""
    spec = load_spec(root / "models" / f"{name}.toml")
    data = read_tables(spec, DataSource(folder=root / "data" / name)).data
    geometry = choose_geometry(data, spec)
    described = describe_structure(data, spec, geometry)
    digests = {
        structure_digest(build_model(each, spec, geometry), STORED, described)
        for each in (data, with_totals(data, 4))
    }
    assert len(digests) == 1


def test_folders_that_others_may_write_to_hold_no_code(empty_caches):
    assert cache.cache_folder() == empty_caches
    empty_caches.chmod(0o777)
    assert cache.cache_folder() is None


def test_a_home_that_cannot_be_written_to_does_without_a_cache(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "file" / "below"))
    assert cache.cache_folder() is None


def test_the_oldest_files_go_first(empty_caches):
    for age in range(cache.MOST_FILES + 3):
        path = empty_caches / f"{age:03d}"
        path.touch()
        os.utime(path, (1000 - age, 1000 - age))
    cache._forget_old(empty_caches)
    left = sorted(path.name for path in empty_caches.iterdir())
    assert left == [f"{age:03d}" for age in range(cache.MOST_FILES)]


@pytest.mark.sampling
def test_rates_of_very_many_entities_are_rounded_once_and_logarithms_dropped(monkeypatch, tmp_path):
    data, spec = world(1), spec_of()
    whole = fit(data, spec)
    monkeypatch.setattr(large_rates, "MOST_DOUBLES", 1)
    geometry = choose_geometry(data, spec)
    store = ChainStore(tmp_path / "chains", {})
    arguments = {"store": store, "structure": describe_structure(data, spec, geometry)}
    model = build_model(data, spec, geometry)
    rounded = fit_nuts(model, SETTINGS, **arguments).posterior
    assert "log_rate" not in rounded
    assert rounded["rate"].dtype == np.float32
    wanted = np.exp(whole.posterior["log_rate"].to_numpy()).astype(np.float32)
    np.testing.assert_array_equal(rounded["rate"].to_numpy(), wanted)
    xr.testing.assert_identical(fit_nuts(model, SETTINGS, **arguments).posterior, rounded)
