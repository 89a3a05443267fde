"""CSV in UTF-8 as columns of text: nothing is guessed, and every row knows its physical line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, places, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.unavailable import UnavailableError

_BOM: Final = b"\xef\xbb\xbf"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_SAVE_AS_UTF8: Final = "save the file as 'CSV UTF-8' (in Excel: Save As, CSV UTF-8)"
_FOREIGN_DELIMITERS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_SENTINEL: Final = "\x00end of file"


@dataclass(frozen=True, eq=False)
class CsvText:
    """Content of a CSV file.

    Attributes
    ----------
    cells : pyarrow.Table
        All columns as text, as the file has them; empty cells are empty texts, never null.
    lines : ndarray of int, shape (n_rows,)
        Physical line on which each row begins; the header is line 1.
    ragged : int
        Number of rows that were left out because they have too few or too many cells.
    findings : tuple of Finding
        The fault of those rows.
    """

    cells: pa.Table
    lines: IntArray
    ragged: int = 0
    findings: tuple[Finding, ...] = ()


def read_csv_text(name: str, raw: bytes) -> CsvText:
    """Read a comma-separated file.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    raw : bytes
        Its content: UTF-8, with or without a byte order mark.

    Returns
    -------
    CsvText
        Text of all cells, in the file's order.

    Raises
    ------
    UnavailableError
        If the file is empty, not UTF-8, delimited by something else than commas, or has a
        quotation mark that is never closed.
    """
    raw = raw.removeprefix(_BOM)
    _check_encoding(name, raw)
    if not raw.strip():
        raise _fault("empty-file", name, "the file is empty", "export the table again")
    header = _header(name, raw)
    cells, misfits = _columns(raw, header)
    if _physical_lines(raw) == cells.num_rows + 1:
        _check_last_line(name, raw, cells.num_rows + 1)
        return CsvText(cells, np.arange(2, cells.num_rows + 2))
    return _with_lines(name, raw, cells, misfits)


def _check_encoding(name: str, raw: bytes) -> None:
    if raw.startswith(_UTF16_BOMS) or b"\x00" in raw:
        message = "the file is not text in UTF-8; it looks like UTF-16, or like no text at all"
        raise _fault("not-utf8", name, message, _SAVE_AS_UTF8)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        start = raw.rfind(b"\n", 0, error.start) + 1
        shown = raw[max(start, error.start - 20) : error.start + 10].split(b"\n")[0]
        text = quote(shown.decode("ascii", errors="replace"))
        message = f"byte 0x{raw[error.start]:02X} is not UTF-8; the line reads {text}"
        raise _fault("not-utf8", f"{name}, line {line}", message, _SAVE_AS_UTF8) from error


def _header(name: str, raw: bytes) -> list[str]:
    header = next((row for row in csv.reader(_text_lines(raw)) if row), [])
    if len(header) == 1:
        for mark, noun in _FOREIGN_DELIMITERS.items():
            if mark in header[0]:
                message = f"columns are divided by {noun}, not by commas: {quote(header[0])}"
                remedy = (
                    "export the table with commas between columns and a dot for decimals "
                    "(1234.5), or as Parquet"
                )
                raise _fault("not-comma-separated", f"{name}, line 1", message, remedy)
    return header


def _text_lines(raw: bytes) -> Iterator[str]:
    return iter(io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8", newline=""))


def _columns(raw: bytes, header: Sequence[str]) -> tuple[pa.Table, list[str]]:
    """Parse all cells as text; of rows with a wrong number of cells, return the first few."""
    misfits: list[str] = []

    def skip(row: pacsv.InvalidRow) -> str:
        if len(misfits) < MAX_EXAMPLES:
            misfits.append(f"{quote(row.text)} has {counted(row.actual_columns, 'cell')}")
        return "skip"

    options = pacsv.ConvertOptions(
        column_types={column: pa.string() for column in header},
        null_values=[],
        strings_can_be_null=False,
    )
    cells = pacsv.read_csv(
        pa.BufferReader(raw),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=min(len(raw) + 1, 2**31 - 1)),
        parse_options=pacsv.ParseOptions(
            newlines_in_values=True,
            ignore_empty_lines=True,
            invalid_row_handler=skip,
        ),
        convert_options=options,
    )
    return cells, misfits


def _physical_lines(raw: bytes) -> int:
    ends = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
    return ends if raw.endswith((b"\n", b"\r")) else ends + 1


def _with_lines(name: str, raw: bytes, cells: pa.Table, misfits: Sequence[str]) -> CsvText:
    """Find the line of every row where rows and lines differ: blank lines, quoted line breaks."""
    starts, widths = _scan(name, raw)
    fits = widths == cells.num_columns
    rows = starts[fits][1:]  # the first record is the header
    if len(rows) != cells.num_rows:
        raise AssertionError(f"{name}: pyarrow and csv disagree on the number of rows")
    if fits.all():
        return CsvText(cells, rows)
    lines = starts[~fits]
    finding = Finding(
        "ragged-row",
        "error",
        places(name, "line", lines),
        f"not as many cells as the header's {cells.num_columns} ({counted(len(lines), 'row')}): "
        f"{listed(misfits, len(lines))}",
        "write decimals with a dot (1.5, not 1,5), put other cells that hold a comma into double "
        "quotes, and give every row the header's columns",
    )
    return CsvText(cells, rows, len(lines), (finding,))


def _check_last_line(name: str, raw: bytes, line: int) -> None:
    """Refuse a quotation mark that the last line opens; the parser would close it silently."""
    body = raw.rstrip(b"\r\n")
    start = max(body.rfind(b"\n"), body.rfind(b"\r")) + 1
    _scan(name, raw[start:], line)


def _scan(name: str, raw: bytes, line: int = 1) -> tuple[IntArray, IntArray]:
    """Return the first line and the number of cells of every record, the header included."""
    ending = "" if raw.endswith((b"\n", b"\r")) else "\n"
    reader = csv.reader(chain(_text_lines(raw), [ending, _SENTINEL] if ending else [_SENTINEL]))
    starts, widths, first, last = [], [], line, [""]
    try:
        for record in reader:
            if record:
                starts.append(line)
                widths.append(len(record))
            line, last = reader.line_num + first, record
    except csv.Error:  # an open quotation mark has swallowed more than a cell can hold
        starts.append(line)
    if last != [_SENTINEL]:
        message = "a quotation mark is opened here and never closed"
        remedy = "close it; where it belongs to the text, double it and quote the whole cell"
        raise _fault("unclosed-quote", f"{name}, line {starts[-1]}", message, remedy)
    return np.asarray(starts[:-1], dtype=np.int64), np.asarray(widths[:-1], dtype=np.int64)


def _fault(code: str, where: str, message: str, remedy: str) -> UnavailableError:
    return UnavailableError(Finding(code, "error", where, message, remedy))
