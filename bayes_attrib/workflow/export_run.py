"""Exports of a finished run: what is asked for, in the format that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bayes_attrib import names
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.report import RunFolder
from bayes_attrib.report.exports import (
    Stream,
    WrittenTable,
    attribution_stream,
    cells_stream,
    draws_stream,
    shares_stream,
    write_stream,
)
from bayes_attrib.report.run_draws import RunDraws

TABLES: Final = ("attribution", "cells", "shares", "draws")
"""What can be exported."""

GRAINED: Final = ("shares", "draws")
"""Tables that are made at a grain."""


def export_run(
    run: RunFolder,
    file: Path,
    *,
    what: str = "attribution",
    form: str = "parquet",
    by: Sequence[str] = (names.ENTITY,),
    draws: int | None = None,
    escape_formulas: bool = False,
) -> WrittenTable:
    """Write a table of a run.

    Parameters
    ----------
    run : RunFolder
        A finished run.
    file : Path
        File to write or replace; its folder is made if it does not exist.
    what : {"attribution", "cells", "shares", "draws"}
        Which table; ``docs/exports.md`` lists their columns.
    form : {"csv", "parquet", "arrow"}
        Format of the file.
    by : sequence of str
        Columns of the grain of shares and draws; a text that names no column of the run is split at
        its commas.
    draws : int, optional
        Number of draws to keep.
    escape_formulas : bool
        Whether names that look like formulas get a ``'`` before them.

    Returns
    -------
    WrittenTable
        File, rows and pieces.

    Raises
    ------
    UnknownNameError
        If there is no such table, or the run has no such column.
    RunFolderError
        If the files of the run contradict each other.
    """
    return write_stream(_stream(run, what, by, draws, escape_formulas=escape_formulas), file, form)


def _stream(
    run: RunFolder, what: str, by: Sequence[str], most: int | None, *, escape_formulas: bool
) -> Stream:
    if what == "attribution":
        return attribution_stream(run, escape_formulas=escape_formulas)
    if what == "cells":
        return cells_stream(run, escape_formulas=escape_formulas)
    if what not in GRAINED:
        known = ", ".join(map(repr, TABLES))
        raise UnknownNameError(f"there is no table {what!r} to export; there is {known}")
    drawn = RunDraws.load(run)
    grain = _split(by, drawn)
    if what == "shares":
        return shares_stream(drawn, grain, escape_formulas=escape_formulas)
    return draws_stream(drawn, grain, most=most, escape_formulas=escape_formulas)


def _split(by: Sequence[str], draws: RunDraws) -> list[str]:
    data = draws.data
    known = {names.ENTITY, data.entity_key, *data.groupings, *data.aggregate_keys.columns}
    parts = [[text] if text in known else text.split(",") for text in by]
    return [name.strip() if name not in known else name for part in parts for name in part]
