"""A table as its file holds it: untouched cells, and where in the file each row stands."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bayes_attrib.citing import listed, places
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import IntArray
from bayes_attrib.inputs.csv_text import read_csv_text
from bayes_attrib.inputs.source import PARQUET, ZIPPED_CSV, SourceFile, extension_of
from bayes_attrib.inputs.unavailable import UnavailableError


@dataclass(frozen=True, eq=False)
class TableFile:
    """One file, read once.

    Attributes
    ----------
    source : SourceFile
        Name, digest and size of the file.
    cells : pyarrow.Table
        Every column as stored; all of them text where the file is CSV.
    locations : ndarray of int, shape (n_rows,)
        Where each row begins: physical line of a CSV file (the header is line 1), or row of a
        Parquet file (the first is row 1).
    unit : {"line", "row"}
        What locations count.
    findings : tuple of Finding
        Faults of single rows, which are then not among the cells.
    """

    source: SourceFile
    cells: pa.Table
    locations: IntArray
    unit: Literal["line", "row"]
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """Name of the file, without its directory."""
        return self.source.name

    @property
    def complete(self) -> bool:
        """Whether every row of the file could be read."""
        return not self.findings

    @property
    def columns(self) -> list[str]:
        """Names of all columns, as the file has them."""
        return list(self.cells.column_names)

    def cell(self, column: str, row: int) -> str:
        """Return one cell as text; empty where it is null."""
        value = self.cells.column(column)[row].as_py()
        return "" if value is None else str(value)

    def place(self, rows: npt.NDArray[np.integer]) -> str:
        """Return the file's name with the lines, or rows, that a message is about."""
        return places(self.name, self.unit, self.locations[rows])


def read_table_file(path: Path, table: str) -> TableFile:
    """Read a CSV or Parquet file without interpreting its cells.

    Parameters
    ----------
    path : Path
        File with a known extension.
    table : str
        Stem of the table that the file stands for.

    Returns
    -------
    TableFile
        Cells and their places; at least one row.

    Raises
    ------
    UnavailableError
        If the file cannot be read as a table, or holds no rows.
    """
    raw = _attempt(path.name, path.read_bytes)
    digest = hashlib.sha256(raw).hexdigest()
    extension = extension_of(path)
    if extension == PARQUET:
        cells = _attempt(path.name, lambda: pq.ParquetFile(pa.BufferReader(raw)).read())
        locations = np.arange(1, cells.num_rows + 1)
        source = SourceFile(table, path.name, digest, cells.num_rows)
        found = TableFile(source, cells, locations, "row")
    else:
        plain = (
            _attempt(path.name, lambda: gzip.decompress(raw)) if extension == ZIPPED_CSV else raw
        )
        text = read_csv_text(path.name, plain)
        source = SourceFile(table, path.name, digest, len(text.lines) + text.ragged)
        found = TableFile(source, text.cells, text.lines, "line", text.findings)
    if source.rows == 0:
        message = f"there are no rows below the header ({listed(found.columns)})"
        remedy = "export the table again with its rows"
        raise UnavailableError(Finding("no-rows", "error", path.name, message, remedy))
    return found


def _attempt[T](name: str, action: Callable[[], T]) -> T:
    try:
        return action()
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        message = f"the file cannot be read: {reason}"
        remedy = "export it again, and check its permissions and its ending"
        raise UnavailableError(
            Finding("unreadable-file", "error", name, message, remedy)
        ) from error
