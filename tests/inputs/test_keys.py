"""Keys: their text, their forms, and finding parents."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.inputs.keys import as_text, compose, is_blank, match_keys, strip


def text(*cells):
    return pd.Series(cells, dtype="str")


def test_null_is_the_empty_text():
    assert as_text(pa.chunked_array([["a", None], [None]])).tolist() == ["a", "", ""]
    assert as_text(pa.chunked_array([pa.nulls(2)])).tolist() == ["", ""]


def test_timestamps_keep_a_time_of_day():
    cells = pa.chunked_array([pa.array([0, 90_000, 86_400_000], pa.timestamp("ms"))])
    assert as_text(cells).tolist() == ["1970-01-01", "1970-01-01 00:01:30.000", "1970-01-02"]


def test_forms_keep_the_index_of_the_rows():
    series = text("a ", "b", "\u00a0Jose\u0301\t")[[2, 0]]
    assert strip(series).to_dict() == {2: "Jose\u0301", 0: "a"}
    assert compose(series).to_dict() == {2: "\u00a0Jos\u00e9\t", 0: "a "}
    assert is_blank(text("", " \u2003", "x")).tolist() == [True, True, False]


keys = st.lists(st.tuples(st.sampled_from(["a", "b", "ab", ""]), st.sampled_from(["b", "", "ab"])))


@given(keys, keys)
@settings(derandomize=True, deadline=None)
def test_matching_is_a_dictionary_of_first_rows(parents, children):
    first = {}
    for position, key in enumerate(parents):
        first.setdefault(key, position)
    frames = [
        pd.DataFrame({"x": text(*(k[0] for k in rows)), "y": text(*(k[1] for k in rows))})
        for rows in (parents, children)
    ]
    found = match_keys(*frames, ("x", "y"))
    assert found.tolist() == [first.get(key, -1) for key in children]
