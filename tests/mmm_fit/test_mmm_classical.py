"""Classical fits: exact where there is no noise, and from the fitted function always."""

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.inputs.source import SourceFile
from bayes_attrib.mmm_fit.classical import fit_least_squares, fit_ridge
from bayes_attrib.mmm_fit.classical.design import design_of
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries
from bayes_attrib.simulation import simulate

PLAIN = {
    "schema_version": 1,
    "kind": "mmm",
    "name": "three",
    "columns": {
        "date": "week",
        "target": "sales",
        "channels": ["tv", "search", "social"],
        "controls": ["promotion"],
    },
    "adstock": {"l_max": 13},
    "baseline": {"yearly_seasonality": 0},
}
SPEC = MmmSpec.model_validate(PLAIN)


def world(seed=1, **options):
    options = {"season": 0.0, "dark_blocks": 4, **options}
    tables = simulate("mmm_three_channels", seed=seed, options=options)
    table = tables.others["series"]
    channels = list(SPEC.columns.channels)
    truth = tables.exposures.pivot_table(index="week", columns="channel", values="amount")
    series = MmmSeries(
        pd.DatetimeIndex(pd.to_datetime(table["week"])),
        ("",),
        SPEC.columns.channels,
        ("promotion",),
        table[channels].to_numpy(dtype=float)[:, np.newaxis],
        table[["promotion"]].to_numpy(dtype=float)[:, np.newaxis],
        table["sales"].to_numpy(dtype=float)[:, np.newaxis],
        SourceFile("series", "simulated", "", len(table)),
    )
    return series, truth[channels].to_numpy()


@pytest.fixture(scope="module")
def noiseless():
    return world(noise=0.01)


def test_least_squares_finds_the_truth_without_noise(noiseless):
    series, truth = noiseless
    fit = fit_least_squares(SPEC, series, starts=8)
    np.testing.assert_allclose(fit.contributions[:, 0], truth, rtol=1e-3, atol=2.0)
    shapes = fit.shapes.set_index("channel")
    np.testing.assert_allclose(shapes["decay"], [0.5, 0.2, 0.7], rtol=1e-3)
    np.testing.assert_allclose(shapes["slope"], [2.0, 2.5, 3.0], rtol=1e-3)
    np.testing.assert_allclose(shapes["half_saturation"], [10_000, 12_000, 8_000], rtol=1e-3)
    np.testing.assert_allclose(shapes["ceiling"], [15_000, 25_000, 10_000], rtol=1e-3)
    assert fit.rmse(series.target) < 0.02


def test_the_best_start_is_found_more_than_once():
    """No other parameters fit better, so not the true ones either: a sure sign of a good search."""
    series, truth = world(seed=2)
    fit = fit_least_squares(SPEC, series, starts=12)
    noise = series.target[:, 0] - 5_000 - 8_000 * series.control[:, 0, 0] - truth.sum(axis=1)
    assert fit.rmse(series.target) <= np.sqrt((noise**2).mean())
    assert fit.facts["starts_at_the_best"] >= 2
    error = fit.contributions.sum(axis=(0, 1)) / truth.sum(axis=0) - 1
    # Three standard errors of the least variance that any unbiased estimate can have.
    assert (np.abs(error) < [0.15, 0.09, 0.18]).all()


def test_units_change_nothing_but_units(noiseless):
    """A search without scales of its own finds the same, whatever the currency."""
    series, _ = noiseless
    scaled = MmmSeries(
        series.dates,
        series.geos,
        series.channels,
        series.controls,
        1e-3 * series.spend,
        series.control,
        1e4 * series.target,
        series.source,
    )
    one, other = (fit_least_squares(SPEC, each, starts=4) for each in (series, scaled))
    np.testing.assert_allclose(other.contributions, 1e4 * one.contributions, rtol=1e-4)
    np.testing.assert_allclose(
        other.shapes["half_saturation"], 1e-3 * one.shapes["half_saturation"], rtol=1e-4
    )


def test_fitted_targets_are_least_squares_given_the_shapes(noiseless):
    """The projection agrees with one solution of the whole linear problem."""
    series, _ = noiseless
    fit = fit_least_squares(SPEC, series, starts=4)
    design = design_of(SPEC, series)
    shapes = fit.shapes[["decay", "half_saturation", "slope"]].to_numpy()
    shapes[:, 1] /= design.channel_scale[0]
    whole = np.concatenate([design.transformed(shapes), design.baseline], axis=1)
    solution = np.linalg.lstsq(whole, design.target, rcond=None)[0]
    np.testing.assert_allclose(
        fit.fitted[:, 0], design.target_scale[0] * (whole @ solution), rtol=1e-6
    )


def test_ridge_contributions_are_coefficient_times_column_with_their_signs():
    """A channel that lowers sales has a negative contribution: no absolute coefficients."""
    series, _ = world(seed=3)
    harmful = MmmSeries(
        series.dates,
        series.geos,
        series.channels,
        series.controls,
        series.spend,
        series.control,
        60_000.0 - series.target,
        series.source,
    )
    fit = fit_ridge(SPEC, harmful, candidates=8)
    assert fit.facts["negative_coefficients"] >= 1
    total = fit.contributions.sum(axis=(0, 1))
    assert ((total < 0) == (fit.shapes["ceiling"] < 0)).all()
    assert (total < 0).any()
    # Changes of the fitted target between periods that only media explains: same controls.
    same = harmful.control[:, 0, 0] == 0
    media = fit.contributions[same].sum(axis=-1)[:, 0]
    fitted = fit.fitted[same][:, 0]
    np.testing.assert_allclose(fitted - fitted[0], media - media[0], rtol=1e-8, atol=1e-6)


def test_ridge_explains_sales_out_of_sample():
    series, _ = world(seed=4)
    fit = fit_ridge(SPEC, series, candidates=16)
    assert fit.facts["cross_validated_rmse"] < 0.5 * series.target.std()
