"""The mmm_to_creatives generator: exact properties, and its noise as statistical tests.

Every statistical test fails by chance once in 10,000 seeds (two-sided); seeds are fixed.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_attrib.errors import SpecError
from bayes_attrib.exposure import geometric_adstock
from bayes_attrib.simulation import simulate

CELL = ["channel", "week", "geo"]
CURVES = {"Video": (0.55, 1.6), "Social": (0.25, 2.4)}  # decay, steepness


@pytest.fixture(scope="module")
def tables():
    return simulate("mmm_to_creatives", seed=1)


def test_sizes_and_columns(tables):
    assert len(tables.entities) == 18
    assert len(tables.aggregates) == 2 * 104 * 2
    assert list(tables.aggregates) == [*CELL, "total", "total_sd"]
    assert list(tables.exposures) == [
        *CELL, "creative", "impressions", "spend", "exposure", "amount",
    ]  # fmt: skip
    assert not tables.exposures.duplicated([*CELL, "creative"]).any()
    weeks = pd.to_datetime(tables.aggregates["week"].drop_duplicates())
    assert (weeks.dt.day_of_week == 0).all()
    assert (weeks.diff().dropna() == pd.Timedelta(days=7)).all()
    assert tables.entities.groupby("creative")["campaign"].nunique().eq(1).all()


@pytest.mark.parametrize("channel", list(CURVES))
@pytest.mark.parametrize("geo", ["north", "south"])
def test_exposure_is_the_part_of_the_curve_of_the_channel(tables, channel, geo):
    """By the formula, in dense arrays: adstock of 8 lags with weights that sum to one."""
    decay, steepness = CURVES[channel]
    rows = tables.exposures[tables.exposures["channel"] == channel]
    weeks = tables.aggregates["week"].drop_duplicates()
    by_geo = rows.groupby(["week", "geo"])["impressions"].sum()
    scale = by_geo.max()
    here = rows[rows["geo"] == geo]
    delivery, exposure = (
        here.pivot_table(index="creative", columns="week", values=values)
        .reindex(columns=weeks)
        .fillna(0.0)
        .to_numpy()
        for values in ("impressions", "exposure")
    )
    weights = decay ** np.arange(8)
    weights /= weights.sum()
    carried = np.array([np.convolve(row, weights)[: len(weeks)] for row in delivery / scale])
    whole = carried.sum(axis=0)
    curve = (1 - np.exp(-steepness * whole)) / (1 + np.exp(-steepness * whole))
    np.testing.assert_allclose(exposure, curve / whole * carried, rtol=1e-6, atol=1e-9)
    assert geometric_adstock(np.eye(1, 9)[0], decay)[1] == decay  # the decay is that of the house


def test_amounts_are_rates_times_exposure_and_totals_see_only_the_curve(tables):
    rows = tables.exposures.merge(tables.entities[["creative", "rate_true"]], on="creative")
    np.testing.assert_allclose(rows["amount"], rows["rate_true"] * rows["exposure"], rtol=1e-6)
    totals = tables.aggregates.set_index(CELL)["total"]
    curve = tables.exposures.groupby(CELL)["exposure"].sum().reindex(totals.index)
    for channel, multiple in (totals / curve).groupby("channel"):
        np.testing.assert_allclose(multiple, multiple.iloc[0], rtol=1e-8)
        truth = tables.exposures.query("channel == @channel")["amount"].sum()
        assert totals.loc[channel].sum() == pytest.approx(truth, rel=1e-8)


def test_delivery_is_whole_and_works_on_after_its_end(tables):
    impressions = tables.exposures["impressions"]
    assert impressions.dtype == np.int64
    assert (impressions == 0).any()  # carry-over alone
    assert (tables.exposures["exposure"] > 0).all()


@pytest.mark.parametrize("signal", [0.0, 0.7, 1.0])
def test_conversions_tell_of_rates_as_much_as_was_asked_for(signal):
    options = {"n_campaigns": 40, "n_creatives": 10, "n_weeks": 10, "signal": signal}
    entities = simulate("mmm_to_creatives", seed=2, options=options).entities
    for _, rows in entities.groupby("channel"):
        found = np.corrcoef(np.log(rows["conversion_rate"]), np.log(rows["rate_true"]))[0, 1]
        z = np.arctanh(min(found, 1 - 1e-9)) - np.arctanh(min(signal, 1 - 1e-9))
        limit = stats.norm.isf(5e-5) / np.sqrt(len(rows) - 3)
        assert signal == 1.0 or abs(z) < limit
        assert signal < 1.0 or found > 0.999  # but for rounding


def test_spread_of_the_log_rates():
    options = {"n_campaigns": 500, "n_creatives": 2, "n_weeks": 10}
    entities = simulate("mmm_to_creatives", seed=3, options=options).entities
    log_rate = np.log(entities["rate_true"])
    half = (log_rate - log_rate.groupby(entities["campaign"]).transform("mean")) ** 2
    within = half.sum() / 0.4**2  # chi square of one degree of freedom for each campaign
    assert abs(stats.norm.isf(stats.chi2.sf(within, 1000))) < 3.9


def test_the_same_seed_gives_the_same_tables(tables):
    again = simulate("mmm_to_creatives", seed=1)
    for name in ("aggregates", "exposures", "entities"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(tables, name))


def test_too_many_rows_are_refused():
    with pytest.raises(SpecError, match="more than the 20,000,000"):
        simulate("mmm_to_creatives", seed=1, options={"n_weeks": 10_000, "n_creatives": 1000})
