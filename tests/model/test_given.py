"""Totals that are given: split, and without a say in the rates."""

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from bayes_attrib.attribution import allocation_rng, attribute
from bayes_attrib.baselines import fit_em, fit_proportional
from bayes_attrib.errors import SpecError
from bayes_attrib.inference import SamplerSettings, expected_draws, fit_nuts, noise_draws
from bayes_attrib.inference.prior import sample_prior
from bayes_attrib.inputs import AggregateData
from bayes_attrib.model import build_model, choose_geometry
from bayes_attrib.model.families import FAMILIES, get_family, require_law
from bayes_attrib.spec import IntervalSpec, ModelSpec

SPEC = ModelSpec.model_validate(
    {
        "schema_version": 1,
        "name": "given",
        "columns": {"aggregate": ("aggregate",), "entity": "entity"},
        "likelihood": {"family": "given"},
        "priors": {"sigma_entity": {"dist": "HalfNormal", "sigma": 0.5}},
    }
)


def mixed_channel():
    """Return totals that a mix model would compute: a multiple of the sum of exposures."""
    rng = np.random.default_rng(5)
    dense = rng.lognormal(0.0, 0.7, (30, 3)) * np.array([2.0, 1.0, 0.5])
    return AggregateData.from_dense(dense, 10.0 * dense.sum(axis=1))


@pytest.fixture(scope="module")
def fitted():
    data = mixed_channel()
    fit = fit_nuts(build_model(data, SPEC), SamplerSettings(1000, 500, 4, 1, 0.9))
    return data, fit


def test_the_model_has_no_observed_totals_and_no_noise():
    model = build_model(mixed_channel(), SPEC)
    assert model.observed_RVs == []
    assert {variable.name for variable in model.free_RVs} == {
        "intercept",
        "sigma_entity",
        "offset_entity",
    }


def test_entities_are_not_centred_since_nothing_is_known_of_them():
    geometry = choose_geometry(mixed_channel(), SPEC)
    assert geometry.entity == "noncentered"
    assert geometry.information_median == 0.0


def test_shares_are_those_of_the_prior(fitted):
    """Against direct draws from the prior; three scores beyond 4.6 by chance: 1 in 80,000."""
    data, fit = fitted
    rng = np.random.default_rng(8)
    n = 40_000
    sigma = np.abs(0.5 * rng.standard_normal(n))
    direct = _shares(data, np.exp(sigma * rng.standard_normal((3, n))))
    drawn = _shares(data, _rates(data, fit))
    error = np.hypot(direct.std(axis=1) / np.sqrt(n), drawn.std(axis=1) / np.sqrt(_least_size(fit)))
    assert np.abs((drawn.mean(axis=1) - direct.mean(axis=1)) / error).max() < 4.6
    np.testing.assert_allclose(drawn.std(axis=1), direct.std(axis=1), rtol=0.1)


def _shares(data, rate):
    """Return shares of the grand total, shape (n_entities, n_draws)."""
    mu = data.exposure.toarray()[:, :, None] * rate[None]
    amounts = data.totals[:, None, None] * mu / mu.sum(axis=1, keepdims=True)
    return amounts.sum(axis=0) / data.grand_total


def _rates(data, fit):
    return expected_draws(fit, data, SPEC).rates.rows(slice(None))


def _least_size(fit):
    values = fit.posterior["log_rate"].values
    return float(np.min(array_stats.ess(values, chain_axis=0, draw_axis=1)))


def test_rates_have_the_scale_of_the_totals_and_each_draw_conserves_them(fitted):
    data, fit = fitted
    mean = expected_draws(fit, data, SPEC)
    np.testing.assert_allclose(mean.totals().sum(axis=0), data.grand_total, rtol=1e-12)
    ratios = mean.rates.rows(slice(None)) / fit.draws("rate")
    np.testing.assert_allclose(ratios, ratios[:1].repeat(3, axis=0), rtol=1e-12)
    result = attribute(
        mean,
        get_family(SPEC.likelihood),
        noise_draws(fit, data, SPEC),
        baselines={"em": fit_em(data), "proportional": fit_proportional(data)},
        interval=IntervalSpec(),
        rng=allocation_rng(1),
    )
    assert result.largest_residual < 1e-9 * data.totals.max()
    row = result.table.query("name == 'e1'").iloc[0]
    assert row["rate_mean"] == pytest.approx(row["amount_mean"] / row["exposure"], rel=0.15)


def test_the_family_has_no_law_to_compare_or_to_draw_from():
    data = mixed_channel()
    assert ("given", None) not in FAMILIES
    family = get_family(SPEC.likelihood)
    rng = np.random.default_rng(1)
    assert not family.log_density(data.totals[:, None], np.ones((30, 2)), {}).any()
    assert not family.information(data.totals, {}).any()
    for refused in (
        lambda: family.draw_totals(np.ones((2, 1)), {}, rng),
        lambda: family.total_law(np.ones(2), {}),
        lambda: sample_prior(data, SPEC, draws=10),
        lambda: require_law(SPEC.likelihood, "families cannot be compared"),
    ):
        with pytest.raises(SpecError, match="have no law") as stop:
            refused()
        assert "'gamma'" in str(stop.value)
