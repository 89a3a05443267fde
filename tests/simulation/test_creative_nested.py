"""The creative_nested generator: exact properties, and its marginal facts as statistical tests.

Every statistical test fails by chance once in 10,000 seeds (two-sided); seeds are fixed.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayes_attrib.errors import SpecError
from bayes_attrib.simulation import simulate

FALSE_ALARM = 1e-4
Z = stats.norm.isf(FALSE_ALARM / 2)
LEVELS = ["channel", "platform", "format", "campaign"]
SPREADS = ["sigma_channel", "sigma_platform", "sigma_format", "sigma_campaign", "sigma_entity"]
FLAT = dict.fromkeys(SPREADS, 0.0)
CELL = ["channel", "week", "geo"]
LARGE = {
    "n_channels": 5, "n_platforms": 18, "n_formats": 60, "n_campaigns": 350, "n_creatives": 2000,
    "n_weeks": 52, "n_geos": 5,
}  # fmt: skip
BROAD = {
    "n_channels": 1000, "n_platforms": 1500, "n_formats": 2000, "n_campaigns": 3000,
    "n_creatives": 6000, "n_weeks": 1, "n_geos": 1, "n_new": 0,
}  # fmt: skip
SMALLEST = {
    "n_channels": 1, "n_platforms": 2, "n_formats": 3, "n_campaigns": 4, "n_creatives": 5,
    "n_weeks": 1, "n_geos": 1,
}  # fmt: skip


def sd_is(values, sd):
    """Whether the spread of normal values around 0 fits this sd, by a chi-squared test."""
    statistic = float(np.sum(np.square(values))) / sd**2
    low, high = stats.chi2(len(values)).ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2])
    return low < statistic < high


def noise_per_cell(tables, cell=CELL):
    rows = tables.exposures.merge(tables.entities[["creative", "rate_true"]], on="creative")
    rows["noise"] = rows["amount"] / (rows["rate_true"] * rows["exposure"])
    return rows.groupby(cell)["noise"].agg(["min", "max"])


@pytest.fixture(scope="module")
def default():
    return simulate("creative_nested", seed=1)


@pytest.fixture(scope="module")
def large():
    return simulate("creative_nested", seed=2, options=LARGE)


def test_columns(default):
    assert list(default.aggregates) == [*CELL, "total"]
    assert list(default.exposures) == [*CELL, "creative", "exposure", "amount"]
    assert list(default.entities) == [
        "creative", *LEVELS, "objective", "video_seconds", "activity", "rate_true",
    ]  # fmt: skip
    assert set(default.entities["objective"]) == {"Awareness", "Consideration", "Conversion"}
    assert set(default.entities["video_seconds"]) == {6, 10, 15, 20, 30, 60}


@pytest.mark.parametrize("fixture", ["default", "large"])
def test_the_tree_has_the_sizes_that_were_asked_for(fixture, request):
    tables = request.getfixturevalue(fixture)
    for depth, level in enumerate(LEVELS):
        nodes = tables.entities.drop_duplicates(LEVELS[: depth + 1])
        assert len(nodes) == getattr(tables.options, f"n_{level}s")
    assert len(tables.entities) == tables.options.n_creatives
    assert tables.entities["creative"].is_unique


@pytest.mark.parametrize("fixture", ["default", "large"])
def test_no_level_has_single_children_only_and_each_has_some(fixture, request):
    entities = request.getfixturevalue(fixture).entities
    for depth in range(1, 5):
        below = entities if depth == 4 else entities.drop_duplicates(LEVELS[: depth + 1])
        families = below.groupby(LEVELS[:depth]).size()
        assert families.min() == 1
        assert families.max() > 1


def test_names_repeat_under_different_parents(default):
    nodes = default.entities.drop_duplicates(LEVELS)
    for depth, level in enumerate(LEVELS[1:], start=1):
        paths = nodes.drop_duplicates(LEVELS[: depth + 1])
        assert paths[level].nunique() < len(paths)
    assert len(set(nodes.loc[nodes["format"] == "Video", "platform"])) > 1


def test_keys_are_unique_and_creatives_keep_to_their_channel(default):
    assert not default.aggregates.duplicated(CELL).any()
    assert not default.exposures.duplicated([*CELL, "creative"]).any()
    channel = default.entities.set_index("creative")["channel"]
    assert (default.exposures["creative"].map(channel) == default.exposures["channel"]).all()
    assert set(default.exposures["creative"]) == set(default.entities["creative"])


@pytest.mark.parametrize("options", [{}, {"family": "poisson"}, {"total_level": "platform"}])
def test_amounts_add_up_to_the_totals_and_every_total_has_regular_exposure(options):
    tables = simulate("creative_nested", seed=3, options=options)
    keys = list(tables.spec_columns.aggregate)
    exposed = tables.exposures.merge(tables.entities[["creative", "activity"]], on="creative")
    sums = exposed.groupby(keys)["amount"].sum()
    totals = tables.aggregates.set_index(keys)["total"]
    assert len(totals) == tables.options.n_units * 26 * 3
    np.testing.assert_allclose(sums.loc[totals.index], totals, rtol=1e-13)
    regular = exposed[exposed["activity"] == "regular"].groupby(keys).size()
    assert set(regular.index) == set(totals.index)
    assert (tables.exposures["exposure"] > 0).all()


def test_totals_by_platform_carry_the_path(default):
    tables = simulate("creative_nested", seed=1, options={"total_level": "platform"})
    keys = ["channel", "platform", "week", "geo"]
    assert list(tables.aggregates) == [*keys, "total"]
    assert list(tables.exposures)[:4] == keys
    assert not tables.aggregates.duplicated(keys).any()
    assert tables.aggregates.duplicated(["platform", "week", "geo"]).any()
    placed = tables.exposures.merge(tables.entities, on=["creative", "channel", "platform"])
    assert len(placed) == len(tables.exposures)
    pd.testing.assert_frame_equal(tables.entities[LEVELS], default.entities[LEVELS])
    assert tables.entities["rate_true"].equals(default.entities["rate_true"])


def test_creatives_have_the_activity_that_was_asked_for(default, large):
    assert default.entities["activity"].value_counts().to_dict() == {
        "sparse": 60, "regular": 59, "new": 1,
    }  # fmt: skip
    assert large.entities["activity"].value_counts()["sparse"] == 1000
    tables = simulate("creative_nested", seed=1, options={"sparse_share": 0.25, "n_new": 7})
    assert tables.entities["activity"].value_counts().to_dict() == {
        "regular": 83, "sparse": 30, "new": 7,
    }  # fmt: skip


def test_flights_are_as_long_as_the_activity_says(large):
    exposures = large.exposures.merge(large.entities[["creative", "activity"]], on="creative")
    weeks = sorted(large.aggregates["week"].unique())
    exposures["place"] = exposures["week"].map({week: i for i, week in enumerate(weeks)})
    flights = exposures.groupby(["activity", "creative"])["place"].agg(["min", "max", "nunique"])
    assert (flights["nunique"] == flights["max"] - flights["min"] + 1).all()  # without a break
    assert set(flights.loc["sparse", "nunique"]) == {1, 2}
    assert set(flights.loc["new", "min"]) == {51}
    in_geos = exposures.groupby(["activity", "creative"])["geo"].nunique()
    assert (in_geos.loc["sparse"] == 1).all()
    assert (in_geos.loc["new"] == 1).all()


@pytest.mark.statistical
def test_regular_creatives_fly_eight_weeks_on_average_in_most_geos():
    """In 60 weeks, next to no flight is as long as the period."""
    options = {**BROAD, "n_channels": 1, "n_weeks": 60, "n_geos": 3, "sparse_share": 0.0}
    tables = simulate("creative_nested", seed=4, options=options)
    flights = tables.exposures.groupby("creative")[["week", "geo"]].nunique().iloc[1:]  # always on
    law = stats.poisson(7.0)
    inner = flights["week"].clip(4, 13)
    expected = [law.cdf(3), *law.pmf(np.arange(4, 12)), law.sf(11)]
    observed = [(inner == length).sum() for length in range(4, 14)]
    assert stats.chisquare(observed, len(flights) * np.array(expected)).pvalue > FALSE_ALARM
    # One geo for sure, each of the two others with probability .8.
    expected = stats.binom(2, 0.8).pmf([0, 1, 2])
    observed = [(flights["geo"] == count).sum() for count in (1, 2, 3)]
    assert stats.chisquare(observed, len(flights) * expected).pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_exposures_are_lognormal_by_creative_and_cell():
    """With one cell, the geo is a common factor: log exposures are normal around its logarithm."""
    tables = simulate("creative_nested", seed=5, options=BROAD)
    exposures = tables.exposures.merge(tables.entities, on="creative")
    logs = np.log(exposures["exposure"])
    regular, sparse = (logs[exposures["activity"] == name] for name in ("regular", "sparse"))
    sd = math.hypot(0.5, 0.4)
    assert len(sparse) == len(regular) == 3000
    assert sd_is(regular - regular.mean(), sd)
    assert sd_is(sparse - sparse.mean(), sd)
    difference = regular.mean() - sparse.mean() - math.log(20.0)
    assert abs(difference) < Z * sd * math.sqrt(2 / 3000)


@pytest.mark.statistical
def test_new_creatives_have_a_seventh_of_the_usual_exposure():
    options = {**BROAD, "sparse_share": 0.0, "n_new": 3000}
    tables = simulate("creative_nested", seed=6, options=options)
    exposures = tables.exposures.merge(tables.entities, on="creative")
    logs = np.log(exposures["exposure"]).groupby(exposures["activity"]).mean()
    noise = math.hypot(0.5, 0.4) * math.sqrt(2 / 3000)
    assert abs(logs["regular"] - logs["new"] - math.log(7.0)) < Z * noise


@pytest.mark.statistical
def test_cells_of_a_flight_scatter():
    """In one geo, two weeks of a creative differ by the scatter of cells alone: sd .4 sqrt(2)."""
    options = {**BROAD, "n_weeks": 3, "sparse_share": 0.0}
    tables = simulate("creative_nested", seed=2, options=options)
    flights = tables.exposures.groupby("creative")["exposure"]
    differences = np.log(flights.last() / flights.first())[flights.size() > 1]
    assert len(differences) > 5000
    assert sd_is(differences, 0.4 * math.sqrt(2))
    assert stats.kstest(differences, stats.norm(0, 0.4 * math.sqrt(2)).cdf).pvalue > FALSE_ALARM


@pytest.mark.statistical
@pytest.mark.parametrize("depth", range(5))
def test_each_level_scatters_around_its_parent_with_its_own_sd(depth):
    options = {**BROAD, **FLAT, SPREADS[depth]: 0.5, "base_rate": 3.0}
    tables = simulate("creative_nested", seed=7, options=options)
    node = [*LEVELS, "creative"][: depth + 1]
    effects = np.log(tables.entities["rate_true"] / 3.0)
    by_node = effects.groupby([tables.entities[column] for column in node])
    assert (by_node.max() - by_node.min()).max() < 1e-8  # one effect for all creatives of a node
    drawn = by_node.first()
    assert len(drawn) == tables.options.sizes[depth]
    assert sd_is(drawn, 0.5)
    assert abs(drawn.mean()) < Z * 0.5 / math.sqrt(len(drawn))


@pytest.mark.statistical
def test_levels_scatter_independently():
    """The variance of the log rate is the sum over levels, at creatives of different channels."""
    tables = simulate("creative_nested", seed=8, options=BROAD)
    one_each = tables.entities.drop_duplicates("channel")
    sd = math.sqrt(0.4**2 + 3 * 0.3**2 + 0.4**2)
    assert sd_is(np.log(one_each["rate_true"] / 40.0), sd)


def test_covariates_move_the_rate_by_formula():
    options = {**FLAT, "base_rate": 5.0, "effect_log_seconds": -0.4, "effect_objective": 0.6}
    tables = simulate("creative_nested", seed=9, options=options)
    step = {"Awareness": 0.0, "Consideration": 0.3, "Conversion": 0.6}
    for creative in tables.entities.itertuples():
        log_rate = math.log(5.0) - 0.4 * math.log(creative.video_seconds / 15)
        wanted = math.exp(log_rate + step[creative.objective])
        assert creative.rate_true == pytest.approx(wanted, rel=1e-8)


def test_the_noise_of_a_cell_is_shared_by_its_creatives(default):
    spread = noise_per_cell(default)
    assert (spread["max"] / spread["min"] - 1).max() < 1e-7


@pytest.mark.statistical
@pytest.mark.parametrize("alpha", [20.0, 2.0])
def test_the_noise_is_gamma(alpha):
    tables = simulate("creative_nested", seed=10, options={**LARGE, "alpha": alpha})
    noise = noise_per_cell(tables)["min"]
    assert len(noise) == 1300
    assert stats.kstest(noise, stats.gamma(alpha, scale=1 / alpha).cdf).pvalue > FALSE_ALARM


@pytest.mark.statistical
def test_counts_are_poisson():
    options = {**LARGE, "family": "poisson", "base_rate": 2.0}
    tables = simulate("creative_nested", seed=11, options=options)
    assert tables.aggregates["total"].dtype == tables.exposures["amount"].dtype == np.int64
    rows = tables.exposures.merge(tables.entities[["creative", "rate_true"]], on="creative")
    expected = rows["rate_true"] * rows["exposure"]
    excess = rows["amount"] - expected
    assert abs(excess.sum()) < Z * math.sqrt(expected.sum())
    squares = excess**2 - expected  # mean zero, variance mu + 2 mu^2
    assert abs(squares.sum()) < Z * math.sqrt((expected + 2 * expected**2).sum())


@pytest.mark.parametrize("options", [{"family": "poisson"}, {"alpha": 3.0}])
def test_noise_changes_nothing_but_amounts(default, options):
    switched = simulate("creative_nested", seed=1, options=options)
    pd.testing.assert_frame_equal(switched.entities, default.entities)
    kept = [*CELL, "creative", "exposure"]
    pd.testing.assert_frame_equal(switched.exposures[kept], default.exposures[kept])
    assert not switched.exposures["amount"].equals(default.exposures["amount"])


@pytest.mark.parametrize("option", [*SPREADS, "effect_objective", "effect_log_seconds"])
def test_spreads_and_effects_change_nothing_but_rates_and_amounts(default, option):
    switched = simulate("creative_nested", seed=1, options={option: 0.7})
    kept = list(default.entities.columns[:-1])
    pd.testing.assert_frame_equal(switched.entities[kept], default.entities[kept])
    assert switched.exposures["exposure"].equals(default.exposures["exposure"])
    assert not switched.entities["rate_true"].equals(default.entities["rate_true"])


def test_the_smallest_tree():
    tables = simulate("creative_nested", seed=1, options=SMALLEST)
    assert len(tables.aggregates) == 1
    assert len(tables.exposures) == len(tables.entities) == 5
    assert tables.exposures["amount"].sum() == pytest.approx(tables.aggregates["total"].item())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_platforms": 4}, "n_platforms is 4 and n_channels is 4: take more of the former"),
        ({"n_creatives": 40}, "n_creatives is 40 and n_campaigns is 44"),
        ({"sparse_share": 1.0}, r"120 \+ 1 creatives of little exposure; at most 116 can be"),
        (
            {"n_new": 52, "total_level": "platform"},
            r"60 \+ 52 creatives of little exposure; at most 111 can be, as each platform needs",
        ),
        ({"n_creatives": 50_000, "n_weeks": 100, "n_geos": 5}, "25,000,000, more than the"),
        ({"family": "poisson", "alpha": 20.0}, "family 'poisson' has no alpha"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        simulate("creative_nested", seed=1, options=options)
