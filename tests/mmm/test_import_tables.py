"""From a mix model and delivery to tables: what has to fit together, and what is written."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from mmm_exports import GEO_COLUMNS, PYMC_FILE, pymc_delivery

from bayes_attrib.errors import DataError
from bayes_attrib.exposure import DeliveryColumns
from bayes_attrib.mmm import import_tables, read_delivery, read_pymc_marketing


@pytest.fixture(scope="module")
def model():
    return read_pymc_marketing(PYMC_FILE)


@pytest.fixture
def tables(tmp_path, model):
    """Return a function that imports the saved fit with a delivery table."""

    def of(delivery, *, mix_model=model, columns=GEO_COLUMNS, **options):
        delivery.to_csv(tmp_path / "delivery.csv", index=False)
        table = read_delivery(tmp_path / "delivery.csv", columns)
        return import_tables(mix_model, table, **{"semantics": "channel_curve", **options})

    return of


@pytest.fixture
def refusal(tables):
    def of(delivery, **options):
        with pytest.raises(DataError) as caught:
            tables(delivery, **options)
        assert all(finding.remedy for finding in caught.value.findings)
        return caught.value.findings[0]

    return of


def test_totals_are_means_of_draws_in_the_order_of_the_draws(tables, model):
    found = tables(pymc_delivery())
    np.testing.assert_allclose(found.total_draws.mean(axis=1), found.aggregates["total"])
    np.testing.assert_allclose(found.total_draws.std(axis=1, ddof=1), found.aggregates["total_sd"])
    for row in (0, 17, len(found.aggregates) - 1):
        channel, period, geo = found.aggregates.loc[row, ["channel", "period", "geo"]]
        told = model.contributions[
            ...,
            model.periods.index(period),
            model.geos.index(geo),
            model.channels.index(channel),
        ]
        np.testing.assert_array_equal(found.total_draws[row], told.ravel())
    assert found.aggregates["total"].sum() == pytest.approx(
        model.contributions.mean(axis=(0, 1)).sum()
    )


def test_exposures_of_a_channel_follow_its_curve(tables, model):
    found = tables(pymc_delivery())
    sums = found.exposures.groupby(["channel", "geo", "period"])["exposure"].sum()
    data = model.delivery[:, model.geos.index("south"), model.channels.index("Search")]
    transform = model.transforms["Search", "south"]
    weights = transform.adstock.weights()
    carried = np.convolve(data / transform.scale, weights)[: len(data)]
    np.testing.assert_allclose(
        sums["Search", "south"].reindex(model.periods), transform.saturation.of(carried)
    )
    own = tables(pymc_delivery(), semantics="own_curve")
    assert not np.allclose(own.exposures["exposure"], found.exposures["exposure"])


def test_groups_are_found_and_other_columns_are_told(tables):
    delivery = pymc_delivery()
    delivery["clicks"] = np.arange(len(delivery))
    delivery["team"] = "one"
    delivery["twin"] = delivery["objective"].str.upper()
    delivery["label"] = delivery["campaign"] + "!"
    delivery["size"] = delivery["campaign"].str[-1].astype(int)
    delivery["total"] = 1
    delivery["entity"] = delivery["objective"]
    delivery["gap"] = delivery["objective"].where(delivery["objective"] == "Sale", "")
    found = tables(delivery).entities
    assert found.pooling == ("channel", "objective")
    assert found.left_out == {
        "clicks": "it varies within entities",
        "team": "it has one level",
        "twin": "it groups entities as an earlier column does",
        "label": "every entity has a level of its own",
        "size": "it holds numbers",
        "total": "the name of this column has another meaning in a data folder",
        "entity": "this name is a parameter's",
        "gap": "it is blank for some entities",
    }
    assert list(found.frame.columns[:3]) == ["campaign", "channel", "objective"]
    assert len(found.frame) == 8


def test_a_channel_that_does_not_deliver_is_left_out_and_told(tables, model):
    delivery = pymc_delivery()
    found = tables(delivery[delivery["channel"] == "TV"])
    assert set(found.aggregates["channel"]) == {"TV"}
    told = model.contributions[..., 1].mean(axis=(0, 1)).sum()
    assert found.facts["channels_without_delivery"] == {"Search": pytest.approx(told)}
    assert found.entities.pooling == ("objective",)


def test_aggregates_without_contribution_are_left_out_and_counted(tables, model):
    found = tables(pymc_delivery())
    zero = int((model.contributions.mean(axis=(0, 1)) == 0).sum())
    assert zero > 0
    assert found.facts["n_aggregates_of_zero_left_out"] == zero
    assert (found.aggregates["total"] > 0).all()


def test_delivery_that_does_not_add_up(refusal):
    delivery = pymc_delivery()
    delivery.loc[delivery["campaign"] == "Search 2", "delivery"] *= 2
    finding = refusal(delivery)
    assert finding.code == "delivery-differs"
    assert "channel 'Search', period '2024-01-01', geo 'north'" in finding.message
    assert "40 cells" in finding.message
    assert "--rescale" in finding.remedy


def test_delivery_in_another_unit_is_rescaled_if_asked_to(tables):
    delivery = pymc_delivery()
    scaled = delivery.assign(delivery=delivery["delivery"] * 1000)
    found = tables(scaled, rescale=True)
    told = tables(delivery)
    np.testing.assert_allclose(found.exposures["exposure"], told.exposures["exposure"], rtol=1e-12)
    assert found.facts["rescaled"]
    assert found.facts["largest_difference_of_delivery"] == pytest.approx(0.999)


def test_rescaling_makes_no_delivery_where_there_is_none(refusal):
    delivery = pymc_delivery()
    gone = (delivery["channel"] == "Search") & (delivery["period"] == "2024-02-05")
    finding = refusal(delivery[~gone], rescale=True)
    assert finding.code == "delivery-differs"
    assert "2 cells" in finding.message
    assert finding.remedy == "add the rows that are missing"


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("channel", "Serch", "unknown-channel"),
        ("geo", "nort", "unknown-geo"),
        ("period", "2023-12-25", "unknown-period"),
        ("period", "W01", "unknown-period"),
        ("delivery", "many", "missing-delivery"),
        ("delivery", "-3", "negative-delivery"),
    ],
)
def test_rows_that_the_mix_model_does_not_know(refusal, column, value, code):
    delivery = pymc_delivery().astype({column: object})
    extra = delivery.iloc[[0]].assign(campaign="New", **{column: value, "objective": "Sale"})
    if column == "delivery":
        delivery.loc[0, "delivery"] = value
        assert refusal(delivery, rescale=True).code == code
        return
    extra["delivery"] = 0.0
    finding = refusal(pd.concat([delivery, extra], ignore_index=True))
    assert finding.code == code
    assert f"'{value}' in 1 row" in finding.message
    assert finding.where == "delivery.csv, line 322"
    if column == "channel":
        assert "did you mean 'Search'?" in finding.remedy


def test_missing_columns_and_files(refusal, tmp_path):
    finding = refusal(pymc_delivery(), columns=DeliveryColumns("campain", "channel", "period"))
    assert finding.code == "missing-column"
    assert "did you mean 'campaign'?" in finding.remedy
    with pytest.raises(DataError, match="there is no such file"):
        read_delivery(tmp_path / "none.csv", GEO_COLUMNS)
    (tmp_path / "table.xlsx").write_text("no table")
    with pytest.raises(DataError, match="this format is not known"):
        read_delivery(tmp_path / "table.xlsx", GEO_COLUMNS)
    (tmp_path / "empty.csv").write_text("campaign,channel\n")
    with pytest.raises(DataError, match="there are no rows"):
        read_delivery(tmp_path / "empty.csv", GEO_COLUMNS)


def test_an_entity_of_two_channels(refusal):
    delivery = pymc_delivery()
    delivery["campaign"] = delivery["campaign"].str[-1]
    finding = refusal(delivery)
    assert finding.code == "entity-of-two-channels"
    assert "'0' in 'TV' and 'Search'" in finding.message


def test_negative_contributions(refusal, tables, model):
    draws = model.contributions.copy()
    draws[0, 0, 5, 0, 1] = -7.0
    negative = replace(model, contributions=draws)
    finding = refusal(pymc_delivery(), mix_model=negative)
    assert finding.code == "negative-contribution"
    assert "channel 'Search', period '2024-02-05', geo 'north' (-7)" in finding.message
    assert "--negative clip" in finding.remedy
    found = tables(pymc_delivery(), mix_model=negative, negative="clip")
    assert found.facts["negative"] == {
        "option": "clip",
        "draws": 1,
        "aggregates": 1,
        "added_to_grand_total": pytest.approx(7 / 20),
    }
    assert (found.total_draws >= 0).all()


def test_a_contribution_without_exposure(refusal, model):
    contributions = model.contributions + 1.0
    blind = replace(model, contributions=contributions, delivery=None)
    delivery = pymc_delivery()
    first = (delivery["channel"] == "Search") & (delivery["period"] == "2024-01-01")
    finding = refusal(delivery[~first], mix_model=blind)
    assert finding.code == "no-exposure"
    assert "channel 'Search', period '2024-01-01'" in finding.message


def test_dates_of_parquet_are_periods(tmp_path, model):
    delivery = pymc_delivery()
    delivery["period"] = pd.to_datetime(delivery["period"])
    delivery.to_parquet(tmp_path / "delivery.parquet")
    table = read_delivery(tmp_path / "delivery.parquet", GEO_COLUMNS)
    found = import_tables(model, table, semantics="channel_curve")
    assert set(found.aggregates["period"]) <= set(model.periods)


def test_geos_on_one_side_only(refusal, model):
    finding = refusal(pymc_delivery(), columns=DeliveryColumns("campaign", "channel", "period"))
    assert finding.code == "missing-geo"
    assert "'north' and 'south'" in finding.message
    assert "--geo" in finding.remedy
    national = replace(
        model,
        geos=None,
        contributions=model.contributions[:, :, :, :1],
        delivery=model.delivery[:, :1],
        transforms={channel: model.transforms[channel, "north"] for channel in model.channels},
    )
    finding = refusal(pymc_delivery(), mix_model=national)
    assert finding.code == "national-mix-model"
    assert "leave out --geo" in finding.remedy


def test_keys_that_are_blank(refusal):
    delivery = pymc_delivery()
    delivery.loc[3, "channel"] = " "
    assert refusal(delivery).code == "blank-key"
