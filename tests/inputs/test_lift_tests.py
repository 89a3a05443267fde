"""Tables of lift tests: which exposures a test covers, and what is refused, with its remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bayes_attrib.errors import DataError
from bayes_attrib.inputs import AggregateData, DataSource, read_tables
from bayes_attrib.inputs.lift_test import LiftTest
from bayes_attrib.spec import parse_spec

SPEC = """
schema_version = 1
name = "lift"

[columns]
aggregate = ["week", "geo"]
entity = "campaign"

[likelihood]
family = "gamma"

[rates]
nested = ["channel", "line"]
"""
WEEKS = ("2024-W01", "2024-W02", "2024-W03")
ENTITIES = (
    "campaign,channel,line\nA,TV,Brand\nB,TV,Sale\nC,Radio,Brand\nD,Radio,Sale\n"
    "E,TV,Brand\nF,TV,Sale\nG,Radio,Brand\nH,Radio,Sale\n"
)
HEAD = "test,campaign,geo,line,channel,first_period,last_period,increment,standard_error\n"


@pytest.fixture
def read_lift(tmp_path):
    """Read one small data set with a table of lift tests of one's own."""

    def read(lift_tests, *, spec=SPEC, skip=(), entities=ENTITIES):
        keys = [(week, geo) for week in WEEKS for geo in ("north", "south")]
        rows = [f"{week},{geo},10" for week, geo in keys]
        pairs = [f"{w},{g},{c},1" for w, g in keys for c in "ABCDEFGH" if (w, g, c) not in skip]
        for stem, content in (
            ("aggregates", "week,geo,total\n" + "\n".join(rows)),
            ("exposures", "week,geo,campaign,exposure\n" + "\n".join(pairs)),
            ("entities", entities),
            ("lift_tests", lift_tests),
        ):
            (tmp_path / f"{stem}.csv").write_text(content + "\n", encoding="utf-8")
        return read_tables(parse_spec(spec), DataSource(tmp_path))

    return read


def covered(data, test):
    """The cells of a test as (week, geo, campaign)."""
    keys = data.aggregate_keys.to_numpy()[data.edge_aggregate[test.edges]]
    names = data.entity_names[data.edge_entity[test.edges]]
    return {(week, geo, name) for (week, geo), name in zip(keys, names, strict=True)}


def only_error(caught):
    (finding,) = [f for f in caught.value.findings if f.severity == "error"]
    assert finding.remedy
    return finding


def test_filled_cells_and_the_window_say_what_was_switched_off(read_lift):
    found = read_lift(
        HEAD
        + "one,A,north,,,2024-W02,2024-W03,4,1\n"
        + "group,,,Brand,TV,2024-W01,2024-W01,4.5,1\n"
        + "channel,,south,,Radio,2024-W01,2024-W03,-2,1\n"
    )
    one, group, channel = found.data.lift_tests
    assert covered(found.data, one) == {(w, "north", "A") for w in WEEKS[1:]}
    assert covered(found.data, group) == {
        (WEEKS[0], g, c) for g in ("north", "south") for c in "AE"
    }
    assert covered(found.data, channel) == {(w, "south", c) for w in WEEKS for c in "CDGH"}
    assert (one.increment, one.standard_error, one.ratio) == (4.0, 1.0, 1.0)
    assert (one.subject, one.window) == ("campaign A, geo north", "2024-W02 to 2024-W03")
    assert [f.code for f in found.findings] == ["negative-increment"]
    assert "lift_tests" in {source.table for source in found.sources}


def test_rows_of_one_name_are_parts_of_one_test(read_lift):
    found = read_lift(
        HEAD.replace("\n", ",increment_ratio,note\n")
        + "both,A,north,,,2024-W01,2024-W02,4,1,.8,a\n"
        + "both,B,south,,,2024-W01,2024-W02,4,1,.8,b\n"
    )
    (test,) = found.data.lift_tests
    expected = {(w, "north", "A") for w in WEEKS[:2]} | {(w, "south", "B") for w in WEEKS[:2]}
    assert covered(found.data, test) == expected
    assert test.ratio == 0.8


def test_what_is_unusual_is_told(read_lift):
    found = read_lift(
        HEAD
        + "far,A,,,,2024-W01,2024-W01,60,5\n"
        + "near,A,,,,2024-W01,2024-W01,30,5\n"
        + "all,,,,,2024-W01,2024-W01,20,1\n"
    )
    assert [(f.code, f.severity) for f in found.findings] == [
        ("increment-above-totals", "warning"),
        ("lift-test-of-whole-totals", "warning"),
    ]
    assert "'far' measured 60 with a standard error of 5" in found.findings[0].message
    assert "all totals of its window are 20" in found.findings[0].message


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ("x,Zed,,,,2024-W01,2024-W01,4,1\n", "unknown-lift-test-name", "'Zed'"),
        ("x,,west,,,2024-W01,2024-W01,4,1\n", "unknown-lift-test-name", "'west'"),
        ("x,,,Promo,,2024-W01,2024-W01,4,1\n", "unknown-lift-test-name", "'Promo'"),
        ("x,A,,,,2024-W09,2024-W01,4,1\n", "unknown-lift-test-period", "'2024-W09'"),
        ("x,A,,,,,2024-W01,4,1\n", "missing-lift-test-window", "'first_period' is blank"),
        ("x,A,,,,2024-W03,2024-W01,4,1\n", "reversed-lift-test-window", "ends before"),
        ("x,A,,,,2024-W01,2024-W01,4,0\n", "lift-test-not-positive", "'standard_error'"),
        ("x,A,,,,2024-W01,2024-W01,4,-1\n", "lift-test-not-positive", "'-1'"),
        ("x,A,,,,2024-W01,2024-W01,,1\n", "missing-lift-test-number", "'increment' is empty"),
        (",A,,,,2024-W01,2024-W01,4,1\n", "missing-key", "'test' is blank"),
        ("x,,,Brand,,2024-W01,2024-W01,4,1\n", "ambiguous-lift-test", "'TV' and 'Radio'"),
        (
            "x,A,,,,2024-W01,2024-W01,4,1\nx,B,,,,2024-W01,2024-W01,5,1\n",
            "duplicate-lift-test",
            "increment '5'",
        ),
        (
            "x,A,,,,2024-W01,2024-W01,4,1\nx,A,,,,2024-W01,2024-W01,4,1\n",
            "repeated-lift-test-row",
            "repeats",
        ),
        ("x,A,,,Radio,2024-W01,2024-W01,4,1\n", "lift-test-without-exposure", "test 'x'"),
    ],
)
def test_faults(read_lift, rows, code, words):
    with pytest.raises(DataError) as caught:
        read_lift(HEAD + rows)
    finding = only_error(caught)
    assert finding.code == code
    assert words in finding.message
    assert finding.where.startswith("lift_tests.csv, line")


def test_a_window_without_exposure_is_an_error(read_lift):
    skip = {(WEEKS[0], geo, "A") for geo in ("north", "south")}
    with pytest.raises(DataError) as caught:
        read_lift(HEAD + "x,A,,,,2024-W01,2024-W01,4,1\n", skip=skip)
    finding = only_error(caught)
    assert finding.code == "lift-test-without-exposure"
    assert "between '2024-W01' and '2024-W01'" in finding.message


@pytest.mark.parametrize(
    ("head", "code", "words"),
    [
        (HEAD.replace("campaign", "campain"), "lift-test-column", "'campain'"),
        (HEAD.replace("standard_error", "se"), "missing-column", "'standard_error'"),
        (HEAD.replace("first_period", "first"), "lift-test-column", "'first'"),
    ],
)
def test_columns_are_closed(read_lift, head, code, words):
    with pytest.raises(DataError) as caught:
        read_lift(head + "x,A,,,,2024-W01,2024-W01,4,1\n")
    assert any(f.code == code and words in f.message for f in caught.value.findings)


def test_a_column_with_two_meanings_is_an_error(read_lift):
    spec = SPEC.replace('nested = ["channel", "line"]', 'pooling = ["note"]')
    entities = ENTITIES.replace("campaign,channel,line", "campaign,note,line")
    with pytest.raises(DataError) as caught:
        read_lift("test,increment,standard_error\nx,4,1\n", spec=spec, entities=entities)
    assert only_error(caught).code == "lift-test-column-taken"


def test_windows_need_a_key_that_tells_the_time(tmp_path):
    spec = SPEC.replace('["week", "geo"]', '["store"]').replace('nested = ["channel", "line"]', "")
    for stem, content in (
        ("aggregates", "store,total\nx,10\ny,9\n"),
        ("exposures", "store,campaign,exposure\nx,A,1\nx,B,1\ny,A,1\ny,B,2\n"),
    ):
        (tmp_path / f"{stem}.csv").write_text(content, encoding="utf-8")
    path = tmp_path / "lift_tests.csv"
    path.write_text("test,campaign,increment,standard_error\nt,A,4,1\n", encoding="utf-8")
    (test,) = read_tables(parse_spec(spec), DataSource(tmp_path)).data.lift_tests
    assert (test.window, len(test.edges)) == ("", 2)
    path.write_text(
        "test,campaign,first_period,increment,standard_error\nt,A,x,4,1\n", encoding="utf-8"
    )
    with pytest.raises(DataError) as caught:
        read_tables(parse_spec(spec), DataSource(tmp_path))
    assert only_error(caught).code == "lift-test-without-time"
    assert "[lift_tests] period" in only_error(caught).remedy


def test_a_named_file_wins_and_parquet_is_read(read_lift, tmp_path):
    read_lift(HEAD + "x,A,,,,2024-W01,2024-W01,4,1\n")
    other = tmp_path / "other.parquet"
    pd.DataFrame(
        {
            "test": ["y"],
            "campaign": ["B"],
            "first_period": ["2024-W01"],
            "last_period": ["2024-W03"],
            "increment": [3],
            "standard_error": [0.5],
        }
    ).to_parquet(other)
    found = read_tables(parse_spec(SPEC), DataSource(tmp_path, lift_tests=other))
    assert [test.name for test in found.data.lift_tests] == ["y"]


def test_exposures_keep_their_tests_when_they_are_sorted():
    base = AggregateData.from_dense([[1.0, 2.0, 3.0], [4.0, 0.0, 5.0]], [6.0, 9.0])
    shuffled = sp.csr_array(
        (np.array([3.0, 1.0, 2.0, 5.0, 4.0]), np.array([2, 0, 1, 2, 0]), np.array([0, 3, 5])),
        shape=(2, 3),
    )
    test = LiftTest("t", "e3", "", "", 5.0, 1.0, 1.0, np.array([3, 0]))
    data = AggregateData(
        aggregate_keys=base.aggregate_keys,
        totals=base.totals,
        entity_key="entity",
        entity_names=base.entity_names,
        exposure=shuffled,
        lift_tests=(test,),
    )
    assert data.entity_names[data.edge_entity[data.lift_tests[0].edges]].tolist() == ["e3", "e3"]


@pytest.mark.parametrize(
    "change", [{"standard_error": 0.0}, {"ratio": -1.0}, {"increment": np.nan}, {"edges": []}]
)
def test_impossible_tests_are_refused(change):
    given = {
        "name": "t",
        "subject": "e1",
        "first": "",
        "last": "",
        "increment": 1.0,
        "standard_error": 1.0,
        "ratio": 1.0,
        "edges": [0],
    }
    with pytest.raises(ValueError, match="lift test 't'"):
        LiftTest(**(given | change))
