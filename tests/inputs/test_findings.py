"""Warnings and notes, and those faults that no folder of files can show."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.inputs import DataSource, read_tables
from bayes_attrib.spec import parse_spec

AGGREGATES = "brick_id,units\nB1,12\nB2,7\nB3,0\n"
EXPOSURES = "brick_id,hcp_id,visits\nB1,H1,3\nB1,H2,1\nB2,H2,2\nB2,H3,2.5\nB3,H3,1\n"
ENTITIES = "hcp_id,specialty\nH3,CARDIO\nH2,GP\nH1,GP\n"
SCORED = "brick_id,hcp_id,visits,units_true\n"


def summary(found):
    return [(finding.code, finding.severity, finding.where) for finding in found.findings]


def errors_of(call, *arguments, **options):
    with pytest.raises(DataError) as caught:
        call(*arguments, **options)
    return caught.value.findings


def test_entities_without_exposure_rows_are_a_note(read):
    found = read(entities=ENTITIES + "H4,ONCO\nH5,\n", pooling=True)
    assert summary(found) == [("unused-entity", "note", "entities.csv, lines 5 and 6")]
    assert "hcp_id 'H4' and hcp_id 'H5'" in found.findings[0].message


def test_aggregates_without_anything_are_a_note(read):
    found = read(aggregates=AGGREGATES + "B4,0\n", family="negative_binomial")
    assert summary(found) == [("empty-aggregate", "note", "aggregates.csv, line 5")]
    assert found.data.n_aggregates == 4


def test_uncertain_totals_are_a_warning(read):
    found = read(aggregates="brick_id,units,total_sd\nB1,12,1\nB2,7,1\nB3,0,0\n")
    assert summary(found) == [("total-sd-not-used", "warning", "aggregates.csv, column 'total_sd'")]


def test_known_amounts_that_do_not_add_up_are_a_warning(read):
    exposures = SCORED + "B1,H1,3,7\nB1,H2,1,4\nB2,H2,2,3\nB2,H3,2.5,4.0001\nB3,H3,1,2\n"
    found = read(exposures=exposures, amount=True)
    assert summary(found) == [("amounts-off-total", "warning", "aggregates.csv, lines 2 and 4")]
    assert "11 of 12 (brick_id 'B1') and 2 of 0 (brick_id 'B3')" in found.findings[0].message
    assert found.data.truth.tolist() == [7, 4, 3, 4.0001, 2]


def test_known_amounts_without_exposure_are_a_warning(read):
    exposures = SCORED + "B1,H1,3,7\nB1,H2,0,5\nB2,H2,2,3\nB2,H3,2.5,4\nB3,H3,1,0\n"
    found = read(exposures=exposures, amount=True)
    assert summary(found)[0] == ("amount-without-exposure", "warning", "exposures.csv, line 3")
    assert found.data.truth.tolist() == [7, 3, 4, 0]


def test_a_named_column_of_amounts_that_is_not_there_is_a_note(read):
    found = read(amount=True)
    assert summary(found) == [("no-known-amounts", "note", "exposures.csv")]
    assert found.data.truth is None


def test_missing_folder(spec_of, tmp_path):
    (finding,) = errors_of(read_tables, spec_of(), DataSource(tmp_path / "nowhere"))
    assert finding.render() == (
        "error [missing-folder] 'nowhere': there is no such folder\n"
        "    remedy: check the path of the data folder"
    )
    file = tmp_path / "a.csv"
    file.write_text(AGGREGATES, encoding="utf-8")
    (finding,) = errors_of(read_tables, spec_of(), DataSource(file))
    assert finding.message == "this is a file, not a folder"


def test_named_files_that_are_missing_or_of_another_kind(spec_of, tmp_path):
    workbook = tmp_path / "visits.xlsx"
    workbook.write_bytes(b"PK")
    source = DataSource(aggregates=tmp_path / "totals.csv", exposures=workbook)
    findings = errors_of(read_tables, spec_of(), source)
    assert [(f.code, f.where) for f in findings] == [
        ("missing-file", "totals.csv"),
        ("unknown-format", "visits.xlsx"),
    ]


def test_no_source_at_all(spec_of):
    findings = errors_of(read_tables, spec_of(pooling=True), DataSource())
    assert [(f.code, f.where) for f in findings] == [
        ("missing-table", "aggregates"),
        ("missing-table", "exposures"),
        ("missing-table", "entities"),
    ]
    assert "remove rates.pooling from the spec" in findings[2].remedy


def test_a_folder_without_tables_says_so(spec_of, tmp_path):
    findings = errors_of(read_tables, spec_of(), DataSource(tmp_path))
    assert all("the data folder holds no tables" in finding.message for finding in findings)


def test_several_key_columns_are_named_together_and_hints_name_the_wrong_one(tmp_path):
    spec = parse_spec(
        'schema_version = 1\nname = "mmm"\n[columns]\naggregate = ["channel", "week"]\n'
        'entity = "campaign"\n'
    )
    (tmp_path / "aggregates.csv").write_text(
        "channel,week,total\nTV,01,10\nTV,02,3\nTV,1,4\n", encoding="utf-8"
    )
    (tmp_path / "exposures.csv").write_text(
        "channel,week,campaign,exposure\nTV,01,a,1\nTV,02,a,1\nTV,1,a,1\ntv,02,a,1\nTV,2,b,1\n"
        "TV,3,b,1\n",
        encoding="utf-8",
    )
    (finding,) = errors_of(read_tables, spec, DataSource(tmp_path))
    assert finding.code == "unknown-aggregate"
    assert finding.message == (
        "not in aggregates.csv (3 keys, 3 rows): "
        "channel 'tv', week '02' (is channel 'TV' meant?), "
        "channel 'TV', week '2' (is week '02' meant?) and channel 'TV', week '3'"
    )


def test_checks_go_on_where_a_file_cannot_be_read(read):
    """A fault of one file hides nothing in the others, and no check guesses at what is missing."""
    findings = errors_of(
        read,
        aggregates="brick_id,units\nB1,12\nB1,x\nB4,3\n",
        exposures="",
        entities=ENTITIES + "H1,GP\n",
        pooling=True,
    )
    assert [(f.code, f.where) for f in findings] == [
        ("empty-file", "exposures.csv"),
        ("not-a-number", "aggregates.csv, line 3"),
        ("duplicate-aggregate", "aggregates.csv, lines 2 and 3"),
        ("duplicate-entity", "entities.csv, lines 4 and 5"),
    ]


def test_rows_that_cannot_be_read_are_not_taken_for_missing(read):
    findings = errors_of(read, exposures=EXPOSURES.replace("B1,H1,3\nB1,H2,1", "B1,H1,3,1"))
    assert [f.code for f in findings] == ["ragged-row"]
    findings = errors_of(read, aggregates=AGGREGATES.replace("B1,12", "B1,1,2"))
    assert [f.code for f in findings] == ["ragged-row"]


def test_an_unreadable_exposure_may_explain_a_total(read):
    findings = errors_of(read, exposures=EXPOSURES.replace("B1,H1,3\nB1,H2,1", "B1,H1,many"))
    assert [f.code for f in findings] == ["not-a-number"]


def test_a_folder_in_place_of_a_table_is_not_a_table(spec_of, tmp_path: Path):
    (tmp_path / "aggregates.csv").mkdir()
    codes = [f.code for f in errors_of(read_tables, spec_of(), DataSource(tmp_path))]
    assert codes == ["missing-table", "missing-table"]


def test_long_cells_are_shortened(read):
    (finding,) = errors_of(read, aggregates=AGGREGATES.replace("B2,7", f"B2,{'9' * 200}x"))
    assert f"'{'9' * 40}…'" in finding.message
    assert len(finding.message) < 150


@pytest.mark.parametrize(
    ("family", "of_money"),
    [
        ("poisson", "'gamma'"),
        ("negative_binomial", "'gamma'"),
        ("zero_inflated_poisson", "'hurdle_gamma'"),
        ("zero_inflated_negative_binomial", "'hurdle_gamma'"),
    ],
)
def test_fractions_under_counts_are_sent_to_a_family_of_money(read, family, of_money):
    (finding,) = errors_of(read, aggregates=AGGREGATES.replace("B2,7", "B2,7.5"), family=family)
    assert finding.code == "fractional-count"
    assert f"choose the family {of_money} if they are money" in finding.remedy


@pytest.mark.parametrize("family", ["gamma", "lognormal"])
def test_zeros_are_sent_to_the_family_that_has_them(read, family):
    (finding,) = errors_of(read, family=family)
    assert finding.code == "impossible-zero"
    assert f"choose 'hurdle_{family}' where" in finding.remedy
    assert summary(read(family=f"hurdle_{family}")) == []
