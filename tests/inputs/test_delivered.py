"""Tables of delivery: exposures by the spec's transforms, beyond the rows that are there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.exposure import DeliveryColumns, build_exposures
from bayes_attrib.inputs import DataSource, Repair, read_tables
from bayes_attrib.spec import parse_spec

PERIODS = [f"2024-01-{day:02d}" for day in (1, 8, 15, 22, 29)]
ALL = ["2023-12-25", *PERIODS]
TRANSFORMS = """
[exposure.channels.TV]
adstock = { kind = "geometric", decay = 0.5, l_max = 3 }
saturation = { kind = "hill", half_saturation = 1.0, slope = 1.5 }
scale = 100
geos.south = { scale = 50 }
[exposure.channels.Radio]
adstock = { kind = "geometric", decay = 0.3 }
"""
LEARN = """
[exposure.channels.TV.learn]
decay = { dist = "Beta", alpha = 4, beta = 4 }
slope = { dist = "LogNormal", mu = 0.4, sigma = 0.3 }
"""


def spec_of(*, keys=("channel", "geo", "week"), learn=False, **options):
    lines = "".join(f'{key} = "{value}"\n' for key, value in options.items())
    text = f"""
schema_version = 1
name = "delivered"
likelihood = {{ family = "gamma" }}
[columns]
aggregate = {list(keys)}
entity = "campaign"
delivery = "exposure"
[exposure]
channel = "channel"
period = "week"
geo = "geo"
totals = "measured"
{lines}{TRANSFORMS}{LEARN if learn else ""}"""
    return parse_spec(text.replace("'", '"'))


def delivery(periods=PERIODS):
    """Made-up delivery with gaps, in two channels and two geos."""
    rng = np.random.default_rng(6)
    index = pd.MultiIndex.from_product(
        [["TV", "Radio"], ["north", "south"], periods, ["1", "2"]],
        names=["channel", "geo", "week", "campaign"],
    )
    table = index.to_frame(index=False)
    table["campaign"] = table["channel"] + " " + table["campaign"]
    table["exposure"] = rng.gamma(2.0, 50.0, len(table)).round(1)
    return table[rng.random(len(table)) < 0.5].reset_index(drop=True)


def totals(periods=PERIODS):
    index = pd.MultiIndex.from_product(
        [["TV", "Radio"], ["north", "south"], periods], names=["channel", "geo", "week"]
    )
    return index.to_frame(index=False).assign(total=10.0)


def read(folder, spec, rows, aggregates, *, entities=None, repairs=()):
    rows.to_csv(folder / "exposures.csv", index=False)
    aggregates.to_csv(folder / "aggregates.csv", index=False)
    if entities is not None:
        entities.to_csv(folder / "entities.csv", index=False)
    return read_tables(spec, DataSource(folder), repairs=repairs)


def found(data):
    index = pd.MultiIndex.from_frame(data.aggregate_keys.iloc[data.edge_aggregate])
    names = data.entity_names[data.edge_entity]
    index = [(*key, name) for key, name in zip(index, names, strict=True)]
    return pd.Series(data.exposure.data, pd.MultiIndex.from_tuples(index)).sort_index()


def wanted(spec, rows, history=()):
    columns = DeliveryColumns("campaign", "channel", "week", "grps", "geo")
    made = build_exposures(
        rows.rename(columns={"exposure": "grps"}),
        spec.exposure.transforms,
        columns=columns,
        periods=PERIODS,
        history=list(history),
        semantics=spec.exposure.semantics,
    )
    keys = ["channel", "geo", "week", "campaign"]
    made = made[made["exposure"] > 0]
    return pd.Series(
        made["exposure"].to_numpy(), pd.MultiIndex.from_frame(made[keys], names=[None] * 4)
    ).sort_index()


@pytest.mark.parametrize("semantics", ["channel_curve", "own_curve"])
@pytest.mark.parametrize("learn", [False, True])
def test_exposures_are_those_of_build_exposures(tmp_path, semantics, learn):
    spec = spec_of(semantics=semantics, learn=learn)
    rows = delivery()
    assert (rows.groupby("campaign").size() < len(PERIODS) * 2).all()  # gaps to carry over into
    data = read(tmp_path, spec, rows, totals()).data
    pd.testing.assert_series_equal(found(data), wanted(spec, rows), rtol=1e-12)
    assert len(data.delivery) == int(learn)


@pytest.mark.parametrize("learn", [False, True])
def test_earlier_delivery_is_refused_or_carried_in(tmp_path, learn):
    rows = delivery(ALL)
    with pytest.raises(DataError, match=r"not in aggregates\.csv"):
        read(tmp_path, spec_of(learn=learn), rows, totals())
    spec = spec_of(outside="carry_over", learn=learn)
    tables = read(tmp_path, spec, rows, totals())
    pd.testing.assert_series_equal(found(tables.data), wanted(spec, rows, ALL[:1]), rtol=1e-12)
    assert "delivery-carried-in" in {f.code for f in tables.findings}


def test_weeks_without_aggregates_do_not_break_carry_over(tmp_path):
    spec, rows = spec_of(outside="carry_over"), delivery()
    whole = wanted(spec, rows)
    some = [PERIODS[0], PERIODS[1], PERIODS[4]]
    data = read(tmp_path, spec, rows, totals(some)).data
    kept = whole[whole.index.get_level_values(2).isin(some)]
    pd.testing.assert_series_equal(found(data), kept, rtol=1e-12)


def test_channels_may_be_told_by_the_entities(tmp_path):
    spec = spec_of(keys=("geo", "week"))
    rows = delivery()
    entities = rows[["campaign", "channel"]].drop_duplicates()
    aggregates = totals().groupby(["geo", "week"], as_index=False)["total"].sum()
    data = read(tmp_path, spec, rows.drop(columns="channel"), aggregates, entities=entities).data
    same = wanted(spec, rows).droplevel(0).sort_index()
    pd.testing.assert_series_equal(found(data), same, rtol=1e-12)


@pytest.mark.parametrize("learn", [False, True])
def test_aggregates_that_are_left_out_still_carry_over(tmp_path, learn):
    spec, rows, aggregates = spec_of(learn=learn), delivery(), totals()
    aggregates.loc[aggregates["week"] == PERIODS[1], "total"] = -1.0
    data = read(tmp_path, spec, rows, aggregates, repairs=[Repair.DROP_NEGATIVE_TOTALS]).data
    whole = wanted(spec, rows)
    kept = whole[whole.index.get_level_values(2) != PERIODS[1]]
    pd.testing.assert_series_equal(found(data), kept, rtol=1e-12)
    for part in data.delivery:
        channel = data.aggregate_keys["channel"].to_numpy()[data.edge_aggregate]
        assert part.edges.tolist() == np.flatnonzero(channel == "TV").tolist()


def test_known_amounts_belong_to_rows(tmp_path):
    rows = delivery().assign(amount=1.0)
    spec = spec_of()
    data = read(tmp_path, spec, rows, totals()).data
    keys = found(data).index
    given = set(rows[["channel", "geo", "week", "campaign"]].itertuples(index=False, name=None))
    index = pd.MultiIndex.from_frame(data.aggregate_keys.iloc[data.edge_aggregate])
    names = data.entity_names[data.edge_entity]
    for key, name, truth in zip(index, names, data.truth, strict=True):
        assert truth == float((*key, name) in given)
    assert len(keys) > len(given)


def test_delivery_of_unknown_places_is_told(tmp_path):
    rows = delivery()
    rows = pd.concat([rows, rows.iloc[:1].assign(geo="nroth")])
    tables = read(tmp_path, spec_of(outside="carry_over"), rows, totals())
    (lost,) = (f for f in tables.findings if f.code == "delivery-without-aggregates")
    assert lost.severity == "warning"
    assert "'nroth'" in lost.message
