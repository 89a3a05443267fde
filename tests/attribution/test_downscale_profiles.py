"""Profiles as they are read: short and long days, gaps, stand-ins, carry-over, and faults."""

import numpy as np
import pandas as pd
import pytest
from downscaled_cells import CREATIVES, hours_of, make_cells, shares_of, write_profile
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.attribution.downscaling import ProfileOptions, assign_profiles, read_profile
from bayes_attrib.errors import DataError

MADRID = "Europe/Madrid"
KEYED = ("week", "creative", "timestamp", "delivery")


def assign(path, cells, **options):
    chosen = ProfileOptions(**options)
    table = read_profile(path, cells, chosen)
    return assign_profiles(table, cells, chosen), table


def assign_rows(tmp_path, rows, columns=("timestamp", "delivery"), cells=None, **options):
    cells = make_cells() if cells is None else cells
    return assign(write_profile(tmp_path / "p.csv", rows, columns), cells, **options)


def fault_of(tmp_path, rows, columns=("timestamp", "delivery"), cells=None, **options):
    with pytest.raises(DataError) as found:
        assign_rows(tmp_path, rows, columns, cells, **options)
    return str(found.value)


def two_weeks():
    """A row per day of both weeks, for everybody."""
    return [(day.date(), 1 + i) for i, day in enumerate(pd.date_range("2025-03-17", periods=14))]


def test_days_for_everybody(tmp_path):
    assigned, table = assign_rows(tmp_path, two_weeks())
    weights = np.arange(8.0, 15.0)
    found = shares_of(assigned, table, 4)
    assert found.index.tolist() == [f"2025-03-{day}" for day in range(24, 31)]
    np.testing.assert_allclose(found, weights / weights.sum(), rtol=1e-14)
    assert assigned.cells_by_source == {"own": 8, "group": 0, "even": 0}
    assert assigned.n_unused == 0
    assert table.days_checked


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [("2025-03-24", "2025-03-31", 167), ("2025-10-20", "2025-10-27", 169)],
)
@pytest.mark.parametrize("form", ["offsets", "local", "stored", "utc"])
def test_weeks_in_which_clocks_change(tmp_path, start, end, hours, form):
    """167 and 169 hours, each once, whichever way their times are written."""
    times = hours_of(start, end)
    assert len(times) == hours
    delivery = np.arange(1.0, hours + 1.0)
    path = tmp_path / "p.csv"
    if form == "stored":
        path = tmp_path / "p.parquet"
        pd.DataFrame({"timestamp": times, "delivery": delivery}).to_parquet(path)
    else:
        texts = {
            "offsets": [time.isoformat() for time in times],
            "local": [time.strftime("%Y-%m-%d %H:%M") for time in times],
            "utc": [time.tz_convert("UTC").isoformat() for time in times],
        }[form]
        write_profile(path, zip(texts, delivery, strict=True))
    week = times[0].strftime("%G-W%V")
    assigned, table = assign(path, make_cells((week,)), zone=MADRID)
    found = shares_of(assigned, table, 0)
    assert found.index.tolist() == [time.isoformat() for time in times]
    np.testing.assert_allclose(found, delivery / delivery.sum(), rtol=1e-14)
    assert table.n_twice == (2 if form == "local" and hours == 169 else 0)


def test_days_are_those_of_the_zone(tmp_path):
    """Sunday 22:30 in UTC is Monday in Madrid in summer."""
    row = [("2025-06-08T22:30Z", 1)]
    assigned, table = assign_rows(tmp_path, row, cells=make_cells(("2025-W24",)), zone=MADRID)
    assert shares_of(assigned, table, 0).index.tolist() == ["2025-06-09T00:30:00+02:00"]
    with pytest.raises(DataError, match="no row for cells"):
        assign_rows(tmp_path, row, cells=make_cells(("2025-W24",)))


@pytest.mark.parametrize(("chosen", "offset"), [("earlier", "+02:00"), ("later", "+01:00")])
def test_one_row_at_a_time_that_occurs_twice(tmp_path, chosen, offset):
    rows = [("2025-10-26 01:30", 1), ("2025-10-26 02:30", 1)]
    cells = make_cells(("2025-W43",))
    assigned, table = assign_rows(tmp_path, rows, cells=cells, zone=MADRID, ambiguous=chosen)
    assert shares_of(assigned, table, 0).index[1] == f"2025-10-26T02:30:00{offset}"
    text = fault_of(tmp_path, rows, cells=cells, zone=MADRID)
    assert "[ambiguous-time] p.csv, line 3" in text
    assert "--ambiguous earlier" in text


def test_zeros_and_missing_hours(tmp_path):
    """A zero is a slot with nothing in it; an hour without a row is no slot at all."""
    rows = [("2025-03-17 00:00", 0), ("2025-03-17 05:00", 3), ("2025-03-23 23:00", 1)]
    assigned, table = assign_rows(tmp_path, rows, cells=make_cells(("2025-W12",)))
    assert shares_of(assigned, table, 0).tolist() == [0.0, 0.75, 0.25]


def test_profiles_by_entity_and_by_group(tmp_path):
    by_creative = [("2025-W12", name, "2025-03-17", 1 + i) for i, name in enumerate(CREATIVES)] + [
        ("2025-W12", name, "2025-03-18", 1) for name in CREATIVES
    ]
    cells = make_cells(("2025-W12",))
    assigned, table = assign_rows(tmp_path, by_creative, KEYED, cells)
    found = [shares_of(assigned, table, cell).iloc[0] for cell in range(4)]
    np.testing.assert_allclose(found, [1 / 2, 2 / 3, 3 / 4, 4 / 5])
    columns = ("channel", "timestamp", "delivery")
    by_channel = [
        (channel, f"2025-03-{17 + day}", 1 + day * (channel == "Social"))
        for channel in ("Search", "Social")
        for day in range(2)
    ]
    assigned, table = assign_rows(tmp_path, by_channel, columns, cells)
    found = [shares_of(assigned, table, cell).iloc[1] for cell in range(4)]
    np.testing.assert_allclose(found, [1 / 2, 1 / 2, 2 / 3, 2 / 3])
    assert len(np.unique(assigned.profiles.of_cell)) == 2  # shared within a channel


def test_keys_of_aggregates_tell_profiles_apart(tmp_path):
    cells = make_cells(("2025-W12",), geos=("north", "south"))
    rows = [("north", "2025-03-17", 1), ("south", "2025-03-17", 1), ("south", "2025-03-18", 3)]
    assigned, table = assign_rows(tmp_path, rows, ("geo", "timestamp", "delivery"), cells)
    assert shares_of(assigned, table, 0).tolist() == [1.0]
    assert shares_of(assigned, table, 7).tolist() == [0.25, 0.75]


def test_slots_that_recur_in_every_period(tmp_path):
    rows = [("night", 1), ("morning", 3)]
    cells = make_cells(("W1", "W2"))
    assigned, table = assign_rows(tmp_path, rows, ("slot", "delivery"), cells, slot="slot")
    assert shares_of(assigned, table, 0).to_dict() == {"night": 0.25, "morning": 0.75}
    assert len(np.unique(assigned.profiles.of_cell)) == 1
    numbers = [(10, 1), (9, 1), (2, 2)]
    assigned, table = assign_rows(tmp_path, numbers, ("h", "delivery"), cells, slot="h")
    assert shares_of(assigned, table, 0).to_dict() == {"2": 0.5, "9": 0.25, "10": 0.25}


def test_runs_without_a_period(tmp_path):
    cells = make_cells(("a", "b"), period=None)
    assigned, table = assign_rows(tmp_path, [("2025-01-01", 1), ("2031-01-01", 1)], cells=cells)
    assert shares_of(assigned, table, 7).tolist() == [0.5, 0.5]


def test_rows_of_other_periods_are_counted_and_not_used(tmp_path):
    rows = [*two_weeks(), ("2025-04-01", 5), ("2024-04-01", 5)]
    assigned, _ = assign_rows(tmp_path, rows)
    assert assigned.n_unused == 2


def test_cells_without_an_amount_need_no_profile(tmp_path):
    cells = make_cells(("2025-W12",), amount=[1.0, 0.0, 2.0, 0.0])
    rows = [("2025-W12", name, "2025-03-17", 1) for name in ("C1", "C3")]
    assigned, _ = assign_rows(tmp_path, rows, KEYED, cells)
    assert assigned.profiles.cells.tolist() == [0, 2]


def gaps(tmp_path, **options):
    """C2 has no row, C4 no delivery, in the week of 17 March."""
    days = [f"2025-03-{day}" for day in (17, 18, 19)]
    deliveries = {"C1": (1, 2, 1), "C3": (0, 0, 4), "C4": (0, 0, 0)}
    rows = [
        ("2025-W12", name, day, n)
        for name, numbers in deliveries.items()
        for day, n in zip(days, numbers, strict=True)
    ]
    cells = options.pop("cells", None) or make_cells(("2025-W12",))
    return assign_rows(tmp_path, rows, KEYED, cells, **options)


def test_missing_profiles_are_errors(tmp_path):
    with pytest.raises(DataError) as found:
        gaps(tmp_path)
    text = str(found.value)
    assert "[no-profile] p.csv: the profile has no row for cells with an amount (1 cell)" in text
    assert "week '2025-W12', creative 'C2' (amount 20)" in text
    assert "[zero-profile] p.csv: delivery is zero in every slot" in text
    assert "creative 'C4' (amount 40)" in text
    assert "--missing group or --missing even" in text


def test_the_group_stands_in(tmp_path):
    assigned, table = gaps(tmp_path, missing=("group",))
    assert shares_of(assigned, table, 1).tolist() == [0.25, 0.5, 0.25]  # that of C1, also of Search
    assert shares_of(assigned, table, 3).tolist() == [0.0, 0.0, 1.0]
    assert assigned.cells_by_source == {"own": 2, "group": 2, "even": 0}


def test_all_entities_stand_in_where_the_run_has_no_groups(tmp_path):
    cells = make_cells(("2025-W12",), grouped=False)
    assigned, table = gaps(tmp_path, missing=("group",), cells=cells)
    np.testing.assert_allclose(shares_of(assigned, table, 1), [1 / 8, 2 / 8, 5 / 8])


def test_an_even_profile_stands_in(tmp_path):
    assigned, table = gaps(tmp_path, missing=("even",))
    np.testing.assert_allclose(shares_of(assigned, table, 3), [1 / 3] * 3)
    assert assigned.cells_by_source == {"own": 2, "group": 0, "even": 2}


def test_what_no_exposure_explains_is_in_no_group(tmp_path):
    cells = make_cells(("2025-W12",), unattributed=True)
    with pytest.raises(DataError, match="--missing group found no stand-in") as found:
        gaps(tmp_path, missing=("group",), cells=cells)
    assert "creative 'unattributed'" in str(found.value)
    assigned, table = gaps(tmp_path, missing=("group", "even"), cells=cells)
    np.testing.assert_allclose(shares_of(assigned, table, 4), [1 / 3] * 3)
    assert assigned.cells_by_source == {"own": 2, "group": 2, "even": 1}


def test_a_period_without_slots_has_no_stand_in(tmp_path):
    with pytest.raises(DataError, match="--missing group even found no stand-in"):
        gaps(tmp_path, missing=("group", "even"), cells=make_cells())


def test_carry_over_goes_on_in_the_next_period_and_keeps_each_whole(tmp_path):
    """A delivery on Sunday works on Monday, and the sum of shares of each week is one."""
    rows = [(name, day, 0) for name in CREATIVES for day in ("2025-03-22", "2025-03-23")]
    rows += [(name, day, 0) for name in CREATIVES for day in ("2025-03-24", "2025-03-25")]
    rows[1] = ("C1", "2025-03-23", 8)
    rows[4] = ("C3", "2025-03-22", 8)
    columns = ("creative", "timestamp", "delivery")
    cells = make_cells(amount=[1, 0, 1, 0, 1, 0, 1, 0])
    assigned, table = assign_rows(tmp_path, rows, columns, cells, half_life="1d")
    assert shares_of(assigned, table, 0).tolist() == [0.0, 1.0]
    np.testing.assert_allclose(shares_of(assigned, table, 2), [2 / 3, 1 / 3], rtol=1e-12)
    np.testing.assert_allclose(shares_of(assigned, table, 4), [2 / 3, 1 / 3], rtol=1e-12)
    np.testing.assert_allclose(shares_of(assigned, table, 6), [2 / 3, 1 / 3], rtol=1e-12)


def test_carry_over_counts_hours_that_pass(tmp_path):
    """Over the change of clocks, 01:00 to 03:00 is an hour; missing hours are slots of effect."""
    rows = [("C1", "2025-03-30 01:00", 4), ("C3", "2025-03-30 03:00", 1)]
    columns = ("creative", "timestamp", "delivery")
    cells = make_cells(("2025-W13",), amount=[1, 0, 0, 0])
    assigned, table = assign_rows(tmp_path, rows, columns, cells, zone=MADRID, half_life="1h")
    np.testing.assert_allclose(shares_of(assigned, table, 0), [2 / 3, 1 / 3], rtol=1e-12)


def test_deliveries_before_the_first_period_work_through_carry_over(tmp_path):
    rows = [("2025-03-16", 4), ("2025-03-17", 0), ("2025-03-18", 1)]
    assigned, table = assign_rows(tmp_path, rows, cells=make_cells(("2025-W12",)), half_life="1d")
    np.testing.assert_allclose(shares_of(assigned, table, 0), [0.5, 0.5], rtol=1e-12)


W12 = ("2025-W12", "C1")


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ((*W12, "2025-03-17", -1), "negative-delivery", "'-1' (week '2025-W12'"),
        ((*W12, "2025-03-17", "nan"), "delivery-number", "NaN or infinite"),
        ((*W12, "2025-03-17", "inf"), "delivery-number", "NaN or infinite"),
        ((*W12, "2025-03-17", ""), "delivery-number", "missing"),
        ((*W12, "2025-03-17", "1k"), "delivery-number", "not a number"),
        ((*W12, "17/03/2025", 1), "invalid-time", "'17/03/2025'"),
        ((*W12, "2025-03-17T10:00", 1), "mixed-times", "others are days"),
        ((*W12, "2025-03-17T10:00Z", 1), "mixed-times", "others have none"),
        ((*W12, "2025-03-24", 1), "time-outside-period", "'2025-W12' is 2025-03-17 to 2025-03-23"),
        ((*W12, "2025-03-18", 1), "duplicate-slot", "creative 'C1', timestamp '2025-03-18'"),
        (("2025-W12", "C9", "2025-03-17", 1), "unknown-key", "the run has 'C1', 'C2'"),
        (("2025-W12", "c1 ", "2025-03-17", 1), "unknown-key", "did you mean 'C1'?"),
    ],
)
def test_faults_of_rows_name_line_value_and_remedy(tmp_path, row, code, said):
    rows = [("2025-W12", name, f"2025-03-{d}", 1) for name in CREATIVES for d in (18, 19, 20)]
    text = fault_of(tmp_path, [*rows, row], KEYED, make_cells(("2025-W12",)))
    assert f"[{code}] p.csv, line 14" in text
    assert said in text
    assert "remedy: " in text
    assert text.startswith("the profile p.csv has one fault:")


def test_all_faults_of_rows_are_listed(tmp_path):
    rows = [(*W12, "2025-03-17", -1), ("2025-W12", "C9", "2025-03-17", "x")]
    text = fault_of(tmp_path, rows, KEYED)
    assert text.startswith("the profile p.csv has 3 faults:")


def test_times_that_no_clock_shows(tmp_path):
    rows = [("2025-03-30 01:30", 1), ("2025-03-30 02:30", 1)]
    text = fault_of(tmp_path, rows, cells=make_cells(("2025-W13",)), zone=MADRID)
    assert "[nonexistent-time] p.csv, line 3: clocks in Europe/Madrid were put forward" in text
    assign_rows(tmp_path, rows, cells=make_cells(("2025-W13",)))  # without a zone, no clock


def test_repeated_hours_without_a_zone_are_duplicates(tmp_path):
    rows = [("2025-10-26 02:30", 1), ("2025-10-26 02:30", 1)]
    text = fault_of(tmp_path, rows, cells=make_cells(("2025-W43",)))
    assert "[duplicate-slot] p.csv, line 3" in text
    assert "if clocks were put back in between, name the --zone" in text
    three = [("2025-10-26 02:30", 1)] * 3
    assert "duplicate-slot" in fault_of(
        tmp_path, three, cells=make_cells(("2025-W43",)), zone=MADRID
    )


def test_columns_that_tell_duplicates_apart_but_are_unknown_are_named(tmp_path):
    rows = [("a", "2025-03-17", 1), ("b", "2025-03-17", 1)]
    text = fault_of(tmp_path, rows, ("creativ", "timestamp", "delivery"))
    assert "column(s) 'creativ' are not of the run" in text


def test_a_time_cannot_be_in_two_periods_that_tell_no_days(tmp_path):
    rows = [("W1", "2025-03-17", 1), ("W2", "2025-03-24", 1), ("W2", "2025-03-17", 1)]
    columns = ("week", "timestamp", "delivery")
    text = fault_of(tmp_path, rows, columns, make_cells(("W1", "W2")))
    assert "[time-in-two-periods] p.csv" in text
    assigned, table = assign_rows(tmp_path, rows[:2], columns, make_cells(("W1", "W2")))
    assert not table.days_checked
    assert shares_of(assigned, table, 4).to_dict() == {"2025-03-24": 1.0}


@pytest.mark.parametrize(
    ("columns", "options", "code", "said"),
    [
        (("time", "delivery"), {}, "missing-column", "--time 'time'"),
        (("timestamp", "impressions"), {}, "missing-column", "no column 'delivery'"),
        (("timestamp", "delivery"), {"time": "timestmp"}, "missing-column", "--time 'timestamp'"),
        (("timestamp", "delivery"), {"slot": "hour"}, "missing-column", "no column 'hour'"),
        (("week", "delivery"), {"time": "week"}, "column-with-two-roles", "a key of the run"),
        (("timestamp", "amount_mean"), {"delivery": "amount_mean"}, "two-roles", "of the result"),
        (("timestamp", "x"), {"delivery": "timestamp"}, "two-roles", "name two columns"),
        (("timestamp", "delivery"), {"half_life": "6"}, "half-life", "90min, 6h or 2d"),
        (("timestamp", "delivery"), {"zone": "Madrid"}, "unknown-zone", "no time zone 'Madrid'"),
        (("slot", "delivery"), {"slot": "slot", "half_life": "6h"}, "half-life-of", "no time"),
    ],
)
def test_faults_of_columns_and_options(tmp_path, columns, options, code, said):
    text = fault_of(tmp_path, [("2025-03-17", 1)], columns, **options)
    assert code in text
    assert said in text


def test_labels_that_tell_no_days_need_the_column(tmp_path):
    text = fault_of(tmp_path, [("2025-03-17", 1)], cells=make_cells(("W1", "W2")))
    assert "[missing-period]" in text
    assert "labels such as 'W1' do not tell" in text
    assert "add the column 'week'" in text


@pytest.mark.parametrize(
    ("name", "code"), [("none.csv", "missing-file"), ("p.xlsx", "unknown-format")]
)
def test_files_that_are_no_tables(tmp_path, name, code):
    (tmp_path / "p.xlsx").write_text("x")
    with pytest.raises(DataError, match=code):
        read_profile(tmp_path / name, make_cells(), ProfileOptions())


def test_stored_types_that_do_not_fit(tmp_path):
    path = tmp_path / "p.parquet"
    good = {"timestamp": ["2025-03-17"], "delivery": [1.0], "creative": ["C1"]}
    for bad, code in (
        ({"timestamp": [1.5]}, "time-type"),
        ({"delivery": [True]}, "number-type"),
        ({"creative": [1.5]}, "key-type"),
    ):
        pd.DataFrame(good | bad).to_parquet(path)
        with pytest.raises(DataError, match=code):
            read_profile(path, make_cells(), ProfileOptions())
    pd.DataFrame({"at": [1.5], "delivery": [1.0]}).to_parquet(path)
    with pytest.raises(DataError, match="key-type"):
        read_profile(path, make_cells(), ProfileOptions(slot="at"))


def test_dots_that_may_stand_between_thousands(tmp_path):
    rows = [("2025-03-17", "1.200"), ("2025-03-18", "900")]
    assert "[ambiguous-dots] p.csv, column 'delivery'" in fault_of(tmp_path, rows)


def test_blank_slots_are_faults(tmp_path):
    rows = [("night", 1), (" ", 1)]
    text = fault_of(tmp_path, rows, ("slot", "delivery"), slot="slot")
    assert "[missing-slot] p.csv, line 3" in text


@pytest.mark.parametrize("missing", [("group",), ("even",)])
def test_stand_ins_with_carry_over(tmp_path, missing):
    """What stands in is what works, not what was delivered; even profiles stay even."""
    rows = [("C1", "2025-03-17", 4), ("C1", "2025-03-18", 0), ("C3", "2025-03-18", 1)]
    columns = ("creative", "timestamp", "delivery")
    cells = make_cells(("2025-W12",), amount=[1, 1, 0, 0])
    options = {"half_life": "1d", "missing": missing}
    assigned, table = assign_rows(tmp_path, rows, columns, cells, **options)
    wanted = [2 / 3, 1 / 3] if missing == ("group",) else [1 / 2, 1 / 2]
    np.testing.assert_allclose(shares_of(assigned, table, 1), wanted, rtol=1e-12)


def test_even_profiles_of_slots_that_recur(tmp_path):
    rows = [("C1", "night", 1), ("C1", "day", 3)]
    cells = make_cells(("W1",))
    assigned, table = assign_rows(
        tmp_path, rows, ("creative", "slot", "delivery"), cells, slot="slot", missing=("even",)
    )
    assert shares_of(assigned, table, 0).to_dict() == {"night": 0.25, "day": 0.75}
    assert shares_of(assigned, table, 2).to_dict() == {"night": 0.5, "day": 0.5}


@given(
    deliveries=st.lists(
        st.tuples(
            st.sampled_from(CREATIVES), st.integers(0, 13), st.sampled_from([0, 1, 2, 5, 0.25])
        ),
        min_size=1,
        max_size=40,
        unique_by=lambda row: row[:2],
    )
)
@settings(max_examples=60, deadline=None)
def test_shares_are_those_of_pandas(tmp_path_factory, deliveries):
    """Own profiles, then those of the channel, then those of all, then even ones."""
    frame = pd.DataFrame(deliveries, columns=["creative", "day", "delivery"])
    frame["week"] = frame["day"] // 7
    dates = pd.date_range("2025-03-17", periods=14).strftime("%Y-%m-%d")
    frame["timestamp"] = dates[frame["day"]]
    frame["channel"] = frame["creative"].map({"C1": 1, "C2": 1, "C3": 2, "C4": 2})
    cells = make_cells(
        amount=[10 * frame["week"].eq(week).any() for week in (0, 1) for _ in "1234"]
    )
    rows = frame[["creative", "timestamp", "delivery"]].to_numpy().tolist()
    columns, folder = ("creative", "timestamp", "delivery"), tmp_path_factory.mktemp("p")
    assigned, table = assign_rows(folder, rows, columns, cells, missing=("group", "even"))
    for cell in assigned.profiles.cells:
        week, creative = divmod(int(cell), 4)
        of_week = frame[frame["week"] == week]
        channel = 1 + creative // 2
        for mine in (
            of_week[of_week["creative"] == f"C{creative + 1}"],
            of_week[of_week["channel"] == channel],
            of_week,
            of_week.assign(delivery=1.0).drop_duplicates("timestamp"),
        ):
            sums = mine.groupby("timestamp")["delivery"].sum()
            if sums.sum() > 0:
                break
        expected = sums / sums.sum()
        found = shares_of(assigned, table, cell)
        assert found.index.tolist() == expected.index.tolist()
        np.testing.assert_allclose(found, expected, rtol=1e-12)
