"""Time stamps, clocks that change, and days of periods; pandas is the independent computation."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.attribution.downscaling.carry_over import NOTHING, carried_over
from bayes_attrib.attribution.downscaling.clock import (
    in_zone,
    microseconds,
    read_stamps,
    state_of,
    zone_of,
)
from bayes_attrib.attribution.downscaling.options import ProfileOptions, half_life_findings
from bayes_attrib.attribution.downscaling.period_days import days_of
from bayes_attrib.inputs.unavailable import UnavailableError

ZONES = ("Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")


@pytest.mark.parametrize("zone", ZONES)
@given(minutes=st.integers(0, 2 * 366 * 24 * 4))
@settings(max_examples=150, deadline=None)
def test_local_times_are_those_of_pandas(zone, minutes):
    local = dt.datetime.fromisoformat("2024-01-01T00:00") + dt.timedelta(minutes=15 * minutes)
    state = state_of(local, ZoneInfo(zone))
    stamp = pd.Timestamp(local)
    if state == "skipped":
        with pytest.raises(ValueError, match="nonexistent"):
            stamp.tz_localize(zone)
        return
    for later in (False, True):
        expected = stamp.tz_localize(zone, ambiguous=not later)  # True is summer time, the earlier
        assert microseconds(in_zone(local, ZoneInfo(zone), later=later)) == expected.value // 1000
    one, other = (in_zone(local, ZoneInfo(zone), later=later) for later in (False, True))
    assert (one != other) == (state == "twice")


@pytest.mark.parametrize(
    ("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-01", 24)]
)
def test_a_day_has_as_many_hours_as_its_clock_shows(day, hours):
    zone, start = ZoneInfo("Europe/Madrid"), dt.datetime.fromisoformat(day)
    states = [state_of(start + dt.timedelta(hours=hour), zone) for hour in range(24)]
    counted = {"plain": 1, "skipped": 0, "twice": 2}
    assert sum(counted[state] for state in states) == hours


def test_stamps_of_texts():
    cells = pa.chunked_array(
        [["2025-03-30", "2025-03-30 01:30", "2025-03-30T01:30:00.25", None, "30.3.2025", ""]]
    )
    found = read_stamps(cells)
    assert found.code.tolist() == [0, 1, 2, -1, -1, -1]
    assert found.moments == (
        dt.date(2025, 3, 30),
        dt.datetime.fromisoformat("2025-03-30T01:30"),
        dt.datetime.fromisoformat("2025-03-30T01:30:00.250"),
    )


@pytest.mark.parametrize(
    "text",
    ["2025-02-30", "2025-01-01T25:00", "2025-W03-1", "20250101", "2025-01-01T10:00+25:00", "now"],
)
def test_other_texts_are_no_times(text):
    assert read_stamps(pa.chunked_array([[text]])).code.tolist() == [-1]


def test_equal_instants_are_one_moment():
    texts = ["2025-03-30T01:00+01:00", "2025-03-30T00:00Z", "2025-03-30 02:00+0200"]
    assert read_stamps(pa.chunked_array([texts])).code.tolist() == [0, 0, 0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Madrid"])
def test_stored_times_are_read(unit, zone):
    times = pd.date_range("2025-10-26", periods=5, freq="h", tz=zone)
    cells = pa.chunked_array([pa.array(times.append(times)).cast(pa.timestamp(unit, tz=zone))])
    found = read_stamps(cells.slice(0))
    assert found.code.tolist() == [*range(5), *range(5)]
    assert [microseconds(m) for m in found.moments] == [t.value // 1000 for t in times]
    assert found.is_aware.all() == (zone is not None)


def test_stored_dates_and_dictionaries_are_read():
    dates = pa.chunked_array([pa.array([dt.date(2025, 1, 2), dt.date(2025, 1, 1), None])])
    assert read_stamps(dates).moments == (dt.date(2025, 1, 2), dt.date(2025, 1, 1))
    coded = pa.chunked_array([pa.array(["2025-01-02", "2025-01-01"]).dictionary_encode()] * 2)
    assert read_stamps(coded).code.tolist() == [0, 1, 0, 1]
    with pytest.raises(TypeError, match="double"):
        read_stamps(pa.chunked_array([[1.5]]))


def test_a_misspelt_zone_names_the_nearest():
    with pytest.raises(UnavailableError, match="no time zone 'Europe/Madird'") as found:
        zone_of("Europe/Madird")
    assert "did you mean Europe/Madrid?" in found.value.findings[0].remedy


@pytest.mark.parametrize(
    ("labels", "dates", "words"),
    [
        (["2025-W13"], "start", "2025-03-24 to 2025-03-30"),
        (["2020-W53"], "start", "2020-12-28 to 2021-01-03"),
        (["2025-12", "2024-02"], "start", "2025-12-01 to 2025-12-31"),
        (["2024-02", "2025-12"], "start", "2024-02-01 to 2024-02-29"),
        (["2025-Q4"], "start", "2025-10-01 to 2025-12-31"),
        (["2025-01-06", "2025-01-13", "2025-01-27"], "start", "2025-01-06 to 2025-01-12"),
        (["2025-01-05", "2025-01-12"], "end", "2024-12-30 to 2025-01-05"),
        (["2025-01-02", "2025-01-03"], "start", "2025-01-02"),
        (["2025-01-01", "2025-02-01"], "start", "2025-01-01 to 2025-01-31"),
        (["2024-12-15", "2025-01-15"], "end", "2024-11-16 to 2024-12-15"),
        (["2025-01-01", "2025-04-01"], "start", "2025-01-01 to 2025-03-31"),
        (["2025-02-28", "2025-03-31"], "start", "2025-02-01 to 2025-02-28"),
    ],
)
def test_days_of_periods(labels, dates, words):
    days = days_of(labels, dates=dates)
    assert days.words(0) == words
    first, _, last = words.partition(" to ")
    bounds = [dt.date.fromisoformat(day).toordinal() for day in (first, last or first)]
    inside = np.array([bounds[0] - 1, *bounds, bounds[1] + 1])
    assert days.hold(np.zeros(4, int), inside).tolist() == [False, True, True, False]
    assert (days.period_of(inside)[1:3] == 0).all()
    assert days.period_of(inside)[0] != 0
    assert days.period_of(inside)[3] != 0


@pytest.mark.parametrize("labels", [["W01"], ["1", "2"], ["2025-01-06"], [], ["2025-01", "spring"]])
def test_labels_that_do_not_tell_days(labels):
    assert days_of(labels) is None


def test_days_between_periods_are_in_none():
    days = days_of(["2025-W10", "2025-W12"])
    between = dt.date(2025, 3, 12).toordinal()
    assert days.period_of(np.array([between, between + 7, 1])).tolist() == [-1, 1, -1]


@given(
    steps=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    half_life=st.floats(0.5, 40.0),
    seed=st.integers(0, 1000),
)
@settings(max_examples=100, deadline=None)
def test_carry_over_is_the_sum_of_what_is_left(steps, half_life, seed):
    instants = np.cumsum(steps)
    rng = np.random.default_rng(seed)
    delivery = rng.gamma(1.0, 1.0, (len(steps), 2)) * (rng.random((len(steps), 2)) < 0.5)
    age = instants[:, np.newaxis] - instants
    left = np.where(age >= 0, 2.0 ** (-np.maximum(age, 0) / half_life), 0.0)
    expected = left @ delivery
    expected[expected < NOTHING * expected.max(axis=0)] = 0.0
    found = carried_over(delivery, instants, half_life)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * expected.max(initial=1e-3))


@pytest.mark.parametrize(
    ("text", "hours"), [("90min", 1.5), ("6h", 6.0), ("2d", 48.0), ("0.5 h", 0.5), (" 1h ", 1.0)]
)
def test_half_lives(text, hours):
    options = ProfileOptions(half_life=text)
    assert options.half_life_microseconds == hours * 3.6e9
    assert half_life_findings(options) == []


@pytest.mark.parametrize("text", ["6", "0h", "-1h", "6 hours", "", "1e9h", "99999999d"])
def test_other_texts_are_no_half_lives(text):
    [finding] = half_life_findings(ProfileOptions(half_life=text))
    assert "90min, 6h or 2d" in finding.remedy
