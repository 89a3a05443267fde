"""Each opt-in repair: what it mends, what it records, and that it touches nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_attrib.errors import DataError
from bayes_attrib.inputs import Repair

AGGREGATES = "brick_id,units\nB1,12\nB2,7\nB3,0\n"
EXPOSURES = "brick_id,hcp_id,visits\nB1,H1,3\nB1,H2,1\nB2,H2,2\nB2,H3,2.5\nB3,H3,1\n"
ENTITIES = "hcp_id,specialty\nH3,CARDIO\nH2,GP\nH1,GP\n"
DENSE = [[3, 1, 0], [0, 2, 2.5], [0, 0, 1]]


def mend(read, *repairs, **tables):
    """Read tables that are broken without the repairs, and sound with them."""
    with pytest.raises(DataError) as caught:
        read(**tables)
    for repair in repairs:
        assert f"--repair {repair}" in str(caught.value)
    found = read(**tables, repairs=repairs)
    assert {record.repair for record in found.repairs} == set(repairs)
    return found


def record_of(found, table):
    (record,) = [record for record in found.repairs if record.table == table]
    return record


def test_normalise_unicode(read):
    exposures = EXPOSURES.replace("B1,H2", "B1,Jos\u00e9").replace("B2,H2", "B2,Jose\u0301")
    found = mend(read, Repair.NORMALISE_UNICODE, exposures=exposures)
    assert found.data.entity_names.tolist() == ["H1", "Jos\u00e9", "H3"]
    assert found.data.exposure.toarray().tolist() == DENSE
    record = record_of(found, "exposures")
    assert record.rows == 1
    assert "brick_id 'B2', hcp_id 'Jose\u0301'" in record.detail


def test_strip_key_whitespace(read):
    found = mend(
        read,
        Repair.STRIP_KEY_WHITESPACE,
        aggregates=AGGREGATES.replace("B2", "\u00a0B2"),
        exposures=EXPOSURES.replace("B3,H3", "B3\t,H3 "),
        entities=ENTITIES.replace("H2,GP", "H2,GP "),
        pooling=True,
    )
    assert found.data.aggregate_keys["brick_id"].tolist() == ["B1", "B2", "B3"]
    assert found.data.groupings["specialty"].levels == ("CARDIO", "GP")
    assert found.data.exposure.toarray().tolist() == np.array(DENSE)[:, ::-1].tolist()
    assert [(record.table, record.rows) for record in found.repairs] == [
        ("aggregates", 1),
        ("exposures", 1),
        ("entities", 1),
    ]


def test_both_text_repairs_together(read):
    exposures = EXPOSURES.replace("B1,H2", "B1,Jos\u00e9").replace("B2,H2", "B2,Jose\u0301 ")
    repairs = (Repair.STRIP_KEY_WHITESPACE, Repair.NORMALISE_UNICODE)
    found = read(exposures=exposures, repairs=repairs)
    assert found.data.entity_names.tolist() == ["H1", "Jos\u00e9", "H3"]


def test_accept_dot_decimals(read):
    found = mend(
        read,
        Repair.ACCEPT_DOT_DECIMALS,
        aggregates="brick_id,units\nB1,1.234\nB2,987\nB3,12.500\n",
        family="gamma",
    )
    assert found.data.totals.tolist() == [1.234, 987, 12.5]
    assert record_of(found, "aggregates").rows == 3
    assert "'units'" in record_of(found, "aggregates").detail


def test_drop_duplicate_rows_keeps_the_first_of_exact_copies(read):
    found = mend(
        read,
        Repair.DROP_DUPLICATE_ROWS,
        aggregates=AGGREGATES + "B1,12\n",
        exposures=EXPOSURES + "B1,H1,3\nB1,H1,3\n",
        entities=ENTITIES + "H1,GP\n",
        pooling=True,
    )
    assert found.data.totals.tolist() == [12, 7, 0]
    assert found.data.exposure.toarray().tolist() == np.array(DENSE)[:, ::-1].tolist()
    assert [record.rows for record in found.repairs] == [1, 2, 1]


def test_rows_that_differ_in_an_unused_column_are_no_copies(read):
    exposures = "brick_id,hcp_id,visits,day\nB1,H1,1,mon\nB1,H1,1,tue\nB2,H2,2,mon\nB2,H2,2,mon\n"
    aggregates = "brick_id,units\nB1,12\nB2,7\n"
    with pytest.raises(DataError) as caught:
        read(aggregates=aggregates, exposures=exposures, repairs=(Repair.DROP_DUPLICATE_ROWS,))
    (finding,) = caught.value.findings
    assert finding.code == "duplicate-exposure"
    assert "1 pair in more than one row (2 rows): brick_id 'B1'" in finding.message
    both = (Repair.DROP_DUPLICATE_ROWS, Repair.SUM_DUPLICATE_EXPOSURES)
    data = read(aggregates=aggregates, exposures=exposures, repairs=both).data
    assert data.exposure.toarray().tolist() == [[2, 0], [0, 2]]


def test_drop_missing_exposures(read):
    exposures = EXPOSURES + "B1,H3,\nB3,H1,NA\n"
    found = mend(read, Repair.DROP_MISSING_EXPOSURES, exposures=exposures)
    assert found.data.exposure.toarray().tolist() == DENSE
    assert record_of(found, "exposures").rows == 2


def test_round_fractional_counts(read):
    aggregates = "brick_id,units\nB1,12.4\nB2,6.75\nB3,0\n"
    found = mend(read, Repair.ROUND_FRACTIONAL_COUNTS, aggregates=aggregates)
    assert found.data.totals.tolist() == [12, 7, 0]
    record = record_of(found, "aggregates")
    assert record.rows == 2
    assert "the sum changed by -0.15" in record.detail
    assert record.total_excluded == 0


def test_drop_negative_totals_takes_their_exposures_along(read):
    found = mend(
        read, Repair.DROP_NEGATIVE_TOTALS, aggregates=AGGREGATES.replace("B1,12", "B1,-12")
    )
    assert found.data.aggregate_keys["brick_id"].tolist() == ["B2", "B3"]
    assert found.data.entity_names.tolist() == ["H2", "H3"]
    assert found.data.exposure.toarray().tolist() == [[2, 2.5], [0, 1]]
    first, second = found.repairs
    assert (first.table, first.rows, first.total_excluded) == ("aggregates", 1, -12)
    assert "totals that sum to -12 and 2 exposure rows" in first.detail
    assert (second.table, second.rows, second.total_excluded) == ("exposures", 2, 0)


def test_drop_zero_totals_under_a_family_that_excludes_them(read):
    found = mend(
        read,
        Repair.DROP_ZERO_TOTALS,
        aggregates=AGGREGATES + "B4,0\n",
        family="gamma",
    )
    assert found.data.aggregate_keys["brick_id"].tolist() == ["B1", "B2", "B4"]
    assert found.repairs[0].rows == 1


def test_zero_totals_of_counts_stay_whatever_is_asked(read):
    found = read(repairs=(Repair.DROP_ZERO_TOTALS,))
    assert found.data.totals.tolist() == [12, 7, 0]
    assert found.repairs == ()
    assert [(f.code, f.where) for f in found.findings] == [
        ("unused-repair", "--repair drop-zero-totals")
    ]


def test_sum_duplicate_exposures_and_their_known_amounts(read):
    exposures = (
        "brick_id,hcp_id,visits,units_true\n"
        "B1,H1,1,4\nB1,H2,1,5\nB1,H1,2,3\nB2,H2,2,3\nB2,H3,2.5,4\nB3,H3,1,0\n"
    )
    found = mend(read, Repair.SUM_DUPLICATE_EXPOSURES, exposures=exposures, amount=True)
    assert found.data.exposure.toarray().tolist() == DENSE
    assert found.data.truth.tolist() == [7, 5, 3, 4, 0]
    record = record_of(found, "exposures")
    assert record.rows == 2
    assert "added up 'visits' and 'units_true' of 1 pair" in record.detail


@pytest.mark.parametrize("cell", ["-2", "x", ""])
def test_summing_never_hides_a_faulty_cell(read, cell):
    exposures = EXPOSURES + f"B1,H1,4\nB1,H1,{cell}\n"
    with pytest.raises(DataError) as caught:
        read(exposures=exposures, repairs=(Repair.SUM_DUPLICATE_EXPOSURES,))
    codes = [finding.code for finding in caught.value.findings]
    assert len(codes) == 2
    assert codes[0] in {"negative-exposure", "not-a-number", "missing-exposure"}
    assert "line 8" in str(caught.value)


def test_drop_orphan_exposures_in_both_directions(read):
    found = mend(
        read,
        Repair.DROP_ORPHAN_EXPOSURES,
        exposures=EXPOSURES + "B9,H1,4\nB1,H9,2\n",
        entities=ENTITIES,
        pooling=True,
    )
    assert found.data.exposure.toarray().tolist() == np.array(DENSE)[:, ::-1].tolist()
    assert [(record.table, record.rows) for record in found.repairs] == [
        ("exposures", 1),
        ("exposures", 1),
    ]


def test_entities_that_nobody_needs_make_no_orphans(read):
    found = read(entities="hcp_id\nH1\n", repairs=(Repair.DROP_ORPHAN_EXPOSURES,))
    assert found.repairs == ()
    assert found.data.exposure.toarray().tolist() == DENSE


def test_drop_unexplained_totals_records_how_much(read):
    found = mend(
        read,
        Repair.DROP_UNEXPLAINED_TOTALS,
        aggregates=AGGREGATES + "B4,5\nB5,2\n",
        exposures=EXPOSURES + "B5,H1,0\n",
    )
    assert found.data.totals.tolist() == [12, 7, 0]
    assert found.repairs[0].total_excluded == 7
    assert found.repairs[0].rows == 2
    assert [finding.code for finding in found.findings] == []


def test_dropping_orphans_can_leave_totals_unexplained_and_the_next_repair_sees_it(read):
    tables = {
        "exposures": EXPOSURES.replace("B1,H1,3\nB1,H2,1\n", "B1,H9,3\n"),
        "entities": ENTITIES + "H8,GP\n",
        "aggregates": AGGREGATES,
        "pooling": True,
    }
    orphans, unexplained = Repair.DROP_ORPHAN_EXPOSURES, Repair.DROP_UNEXPLAINED_TOTALS
    tables["exposures"] += "B3,H8,1\n"
    with pytest.raises(DataError) as caught:
        read(**tables, repairs=(orphans,))
    assert [finding.code for finding in caught.value.findings] == ["unexplained-total"]
    found = read(**tables, repairs=(unexplained, orphans))
    assert [record.repair for record in found.repairs] == [orphans, unexplained]
    assert found.repairs[1].total_excluded == 12


def test_repairs_that_leave_nothing_are_an_error(read):
    with pytest.raises(DataError) as caught:
        read(
            aggregates="brick_id,units\nB1,-1\nB2,-2\nB3,-3\n",
            repairs=(Repair.DROP_NEGATIVE_TOTALS,),
        )
    assert [finding.code for finding in caught.value.findings] == [
        "nothing-to-attribute",
        "no-exposure",
    ]
    assert "no aggregate is left after the repairs" in str(caught.value)


@pytest.mark.parametrize("repair", list(Repair))
def test_no_repair_changes_sound_tables(read, repair):
    found = read(repairs=(repair,))
    assert found.data.exposure.toarray().tolist() == DENSE
    assert found.data.totals.tolist() == [12, 7, 0]
    assert found.repairs == ()
    assert [finding.code for finding in found.findings] == ["unused-repair"]


def test_line_numbers_survive_dropped_rows(read):
    exposures = EXPOSURES.replace("B1,H1,3\n", "B1,H1,3\nB1,H1,3\nB1,H3,\n") + "B3,H1,-1\n"
    with pytest.raises(DataError) as caught:
        read(
            exposures=exposures,
            repairs=(Repair.DROP_DUPLICATE_ROWS, Repair.DROP_MISSING_EXPOSURES),
        )
    (finding,) = caught.value.findings
    assert finding.where == "exposures.csv, line 9"


def test_copies_are_found_beside_columns_of_the_same_name(read):
    exposures = (
        "brick_id,hcp_id,visits,note,note\n"
        "B1,H1,3,a,b\nB1,H2,1,,\nB2,H2,2,,\nB2,H3,2.5,,\nB3,H3,1,,\nB1,H1,3,a,b\n"
    )
    found = mend(read, Repair.DROP_DUPLICATE_ROWS, exposures=exposures)
    assert found.data.exposure.toarray().tolist() == DENSE


@pytest.mark.parametrize("column", ["brick_id", "hcp_id", "visits", "units"])
def test_repairs_do_not_stumble_over_a_missing_column(read, column):
    tables = {"aggregates": AGGREGATES, "exposures": EXPOSURES + "B1,H1,3\nB1,H2,-1\n"}
    broken = {stem: text.replace(column, "other", 1) for stem, text in tables.items()}
    with pytest.raises(DataError) as caught:
        read(**broken, repairs=tuple(Repair))
    found = {(finding.code, finding.where) for finding in caught.value.findings}
    expected = {
        "brick_id": {("missing-column", "aggregates.csv"), ("missing-column", "exposures.csv")},
        "hcp_id": {("missing-column", "exposures.csv")},
        "visits": {("missing-column", "exposures.csv")},
        "units": {("missing-column", "aggregates.csv")},
    }[column]
    if column != "visits":
        expected = expected | {("negative-exposure", "exposures.csv, line 8")}
    if column in {"visits", "units"}:
        expected = expected | {("duplicate-exposure", "exposures.csv, lines 3 and 8")}
    assert found == expected


def test_excluding_totals_never_hides_a_repeated_key(read):
    with pytest.raises(DataError) as caught:
        read(aggregates=AGGREGATES + "B1,-5\n", repairs=(Repair.DROP_NEGATIVE_TOTALS,))
    assert [(f.code, f.where) for f in caught.value.findings] == [
        ("negative-total", "aggregates.csv, line 5"),
        ("duplicate-aggregate", "aggregates.csv, lines 2 and 5"),
    ]
