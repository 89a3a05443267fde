"""Files that tables are written to, piece by piece, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.ipc
import pyarrow.parquet as pq

from bayes_attrib.report.exports.stream import Stream


def _csv(file: BinaryIO, schema: pa.Schema) -> Any:
    return pc.CSVWriter(file, schema)


def _parquet(file: BinaryIO, schema: pa.Schema) -> Any:
    return pq.ParquetWriter(file, schema)


def _arrow(file: BinaryIO, schema: pa.Schema) -> Any:
    return pa.ipc.new_file(file, schema)


FORMATS: Final[Mapping[str, Callable[[BinaryIO, pa.Schema], Any]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "arrow": _arrow,
}
"""Writers by the name of their format, which is also the ending of their files."""


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A file that was written.

    Attributes
    ----------
    file : Path
        The file.
    rows : int
        Number of rows.
    pieces : int
        In how many pieces they were written.
    """

    file: Path
    rows: int
    pieces: int


def write_stream(stream: Stream, file: Path, form: str) -> WrittenTable:
    """Write a table piece by piece; an interrupted one leaves nothing under the file's name.

    Parameters
    ----------
    stream : Stream
        The table.
    file : Path
        File to write or replace; its folder is made if it does not exist.
    form : {"csv", "parquet", "arrow"}
        Format: CSV in UTF-8 with all names in quotes, Parquet, or Arrow IPC (Feather 2).

    Returns
    -------
    WrittenTable
        Its size.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    rows = pieces = 0
    try:
        with partial.open("wb") as handle:
            with FORMATS[form](handle, stream.schema) as writer:
                for batch in stream.batches:
                    writer.write_batch(batch)
                    rows, pieces = rows + batch.num_rows, pieces + 1
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return WrittenTable(file, rows, pieces)
