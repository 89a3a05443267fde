"""A run folder, read back: the only thing that reports are made from."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import h5netcdf
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import xarray as xr
from pydantic import BaseModel, ValidationError

from bayes_attrib import names
from bayes_attrib.errors import RunFolderError
from bayes_attrib.report.records import Diagnostics, Manifest
from bayes_attrib.spec import ModelSpec

FILES: Final = (
    names.MANIFEST_FILE,
    names.DIAGNOSTICS_FILE,
    names.ATTRIBUTION_FILE,
    names.CELLS_FILE,
    names.POSTERIOR_FILE,
)

_TEXT_COLUMNS: Final = ("level", "name", "interval_kind")
_INTERVALS: Final = ("amount", "share", "rate", "expected_amount")
_NUMBER_COLUMNS: Final = (
    "exposure",
    "n_aggregates",
    "amount_mean",
    "amount_sd",
    "share_mean",
    "rate_mean",
    *(f"{what}_{end}" for what in _INTERVALS for end in ("lower", "upper")),
    "em_amount",
    "em_share",
    "proportional_amount",
    "proportional_share",
    "interval_prob",
)


@dataclass(frozen=True, eq=False)
class RunFolder:
    """The tables and records of one run, checked to belong together.

    Attributes
    ----------
    path : Path
        The folder.
    attribution : DataFrame
        ``attribution.csv``: one row per entity and per roll-up. Amounts are in the unit of the
        totals; ``truth_amount`` is NaN where the truth is not known.
    diagnostics : Diagnostics
        Verdict, checks and findings.
    manifest : Manifest
        Inputs, spec, seed, versions.
    """

    path: Path
    attribution: pd.DataFrame
    diagnostics: Diagnostics
    manifest: Manifest

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a run folder and check that its files agree.

        Parameters
        ----------
        path : Path or str
            Folder that ``bayes-attrib fit`` wrote.

        Returns
        -------
        RunFolder
            The run.

        Raises
        ------
        RunFolderError
            If a file is missing, unreadable or contradicts another; the message says what to do.
        """
        folder = Path(path)
        _require_files(folder)
        raw = _read_json(folder / names.MANIFEST_FILE)
        manifest = _parse(Manifest, raw, folder / names.MANIFEST_FILE)
        _require_digest(folder, raw, manifest)
        diagnostics = _parse(
            Diagnostics,
            _read_json(folder / names.DIAGNOSTICS_FILE),
            folder / names.DIAGNOSTICS_FILE,
        )
        run = cls(folder, _read_attribution(folder), diagnostics, manifest)
        run._require_agreement()
        return run

    @property
    def spec(self) -> ModelSpec:
        """The spec of the run."""
        return self.manifest.spec

    @property
    def levels(self) -> tuple[str, ...]:
        """Roll-up levels, in the order of the table."""
        found = self.attribution["level"].drop_duplicates()
        return tuple(str(level) for level in found if level != names.ENTITY)

    @cached_property
    def entities(self) -> pd.DataFrame:
        """Rows of the entities, largest amount first."""
        return self.level(names.ENTITY)

    @property
    def has_truth(self) -> bool:
        """Whether the true amount of every entity is known."""
        return bool(self.entities["truth_amount"].notna().all())

    def level(self, level: str) -> pd.DataFrame:
        """Return the rows of a level, largest amount first.

        Parameters
        ----------
        level : str
            ``"entity"`` or a grouping column.

        Returns
        -------
        DataFrame, shape (n_rows, n_columns)
            Columns as in :attr:`attribution`.
        """
        rows = self.attribution[self.attribution["level"] == level]
        return rows.sort_values(["amount_mean", "name"], ascending=[False, True], ignore_index=True)

    def read_cells(self, columns: Sequence[str]) -> pd.DataFrame:
        """Read columns of ``cells.parquet``, shape (n_edges, n_columns).

        Parameters
        ----------
        columns : sequence of str
            Names of columns; those that the file does not have raise.

        Returns
        -------
        DataFrame, shape (n_edges, n_columns)
            One row per (aggregate, entity).

        Raises
        ------
        RunFolderError
            If the file lacks a column.
        """
        file = self.path / names.CELLS_FILE
        lacking = [column for column in columns if column not in pq.read_schema(file).names]
        if lacking:
            raise RunFolderError(
                f"{file} lacks the column(s) {', '.join(lacking)}; {_again(self.path)}"
            )
        return pd.read_parquet(file, columns=list(columns))

    def open_posterior(self) -> xr.DataTree:
        """Open ``posterior.nc``; values are read when asked for. Close it, or use ``with``."""
        file = self.path / names.POSTERIOR_FILE
        try:
            return xr.open_datatree(file, engine="h5netcdf")
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{file} cannot be read: {error}; {_again(self.path)}") from error

    def open_group(self, group: str) -> xr.Dataset:
        """Open one group of ``posterior.nc``, which takes a tenth of the time of all of them.

        Parameters
        ----------
        group : str
            Such as ``"observed_data"``.

        Returns
        -------
        Dataset
            Values are read when asked for; close it, or use ``with``. Empty without such a group.

        Raises
        ------
        RunFolderError
            If the file cannot be read.
        """
        file = self.path / names.POSTERIOR_FILE
        try:
            with h5netcdf.File(file) as content:
                known = group in content.groups
            return xr.open_dataset(file, group=group, engine="h5netcdf") if known else xr.Dataset()
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{file} cannot be read: {error}; {_again(self.path)}") from error

    def _require_agreement(self) -> None:
        interval = self.spec.report.interval
        n_cells = pq.read_metadata(self.path / names.CELLS_FILE).num_rows
        n_entities, n_edges = self.manifest.data.n_entities, self.manifest.data.n_edges
        table = self.attribution
        statements = {
            f"{names.ATTRIBUTION_FILE} has {len(self.entities)} entities, and "
            f"{names.MANIFEST_FILE} says {n_entities}": len(self.entities) == n_entities,
            f"{names.CELLS_FILE} has {n_cells} rows, and {names.MANIFEST_FILE} says "
            f"{n_edges}": n_cells == n_edges,
            f"{names.ATTRIBUTION_FILE} has an entity or a roll-up twice": not table.duplicated(
                ["level", "name"]
            ).any(),
            f"{names.ATTRIBUTION_FILE} has other intervals than the {interval.prob:g} "
            f"{interval.kind} of {names.MANIFEST_FILE}": bool(
                (table["interval_kind"] == interval.kind).all()
                and np.allclose(table["interval_prob"], interval.prob)
            ),
        }
        wrong = [statement for statement, holds in statements.items() if not holds]
        if wrong:
            raise RunFolderError(
                f"{self.path}: the files are not of one run: {'; '.join(wrong)}; "
                f"{_again(self.path)}"
            )


def _again(folder: Path) -> str:
    return f"run `bayes-attrib fit SPEC DATA --out {folder}` again to make the folder anew"


def _require_files(folder: Path) -> None:
    if not folder.is_dir():
        raise RunFolderError(
            f"{folder} is not a folder; `bayes-attrib fit SPEC DATA --out {folder}` makes one"
        )
    if (folder / names.PRIOR_TABLE_FILE).is_file():
        raise RunFolderError(
            f"{folder} holds draws from the priors alone (fit --prior-only), so there is no "
            f"attribution to report; its page is {folder / names.PRIOR_PAGE_FILE}, and "
            "`bayes-attrib fit SPEC DATA --out RUN` fits the model"
        )
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise RunFolderError(
            f"{folder} is not a finished run: it lacks {', '.join(missing)}; "
            f"`bayes-attrib fit --resume {folder}` goes on with an interrupted run, "
            f"`bayes-attrib fit SPEC DATA --out {folder}` makes a new one"
        )


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunFolderError(f"{file} is not JSON: {error}; {_again(file.parent)}") from error


def _parse[R: BaseModel](record: type[R], raw: Any, file: Path) -> R:
    try:
        return record.model_validate(raw)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise RunFolderError(
            f"{file} is not as this version writes it ({faults}); render it with the version that "
            f"wrote it, or {_again(file.parent)}"
        ) from error


def _require_digest(folder: Path, raw: Any, manifest: Manifest) -> None:
    """Compare digest and spec, both as written: a later schema may know more defaults."""
    canonical = json.dumps(raw["spec"], sort_keys=True, ensure_ascii=False)
    if hashlib.sha256(canonical.encode()).hexdigest() != manifest.spec_digest:
        raise RunFolderError(
            f"{folder / names.MANIFEST_FILE}: spec and spec_digest do not belong together, so the "
            f"spec was edited after the run; {_again(folder)}"
        )


def _read_attribution(folder: Path) -> pd.DataFrame:
    file = folder / names.ATTRIBUTION_FILE
    try:
        table = _read_numbers(file)
    except (ValueError, OSError):  # what is wrong is told from the texts
        table = _read_texts(file)
    lacking = [c for c in (*_TEXT_COLUMNS, *_NUMBER_COLUMNS) if c not in table.columns]
    if lacking:
        raise RunFolderError(f"{file} lacks the column(s) {', '.join(lacking)}; {_again(folder)}")
    if "truth_amount" not in table.columns:
        table["truth_amount"] = np.nan
    for column in (*_NUMBER_COLUMNS, "truth_amount"):
        if table[column].dtype != np.float64:
            table[column] = _to_numbers(table[column], file)
    return table


def _read_numbers(file: Path) -> pd.DataFrame:
    """Read the table in one pass, where its columns of numbers hold nothing else."""
    numbers = (*_NUMBER_COLUMNS, "truth_amount")
    types: defaultdict[str, type] = defaultdict(lambda: str, dict.fromkeys(numbers, np.float64))
    missing = {column: [""] for column in numbers}
    return pd.read_csv(
        file, dtype=types, keep_default_na=False, na_values=missing, encoding="utf-8"
    )


def _read_texts(file: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, OSError) as error:
        raise RunFolderError(f"{file} cannot be read: {error}; {_again(file.parent)}") from error


def _to_numbers(column: pd.Series, file: Path) -> pd.Series:
    try:
        return pd.to_numeric(column.mask(column == "")).astype(np.float64)
    except ValueError as error:
        raise RunFolderError(
            f"{file}: column {column.name} is not numeric: {error}; {_again(file.parent)}"
        ) from error
