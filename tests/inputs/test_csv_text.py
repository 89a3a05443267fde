"""Reading CSV: physical lines, and what is refused."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.inputs.csv_text import read_csv_text
from bayes_attrib.inputs.unavailable import UnavailableError


def rows_of(text):
    columns = [column.to_pylist() for column in text.cells.columns]
    return list(zip(*columns, strict=True))


def refusal(raw):
    with pytest.raises(UnavailableError) as caught:
        read_csv_text("a.csv", raw)
    (finding,) = caught.value.findings
    return finding


pieces = st.lists(
    st.sampled_from(
        ["a", "ß", ",", "\n", "\r\n", "\r", '"', " ", '"x"', '"x\ny"', "x,y\n", "u,v\n"]
    ),
    max_size=14,
).map("".join)


@given(pieces)
@settings(derandomize=True, max_examples=500, deadline=None)
def test_cells_and_lines_agree_with_the_csv_module(body):
    """The standard library's reader, slow and well understood, is the reference."""
    content = f"h,i\n{body}"
    reader = csv.reader(io.StringIO(f"{content}\nthe end", newline=""))
    expected, line, last = [], 1, []
    for record in reader:
        if len(record) == 2:
            expected.append((line, tuple(record)))
        line, last = reader.line_num + 1, record
    if last != ["the end"]:
        assert refusal(content.encode()).code == "unclosed-quote"
    else:
        text = read_csv_text("a.csv", content.encode())
        assert list(zip(text.lines.tolist(), rows_of(text), strict=True)) == expected[1:]


def test_byte_order_mark_before_a_quoted_header():
    text = read_csv_text("a.csv", b'\xef\xbb\xbf"a",b\n1,2\n')
    assert text.cells.column_names == ["a", "b"]


@pytest.mark.parametrize("raw", [b'a,b\n1,"x', b'a,b\n1,"x\n', b'a,b\n1,"x\n2,y\n', b'a\n"1\n2\n'])
def test_a_quote_that_is_never_closed_is_refused_where_it_opens(raw):
    finding = refusal(raw)
    assert (finding.code, finding.where) == ("unclosed-quote", "a.csv, line 2")


def test_an_unclosed_quote_before_more_text_than_a_cell_can_hold():
    raw = b'a,b\n1,2\n3,"4\n' + b"5,6\n" * 100_000
    finding = refusal(raw)
    assert (finding.code, finding.where) == ("unclosed-quote", "a.csv, line 3")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty-file"),
        (b"\xef\xbb\xbf\n \n", "empty-file"),
        ("a,b\n1,2\n".encode("utf-16"), "not-utf8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "not-utf8"),
        (b"PK\x03\x04\x14\x00", "not-utf8"),
        ("a,b\né,2\n".encode("latin-1"), "not-utf8"),
        (b"a;b\n1;2\n", "not-comma-separated"),
        (b"a\tb\n1\t2\n", "not-comma-separated"),
        (b"a|b\n1|2\n", "not-comma-separated"),
    ],
)
def test_other_files_are_refused(raw, code):
    finding = refusal(raw)
    assert finding.code == code
    assert finding.remedy


def test_the_line_of_a_foreign_byte_is_named():
    finding = refusal("a,b\n1,2\n3,4\ncafé,5\n".encode("cp1252"))
    assert finding.where == "a.csv, line 4"
    assert "0xE9" in finding.message


def test_ragged_rows_are_left_out_and_named():
    text = read_csv_text("a.csv", b"a,b\n1,2\n3\n\n4,5,6\n7,8\n")
    assert rows_of(text) == [("1", "2"), ("7", "8")]
    assert text.lines.tolist() == [2, 6]
    assert text.ragged == 2
    (finding,) = text.findings
    assert finding.where == "a.csv, lines 3 and 5"
    assert "'3' has 1 cell and '4,5,6' has 3 cells" in finding.message
