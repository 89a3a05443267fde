"""Tables of touches and conversions: what is read, and what is told about what cannot be."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.journeys.events import TICKS_PER_DAY
from bayes_attrib.journeys.read import read_events
from bayes_attrib.journeys.times import parse_times
from bayes_attrib.spec.journeys import JourneyColumns, JourneySpec

TOUCHES = (
    "customer,time,channel\n007,2025-01-01,Search\n007,2025-01-02 10:00,Café\n"
    "NA,2025-01-03T00:00:30,Search\n"
)
CONVERSIONS = "customer,time,value\n007,2025-01-04,10.5\n1E5,2025-01-05,0\n"


def write(folder, touches=TOUCHES, conversions=CONVERSIONS):
    for stem, text in (("touches", touches), ("conversions", conversions)):
        if text is not None:
            (folder / f"{stem}.csv").write_bytes(
                text if isinstance(text, bytes) else text.encode("utf-8")
            )
    return folder


def faults(folder, **columns):
    with pytest.raises(DataError) as caught:
        read_events(folder, JourneySpec(columns=JourneyColumns(**columns)))
    return [f for f in caught.value.findings if f.severity == "error"]


def test_keys_are_text_and_times_are_exact(tmp_path):
    read = read_events(write(tmp_path), JourneySpec())
    events = read.events
    assert events.touchpoints == ("Café", "Search")
    assert events.touches.customer.tolist() == [0, 0, 1]
    assert events.conversions.customer.tolist() == [0, 2]
    assert events.n_customers == 3
    day = (dt.date(2025, 1, 1) - dt.date(1970, 1, 1)).days
    since = events.touches.time - day * TICKS_PER_DAY
    assert since.tolist() == [0, TICKS_PER_DAY * 34 // 24, 2 * TICKS_PER_DAY + 30_000_000]
    assert events.conversions.value.tolist() == [10.5, 0.0]
    assert [(s.table, s.rows) for s in read.sources] == [("touches", 3), ("conversions", 2)]


def test_spellings_that_look_alike_are_one_name(tmp_path):
    touches = TOUCHES.replace("Search\nNA", " Search \nNA") + "NA,2025-01-03,Cafe\u0301\n"
    assert read_events(write(tmp_path, touches), JourneySpec()).events.touchpoints == (
        "Café",
        "Search",
    )


def test_letter_case_is_a_warning(tmp_path):
    found = read_events(write(tmp_path, TOUCHES + "NA,2025-01-03,search\n"), JourneySpec())
    (finding,) = found.findings
    assert (finding.code, finding.severity) == ("letter-case-twins", "warning")
    assert "'Search' and 'search'" in finding.message


def test_values_may_be_missing_unless_the_spec_names_them(tmp_path):
    folder = write(tmp_path, conversions="customer,time\n007,2025-01-04\n")
    assert read_events(folder, JourneySpec()).events.conversions.value is None
    (fault,) = faults(folder, value="revenue")
    assert fault.code == "missing-column"
    assert "'revenue' (columns.value in the spec)" in fault.message


def test_groups_and_geos(tmp_path):
    touches = "customer,time,ad,channel,geo\na,2025-01-01,x,S,N\na,2025-01-02,y,T,M\n"
    conversions = "customer,time,geo\na,2025-01-03,P\n"
    columns = JourneyColumns(touchpoint="ad", groups=("channel",), geo="geo")
    events = read_events(write(tmp_path, touches, conversions), JourneySpec(columns=columns)).events
    assert events.groups == {"channel": ("S", "T")}
    assert events.geos == ("M", "N", "P")
    assert events.touches.geo.tolist() == [1, 0]
    assert events.conversions.geo.tolist() == [2]


def test_parquet_holds_times_and_dictionaries(tmp_path):
    stamps = pd.to_datetime(["2025-01-01 00:00:01", "2025-01-02 00:00:00"])
    touches = pa.table(
        {
            "customer": pa.array([7, 8]),
            "time": pa.array(stamps.tz_localize("UTC")),
            "channel": pa.array(["a", "b"]).dictionary_encode(),
        }
    )
    conversions = pa.table(
        {"customer": pa.array(["7"]), "time": pa.array(["2025-01-01T02:00:01+02:00"])}
    )
    pq.write_table(touches, tmp_path / "touches.parquet")
    pq.write_table(conversions, tmp_path / "conversions.parquet")
    events = read_events(tmp_path, JourneySpec()).events
    assert events.conversions.time[0] == events.touches.time[0]
    assert events.conversions.customer.tolist() == [0]


@pytest.mark.parametrize(
    ("touches", "conversions", "code", "words"),
    [
        (None, CONVERSIONS, "missing-table", "there is no touches.csv"),
        (TOUCHES, None, "missing-table", "there is no conversions.csv"),
        ("", CONVERSIONS, "empty-file", "the file is empty"),
        ("customer,time,channel\n", CONVERSIONS, "no-rows", "no rows below the header"),
        (TOUCHES.replace(",", ";"), CONVERSIONS, "not-comma-separated", "semicolons"),
        (TOUCHES.encode("latin-1"), CONVERSIONS, "not-utf8", "0xE9"),
        (TOUCHES.replace("channel", "chanel"), CONVERSIONS, "missing-column", "'channel'"),
        (TOUCHES.replace("time,", "tiem,"), CONVERSIONS, "missing-column", "columns.time"),
        ("customer,time,time,channel\na,,,b\n", CONVERSIONS, "duplicate-column", "'time'"),
        (TOUCHES + "x,2025-01-04,\n", CONVERSIONS, "missing-key", "'channel' is blank"),
        (TOUCHES + " ,2025-01-04,a\n", CONVERSIONS, "missing-key", "'customer' is blank"),
        (TOUCHES + "x,2025-01-04,a,b\n", CONVERSIONS, "ragged-row", "4 cells"),
        (TOUCHES + "x,,a\n", CONVERSIONS, "missing-time", "'time' is empty"),
        (TOUCHES + "x,04/01/2025,a\n", CONVERSIONS, "not-a-time", "'04/01/2025'"),
        (TOUCHES + "x,2025-02-30,a\n", CONVERSIONS, "not-a-time", "'2025-02-30'"),
        (TOUCHES + "x,1735689600,a\n", CONVERSIONS, "not-a-time", "'1735689600'"),
        (TOUCHES + "x,2025-01-04T10:00Z,a\n", CONVERSIONS, "mixed-time-zones", "T10:00Z"),
        (TOUCHES + "x,2025-01-04,unattributed\n", CONVERSIONS, "reserved-name", "unattributed"),
        (TOUCHES, CONVERSIONS + "x,2025-01-04,-3\n", "negative-value", "'-3'"),
        (TOUCHES, CONVERSIONS + "x,2025-01-04,\n", "missing-value", "'value' is empty"),
        (TOUCHES, CONVERSIONS + "x,2025-01-04,12 EUR\n", "not-a-number", "'12 EUR'"),
        (TOUCHES, CONVERSIONS + "x,2025-01-04,inf\n", "not-finite", "'inf'"),
        (
            TOUCHES,
            "customer,time,value\n007,2025-01-04,1.234\n",
            "ambiguous-dots",
            "'1.234'",
        ),
    ],
)
def test_faults_name_the_place_the_value_and_a_remedy(tmp_path, touches, conversions, code, words):
    found = faults(write(tmp_path, touches, conversions))
    assert [fault.code for fault in found] == [code]
    assert words in found[0].message
    assert found[0].remedy
    assert found[0].where.startswith(("touches", "conversions"))


def test_faults_of_both_tables_are_told_together(tmp_path):
    folder = write(tmp_path, TOUCHES + "x,soon,a\n", CONVERSIONS + "x,2025-01-04,-3\n")
    found = faults(folder)
    assert [fault.code for fault in found] == ["not-a-time", "negative-value"]
    assert found[0].where == "touches.csv, line 5"
    assert found[1].where == "conversions.csv, line 4"


def test_a_touchpoint_of_two_groups(tmp_path):
    touches = "customer,time,ad,channel\na,2025-01-01,x,S\na,2025-01-02,x,T\n"
    (fault,) = faults(write(tmp_path, touches, CONVERSIONS), touchpoint="ad", groups=("channel",))
    assert fault.code == "several-groups"
    assert "'x' in 'S' and 'T'" in fault.message


def test_a_folder_that_is_none(tmp_path):
    assert [f.code for f in faults(tmp_path / "nowhere")] == ["missing-folder"]


def test_times_stored_as_numbers_are_no_times(tmp_path):
    write(tmp_path, touches=None)
    touches = pa.table({"customer": ["a"], "time": [1.5], "channel": ["b"]})
    pq.write_table(touches, tmp_path / "touches.parquet")
    (fault,) = faults(tmp_path)
    assert (fault.code, fault.where) == ("time-type", "touches.parquet")
    assert "double" in fault.message


def test_times_equal_pandas_own():
    rng = np.random.default_rng(1)
    stamps = pd.Series(pd.to_datetime(rng.integers(-(10**15), 2 * 10**15, 500), unit="us"))
    cells = pa.chunked_array([[*stamps.dt.strftime("%Y-%m-%dT%H:%M:%S.%f"), "2025-13-01"]])
    found = parse_times(cells)
    assert found.faulty.tolist() == [False] * 500 + [True]
    wanted = stamps.dt.as_unit("us").astype("int64").tolist()
    assert found.ticks[:-1].tolist() == wanted
    zoned = parse_times(pa.chunked_array([["2025-01-01T01:00:00+01:00", "2025-13-01T00:00Z"]]))
    assert zoned.ticks[0] == pd.Timestamp("2025-01-01").value // 1000
    assert zoned.faulty.tolist() == [False, True]
