"""Write simulated tables as a data folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bayes_attrib import names
from bayes_attrib.errors import DataError, Finding, SpecError
from bayes_attrib.simulation.tables import SimulatedTables

TableFormat = Literal["csv", "parquet"]
FORMATS: Final[tuple[str, ...]] = get_args(TableFormat)


def write_tables(
    tables: SimulatedTables,
    folder: str | Path,
    *,
    format: TableFormat = "csv",  # noqa: A002 - the field's word
    overwrite: bool = False,
) -> Mapping[str, Path]:
    """Write aggregates, exposures, entities and others; the same tables give the same bytes.

    Parameters
    ----------
    tables : SimulatedTables
        What to write.
    folder : str or Path
        Data folder; made if it does not exist.
    format : {"csv", "parquet"}
        CSV is UTF-8 with floats at full precision, so that reading gives back the same numbers.
    overwrite : bool
        Replace tables that the folder holds already, in either format.

    Returns
    -------
    mapping of str to Path
        The files by table: ``aggregates``, ``exposures``, ``entities``, and others.

    Raises
    ------
    DataError
        If the folder holds such tables and ``overwrite`` is false, or it is not a folder. Nothing
        is written then.
    SpecError
        If the format is unknown.
    """
    if format not in FORMATS:
        finding = Finding(
            "unknown-format",
            "error",
            "format",
            f"unknown format {format!r}",
            f"known: {', '.join(FORMATS)}",
        )
        raise SpecError("the tables cannot be written:", [finding])
    folder = Path(folder)
    contents = {
        names.AGGREGATES_TABLE: tables.aggregates,
        names.EXPOSURES_TABLE: tables.exposures,
        names.ENTITIES_TABLE: tables.entities,
        **tables.others,
    }
    standing = _standing_tables(folder, tuple(contents))
    if standing and not overwrite:
        raise _refusal(folder, f"holds {', '.join(path.name for path in standing)} already")
    folder.mkdir(parents=True, exist_ok=True)
    written = {stem: folder / f"{stem}.{format}" for stem in contents}
    partial = {stem: path.with_name(f".{path.name}.partial") for stem, path in written.items()}
    try:
        for stem, table in contents.items():
            _write_table(table, partial[stem], format)
        for stem, path in written.items():  # only now does anything that stood there change
            partial[stem].replace(path)
    finally:
        for path in partial.values():
            path.unlink(missing_ok=True)
    for path in set(standing) - set(written.values()):
        path.unlink()  # else the folder would hold two tables of one name
    return written


def _standing_tables(folder: Path, stems: tuple[str, ...]) -> list[Path]:
    if folder.exists() and not folder.is_dir():
        raise _refusal(folder, "is not a folder")
    candidates = [folder / f"{stem}.{suffix}" for stem in stems for suffix in FORMATS]
    return [path for path in candidates if path.exists()]


def _refusal(folder: Path, reason: str) -> DataError:
    finding = Finding(
        "folder-in-use",
        "error",
        str(folder),
        reason,
        "choose another folder, or ask for overwriting",
    )
    return DataError("the simulated tables were not written:", [finding])


def _write_table(table: pd.DataFrame, path: Path, suffix: str) -> None:
    if suffix == "csv":
        table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        return
    # Without pandas' own metadata, the bytes do not depend on its version.
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(arrow, path)
