"""Random sound tables, written and read back."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.spec import parse_spec

SPEC = parse_spec("""
schema_version = 1
name = "random"

[columns]
aggregate = ["brick", "week"]
entity = "hcp"
total = "units"
exposure = "visits"

[rates]
pooling = ["group"]
""")

# Any text that is its own composed form and has no white space around it; no control characters
# beyond the line breaks that CSV can carry.
key = st.one_of(
    st.text("ab0,'\"; é世\n", min_size=1, max_size=6).filter(lambda text: text == text.strip()),
    st.sampled_from(["=1", "NA", "1E5", "null", "TRUE"]),
)
weight = st.one_of(
    st.just(0.0), st.floats(min_value=1e-9, max_value=1e9), st.integers(1, 50).map(float)
)


@st.composite
def tables(draw):
    """Draw keys, a dense exposure matrix with at least one positive cell a row, and totals."""
    bricks = draw(st.lists(st.tuples(key, key), min_size=1, max_size=5, unique=True))
    hcps = draw(st.lists(key, min_size=3, max_size=6, unique=True))
    n_rows, n_columns = len(bricks), len(hcps)
    cells = st.lists(weight, min_size=n_columns, max_size=n_columns)
    dense = np.array(draw(st.lists(cells, min_size=n_rows, max_size=n_rows)))
    dense[:, 0] = np.maximum(dense[:, 0], 0.5)
    totals = draw(st.lists(st.integers(0, 10**6), min_size=n_rows, max_size=n_rows))
    totals[0] += 1
    groups = [
        "x",
        "y",
        *draw(st.lists(st.sampled_from("xy"), min_size=n_columns - 2, max_size=n_columns - 2)),
    ]
    order = draw(st.permutations([(b, e) for b in range(n_rows) for e in range(n_columns)]))
    return bricks, hcps, dense, totals, groups, order


def frames(drawn):
    bricks, hcps, dense, totals, groups, order = drawn
    return {
        "aggregates": [("brick", "week", "units")]
        + [(*brick, total) for brick, total in zip(bricks, totals, strict=True)],
        "exposures": [("brick", "week", "hcp", "visits")]
        + [(*bricks[b], hcps[e], float(dense[b, e])) for b, e in order],
        "entities": [("hcp", "group"), *zip(hcps, groups, strict=True)],
    }


def write_csv(folder, stem, rows):
    with (folder / f"{stem}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def write_parquet(folder, stem, rows):
    header, *body = rows
    columns = dict(zip(header, map(list, zip(*body, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / f"{stem}.parquet")


@pytest.mark.parametrize("write", [write_csv, write_parquet])
@given(drawn=tables())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_what_is_written_is_read(write, drawn):
    bricks, hcps, dense, totals, groups, _ = drawn
    with tempfile.TemporaryDirectory() as name:
        for stem, rows in frames(drawn).items():
            write(Path(name), stem, rows)
        found = read_tables(SPEC, DataSource(Path(name)))
    data = found.data
    assert list(data.aggregate_keys.itertuples(index=False, name=None)) == bricks
    assert data.totals.tolist() == totals
    assert data.entity_names.tolist() == hcps
    assert np.array_equal(data.exposure.toarray(), dense)
    assert data.n_edges == np.count_nonzero(dense)
    levels = data.groupings["group"].levels
    assert [levels[code] for code in data.groupings["group"].codes] == groups
    assert all(finding.severity == "note" for finding in found.findings)
