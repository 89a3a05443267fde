"""From the file of a profile to its columns: which there are, and what they are for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from bayes_attrib.attribution.downscaling.known import KeyColumn, RunCells
from bayes_attrib.attribution.downscaling.options import ProfileOptions
from bayes_attrib.citing import MAX_EXAMPLES, counted, listed, nearest, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.inputs.keys import as_text
from bayes_attrib.inputs.numbers import CellStatus, parse_numbers
from bayes_attrib.inputs.source import EXTENSIONS, extension_of
from bayes_attrib.inputs.table_file import TableFile, read_table_file
from bayes_attrib.inputs.unavailable import UnavailableError

TABLE: Final = "profile"
TIME: Final = "timestamp"
SLOT: Final = "slot"

PUBLISHED: Final = (
    "amount_mean",
    "amount_sd",
    "amount_lower",
    "amount_upper",
    "amount_rounded",
    "profile_share",
    "profile_from",
)
"""Columns of the table that comes out, beside the keys and the slot."""


@dataclass(frozen=True, eq=False)
class ProfileFile:
    """A file with the roles of its columns.

    Attributes
    ----------
    file : TableFile
        Cells and their places.
    slot : str
        Column of timestamps or slots.
    is_time : bool
        Whether these are timestamps.
    delivery : str
        Column of deliveries.
    keys : tuple of str
        Columns that the run knows, its period among them where the file has it.
    unused : tuple of str
        All other columns.
    """

    file: TableFile
    slot: str
    is_time: bool
    delivery: str
    keys: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the file, without its directory."""
        return self.file.name

    def cells(self, column: str) -> pa.ChunkedArray:
        """Return a column as stored."""
        return self.file.cells.column(column)

    def key_words(self, row: int) -> str:
        """Return keys and slot of a row, as the file has them."""
        return ", ".join(
            f"{column} {quote(self.file.cell(column, row))}" for column in (*self.keys, self.slot)
        )

    def fault(
        self, code: str, rows: IntArray, statement: str, remedy: str, *, show: str = ""
    ) -> Iterator[Finding]:
        """Yield a finding about some rows, or nothing where there are none."""
        if not len(rows):
            return
        examples = [
            f"{quote(self.file.cell(show, row))} ({self.key_words(row)})"
            if show
            else self.key_words(row)
            for row in rows[:MAX_EXAMPLES].tolist()
        ]
        shown = listed(examples, len(rows), separator="; ")
        message = f"{statement} ({counted(len(rows), 'row')}): {shown}"
        yield Finding(code, "error", self.file.place(rows), message, remedy)


def open_profile(path: Path, run: RunCells, options: ProfileOptions) -> ProfileFile:
    """Read the file of a profile and find out what its columns are for.

    Parameters
    ----------
    path : Path
        CSV or Parquet.
    run : RunCells
        The run whose keys the file speaks of.
    options : ProfileOptions
        Names of columns.

    Returns
    -------
    ProfileFile
        The file.

    Raises
    ------
    UnavailableError
        If there is no such file, it cannot be read, or a column is missing or has two roles.
    """
    if not path.is_file():
        message, remedy = "there is no such file", "check the path of --profile"
        raise UnavailableError(Finding("missing-file", "error", path.name, message, remedy))
    if extension_of(path) is None:
        remedy = f"save it with one of the endings {listed(EXTENSIONS)}"
        message = "this format is not known"
        raise UnavailableError(Finding("unknown-format", "error", path.name, message, remedy))
    file = read_table_file(path, TABLE)
    slot = _slot_column(file, options)
    is_time = options.slot is None
    faults = [
        *file.findings,
        *_column_faults(file, options.delivery, "--delivery"),
        *_column_faults(file, slot, "--time" if is_time else "--slot"),
        *_role_faults(file, run, slot, options.delivery),
    ]
    keys = tuple(c for c in run.columns if c in file.columns and c not in {slot, options.delivery})
    for column in keys:
        faults += [] if file.columns.count(column) == 1 else _twice(file, column)
    if faults:
        raise UnavailableError(*faults)
    unused = tuple(c for c in file.columns if c not in {*keys, slot, options.delivery})
    return ProfileFile(file, slot, is_time, options.delivery, keys, unused)


def read_delivery(profile: ProfileFile) -> tuple[FloatArray, list[Finding]]:
    """Read deliveries, shape (n_rows,), and the faults of their cells."""
    column = profile.delivery
    try:
        found = parse_numbers(profile.cells(column))
    except TypeError as error:
        message = f"{quote(column)} is stored as {error}, which is no number"
        remedy = "store it as whole numbers or floating point"
        raise UnavailableError(
            Finding("number-type", "error", profile.name, message, remedy)
        ) from error
    faults: list[Finding] = []
    for status, statement in (
        (CellStatus.MISSING, "the delivery is missing"),
        (CellStatus.NOT_FINITE, "the delivery is NaN or infinite"),
        (CellStatus.NOT_A_NUMBER, "the delivery is not a number"),
    ):
        rows = np.flatnonzero(found.status == status)
        remedy = "write a number with a decimal dot: 0 where nothing was delivered"
        faults += profile.fault("delivery-number", rows, statement, remedy, show=column)
    negative = np.flatnonzero(found.parsed < 0)
    remedy = "deliveries are zero or more: correct the sign, or book the return in its own slot"
    faults += profile.fault(
        "negative-delivery", negative, "the delivery is negative", remedy, show=column
    )
    if found.looks_dotted:
        message = "the dots may be decimal or stand between thousands, for every number fits both"
        remedy = "write whole numbers without dots, or decimals that do not all have three places"
        where = f"{profile.name}, column {quote(column)}"
        faults.append(Finding("ambiguous-dots", "error", where, message, remedy))
    return found.parsed, faults


def read_key(profile: ProfileFile, column: KeyColumn) -> tuple[IntArray, np.ndarray]:
    """Match a key column to the labels that the run knows.

    Parameters
    ----------
    profile : ProfileFile
        The file.
    column : KeyColumn
        The run's labels.

    Returns
    -------
    codes : ndarray of int, shape (n_rows,)
        Label of each row, -1 where the run does not know it.
    texts : ndarray of str, shape (n_rows,)
        As the file has them.

    Raises
    ------
    UnavailableError
        If the column is stored as something that is no name.
    """
    try:
        texts = as_text(profile.cells(column.name))
    except TypeError as error:
        message = f"{quote(column.name)} holds names, and names cannot be stored as {error}"
        remedy = "store it as text, so that every name has one spelling"
        raise UnavailableError(
            Finding("key-type", "error", profile.name, message, remedy)
        ) from error
    category = texts.astype("category")
    known = {label: code for code, label in enumerate(column.levels)}
    loose = {_composed(label): code for label, code in known.items()}
    of_category = [
        known.get(text, loose.get(_composed(text), -1))
        for text in map(str, category.cat.categories)
    ]
    codes = np.array([*of_category, -1], dtype=np.int64)[category.cat.codes.to_numpy()]
    return codes, texts.to_numpy(dtype=object)


def unknown_key(
    profile: ProfileFile, column: KeyColumn, codes: IntArray, texts: np.ndarray
) -> Iterator[Finding]:
    """Yield the fault of labels that the run does not know."""
    rows = np.flatnonzero(codes < 0)
    if not len(rows):
        return
    near = nearest(str(texts[rows[0]]), column.levels[:10_000])
    hint = f"did you mean {quote(near)}? " if near else ""
    yield from profile.fault(
        "unknown-key",
        rows,
        f"the run knows no such {column.name}",
        f"{hint}the run has {listed([quote(level) for level in column.levels])}; correct the name, "
        "or leave the row out",
        show=column.name,
    )


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _slot_column(file: TableFile, options: ProfileOptions) -> str:
    named = options.time if options.time is not None else options.slot
    if named is not None:
        return named
    if TIME in file.columns:
        return TIME
    has = listed([quote(name) for name in file.columns])
    near = nearest(TIME, file.columns)
    hint = f", such as --time {quote(near)}" if near else ""
    message = f"there is no column {TIME!r}; the columns are {has}"
    remedy = f"name the column of timestamps with --time{hint}, or one of other slots with --slot"
    raise UnavailableError(Finding("missing-column", "error", file.name, message, remedy))


def _column_faults(file: TableFile, column: str, option: str) -> list[Finding]:
    if file.columns.count(column) == 1:
        return []
    if column in file.columns:
        return _twice(file, column)
    has = listed([quote(name) for name in file.columns])
    near = nearest(column, file.columns)
    hint = f"did you mean {option} {quote(near)}? " if near else ""
    message = f"there is no column {quote(column)}; the columns are {has}"
    remedy = f"{hint}name the column with {option}"
    return [Finding("missing-column", "error", file.name, message, remedy)]


def _twice(file: TableFile, column: str) -> list[Finding]:
    message = f"{counted(file.columns.count(column), 'column')} are named {quote(column)}"
    remedy = "rename all but the one that is meant"
    return [Finding("duplicate-column", "error", file.name, message, remedy)]


def _role_faults(file: TableFile, run: RunCells, slot: str, delivery: str) -> list[Finding]:
    faults = []
    for column in (slot, delivery):
        if column in run.columns or column in PUBLISHED:
            what = "a key of the run" if column in run.columns else "a column of the result"
            message = f"{quote(column)} is {what} too, so it cannot be a column of the profile"
            remedy = "rename the column in the file of the profile"
            faults.append(Finding("column-with-two-roles", "error", file.name, message, remedy))
    if slot == delivery:
        message = f"{quote(slot)} is named for slots and for deliveries"
        remedy = "name two columns"
        faults.append(Finding("column-with-two-roles", "error", file.name, message, remedy))
    return faults
