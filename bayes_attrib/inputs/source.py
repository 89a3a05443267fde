"""Where tables come from: a data folder, or files named one by one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bayes_attrib import names
from bayes_attrib.citing import listed, nearest, quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.layout import Layout
from bayes_attrib.inputs.unavailable import UnavailableError

CSV: Final = ".csv"
ZIPPED_CSV: Final = ".csv.gz"
PARQUET: Final = ".parquet"
EXTENSIONS: Final = (CSV, ZIPPED_CSV, PARQUET)
_TABLES_OF_OTHERS: Final = (".xlsx", ".xls", ".ods", ".tsv", ".json", ".feather")


@dataclass(frozen=True)
class DataSource:
    """The files of one data set; a file that is named wins over the folder's.

    Attributes
    ----------
    folder : Path or None
        Folder that holds tables by their stems, as CSV (``.csv``, ``.csv.gz``) or Parquet.
    aggregates, exposures, entities, lift_tests : Path or None
        Single files, whatever their stem.
    """

    folder: Path | None = None
    aggregates: Path | None = None
    exposures: Path | None = None
    entities: Path | None = None
    lift_tests: Path | None = None

    def named_file(self, table: str) -> Path | None:
        """Return the file that was named for a table, if one was."""
        named = {
            names.AGGREGATES_TABLE: self.aggregates,
            names.EXPOSURES_TABLE: self.exposures,
            names.ENTITIES_TABLE: self.entities,
            names.LIFT_TESTS_TABLE: self.lift_tests,
        }
        return named.get(table)


@dataclass(frozen=True)
class SourceFile:
    """A file that was read, for manifests.

    Attributes
    ----------
    table : str
        Stem of the table that it stands for, such as ``"exposures"``.
    name : str
        Name of the file, without its directory.
    sha256 : str
        SHA-256 of the file's bytes, in hexadecimal.
    rows : int
        Number of data rows in the file, before any repair.
    """

    table: str
    name: str
    sha256: str
    rows: int


def extension_of(path: Path) -> str | None:
    """Return the known extension of a file name, or None."""
    return next((e for e in EXTENSIONS if path.name.lower().endswith(e)), None)


def folder_findings(source: DataSource) -> list[Finding]:
    """Return the fault of a data folder that does not exist."""
    if source.folder is None or source.folder.is_dir():
        return []
    what = "this is a file, not a folder" if source.folder.exists() else "there is no such folder"
    remedy = "check the path of the data folder"
    return [Finding("missing-folder", "error", quote(source.folder.name), what, remedy)]


def locate(source: DataSource, table: str) -> Path | None:
    """Find the file of a table.

    Parameters
    ----------
    source : DataSource
        Folder and named files.
    table : str
        Stem of the table, such as ``"aggregates"``.

    Returns
    -------
    Path or None
        The file; None where the folder holds none and none was named.

    Raises
    ------
    UnavailableError
        If a named file does not exist or has an unknown format, or if the folder holds the table
        in two formats.
    """
    named = source.named_file(table)
    if named is not None:
        return _usable(named)
    if source.folder is None:
        return None
    found = [path for e in EXTENSIONS if (path := source.folder / f"{table}{e}").is_file()]
    if len(found) > 1:
        raise _fault(
            "two-formats",
            table,
            f"the folder holds this table more than once: {listed([p.name for p in found])}",
            f"remove all but one, or name the one that you mean with {option_of(table)} FILE",
        )
    return found[0] if found else None


def missing_table(source: DataSource, table: str, layout: Layout) -> Finding:
    """Return the fault of a table that is needed and not there.

    Parameters
    ----------
    source : DataSource
        Where it was looked for.
    table : str
        Stem of the table.
    layout : Layout
        Columns that the spec needs from it.

    Returns
    -------
    Finding
        An error that says what the folder holds instead.
    """
    message = f"there is no {table}{CSV} (nor {ZIPPED_CSV}, {PARQUET})"
    meant = None
    if source.folder is not None:
        held = _table_names(source.folder)
        message += f"; the data folder holds {listed(held) if held else 'no tables'}"
        meant = nearest(table, [name for name in held if name.endswith(EXTENSIONS)])
    hint = f"rename {meant} if it is meant, " if meant else ""
    remedy = (
        f"{hint}add the table with its columns {listed(layout.required)}, or name the file with "
        f"{option_of(table)} FILE"
    )
    if table == names.ENTITIES_TABLE:
        users = dict.fromkeys(layout.spec_keys[column] for column in layout.attributes)
        remedy += f"; or remove {listed(list(users))} from the spec"
    return Finding("missing-table", "error", table, message, remedy)


def option_of(table: str) -> str:
    """Return the option of the command line that names the file of a table."""
    return f"--{table.replace('_', '-')}"


def _table_names(folder: Path | None) -> list[str]:
    if folder is None or not folder.is_dir():
        return []
    endings = (*EXTENSIONS, *_TABLES_OF_OTHERS)
    return sorted(p.name for p in folder.iterdir() if p.name.lower().endswith(endings))


def _usable(path: Path) -> Path:
    if not path.is_file():
        raise _fault("missing-file", path.name, "there is no such file", "check the path")
    if extension_of(path) is None:
        raise _fault(
            "unknown-format",
            path.name,
            "this format is not known",
            f"save the table as CSV in UTF-8 or as Parquet, with one of the endings "
            f"{listed(EXTENSIONS)}",
        )
    return path


def _fault(code: str, where: str, message: str, remedy: str) -> UnavailableError:
    return UnavailableError(Finding(code, "error", where, message, remedy))
