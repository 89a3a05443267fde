"""Columns that formulas read: their kinds, their faults, and the rows they belong to."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.inputs import DataSource, Repair, read_tables
from bayes_attrib.spec import parse_spec

SPEC = """
schema_version = 1
name = "hcp_brick"

[columns]
aggregate = ["brick_id"]
entity = "hcp_id"
total = "units"
exposure = "visits"

"""
EXPOSURES = "brick_id,hcp_id,visits\nB1,H1,3\nB1,H2,1\nB2,H2,2\nB2,H3,2.5\nB3,H3,1\n"


def spec_with(**formulas):
    rates = {key: text for key, text in formulas.items() if key != "zero_covariates"}
    lines = ["[rates]", *(f"{key} = {text!r}" for key, text in rates.items())]
    if "zero_covariates" in formulas:
        lines += ["[likelihood]", 'family = "zero_inflated_poisson"']
        lines += [f"zero_covariates = {formulas['zero_covariates']!r}"]
    return parse_spec(SPEC + "\n".join(lines))


@pytest.fixture
def entities(read):
    """Read one column ``x`` of three entities, in the order H3, H2, H1."""

    def read_with(cells, formula="x", repairs=()):
        rows = "".join(
            f"{hcp},{cell}\n" for hcp, cell in zip(("H3", "H2", "H1"), cells, strict=True)
        )
        found = read(
            spec=spec_with(covariates=formula), entities=f"hcp_id,x\n{rows}", repairs=repairs
        )
        return found.data.entity_covariates["x"]

    return read_with


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("1", "2.5", "-3e2"), [1, 2.5, -300]),
        ((" 1", "2 ", "+3"), [1, 2, 3]),
        (("007", "1", "2"), [7, 1, 2]),
    ],
)
def test_cells_that_are_numbers_make_a_column_of_numbers(entities, cells, numbers):
    column = entities(cells)
    assert column.dtype == np.float64
    assert column.tolist() == numbers


@pytest.mark.parametrize(
    ("cells", "formula"),
    [
        (("high", "low", "low"), "x"),
        (("50-74K", "35-49K", "250K+"), "x"),
        (("2025-01", "2025-02", "2025-02"), "x"),
        (("NA", "EMEA", "APAC"), "x"),
        (("1", "2", "2"), "C(x)"),
        (("1", "NA", "high"), "C(x)"),
        (("007", "7", "7.0"), "C(x)"),
    ],
)
def test_cells_that_are_names_stay_as_they_are(entities, cells, formula):
    column = entities(cells, formula)
    assert column.dtype == "str"
    assert column.tolist() == list(cells)


@pytest.mark.parametrize(
    ("cells", "formula", "codes"),
    [
        (("1", "high", "low"), "x", ["not-a-number"]),
        (("1.5", "2.5", "3.5%"), "x", ["not-a-number"]),
        (("1 000", "2 000", "high"), "x", ["not-a-number"]),
        (("nan", "inf", ""), "x", ["missing-covariate", "not-finite"]),
        (("", "", ""), "x", ["missing-covariate"]),
        (("1", "", "nan"), "x", ["missing-covariate", "not-finite"]),
        (("high", " ", "low"), "x", ["missing-covariate"]),
        (("high", "", "low"), "C(x)", ["missing-covariate"]),
        (("high", "low", "low"), "log(x)", ["not-a-number"]),
    ],
)
def test_cells_of_no_kind_or_of_two_are_faults(entities, cells, formula, codes):
    with pytest.raises(DataError) as caught:
        entities(cells, formula)
    assert [finding.code for finding in caught.value.findings] == codes
    assert all(
        "rates.covariates" in f.remedy for f in caught.value.findings if f.code != "not-finite"
    )


def test_numbers_may_have_ambiguous_dots_only_if_the_user_says_what_they_are(entities):
    with pytest.raises(DataError, match="accept-dot-decimals"):
        entities(("1.234", "2.500", "3"))
    column = entities(("1.234", "2.500", "3"), repairs=(Repair.ACCEPT_DOT_DECIMALS,))
    assert column.tolist() == [1.234, 2.5, 3]


def test_categories_have_one_spelling(entities):
    with pytest.raises(DataError, match="whitespace-twins"):
        entities(("high", "high ", "low"))
    column = entities(("high", "high ", "low"), repairs=(Repair.STRIP_KEY_WHITESPACE,))
    assert column.tolist() == ["high", "high", "low"]
    column = entities(("é", "e\u0301", "low"), "C(x)", repairs=(Repair.NORMALISE_UNICODE,))
    assert column.tolist() == ["é", "é", "low"]


def test_entities_without_exposure_need_no_covariates(read):
    tables = "hcp_id,x,y\nH3,1,a\nH9,,\nH2,2,b\nH1,3,a\n"
    data = read(spec=spec_with(covariates="x + y"), entities=tables).data
    assert data.entity_names.tolist() == ["H3", "H2", "H1"]
    assert data.entity_covariates.to_dict("list") == {"x": [1, 2, 3], "y": ["a", "b", "a"]}


def test_an_entity_that_is_not_described_is_a_fault(read):
    with pytest.raises(DataError, match="unknown-entity"):
        read(spec=spec_with(covariates="x"), entities="hcp_id,x\nH3,1\nH2,2\n")
    repairs = (Repair.DROP_ORPHAN_EXPOSURES,)
    entities = "hcp_id,x\nH3,1\nH2,2\n"
    data = read(spec=spec_with(covariates="x"), entities=entities, repairs=repairs).data
    assert data.entity_covariates["x"].tolist() == [1, 2]


def test_a_column_in_several_roles(read):
    """A grouping column may be a number, and a key may be a category."""
    text = SPEC + '[rates]\npooling = ["tenure"]\ncovariates = "log(tenure) + C(hcp_id)"\n'
    data = read(spec=parse_spec(text), entities="hcp_id,tenure\nH3,1.0\nH2,2\nH1,2\n").data
    assert data.groupings["tenure"].levels == ("1.0", "2")
    assert data.entity_covariates["tenure"].tolist() == [1, 2, 2]
    assert data.entity_covariates["hcp_id"].tolist() == ["H3", "H2", "H1"]


def test_covariates_of_pairs_stand_beside_their_exposures(read):
    exposures = (
        "brick_id,hcp_id,visits,x,slot\n"
        "B3,H3,1,33,a\nB2,H3,2.5,23,b\nB1,H2,1,12,b\nB2,H1,0,,\nB2,H2,2,22,a\nB1,H1,3,11,a\n"
    )
    formula = "x + slot + log(visits)"
    data = read(spec=spec_with(pair_covariates=formula), exposures=exposures).data
    assert data.pair_covariates["x"].tolist() == [12, 11, 23, 22, 33]
    assert data.pair_covariates["slot"].tolist() == list("babaa")
    assert data.pair_covariates["visits"].tolist() == data.exposure.data.tolist()
    assert list(data.pair_covariates.index) == [0, 1, 2, 3, 4]


def test_many_covariates_of_pairs_are_aligned(read):
    rng = np.random.default_rng(11)
    n_bricks, n_hcps = 60, 90
    pairs = rng.permutation(n_bricks * n_hcps)[:2000]
    rows = [f"B{p // n_hcps},H{p % n_hcps},{p % 5},{p}" for p in pairs]
    totals = "".join(f"B{b},{5 + b}\n" for b in range(n_bricks))
    data = read(
        spec=spec_with(pair_covariates="x"),
        aggregates=f"brick_id,units\n{totals}",
        exposures="brick_id,hcp_id,visits,x\n" + "\n".join(rows),
    ).data
    brick = np.array([int(key[1:]) for key in data.aggregate_keys["brick_id"]])
    hcp = np.array([int(name[1:]) for name in data.entity_names])
    expected = brick[data.edge_aggregate] * n_hcps + hcp[data.edge_entity]
    assert data.pair_covariates["x"].tolist() == expected.tolist()
    assert len(expected) == np.count_nonzero(pairs % 5)


def test_duplicate_exposures_add_up_only_where_their_covariates_agree(read):
    repairs = (Repair.SUM_DUPLICATE_EXPOSURES,)
    spec = spec_with(pair_covariates="x + visits")
    exposures = "brick_id,hcp_id,visits,x\nB1,H1,3,7\nB1,H1,1,7\nB2,H2,2,9\nB3,H2,2,1\n"
    data = read(spec=spec, exposures=exposures, repairs=repairs).data
    assert data.exposure.data.tolist() == [4, 2, 2]
    assert data.pair_covariates.to_dict("list") == {"x": [7, 9, 1], "visits": [4, 2, 2]}
    with pytest.raises(DataError, match="duplicate-exposure"):
        read(spec=spec, exposures=exposures.replace("1,7", "1,8"), repairs=repairs)
    data = read(spec=spec_with(pair_covariates="visits"), exposures=exposures, repairs=repairs).data
    assert data.pair_covariates["visits"].tolist() == [4, 2, 2]


def test_covariates_of_aggregates_keep_their_order(read):
    data = read(
        spec=spec_with(zero_covariates="temp + C(brick_id)"),
        aggregates="brick_id,units,temp\nB3,0,3.5\nB1,12,1\nB2,7,2\n",
    ).data
    assert data.aggregate_covariates["temp"].tolist() == [3.5, 1, 2]
    assert data.aggregate_covariates["brick_id"].tolist() == ["B3", "B1", "B2"]
    assert data.entity_covariates is None
    assert data.pair_covariates is None


@pytest.mark.parametrize(
    ("stored", "kind", "content"),
    [
        (pa.array([1, 2, 3], pa.int16()), "float", [1, 2, 3]),
        (pa.array([1.5, 2.5, 3.5], pa.float32()), "float", [1.5, 2.5, 3.5]),
        (pa.array([True, False, True]), "str", ["True", "False", "True"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), "str", ["a", "b", "a"]),
        (pa.array([dt.date(2025, 1, d) for d in (1, 2, 3)]), "str", None),
    ],
)
def test_types_of_parquet(tmp_path, stored, kind, content):
    tables = {
        "aggregates": {"brick_id": ["B1"], "units": [9]},
        "exposures": {"brick_id": ["B1"] * 3, "hcp_id": ["a", "b", "c"], "visits": [1, 2, 3]},
        "entities": {"hcp_id": ["a", "b", "c"], "x": stored},
    }
    for stem, columns in tables.items():
        pq.write_table(pa.table(columns), tmp_path / f"{stem}.parquet")
    found = read_tables(spec_with(covariates="x"), DataSource(tmp_path)).data.entity_covariates["x"]
    assert found.dtype == ("str" if kind == "str" else np.float64)
    assert found.tolist() == (content or ["2025-01-01", "2025-01-02", "2025-01-03"])


def test_numbers_of_parquet_that_are_all_missing_are_a_fault(tmp_path):
    tables = {
        "aggregates": {"brick_id": ["B1"], "units": [9]},
        "exposures": {"brick_id": ["B1"] * 2, "hcp_id": ["a", "b"], "visits": [1, 2]},
        "entities": {"hcp_id": ["a", "b"], "x": pa.array([None, float("nan")], pa.float64())},
    }
    for stem, columns in tables.items():
        pq.write_table(pa.table(columns), tmp_path / f"{stem}.parquet")
    with pytest.raises(DataError) as caught:
        read_tables(spec_with(covariates="x"), DataSource(tmp_path))
    codes = [finding.code for finding in caught.value.findings]
    assert codes == ["missing-covariate", "not-finite"]
