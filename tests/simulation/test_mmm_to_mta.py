"""The mmm_to_mta generator: exact properties, and its noise as statistical tests.

Every statistical test fails by chance once in 10,000 seeds (two-sided); seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bayes_attrib.errors import SpecError
from bayes_attrib.simulation import simulate

FALSE_ALARM = 1e-4
PARAMETERS = {  # scale, decay, half-saturation, slope
    "Search": (120, 0.40, 0.35, 1.2),
    "Social": (80, 0.65, 0.25, 1.4),
}


@pytest.fixture(scope="module")
def default():
    return simulate("mmm_to_mta", seed=1)


def with_rates(tables):
    return tables.exposures.merge(tables.entities[["campaign", "rate_true"]], on="campaign")


def test_sizes_and_columns(default):
    assert len(default.aggregates) == 2 * 52 * 5
    assert len(default.exposures) == 2 * 52 * 5 * 6
    assert len(default.entities) == 12
    cell = ["channel", "week", "geo"]
    assert list(default.aggregates) == [*cell, "total"]
    assert list(default.exposures) == [*cell, "campaign", "impressions", "exposure", "amount"]
    assert list(default.entities) == [
        "campaign", "channel", "creative_family", "objective", "rate_true",
    ]  # fmt: skip
    assert default.aggregates["week"].drop_duplicates().tolist() == [
        f"W{week:02d}" for week in range(1, 53)
    ]


def test_keys_are_unique_and_campaigns_keep_to_their_channel(default):
    cell = ["channel", "week", "geo"]
    assert not default.aggregates.duplicated(cell).any()
    assert not default.exposures.duplicated([*cell, "campaign"]).any()
    assert default.entities["campaign"].is_unique
    channel = default.entities.set_index("campaign")["channel"]
    assert (default.exposures["campaign"].map(channel) == default.exposures["channel"]).all()


def test_exposure_is_hill_of_adstock_of_impressions(default):
    for channel, (_, decay, half, slope) in PARAMETERS.items():
        rows = default.exposures[default.exposures["channel"] == channel]
        median = float(np.median([x for x in rows["impressions"] if x > 0]))
        for _, series in rows.groupby(["campaign", "geo"]):
            assert series["week"].is_monotonic_increasing
            carried = 0.0
            for impressions, exposure in zip(
                series["impressions"], series["exposure"], strict=True
            ):
                carried = impressions / median + decay * carried
                wanted = carried**slope / (carried**slope + half**slope)
                assert exposure == pytest.approx(wanted, rel=1e-8)


def test_amounts_add_up_to_the_totals(default):
    sums = default.exposures.groupby(["channel", "week", "geo"])["amount"].sum()
    totals = default.aggregates.set_index(["channel", "week", "geo"])["total"]
    np.testing.assert_allclose(sums.loc[totals.index], totals, rtol=1e-13)


def test_the_noise_of_a_cell_is_shared_by_its_campaigns(default):
    rows = with_rates(default)
    rows["noise"] = rows["amount"] / (rows["rate_true"] * rows["exposure"])
    spread = rows.groupby(["channel", "week", "geo"])["noise"].agg(["min", "max"])
    assert (spread["max"] / spread["min"] - 1).max() < 1e-7


@pytest.mark.statistical
@pytest.mark.parametrize("alpha", [20.0, 2.0])
def test_the_noise_is_gamma(alpha):
    tables = simulate("mmm_to_mta", seed=3, options={"alpha": alpha, "n_geos": 20})
    rows = with_rates(tables)
    rows["noise"] = rows["amount"] / (rows["rate_true"] * rows["exposure"])
    noise = rows.drop_duplicates(["channel", "week", "geo"])["noise"]
    assert stats.kstest(noise, stats.gamma(alpha, scale=1 / alpha).cdf).pvalue > FALSE_ALARM


def test_rates_average_to_the_scale_of_the_channel(default):
    means = default.entities.groupby("channel")["rate_true"].mean()
    assert means["Search"] == pytest.approx(120, abs=1e-6)
    assert means["Social"] == pytest.approx(80, abs=1e-6)


@pytest.mark.statistical
def test_rates_are_lognormal():
    tables = simulate("mmm_to_mta", seed=4, options={"n_campaigns": 2000, "n_weeks": 1})
    log_rate = np.log(tables.entities.query("channel == 'Search'")["rate_true"])
    interval = stats.chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], 1999)
    low, high = 0.6 * np.sqrt(interval / 1999)
    assert low < log_rate.std() < high
    assert stats.shapiro(log_rate).pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_dark_weeks_come_as_often_as_asked(default):
    after_first = default.exposures[default.exposures["week"] != "W01"]
    dark = int((after_first["impressions"] == 0).sum())
    assert stats.binomtest(dark, len(after_first), 0.08).pvalue > FALSE_ALARM


@pytest.mark.parametrize("dark_weeks", [0.0, 0.9])
def test_no_cell_is_without_exposure(dark_weeks):
    options = {"dark_weeks": dark_weeks, "n_campaigns": 1}
    tables = simulate("mmm_to_mta", seed=1, options=options)
    assert (tables.exposures["exposure"] > 0).all()
    assert (tables.aggregates["total"] > 0).all()
    first = tables.exposures[tables.exposures["week"] == "W01"]
    assert (first["impressions"] > 0).all()
    assert (dark_weeks > 0) == (tables.exposures["impressions"] == 0).any()


def test_seasonality_is_a_yearly_wave():
    amplitude = {}
    for seasonality in (0.0, 0.8):
        tables = simulate(
            "mmm_to_mta", seed=1, options={"seasonality": seasonality, "n_campaigns": 50}
        )
        rows = tables.exposures.query("impressions > 0 and channel == 'Search'")
        level = rows.groupby("week")["impressions"].apply(lambda x: np.exp(np.log(x).mean()))
        wave = np.abs(np.fft.rfft(level / level.mean())) * 2 / 52
        assert seasonality == 0.0 or wave[1:].argmax() == 0
        amplitude[seasonality] = wave[1]
    # The log-scale scatter (sd .25) of 250 series and dark gaps leave an error of about .02.
    assert amplitude[0.0] < 0.08
    assert amplitude[0.8] == pytest.approx(0.8, abs=0.08)


def test_groups_are_drawn_from_their_lists():
    entities = simulate("mmm_to_mta", seed=1, options={"n_campaigns": 100, "n_weeks": 1}).entities
    assert set(entities["creative_family"]) == {"A", "B", "C"}
    assert set(entities["objective"]) == {"Awareness", "Consideration", "Conversion"}


def test_one_of_everything():
    options = {"n_campaigns": 1, "n_weeks": 1, "n_geos": 1}
    tables = simulate("mmm_to_mta", seed=1, options=options)
    assert tables.aggregates["total"].tolist() == tables.exposures["amount"].tolist()
    assert tables.entities["rate_true"].tolist() == [120.0, 80.0]
    assert math.isfinite(tables.aggregates["total"].sum())


def test_sizes_that_do_not_fit_in_memory_are_refused():
    options = {"n_campaigns": 1000, "n_weeks": 520, "n_geos": 50}
    with pytest.raises(SpecError, match="52,000,000 rows"):
        simulate("mmm_to_mta", seed=1, options=options)
