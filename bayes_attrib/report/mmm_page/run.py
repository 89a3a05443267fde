"""A finished run of a mix model, read from its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_attrib.errors import RunFolderError
from bayes_attrib.mmm_fit import files
from bayes_attrib.mmm_fit.schema import MmmSpec

_NAMES = ("channel", "component", "geo", "name", "kind", "method", "window", "verdict", "closest")


@dataclass(frozen=True)
class MmmFolder:
    """A run folder of a mix model.

    Attributes
    ----------
    path : Path
        The folder.
    """

    path: Path

    @cached_property
    def spec(self) -> MmmSpec:
        """The model."""
        return MmmSpec.model_validate(self.manifest["spec"])

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What went in, and what computed."""
        return self._json(files.MANIFEST)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Figures that are no tables."""
        return self._json(files.SUMMARY)

    @cached_property
    def diagnostics(self) -> dict[str, Any]:
        """Verdict, checks and findings."""
        return self._json(files.DIAGNOSTICS)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table, its names as text.

        Parameters
        ----------
        name : str
            One of :mod:`bayes_attrib.mmm_fit.files`.

        Returns
        -------
        DataFrame
            Empty names are empty text, never NaN.
        """
        types = dict.fromkeys((*_NAMES, "date", "first", "last", "statistic", "law"), str)
        path = self.path / name
        try:
            table = pd.read_csv(path, dtype=types, keep_default_na=False, na_values={})
        except FileNotFoundError as error:
            raise RunFolderError(
                f"{self.path} holds no {name}: it is no mix model's run"
            ) from error
        for column in table.columns:
            if column not in types and table[column].dtype.kind not in "fibu":
                table[column] = _numbers(table[column])
        return table

    def has(self, name: str) -> bool:
        """Tell whether the run wrote a table."""
        return (self.path / name).is_file()

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunFolderError(
                f"{self.path} holds no {name}: it is no mix model's run"
            ) from error


def _numbers(column: pd.Series) -> pd.Series:
    """Return a column as numbers where all of its cells but empty ones are."""
    found = pd.to_numeric(column, errors="coerce")
    return column if bool((found.isna() & (column.astype(str) != "")).any()) else found
