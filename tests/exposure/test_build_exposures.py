"""Exposures from delivery against their definition, and what must not change them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.exposure import (
    SEMANTICS,
    BinomialAdstock,
    ChannelTransform,
    DelayedAdstock,
    DeliveryColumns,
    GeometricAdstock,
    HillSaturation,
    LogisticSaturation,
    MichaelisMentenSaturation,
    NoSaturation,
    RootSaturation,
    TanhSaturation,
    WeibullCdfAdstock,
    WeibullPdfAdstock,
    build_exposures,
)

COLUMNS = DeliveryColumns(entity="creative", channel="channel", period="week", geo="geo")
PERIODS = list(range(101, 113))
HISTORY = [98, 99, 100]
CHANNELS = ("TV", "Social")
GEOS = ("north", "south")
KEYS = ["channel", "geo", "week", "creative"]

UNIT = st.floats(0.05, 0.95)
SIZE = st.floats(0.2, 5)
LAGS = st.integers(1, 6)


@st.composite
def transforms(draw):
    adstock = draw(
        st.one_of(
            st.builds(GeometricAdstock, UNIT, st.one_of(st.none(), LAGS), st.booleans()),
            st.builds(BinomialAdstock, UNIT, LAGS, st.booleans()),
            st.builds(DelayedAdstock, UNIT, st.just(1.0), st.integers(2, 6), st.booleans()),
            st.builds(WeibullPdfAdstock, SIZE, SIZE, LAGS, st.booleans()),
            st.builds(WeibullCdfAdstock, SIZE, SIZE, LAGS, st.booleans()),
        )
    )
    saturation = draw(
        st.one_of(
            st.builds(HillSaturation, SIZE, SIZE),
            st.builds(LogisticSaturation, SIZE),
            st.builds(TanhSaturation, SIZE, SIZE),
            st.builds(MichaelisMentenSaturation, SIZE, SIZE),
            st.builds(RootSaturation, UNIT),
            st.just(NoSaturation()),
        )
    )
    return ChannelTransform(adstock, saturation, draw(SIZE), draw(st.booleans()))


@st.composite
def tables(draw):
    """Delivery of a few creatives in a few cells, with gaps, in any order of rows."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [CHANNELS, GEOS, [*HISTORY, *PERIODS], ["a", "b", "c"]], names=KEYS
    )
    table = index.to_frame(index=False)
    table["delivery"] = rng.gamma(1.0, 3.0, len(table)) * (rng.random(len(table)) < 0.8)
    rows = rng.permutation(len(table))[: draw(st.integers(1, len(table)))]
    table = table.iloc[rows].reset_index(drop=True)
    table.loc[0, "delivery"] += 1.0
    return table


@st.composite
def transform_tables(draw):
    """One transform per channel; one geo of one channel has its own."""
    found = {channel: draw(transforms()) for channel in CHANNELS}
    return found | {("Social", "north"): draw(transforms())}


def by_definition(table, chosen, semantics):
    """Exposure of every (channel, geo, week, creative), one number at a time."""
    weeks = [*HISTORY, *PERIODS]
    found = {}
    for (channel, geo), rows in table.groupby(["channel", "geo"]):
        transform = chosen.get((channel, geo), chosen[channel])
        weights, curve = transform.adstock.weights(), transform.saturation.of
        given_rows = rows.set_index(["creative", "week"])["delivery"].to_dict()
        creatives = rows["creative"].unique()
        x = np.array([[given_rows.get((e, w), 0.0) for w in weeks] for e in creatives])
        x = x / transform.scale

        def carried(values, weights=weights):
            out = np.zeros_like(values)
            for t in range(len(weeks)):
                for lag in range(min(t + 1, len(weights))):
                    out[:, t] += weights[lag] * values[:, t - lag]
            return out

        def saturated(values, curve=curve):
            if semantics == "own_curve":
                return curve(values)
            total = values.sum(axis=0)
            part = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
            return curve(total) * part

        first, second = (saturated, carried) if transform.saturation_first else (carried, saturated)
        exposure = second(first(x))
        for i, creative in enumerate(creatives):
            for j, week in enumerate(weeks):
                if week in PERIODS and exposure[i, j] > 0:
                    found[channel, geo, week, creative] = exposure[i, j]
    return pd.Series(found, dtype=float)


def exposures(table, chosen, semantics, **options):
    options = {"columns": COLUMNS, "periods": PERIODS, "history": HISTORY} | options
    return build_exposures(table, chosen, semantics=semantics, **options)


def keyed(found):
    series = found[found["exposure"] > 0].set_index(KEYS)["exposure"]
    assert series.index.is_unique
    return series.sort_index()


def same(one, other, **tolerances):
    pd.testing.assert_series_equal(
        one, other, check_names=False, check_index_type=False, check_dtype=False, **tolerances
    )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(tables(), transform_tables(), st.sampled_from(SEMANTICS))
def test_exposures_are_what_their_definition_says(table, chosen, semantics):
    wanted = by_definition(table, chosen, semantics)
    wanted.index = wanted.index if len(wanted) else pd.MultiIndex.from_arrays([[]] * 4)
    same(keyed(exposures(table, chosen, semantics)), wanted.sort_index(), rtol=1e-10, atol=1e-13)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(tables(), transform_tables(), st.sampled_from(SEMANTICS))
def test_a_row_of_zero_is_a_gap(table, chosen, semantics):
    with_zeros = exposures(table, chosen, semantics)
    without = exposures(table[table["delivery"] > 0], chosen, semantics)
    same(keyed(with_zeros), keyed(without), rtol=1e-14, atol=1e-300)
    assert ((with_zeros["delivery"] > 0) | (with_zeros["exposure"] > 0)).all()


@settings(derandomize=True, deadline=None, max_examples=25)
@given(tables(), transform_tables(), st.floats(0.05, 0.95))
def test_under_the_channel_curve_splitting_an_entity_changes_only_names(table, chosen, part):
    whole = table["creative"] == "a"
    pieces = [
        table[~whole],
        table[whole].assign(creative="a1", delivery=lambda t: t["delivery"] * part),
        table[whole].assign(creative="a2", delivery=lambda t: t["delivery"] * (1 - part)),
    ]
    before = keyed(exposures(table, chosen, "channel_curve"))
    after = keyed(exposures(pd.concat(pieces, ignore_index=True), chosen, "channel_curve"))
    named = after.index.get_level_values("creative")
    others = before[before.index.get_level_values("creative") != "a"]
    same(after[~named.isin(["a1", "a2"])], others, rtol=1e-12, atol=1e-300)
    mine = before[before.index.get_level_values("creative") == "a"].droplevel("creative")
    for name, share in (("a1", part), ("a2", 1 - part)):
        same(after[named == name].droplevel("creative"), share * mine, rtol=1e-12, atol=1e-300)


def test_under_the_own_curve_splitting_an_entity_does_change_it():
    table = pd.DataFrame(
        {"creative": ["a"], "channel": "TV", "geo": "north", "week": 101, "delivery": 4.0}
    )
    chosen = {"TV": ChannelTransform(saturation=HillSaturation(4.0, 1.0))}
    assert exposures(table, chosen, "own_curve")["exposure"].tolist() == [0.5]
    halves = pd.concat([table.assign(creative=name, delivery=2.0) for name in ("a1", "a2")])
    assert exposures(halves, chosen, "own_curve")["exposure"].sum() == pytest.approx(2 / 3)
    assert exposures(halves, chosen, "channel_curve")["exposure"].tolist() == [0.25, 0.25]


@settings(derandomize=True, deadline=None, max_examples=25)
@given(tables(), transform_tables(), st.sampled_from(SEMANTICS), st.integers(1, 5))
def test_what_is_delivered_later_works_later(table, chosen, semantics, shift):
    """Shifted in time, all else equal; the axis is long enough for both."""
    periods = range(90, 160)
    chosen = {
        key: ChannelTransform(t.adstock, t.saturation, t.scale, t.saturation_first)
        for key, t in chosen.items()
    }
    options = {"periods": periods, "history": ()}
    before = exposures(table, chosen, semantics, **options)
    later = table.assign(week=table["week"] + shift)
    after = exposures(later, chosen, semantics, **options)
    after = after[after["week"] - shift < 150].assign(week=after["week"] - shift)
    same(keyed(before[before["week"] < 150]), keyed(after), rtol=1e-13, atol=1e-300)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(tables(), transform_tables())
def test_under_the_channel_curve_no_more_delivery_lowers_the_channel(table, chosen):
    more = table.assign(delivery=table["delivery"] * 1.5)
    cell = ["channel", "geo", "week"]
    before = exposures(table, chosen, "channel_curve").groupby(cell)["exposure"].sum()
    after = exposures(more, chosen, "channel_curve").groupby(cell)["exposure"].sum()
    assert (after >= before.reindex(after.index, fill_value=0.0) * (1 - 1e-12)).all()


@settings(derandomize=True, deadline=None, max_examples=25)
@given(tables(), transform_tables(), st.sampled_from(SEMANTICS), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(table, chosen, semantics, random):
    order = list(range(len(table)))
    random.shuffle(order)
    one = keyed(exposures(table, chosen, semantics))
    other = keyed(exposures(table.iloc[order], chosen, semantics))
    same(one, other, rtol=1e-12, atol=1e-300)


def test_carry_over_goes_on_after_the_last_day_and_ends_with_the_periods():
    table = pd.DataFrame(
        {"creative": "a", "channel": "TV", "geo": "north", "week": [101, 102], "delivery": 8.0}
    )
    endless = {"TV": ChannelTransform(GeometricAdstock(0.5, normalise=False))}
    found = exposures(table, endless, "own_curve")
    assert found["week"].tolist() == PERIODS
    assert found["delivery"].tolist() == [8.0, 8.0] + [0.0] * 10
    assert found["exposure"].tolist() == [8.0] + [12.0 * 0.5**k for k in range(11)]
    ending = {"TV": ChannelTransform(GeometricAdstock(0.5, l_max=3, normalise=False))}
    assert exposures(table, ending, "own_curve")["week"].tolist() == [101, 102, 103, 104]


def test_delivery_of_history_is_carried_over_and_has_no_rows_of_its_own():
    table = pd.DataFrame(
        {"creative": "a", "channel": "TV", "geo": "north", "week": [100], "delivery": 8.0}
    )
    chosen = {"TV": ChannelTransform(GeometricAdstock(0.5, l_max=3, normalise=False))}
    found = exposures(table, chosen, "own_curve")
    assert found["week"].tolist() == [101, 102]
    assert found["exposure"].tolist() == [4.0, 2.0]


def test_delivery_that_does_not_yet_work_keeps_its_row():
    table = pd.DataFrame(
        {"creative": "a", "channel": "TV", "geo": "north", "week": [101], "delivery": 8.0}
    )
    chosen = {"TV": ChannelTransform(DelayedAdstock(0.0, 2, l_max=3))}
    found = exposures(table, chosen, "own_curve")
    assert found[["week", "delivery", "exposure"]].to_numpy().tolist() == [[101, 8, 0], [103, 0, 8]]


def test_a_table_that_delivers_nothing_has_no_exposures():
    table = pd.DataFrame(
        {"creative": ["a"], "channel": "TV", "geo": "north", "week": 101, "delivery": 0.0}
    )
    for semantics in SEMANTICS:
        found = exposures(table, {"TV": ChannelTransform()}, semantics)
        assert list(found.columns) == ["channel", "geo", "week", "creative", "delivery", "exposure"]
        assert len(found) == 0


def test_further_keys_stay_apart_and_columns_keep_their_names():
    columns = DeliveryColumns("ad", "medium", "day", "clicks", others=("product",))
    table = pd.DataFrame(
        {
            "ad": ["x", "x"],
            "medium": "TV",
            "product": ["shoes", "hats"],
            "day": pd.to_datetime(["2025-03-01", "2025-03-02"]),
            "clicks": [3, 5],
            "note": "kept out",
        }
    )
    days = pd.date_range("2025-03-01", periods=3)
    found = build_exposures(
        table,
        {"TV": ChannelTransform(GeometricAdstock(0.5, 2, normalise=False))},
        columns=columns,
        periods=days,
        semantics="channel_curve",
    )
    assert list(found.columns) == ["medium", "product", "day", "ad", "clicks", "exposure"]
    assert found["product"].tolist() == ["shoes", "shoes", "hats", "hats"]
    assert found["day"].tolist() == [days[0], days[1], days[1], days[2]]
    assert found["exposure"].tolist() == [3.0, 1.5, 5.0, 2.5]


def test_the_table_given_is_left_alone():
    table = pd.DataFrame(
        {"creative": ["b", "a"], "channel": "TV", "geo": "north", "week": 101, "delivery": [1, 2]}
    )
    copy = table.copy()
    exposures(table, {"TV": ChannelTransform(GeometricAdstock(0.5, 3))}, "channel_curve")
    pd.testing.assert_frame_equal(table, copy)


def test_many_rows_cost_memory_in_proportion_to_how_long_series_work():
    """10,000 entities on 20 of 5,000 days each: a full grid would hold 50 million numbers."""
    rng = np.random.default_rng(3)
    start = np.repeat(rng.integers(0, 4900, 10_000), 20)
    table = pd.DataFrame(
        {
            "creative": np.repeat(np.arange(10_000), 20),
            "channel": "TV",
            "geo": "north",
            "week": start + np.tile(np.arange(20), 10_000),
            "delivery": rng.gamma(1.0, 1.0, 200_000),
        }
    )
    transform = ChannelTransform(GeometricAdstock(0.6, 8), NoSaturation())
    found = exposures(table, {"TV": transform}, "channel_curve", periods=range(5000), history=())
    assert len(found) == 10_000 * 27
    assert found["exposure"].sum() == pytest.approx(table["delivery"].sum(), rel=1e-12)


def test_one_period_is_an_axis_too():
    table = pd.DataFrame(
        {"creative": ["a"], "channel": "TV", "geo": "north", "week": 101, "delivery": 4.0}
    )
    chosen = {"TV": ChannelTransform(GeometricAdstock(0.5, normalise=False))}
    found = exposures(table, chosen, "channel_curve", periods=[101], history=())
    assert found["exposure"].tolist() == [4.0]


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.astype({"channel": "category", "creative": "category"}),
        lambda table: table.astype({"delivery": "Int64", "week": "Int64"}),
        lambda table: table.convert_dtypes(dtype_backend="pyarrow"),
        lambda table: table.astype(object),
        lambda table: table.set_axis([7, 7, 7]),
    ],
)
def test_columns_of_other_types_are_read_the_same(change):
    table = pd.DataFrame(
        {
            "creative": ["a", "b", "a"],
            "channel": "TV",
            "geo": "north",
            "week": [101, 101, 103],
            "delivery": [4, 2, 1],
        }
    )
    chosen = {"TV": ChannelTransform(GeometricAdstock(0.5, 3), HillSaturation(2.0, 1.5))}
    same(
        keyed(exposures(change(table), chosen, "channel_curve").astype({"creative": str})),
        keyed(exposures(table, chosen, "channel_curve")),
        rtol=1e-14,
        atol=1e-300,
        check_categorical=False,
    )
