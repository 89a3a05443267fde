"""Nested grouping columns, from tables to paths."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.inputs import Repair
from bayes_attrib.inputs.nesting import nested_groupings
from bayes_attrib.spec import parse_spec

SPEC = """
schema_version = 1
name = "creatives"

[columns]
aggregate = ["brick_id"]
entity = "hcp_id"
total = "units"
exposure = "visits"

[rates]
"""
EXPOSURES = "brick_id,hcp_id,visits\n" + "".join(f"B1,c{i},1\nB2,c{i},2\n" for i in range(1, 7))
AGGREGATES = "brick_id,units\nB1,12\nB2,7\n"
ENTITIES = (
    "hcp_id,channel,format,campaign\n"
    "c6,Search,text,spring\n"
    "c1,TV,spot,spring\n"
    "c2,TV,spot,summer\n"
    "c3,TV,banner,spring\n"
    "c4,TV,banner,spring\n"
    "c5,Search,text,spring\n"
)


@pytest.fixture
def nested(read):
    def read_with(rates, entities=ENTITIES, **options):
        spec = parse_spec(SPEC + rates)
        tables = {"aggregates": AGGREGATES, "exposures": EXPOSURES, "entities": entities}
        return read(spec=spec, **tables, **options).data

    return read_with


def labels_of(grouping):
    return [grouping.levels[code] for code in grouping.codes]


def test_levels_are_paths_from_the_top(nested):
    data = nested('nested = ["channel", "format", "campaign"]')
    assert data.entity_names.tolist() == ["c6", "c1", "c2", "c3", "c4", "c5"]
    assert list(data.groupings) == ["channel", "format", "campaign"]
    assert data.groupings["channel"].levels == ("Search", "TV")
    assert labels_of(data.groupings["format"]) == [
        "Search / text",
        "TV / spot",
        "TV / spot",
        "TV / banner",
        "TV / banner",
        "Search / text",
    ]
    assert data.groupings["campaign"].levels == (
        "Search / text / spring",
        "TV / banner / spring",
        "TV / spot / spring",
        "TV / spot / summer",
    )


def test_crossed_and_nested_columns_together(nested):
    data = nested('pooling = ["campaign"]\nnested = ["channel", "format"]')
    assert list(data.groupings) == ["campaign", "channel", "format"]
    assert data.groupings["campaign"].levels == ("spring", "summer")
    assert data.groupings["format"].levels == ("Search / text", "TV / banner", "TV / spot")


def test_labels_that_hold_the_separator_make_no_two_paths_alike():
    labels = pd.DataFrame({"top": ["a / b", "a", "c"], "low": ["c", "b / c", "d"]})
    grouping = nested_groupings(labels, ["top", "low"])["low"]
    assert labels_of(grouping) == ["'a / b' / 'c'", "'a' / 'b / c'", "'c' / 'd'"]
    plain = nested_groupings(labels.iloc[1:], ["top", "low"])["low"]
    assert labels_of(plain) == ["a / b / c", "c / d"]


def test_random_trees_against_sets_of_tuples():
    rng = np.random.default_rng(5)
    columns = ["a", "b", "c", "d"]
    labels = pd.DataFrame(rng.choice(list("xyz"), size=(200, 4)), columns=columns)
    groupings = nested_groupings(labels, columns)
    for depth, column in enumerate(columns, start=1):
        rows = list(labels[columns[:depth]].itertuples(index=False, name=None))
        assert groupings[column].levels == tuple(sorted({" / ".join(row) for row in rows}))
        assert labels_of(groupings[column]) == [" / ".join(row) for row in rows]


def test_entities_without_exposure_do_not_make_a_level_useful(nested):
    one_child = ENTITIES.replace("banner", "spot") + "c7,Search,video,spring\n"
    with pytest.raises(
        DataError, match="each of the 2 groups of 'channel' has one child"
    ) as caught:
        nested('nested = ["channel", "format"]', one_child)
    assert [finding.code for finding in caught.value.findings] == ["one-child-level"]


def test_each_useless_level_is_named_once(nested):
    rows = ["c1,TV,spot,a", "c2,TV,spot,b", "c3,TV,spot,c", "c4,TV,spot,d", "c5,TV,spot,e"]
    entities = "hcp_id,channel,format,campaign\n" + "\n".join([*rows, "c6,TV,spot,f"]) + "\n"
    with pytest.raises(DataError) as caught:
        nested('nested = ["channel", "format", "campaign"]', entities)
    assert [(f.code, f.where) for f in caught.value.findings] == [
        ("single-group", "entities.csv, column 'channel'"),
        ("one-child-level", "entities.csv, column 'format'"),
        ("group-per-entity", "entities.csv, column 'campaign'"),
    ]


def test_labels_are_repaired_before_they_become_paths(nested):
    broken = ENTITIES.replace("c3,TV,banner", "c3,TV , banner")
    data = nested('nested = ["channel", "format"]', broken, repairs=(Repair.STRIP_KEY_WHITESPACE,))
    assert data.groupings["format"].levels == ("Search / text", "TV / banner", "TV / spot")


def test_five_levels_of_an_unbalanced_tree(read):
    columns = ["channel", "platform", "format", "campaign", "cohort"]
    paths = [path for path in itertools.product("ab", repeat=5) if path[:2] != ("b", "b")]
    rows = [(f"c{i}", *path) for i, path in enumerate([*paths, *paths])]
    spec = parse_spec(SPEC + f"nested = {columns}".replace("'", '"'))
    data = read(
        spec=spec,
        aggregates=AGGREGATES,
        exposures="brick_id,hcp_id,visits\n"
        + "".join(f"B{1 + i % 2},{row[0]},1\n" for i, row in enumerate(rows)),
        entities=",".join(["hcp_id", *columns]) + "\n" + "\n".join(map(",".join, rows)),
    ).data
    assert [len(data.groupings[column].levels) for column in columns] == [2, 3, 6, 12, 24]
    assert data.groupings["cohort"].levels[0] == "a / a / a / a / a"
    assert np.bincount(data.groupings["cohort"].codes).tolist() == [2] * 24
