"""The delivery table of an import: text keys, numbers, and what the other columns are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from bayes_attrib.errors import DataError
from bayes_attrib.exposure import DeliveryColumns
from bayes_attrib.exposure.delivery_checks import column_faults
from bayes_attrib.exposure.period_axis import text_of
from bayes_attrib.inputs.numbers import CellStatus, holds_names, parse_numbers
from bayes_attrib.inputs.source import SourceFile, extension_of
from bayes_attrib.inputs.table_file import read_table_file
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.mmm.refusal import refusal, refuse


@dataclass(frozen=True, eq=False)
class DeliveryTable:
    """Delivery below the channel.

    Attributes
    ----------
    file : SourceFile
        Name, digest and size of the file.
    frame : DataFrame, shape (n_rows, n_columns)
        Keys as text, delivery as floats, and all other columns: floats where they hold numbers.
    columns : DeliveryColumns
        Names of keys and of the delivery.
    locations : ndarray of int, shape (n_rows,)
        Line of the file, or row of a Parquet file, of every row.
    unit : {"line", "row"}
        What locations count.
    """

    file: SourceFile
    frame: pd.DataFrame
    columns: DeliveryColumns
    locations: npt.NDArray[np.int64]
    unit: str

    @property
    def others(self) -> tuple[str, ...]:
        """Columns that are neither keys nor delivery."""
        used = {*self.columns.keys, self.columns.delivery}
        return tuple(str(name) for name in self.frame.columns if name not in used)


def read_delivery(path: Path, columns: DeliveryColumns) -> DeliveryTable:
    """Read a delivery table as CSV or Parquet.

    Parameters
    ----------
    path : Path
        Table with one row per entity, channel, period and geo.
    columns : DeliveryColumns
        Names of its columns.

    Returns
    -------
    DeliveryTable
        The table; values of deliveries are checked when exposures are made.

    Raises
    ------
    DataError
        If the file cannot be read, or lacks a column.
    """
    if not path.is_file():
        raise refusal("missing-file", path.name, "there is no such file", "check --delivery")
    if extension_of(path) is None:
        remedy = "save the table as CSV in UTF-8 or as Parquet"
        raise refusal("unknown-format", path.name, "this format is not known", remedy)
    try:
        file = read_table_file(path, "delivery")
    except UnavailableError as error:
        raise DataError("the delivery table cannot be used:", error.findings) from error
    refuse(file.findings)
    keys = pd.DataFrame({name: _keys(file.cells.column(name)) for name in file.columns})
    refuse(column_faults(keys, columns))
    for name in file.columns:
        if name in columns.keys:
            continue
        try:
            numbers = parse_numbers(file.cells.column(name))
        except TypeError:
            continue
        measured = (numbers.status == CellStatus.NUMBER).all()
        if name == columns.delivery or (
            measured and not holds_names(file.cells.column(name), numbers)
        ):
            keys[name] = numbers.parsed
    return DeliveryTable(file.source, keys, columns, file.locations, file.unit)


def _keys(column: pa.ChunkedArray) -> Any:
    """Return a column as text without white space around it; dates in ISO's form."""
    if pa.types.is_temporal(column.type):
        return text_of(pd.DatetimeIndex(column.to_pandas()))
    text = column.cast(pa.large_string()).fill_null("").to_pandas()
    return np.asarray(text.str.normalize("NFC").str.strip(), dtype=object)
