"""Lift tests for a mix model: read strictly, in the columns of pymc-marketing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, nearest, quote
from bayes_attrib.errors import DataError, Finding
from bayes_attrib.inputs.numbers import CellStatus, parse_numbers
from bayes_attrib.inputs.source import EXTENSIONS, SourceFile
from bayes_attrib.inputs.table_file import TableFile, read_table_file
from bayes_attrib.inputs.unavailable import UnavailableError
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries

LIFT_TESTS_TABLE: Final = "lift_tests"

_NUMBERS: Final = ("x", "delta_x", "delta_y", "sigma")


def read_lift_tests(
    spec: MmmSpec, data: Path, series: MmmSeries
) -> tuple[pd.DataFrame | None, SourceFile | None]:
    """Read the lift tests of a data folder, where there are any.

    Parameters
    ----------
    spec : MmmSpec
        Name of the column of geos.
    data : Path
        Data folder; a single file has no lift tests beside it.
    series : MmmSeries
        Channels and geos that there are.

    Returns
    -------
    tests : DataFrame or None
        ``channel``, the geo, and per period: ``x`` spend before, ``delta_x`` change of spend,
        ``delta_y`` change of the target, ``sigma`` its standard error.
    source : SourceFile or None
        The file.

    Raises
    ------
    DataError
        If the table is wrong; all faults are listed.
    """
    found = [path for e in EXTENSIONS if (path := data / f"{LIFT_TESTS_TABLE}{e}").is_file()]
    if not found:
        return None, None
    try:
        file = read_table_file(found[0], LIFT_TESTS_TABLE)
    except UnavailableError as error:
        raise DataError("the lift tests cannot be used:", error.findings) from error
    _raise([*file.findings])
    keys = ["channel", *filter(None, [spec.columns.geo])]
    _raise([*_missing(file, [*keys, *_NUMBERS])])
    table = pd.DataFrame({name: _text(file, name) for name in keys})
    faults = [*_label_faults(file, table, spec, series)]
    for name in _NUMBERS:
        column = parse_numbers(file.cells.column(name))
        table[name] = column.parsed
        faults += _number_faults(file, name, column.status)
    faults += _value_faults(file, table)
    _raise(faults)
    return table, file.source


def _raise(findings: list[Finding]) -> None:
    if findings:
        count = "one fault" if len(findings) == 1 else f"{len(findings)} faults"
        raise DataError(f"the lift tests have {count}:", findings)


def _text(file: TableFile, name: str) -> pd.Series:
    text = file.cells.column(name).cast(pa.large_string()).fill_null("").to_pandas()
    return text.str.normalize("NFC").str.strip().astype(object)


def _missing(file: TableFile, names: list[str]) -> Iterator[Finding]:
    for name in names:
        if name not in file.columns:
            remedy = f"the columns are {listed(file.columns)}"
            message = f"there is no column {quote(name)}"
            yield Finding("missing-column", "error", file.name, message, remedy)


def _label_faults(
    file: TableFile, table: pd.DataFrame, spec: MmmSpec, series: MmmSeries
) -> Iterator[Finding]:
    for name, known in (("channel", series.channels), (spec.columns.geo, series.geos)):
        if name is None:
            continue
        rows = np.flatnonzero(~table[name].isin(known).to_numpy())
        if len(rows):
            cells = [quote(str(table[name].iloc[row])) for row in rows[:MAX_EXAMPLES]]
            near = nearest(str(table[name].iloc[rows[0]]), known)
            hint = f"did you mean {quote(near)}? " if near else ""
            yield Finding(
                f"unknown-{'channel' if name == 'channel' else 'geo'}",
                "error",
                file.place(rows),
                f"column {quote(name)} names what the series do not have "
                f"({counted(len(rows), 'row')}): {listed(cells, len(rows))}",
                f"{hint}the series have {listed([quote(k) for k in known])}",
            )


def _number_faults(file: TableFile, name: str, status: np.ndarray) -> Iterator[Finding]:
    rows = np.flatnonzero(status != CellStatus.NUMBER)
    if len(rows):
        cells = [quote(file.cell(name, int(row))) for row in rows[:MAX_EXAMPLES]]
        message = f"column {quote(name)} holds no plain number: {listed(cells, len(rows))}"
        remedy = "write digits with a decimal dot"
        yield Finding("not-a-number", "error", file.place(rows), message, remedy)


def _value_faults(file: TableFile, table: pd.DataFrame) -> Iterator[Finding]:
    checks = (
        ("negative-spend", table["x"] < 0, "x", "is negative", "give spend before the test"),
        (
            "negative-spend",
            table["x"] + table["delta_x"] < 0,
            "delta_x",
            "takes away more than was spent",
            "x + delta_x is spend during the test, and not negative",
        ),
        ("no-change", table["delta_x"] == 0, "delta_x", "is zero", "remove tests without a change"),
        (
            "sigma-not-positive",
            table["sigma"] <= 0,
            "sigma",
            "is not positive",
            "give the standard error of delta_y",
        ),
        (
            "wrong-direction",
            table["delta_x"] * table["delta_y"] < 0,
            "delta_y",
            "has the opposite sign of delta_x",
            "response never falls as spend grows in this model; leave out the test, or check signs",
        ),
    )
    for code, marked, name, statement, remedy in checks:
        rows = np.flatnonzero(marked.to_numpy())
        if len(rows):
            cells = [quote(file.cell(name, int(row))) for row in rows[:MAX_EXAMPLES]]
            message = f"column {quote(name)} {statement}: {listed(cells, len(rows))}"
            yield Finding(code, "error", file.place(rows), message, remedy)
