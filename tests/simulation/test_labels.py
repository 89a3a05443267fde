"""Keys of units and periods."""

from __future__ import annotations

from bayes_attrib.simulation.labels import iso_months, iso_weeks, numbered
from bayes_attrib.timeline import arrange


def test_numbers_have_one_width():
    assert numbered("B", 10).tolist()[::9] == ["B01", "B10"]
    assert numbered("W", 3, width=2).tolist() == ["W01", "W02", "W03"]


def test_months_go_on_into_the_next_year():
    assert iso_months(14).tolist()[10:] == ["2025-11", "2025-12", "2026-01", "2026-02"]


def test_weeks_go_on_into_the_next_year_and_count_its_53_weeks():
    weeks = iso_weeks(107).tolist()
    assert weeks[:2] == ["2025-W01", "2025-W02"]
    assert weeks[51:53] == ["2025-W52", "2026-W01"]
    assert weeks[104:] == ["2026-W53", "2027-W01", "2027-W02"]


def test_periods_are_read_in_the_order_of_time_without_gaps():
    for labels in (iso_months(40), iso_weeks(110)):
        timeline = arrange(labels)
        assert timeline.labels == tuple(labels)
        assert timeline.gaps == ()
        assert timeline.unplaced == ()
