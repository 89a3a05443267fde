"""Groupings of the aggregates: columns that multiply whole totals, and periods."""

from __future__ import annotations

import pytest

from bayes_attrib.spec import parse_spec

SPEC = """
schema_version = 1
name = "mmm"

[columns]
aggregate = ["region", "week"]
entity = "campaign"

[likelihood]
family = "gamma"

[rates]
"""
WEEKS = ("10", "9", "11")
AGGREGATES = "region,week,total,holiday\n" + "".join(
    f"{region},{week},{5 + int(week)},{'yes' if week == '9' else 'no'}\n"
    for week in WEEKS
    for region in ("South", "North")
)
EXPOSURES = "region,week,campaign,exposure\n" + "".join(
    f"{region},{week},{campaign},{1 + i}\n"
    for week in WEEKS
    for i, (region, campaign) in enumerate([("North", "a"), ("South", "a"), ("South", "b")])
)


@pytest.fixture
def grouped(read):
    def read_with(rates, aggregates=AGGREGATES, exposures=EXPOSURES):
        return read(spec=parse_spec(SPEC + rates), aggregates=aggregates, exposures=exposures)

    return read_with


def test_effects_of_keys_and_of_other_columns(grouped):
    data = grouped('aggregate_effects = ["holiday", "region"]').data
    assert list(data.aggregate_groupings) == ["holiday", "region"]
    assert data.aggregate_groupings["holiday"].levels == ("no", "yes")
    assert data.aggregate_groupings["holiday"].codes.tolist() == [0, 0, 1, 1, 0, 0]
    assert data.aggregate_groupings["region"].levels == ("North", "South")
    assert data.aggregate_groupings["region"].codes.tolist() == [1, 0] * 3
    assert data.groupings == {}


def test_each_aggregate_may_have_a_factor_of_its_own(grouped):
    aggregates = "\n".join(
        f"{line},{'key' if i == 0 else i}" for i, line in enumerate(AGGREGATES.splitlines())
    )
    data = grouped('aggregate_effects = ["key"]', aggregates).data
    assert data.aggregate_groupings["key"].codes.tolist() == list(range(6))


@pytest.mark.parametrize("effects", ["", 'aggregate_effects = ["week"]\n'])
def test_periods_are_in_the_order_of_time(grouped, effects):
    data = grouped(effects + 'drift = { kind = "random_walk", period = "week" }').data
    assert list(data.aggregate_groupings) == ["week"]
    assert data.aggregate_groupings["week"].levels == ("9", "10", "11")
    assert data.aggregate_groupings["week"].codes.tolist() == [1, 1, 0, 0, 2, 2]


def test_without_drift_a_period_is_a_column_like_any_other(grouped):
    data = grouped('aggregate_effects = ["week"]').data
    assert data.aggregate_groupings["week"].levels == ("10", "11", "9")


def test_gaps_between_periods_are_a_warning(grouped):
    weeks = {"10": "2025-W02", "9": "2025-W01", "11": "2025-W05"}
    tables = [AGGREGATES, EXPOSURES]
    for old, new in weeks.items():
        tables = [text.replace(f",{old},", f",{new},") for text in tables]
    found = grouped('drift = { kind = "hsgp", period = "week" }', *tables)
    assert found.data.aggregate_groupings["week"].levels == ("2025-W01", "2025-W02", "2025-W05")
    (finding,) = found.findings
    assert (finding.code, finding.severity) == ("uneven-periods", "warning")
    assert "'2025-W02' to '2025-W05'" in finding.message
