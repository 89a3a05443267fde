"""Sound tables, in every form in which they may come."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import re
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.spec import parse_spec

AGGREGATES = "brick_id,units\nB1,12\nB2,7\nB3,0\n"
EXPOSURES = "brick_id,hcp_id,visits\nB1,H1,3\nB1,H2,1\nB2,H2,2\nB2,H3,2.5\nB3,H3,1\n"
ENTITIES = "hcp_id,specialty\nH3,CARDIO\nH2,GP\nH1,GP\n"
DENSE = np.array([[3, 1, 0], [0, 2, 2.5], [0, 0, 1]])


def same(left, right):
    assert left.aggregate_keys.equals(right.aggregate_keys)
    assert left.entity_names.tolist() == right.entity_names.tolist()
    assert np.array_equal(left.totals, right.totals)
    assert np.array_equal(left.exposure.toarray(), right.exposure.toarray())
    assert left.groupings.keys() == right.groupings.keys()
    for name, grouping in left.groupings.items():
        assert grouping.levels == right.groupings[name].levels
        assert np.array_equal(grouping.codes, right.groupings[name].codes)


def test_tiny_tables(read):
    found = read()
    data = found.data
    assert data.aggregate_keys["brick_id"].tolist() == ["B1", "B2", "B3"]
    assert data.totals.tolist() == [12, 7, 0]
    assert data.entity_key == "hcp_id"
    assert data.entity_names.tolist() == ["H1", "H2", "H3"]
    assert np.array_equal(data.exposure.toarray(), DENSE)
    assert data.truth is None
    assert found.findings == ()
    assert found.repairs == ()


def test_sources_carry_digest_and_rows(read, tmp_path):
    sources = read(exposures=EXPOSURES + "\n\n").sources
    assert [(s.table, s.name, s.rows) for s in sources] == [
        ("aggregates", "aggregates.csv", 3),
        ("exposures", "exposures.csv", 5),
    ]
    for source in sources:
        raw = (tmp_path / source.name).read_bytes()
        assert source.sha256 == hashlib.sha256(raw).hexdigest()


def test_entities_come_in_the_order_of_their_table(read):
    data = read(entities=ENTITIES + "H9,ONCO\n", pooling=True).data
    assert data.entity_names.tolist() == ["H3", "H2", "H1"]
    assert np.array_equal(data.exposure.toarray(), DENSE[:, ::-1])
    grouping = data.groupings["specialty"]
    assert grouping.levels == ("CARDIO", "GP")
    assert grouping.codes.tolist() == [0, 1, 1]


def test_entities_that_an_optional_table_lacks_come_last(read):
    found = read(entities="hcp_id\nH3\nH1\n")
    assert found.data.entity_names.tolist() == ["H3", "H1", "H2"]
    assert np.array_equal(found.data.exposure.toarray(), DENSE[:, [2, 0, 1]])
    assert [(f.code, f.severity) for f in found.findings] == [("unknown-entity", "warning")]


def test_aggregates_keep_the_order_of_their_file(read):
    data = read(aggregates="brick_id,units\nB3,0\nB1,12\nB2,7\n").data
    assert data.aggregate_keys["brick_id"].tolist() == ["B3", "B1", "B2"]
    assert np.array_equal(data.exposure.toarray(), DENSE[[2, 0, 1]])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: b"\n" + text.encode(),
        lambda text: re.sub(r"[^,\n]+", r'"\g<0>"', text).encode(),
    ],
    ids=["bom", "crlf", "cr", "no-last-newline", "blank-lines", "blank-first-line", "quoted"],
)
def test_forms_of_csv_do_not_matter(read, change):
    plain = read(entities=ENTITIES, pooling=True).data
    other = read(
        aggregates=change(AGGREGATES),
        exposures=change(EXPOSURES),
        entities=change(ENTITIES),
        pooling=True,
    )
    same(plain, other.data)


def test_keys_are_text(read):
    keys = ["007", "1E5", "NA", "null", "TRUE", "1.0", "-", "=1+1", "<b>", "$\\frac{$", "a / b"]
    aggregates = "brick_id,units\n" + "".join(f"{key},{i}\n" for i, key in enumerate(keys))
    exposures = "brick_id,hcp_id,visits\n" + "".join(f"{key},{key},1\n" for key in keys)
    data = read(aggregates=aggregates, exposures=exposures).data
    assert data.aggregate_keys["brick_id"].tolist() == keys
    assert data.entity_names.tolist() == keys


def test_quoted_commas_quotes_and_line_breaks_are_part_of_a_key(read):
    exposures = EXPOSURES.replace("H2", '"H ""2"", the\nsecond"')
    assert read(exposures=exposures).data.entity_names.tolist() == [
        "H1",
        'H "2", the\nsecond',
        "H3",
    ]


def test_extra_columns_do_not_matter(read):
    plain = read().data
    aggregates = "note,units,brick_id\nx,12,B1\n,7,B2\ny,0,B3\n"
    exposures = EXPOSURES.replace("visits", "visits,comment,comment").replace(".5", ".5,,")
    exposures = "\n".join(
        line if line.count(",") == 4 or not line else f"{line},a,b"
        for line in exposures.split("\n")
    )
    same(plain, read(aggregates=aggregates, exposures=exposures).data)


def test_several_key_columns(tmp_path):
    spec = parse_spec(
        'schema_version = 1\nname = "mmm"\n[columns]\naggregate = ["channel", "week"]\n'
        'entity = "campaign"\n[likelihood]\nfamily = "gamma"\n'
    )
    (tmp_path / "aggregates.csv").write_text(
        "channel,week,total\nTV,1,10.5\nTV,11,3\nTV1,1,4\n", encoding="utf-8"
    )
    (tmp_path / "exposures.csv").write_text(
        "week,channel,campaign,exposure\n1,TV1,c,1\n11,TV,a,2\n1,TV,b,.5\n1,TV,a,1e-1\n",
        encoding="utf-8",
    )
    data = read_tables(spec, DataSource(tmp_path)).data
    assert data.aggregate_labels.tolist() == ["TV / 1", "TV / 11", "TV1 / 1"]
    assert data.entity_names.tolist() == ["c", "a", "b"]
    assert data.exposure.toarray().tolist() == [[0, 0.1, 0.5], [0, 2, 0], [1, 0, 0]]


def test_truth_is_aligned_with_the_stored_exposures(read):
    exposures = (
        "brick_id,hcp_id,visits,units_true\n"
        "B3,H3,1,0\nB2,H3,2.5,4\nB1,H2,1,5\nB2,H1,0,0\nB2,H2,2,3\nB1,H1,3,7\n"
    )
    data = read(exposures=exposures, amount=True).data
    assert data.entity_names.tolist() == ["H3", "H2", "H1"]
    dense = np.zeros(data.exposure.shape)
    dense[data.edge_aggregate, data.edge_entity] = data.truth
    assert dense.tolist() == [[0, 5, 7], [4, 3, 0], [0, 0, 0]]
    assert data.n_edges == 5


def test_zero_exposures_are_left_out_of_the_matrix(read):
    found = read(exposures=EXPOSURES + "B3,H1,0\nB3,H4,0\n")
    assert found.data.n_edges == 5
    assert found.data.entity_names.tolist() == ["H1", "H2", "H3", "H4"]
    assert [(f.code, f.severity) for f in found.findings] == [
        ("zero-exposure", "note"),
        ("idle-entity", "note"),
    ]


def write_parquet(folder, **tables):
    for stem, columns in tables.items():
        pq.write_table(pa.table(columns), folder / f"{stem}.parquet")


def test_parquet_equals_csv(read, spec_of, tmp_path):
    plain = read(entities=ENTITIES, pooling=True).data
    folder = tmp_path / "parquet"
    folder.mkdir()
    write_parquet(
        folder,
        aggregates={"brick_id": ["B1", "B2", "B3"], "units": pa.array([12, 7, 0], pa.int32())},
        exposures={
            "brick_id": pa.array(["B1", "B1", "B2", "B2", "B3"]).dictionary_encode(),
            "hcp_id": pa.array(["H1", "H2", "H2", "H3", "H3"], pa.large_string()),
            "visits": [3.0, 1.0, 2.0, 2.5, 1.0],
        },
        entities={"hcp_id": ["H3", "H2", "H1"], "specialty": ["CARDIO", "GP", "GP"]},
    )
    found = read_tables(spec_of(pooling=True), DataSource(folder))
    same(plain, found.data)
    assert [source.rows for source in found.sources] == [3, 5, 3]


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (pa.array([7, 10, 7], pa.int64()), ["7", "10"]),
        (pa.array([7, 10, 7], pa.uint8()).dictionary_encode(), ["7", "10"]),
        (pa.array([dt.date(2025, 1, 6), dt.date(2025, 1, 13)] * 2)[:3], None),
        (pa.array([dt.datetime(2025, 1, 6), dt.datetime(2025, 1, 13)] * 2)[:3], None),  # noqa: DTZ001
        (pa.array([Decimal(7), Decimal(10), Decimal(7)]), ["7", "10"]),
        (pa.array(["007", "1E5", "007"]), ["007", "1E5"]),
        (pa.array([True, False, True]), ["True", "False"]),
    ],
    ids=["integer", "category", "date", "timestamp", "decimal", "text", "boolean"],
)
def test_keys_of_parquet_become_text(spec_of, tmp_path, stored, text):
    text = text or ["2025-01-06", "2025-01-13"]
    write_parquet(
        tmp_path,
        aggregates={"brick_id": text, "units": [3, 4]},
        exposures={"brick_id": stored, "hcp_id": ["a", "a", "b"], "visits": [1, 2, 3]},
    )
    data = read_tables(spec_of(), DataSource(tmp_path)).data
    assert data.exposure.toarray().tolist() == [[1, 3], [2, 0]]


@pytest.mark.parametrize(
    "stored",
    [
        pa.array([1.0, 2.0, 1.0]),
        pa.array([0, 1, 0], pa.timestamp("s", tz="UTC")),
        pa.array([b"a", b"b", b"a"]),
        pa.array([["a"], ["b"], ["a"]]),
        pa.array([Decimal("1.5"), Decimal("2.5"), Decimal("1.5")]),
    ],
    ids=["float", "instant", "binary", "list", "decimal"],
)
def test_keys_of_other_types_are_refused(spec_of, tmp_path, stored):
    write_parquet(
        tmp_path,
        aggregates={"brick_id": ["1", "2"], "units": [3, 4]},
        exposures={"brick_id": stored, "hcp_id": ["a", "a", "b"], "visits": [1, 2, 3]},
    )
    with pytest.raises(DataError) as caught:
        read_tables(spec_of(), DataSource(tmp_path))
    assert [finding.code for finding in caught.value.findings] == ["key-type"]


def test_faults_of_parquet_are_named_by_row(spec_of, tmp_path):
    write_parquet(
        tmp_path,
        aggregates={"brick_id": ["B1", "B2"], "units": pa.array([3, None], pa.int64())},
        exposures={
            "brick_id": ["B1", None, "B2"],
            "hcp_id": ["a", "a", "b"],
            "visits": [1.0, 2.0, float("nan")],
        },
    )
    with pytest.raises(DataError) as caught:
        read_tables(spec_of(), DataSource(tmp_path))
    assert [(finding.code, finding.where) for finding in caught.value.findings] == [
        ("missing-key", "exposures.parquet, row 2"),
        ("missing-total", "aggregates.parquet, row 2"),
        ("not-finite", "exposures.parquet, row 3"),
    ]


def test_numbers_of_other_types_are_refused(spec_of, tmp_path):
    write_parquet(
        tmp_path,
        aggregates={"brick_id": ["1", "2"], "units": [True, False]},
        exposures={"brick_id": ["1", "2"], "hcp_id": ["a", "b"], "visits": ["1", "2.5"]},
    )
    with pytest.raises(DataError) as caught:
        read_tables(spec_of(), DataSource(tmp_path))
    assert [finding.code for finding in caught.value.findings] == ["number-type"]
    assert "stored as bool" in str(caught.value)


def test_zipped_csv_and_named_files(read, spec_of, tmp_path):
    plain = read().data
    (tmp_path / "exposures.csv").unlink()
    (tmp_path / "exposures.csv.gz").write_bytes(gzip.compress(EXPOSURES.encode()))
    same(plain, read_tables(spec_of(), DataSource(tmp_path)).data)

    other = tmp_path / "Q3 visits.CSV"
    other.write_text(EXPOSURES.replace("3\n", "4\n", 1), encoding="utf-8")
    named = read_tables(spec_of(), DataSource(tmp_path, exposures=other))
    assert named.data.exposure.toarray()[0].tolist() == [4, 1, 0]
    assert named.sources[1].name == "Q3 visits.CSV"

    alone = DataSource(aggregates=tmp_path / "aggregates.csv", exposures=other)
    same(named.data, read_tables(spec_of(), alone).data)


def test_many_rows_are_aligned(spec_of, tmp_path):
    rng = np.random.default_rng(3)
    n_rows, n_bricks = 200_000, 2_000
    hcp = np.repeat(np.arange(n_rows // 10), 10)
    brick = (hcp * 7 + np.tile(np.arange(10), n_rows // 10) * 11) % n_bricks
    order = rng.permutation(n_rows)
    hcp, brick, visits = hcp[order], brick[order], rng.integers(1, 20, n_rows)
    rows = "\n".join(f"B{b},H{h},{v}" for b, h, v in zip(brick, hcp, visits, strict=True))
    (tmp_path / "exposures.csv").write_text(f"brick_id,hcp_id,visits\n{rows}\n", encoding="utf-8")
    totals = "\n".join(f"B{b},{b}" for b in range(n_bricks))
    (tmp_path / "aggregates.csv").write_text(f"brick_id,units\n{totals}\n", encoding="utf-8")
    data = read_tables(spec_of(), DataSource(tmp_path)).data
    assert data.n_edges == n_rows
    names = {name: position for position, name in enumerate(data.entity_names)}
    columns = np.array([names[f"H{h}"] for h in hcp])
    assert np.array_equal(data.exposure[brick, columns], visits)
