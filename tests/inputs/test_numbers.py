"""Strict numbers."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_attrib.inputs.numbers import CellStatus, parse_numbers


def parse(*cells, kind=None):
    return parse_numbers(pa.chunked_array([pa.array(cells, kind)]))


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0", 0.0),
        ("007", 7.0),
        ("+5", 5.0),
        ("-2.50", -2.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e5", 1e5),
        ("1.5E-3", 0.0015),
        (" 12 ", 12.0),
        ("\u00a012", 12.0),
        ("123456789.123456789", 123456789.123456789),
    ],
)
def test_plain_numbers(cell, number):
    column = parse(cell, "0.5")
    assert column.parsed.tolist() == [number, 0.5]
    assert column.status.tolist() == [CellStatus.NUMBER] * 2


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("", CellStatus.MISSING),
        ("  ", CellStatus.MISSING),
        ("NA", CellStatus.MISSING),
        ("null", CellStatus.MISSING),
        (None, CellStatus.MISSING),
        ("nan", CellStatus.NOT_FINITE),
        ("NaN", CellStatus.NOT_FINITE),
        ("-inf", CellStatus.NOT_FINITE),
        ("Infinity", CellStatus.NOT_FINITE),
        ("1e999", CellStatus.NOT_FINITE),
        ("1,5", CellStatus.NOT_A_NUMBER),
        ("1.234,5", CellStatus.NOT_A_NUMBER),
        ("1,234", CellStatus.NOT_A_NUMBER),
        ("1.234.567", CellStatus.NOT_A_NUMBER),
        ("1 234", CellStatus.NOT_A_NUMBER),
        ("12 %", CellStatus.NOT_A_NUMBER),
        ("€ 5", CellStatus.NOT_A_NUMBER),
        ("0x10", CellStatus.NOT_A_NUMBER),
        ("1_000", CellStatus.NOT_A_NUMBER),
        ("١٢", CellStatus.NOT_A_NUMBER),
        ("\u22125", CellStatus.NOT_A_NUMBER),
        ("--5", CellStatus.NOT_A_NUMBER),
        (".", CellStatus.NOT_A_NUMBER),
        ("1e", CellStatus.NOT_A_NUMBER),
        ("TRUE", CellStatus.NOT_A_NUMBER),
    ],
)
def test_everything_else_is_told_apart(cell, status):
    column = parse("1", cell, kind=pa.string())
    assert column.status.tolist() == [CellStatus.NUMBER, status]
    assert column.parsed[0] == 1
    assert np.isnan(column.parsed[1])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
@settings(derandomize=True, deadline=None)
def test_every_float_survives_its_own_spelling(numbers):
    column = parse(*map(repr, numbers))
    assert column.parsed.tolist() == numbers
    assert not column.status.any()


@given(st.lists(st.text(alphabet="0123456789.,eE+-_ naif", max_size=8), min_size=1))
@settings(derandomize=True, max_examples=300, deadline=None)
def test_nothing_is_a_number_that_python_does_not_read_as_one(cells):
    column = parse(*cells)
    for cell, number, status in zip(cells, column.parsed, column.status, strict=True):
        if status == CellStatus.NUMBER:
            assert float(cell) == number
        elif "_" not in cell:
            with pytest.raises(ValueError, match="could not convert"):
                _finite(cell)


def _finite(cell):
    number = float(cell)
    if not np.isfinite(number):
        raise ValueError("could not convert: not finite")
    return number


@pytest.mark.parametrize(
    ("cells", "dotted"),
    [
        (("1.234",), True),
        (("1.234", "987", "-12.345"), True),
        (("1.234", ""), True),
        (("1.234", "0.125"), False),
        (("1.234", "1234"), False),
        (("1.234", "12.5"), False),
        (("123", "4"), False),
        (("1.234", "x"), False),
        (("", "NA"), False),
    ],
)
def test_dots_that_may_stand_between_thousands(cells, dotted):
    assert parse(*cells).looks_dotted is dotted


@pytest.mark.parametrize(
    ("kind", "cells", "parsed"),
    [
        (pa.int8(), [3, None], [3, np.nan]),
        (pa.uint64(), [2**63, 1], [2.0**63, 1]),
        (pa.float32(), [0.5, None], [0.5, np.nan]),
        (pa.decimal128(9, 2), [Decimal("1.25"), None], [1.25, np.nan]),
        (pa.null(), [None, None], [np.nan, np.nan]),
        (pa.dictionary(pa.int8(), pa.string()), ["1.5", None], [1.5, np.nan]),
        (pa.large_string(), ["1.5", ""], [1.5, np.nan]),
    ],
)
def test_stored_numbers(kind, cells, parsed):
    column = parse(*cells, kind=kind)
    np.testing.assert_array_equal(column.parsed, parsed)
    missing = [CellStatus.MISSING if np.isnan(value) else CellStatus.NUMBER for value in parsed]
    assert column.status.tolist() == missing
    assert not column.looks_dotted


def test_stored_nan_is_not_missing():
    assert parse(1.0, float("nan"), float("inf"), None).status.tolist() == [
        CellStatus.NUMBER,
        CellStatus.NOT_FINITE,
        CellStatus.NOT_FINITE,
        CellStatus.MISSING,
    ]


@pytest.mark.parametrize("kind", [pa.bool_(), pa.date32(), pa.binary(), pa.list_(pa.int8())])
def test_other_types_are_refused(kind):
    with pytest.raises(TypeError):
        parse(None, kind=kind)
