"""Periods in the order of time, and what has no place in it."""

from __future__ import annotations

import pytest

from bayes_attrib.inputs.periods import period_grouping
from bayes_attrib.timeline import arrange


@pytest.mark.parametrize(
    ("labels", "ordered"),
    [
        (["10", "9", "-1", "9.5"], ["-1", "9", "9.5", "10"]),
        (["2025-10-01", "2024-12-31", "2025-09-30"], ["2024-12-31", "2025-09-30", "2025-10-01"]),
        (["2025-10", "2025-09", "2024-12"], ["2024-12", "2025-09", "2025-10"]),
        (["2025-W01", "2024-W52", "2020-W53"], ["2020-W53", "2024-W52", "2025-W01"]),
        (["2025-Q1", "2024-Q4", "2024-Q2"], ["2024-Q2", "2024-Q4", "2025-Q1"]),
        (["20250201", "20241231", "20250131"], ["20241231", "20250131", "20250201"]),
    ],
    ids=["numbers", "dates", "months", "weeks", "quarters", "compact-dates"],
)
def test_order_of_time(labels, ordered):
    timeline = arrange([*labels, *labels])
    assert list(timeline.labels) == ordered
    assert timeline.unplaced == ()
    assert list(timeline.positions) == sorted(timeline.positions)


@pytest.mark.parametrize(
    ("labels", "unplaced"),
    [
        (["2025-01", "2025-02", "Q1"], ["Q1"]),
        (["2025-01", "2025-02", "2025-02-28"], ["2025-02-28"]),
        (["2025-02-28", "2025-02-29", "2025-03-01"], ["2025-02-29"]),
        (["2025-W52", "2025-W53", "2025-W51"], ["2025-W53"]),
        (["2025-12", "2025-13", "2025-00"], ["2025-13", "2025-00"]),
        (["2025-Q1", "2025-Q2", "2025-Q5"], ["2025-Q5"]),
        (["1", "2", "01", "2.0"], ["01", "2.0"]),
        (["W01-W13", "W14-W26"], ["W01-W13", "W14-W26"]),
        (["1", "2", "nan", "inf", "1e3", "1,5"], ["nan", "inf", "1e3", "1,5"]),
        (["0000-01-01", "2025-01-01", "2025-01-02"], ["0000-01-01"]),
    ],
)
def test_what_has_no_place(labels, unplaced):
    assert list(arrange(labels).unplaced) == unplaced


@pytest.mark.parametrize(
    ("labels", "gaps"),
    [
        (["1", "2", "3"], []),
        (["1", "2", "4", "5", "9"], [("2", "4"), ("5", "9")]),
        (["0.1", "0.2", "0.3"], []),
        (["2025-01-01", "2025-02-01", "2025-03-01"], []),
        (["2025-01-31", "2025-02-28", "2025-03-31"], []),
        (["2025-01-31", "2025-02-28", "2025-04-30"], [("2025-02-28", "2025-04-30")]),
        (["2024-12-23", "2024-12-30", "2025-01-06"], []),
        (["2024-12-23", "2025-01-06", "2025-01-13"], [("2024-12-23", "2025-01-06")]),
        (["2024-W52", "2025-W01", "2025-W02"], []),
        (["2020-W53", "2021-W01", "2021-W03"], [("2021-W01", "2021-W03")]),
        (["2024-11", "2024-12", "2025-01", "2025-03"], [("2025-01", "2025-03")]),
        (["2024-Q4", "2025-Q1", "2025-Q3"], [("2025-Q1", "2025-Q3")]),
        (["9999-12-30", "9999-12-31"], []),
        (["7"], []),
    ],
)
def test_gaps(labels, gaps):
    assert list(arrange(labels).gaps) == gaps


def test_levels_of_a_period_are_in_the_order_of_time():
    grouping = period_grouping("week", ["10", "9", "11", "9"])
    assert grouping.levels == ("9", "10", "11")
    assert grouping.codes.tolist() == [1, 0, 2, 0]
