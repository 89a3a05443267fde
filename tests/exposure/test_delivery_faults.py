"""Every fault of delivery and periods is told with its rows, its value and a remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.exposure import ChannelTransform, DeliveryColumns, build_exposures

COLUMNS = DeliveryColumns(entity="creative", channel="channel", period="week", geo="geo")
WEEKS = ["2025-W01", "2025-W02", "2025-W03"]
UNEQUAL = "carry-over needs equal steps, and some are wider than others: "
TRANSFORMS = {"TV": ChannelTransform()}


def delivery(**changes):
    table = pd.DataFrame(
        {
            "creative": ["a", "b", "a"],
            "channel": "TV",
            "geo": ["north", "north", "south"],
            "week": WEEKS,
            "delivery": [1.0, 2.0, 3.0],
        }
    )
    return table.assign(**changes)


def faults(table=None, transforms=TRANSFORMS, periods=WEEKS, history=(), columns=COLUMNS):
    table = delivery() if table is None else table
    with pytest.raises(DataError) as caught:
        build_exposures(
            table,
            transforms,
            columns=columns,
            periods=periods,
            history=history,
            semantics="own_curve",
        )
    return caught.value.findings


def only(*args, **options):
    (finding,) = faults(*args, **options)
    assert finding.severity == "error"
    assert finding.remedy
    return finding


def test_a_misspelt_channel_is_named_with_the_nearest_one():
    finding = only(delivery(channel=["TV", "Tv", "TV"]))
    assert finding.code == "unknown-channel"
    assert finding.where == "delivery, row 2"
    assert finding.message == (
        "there is no transform for the channel 'Tv' (1 row): "
        "channel 'Tv', geo 'north', week '2025-W02', creative 'b'"
    )
    assert finding.remedy == "did you mean 'TV'? add one; there are transforms for 'TV'"


def test_every_unknown_channel_is_listed():
    found = faults(delivery(channel=["TV", "Radio", "Print"]))
    assert [f.where for f in found] == ["delivery, row 2", "delivery, row 3"]
    assert "no channel" in only(transforms={}).remedy


def test_a_geo_without_parameters_is_named():
    finding = only(transforms={("TV", "south"): ChannelTransform()})
    assert finding.code == "missing-geo"
    assert finding.where == "delivery, rows 1 and 2"
    assert finding.message.startswith("the channel 'TV' has no transform in this geo (2 rows):")
    assert finding.remedy.endswith("there are transforms for 'south'")


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("negative-delivery", -0.5, "delivery is negative (1 row): '-0.5' (channel 'TV', geo"),
        ("missing-delivery", np.nan, "delivery is not a number (1 row): '' (channel 'TV', geo"),
        ("infinite-delivery", np.inf, "delivery is infinite (1 row): 'inf' (channel 'TV', geo"),
        ("missing-delivery", "many", "delivery is not a number (1 row): 'many' (channel"),
    ],
)
def test_delivery_that_is_no_amount_is_shown(code, value, shown):
    finding = only(delivery(delivery=[1.0, value, 3.0]))
    assert (finding.code, finding.where) == (code, "delivery, row 2")
    assert finding.message.startswith(shown)
    assert finding.remedy == "correct the source; where nothing was delivered write 0, or no row"


@pytest.mark.parametrize("week", ["2025-W04", "2024-W52", "week 1"])
def test_a_period_beyond_the_aggregates_is_shown(week):
    finding = only(delivery(week=["2025-W01", week, "2025-W03"]))
    assert (finding.code, finding.where) == ("unknown-period", "delivery, row 2")
    assert finding.message == (
        "the period is not among those of the aggregates, '2025-W01' to '2025-W03' (1 row): "
        f"'{week}' (channel 'TV', geo 'north', creative 'b')"
    )
    assert "give earlier periods as history" in finding.remedy


def test_repeated_rows_are_all_cited():
    table = pd.concat([delivery(), delivery().iloc[[0, 0]]])
    finding = only(table)
    assert (finding.code, finding.where) == ("duplicate-delivery", "delivery, rows 1, 4 and 5")
    assert finding.remedy == "add these rows up, or correct their keys"


@pytest.mark.parametrize("column", ["creative", "channel", "geo", "week"])
@pytest.mark.parametrize("blank", [None, "  "])
def test_a_blank_key_is_cited_and_counted_as_nothing_else(column, blank):
    table = delivery()
    table[column] = [*table[column][:2], blank]
    finding = only(table)
    assert (finding.code, finding.where) == ("blank-key", "delivery, row 3")
    assert f"{column} '{blank or ''}'" in finding.message


def test_faults_of_different_kinds_are_told_together():
    table = delivery(delivery=[-1, 2, 3], week=["2025-W01", "2025-W09", "2025-W03"])
    assert [f.code for f in faults(table)] == ["negative-delivery", "unknown-period"]


def test_only_the_first_rows_are_shown():
    table = pd.concat([delivery()] * 4, ignore_index=True).assign(creative=list("abcdefghijkl"))
    finding = only(table.assign(delivery=-1.0))
    assert finding.where == "delivery, rows 1, 2, 3, 4, 5 and 7 more"
    assert finding.message.endswith("and 7 more")


def test_missing_columns_are_told_with_what_is_there():
    found = faults(delivery().drop(columns="geo").rename(columns={"delivery": "delivered"}))
    assert [f.message for f in found] == [
        "there is no column 'geo'",
        "there is no column 'delivery'",
    ]
    assert found[1].remedy == (
        "did you mean 'delivered'? the columns are creative, channel, week, delivered"
    )


def test_a_table_without_rows_is_an_error():
    assert only(delivery().iloc[:0]).code == "no-rows"


@pytest.mark.parametrize(
    ("periods", "history", "code", "message"),
    [
        ([], [], "no-periods", "there are no periods"),
        ([*WEEKS, WEEKS[0]], [], "repeated-period", "given more than once: '2025-W01'"),
        (WEEKS, WEEKS[:1], "repeated-period", "given more than once: '2025-W01'"),
        (
            WEEKS[::-1],
            [],
            "unsorted-periods",
            "not in the order of time: '2025-W03' to '2025-W02' and '2025-W02' to '2025-W01'",
        ),
        (
            ["2025-W01", "2025-W02", "2025-W04"],
            [],
            "irregular-periods",
            f"{UNEQUAL}'2025-W02' to '2025-W04'",
        ),
        (
            WEEKS,
            ["2024-W51"],
            "irregular-periods",
            f"{UNEQUAL}'2024-W51' to '2025-W01'",
        ),
        (
            ["2025-W01", "2025-02", "2025-W03"],
            [],
            "unordered-period",
            "no place in the order of the other periods for '2025-02'",
        ),
    ],
)
def test_periods_that_are_no_regular_axis_are_refused(periods, history, code, message):
    finding = only(periods=periods, history=history)
    assert (finding.code, finding.where, finding.message) == (code, "periods", message)


@pytest.mark.parametrize(
    "periods",
    [
        pd.date_range("2025-01-31", periods=4, freq="ME"),
        pd.date_range("2025-01-06", periods=4, freq="W-MON"),
        pd.period_range("2025-01", periods=4, freq="M"),
        pd.date_range("2025-03-30", periods=4, freq="h", tz="Europe/Berlin"),
        ["2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2"],
        ["2024-12-30", "2024-12-31", "2025-01-01", "2025-01-02"],
        [8, 9, 10, 11],
        ["8", "9", "10", "11"],
        ["W08", "W09", "W10", "W11"],
    ],
    ids=str,
)
def test_regular_periods_of_any_form_are_taken_as_they_are(periods):
    table = pd.DataFrame(
        {"creative": "a", "channel": "TV", "geo": "north", "week": periods, "delivery": 1.0}
    )
    found = build_exposures(
        table.iloc[::-1], TRANSFORMS, columns=COLUMNS, periods=periods, semantics="own_curve"
    )
    assert found["week"].tolist() == list(periods)
    assert found["exposure"].tolist() == [1.0] * 4


def test_a_missing_hour_is_a_gap_in_the_axis():
    hours = pd.date_range("2025-03-30", periods=6, freq="h").delete(2)
    table = delivery(week=hours[:3])
    assert only(table, periods=hours).code == "irregular-periods"


def test_unknown_semantics_are_refused():
    with pytest.raises(ValueError, match="must be one of own_curve, channel_curve; got 'both'"):
        build_exposures(delivery(), TRANSFORMS, columns=COLUMNS, periods=WEEKS, semantics="both")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "a", "week"), "columns must differ from each other; 'a' is named twice"),
        (("a", "b", "week", "exposure"), "'exposure' is the name of the result; rename"),
    ],
)
def test_columns_must_have_names_of_their_own(names, message):
    with pytest.raises(ValueError, match=message):
        DeliveryColumns(*names)


def test_a_scale_must_be_positive():
    with pytest.raises(ValueError, match="scale must be positive; got 0"):
        ChannelTransform(scale=0)
