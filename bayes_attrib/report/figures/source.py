"""What figures are made from: a run folder, its draws, or the path of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bayes_attrib import names
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.report.figures.quantity import Quantity
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.run_folder import RunFolder

RunSource = RunFolder | RunDraws | Path | str
"""A finished run, as it was loaded or as the path of its folder."""


def run_of(source: RunSource) -> RunFolder:
    """Return the run folder of a source.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.

    Returns
    -------
    RunFolder
        Its tables and records.

    Raises
    ------
    RunFolderError
        If the path holds no finished run.
    """
    if isinstance(source, RunDraws):
        return source.run
    return source if isinstance(source, RunFolder) else RunFolder.load(source)


def draws_of(source: RunSource) -> RunDraws:
    """Return the draws of a source, read from its folder where they are not at hand.

    Parameters
    ----------
    source : RunFolder, RunDraws, Path or str
        A finished run.

    Returns
    -------
    RunDraws
        What draws are made from.

    Raises
    ------
    RunFolderError
        If the path holds no finished run, or one of an older version.
    """
    return source if isinstance(source, RunDraws) else RunDraws.load(run_of(source))


def draws_by_name(
    source: RunDraws, quantity: Quantity, level: str
) -> tuple[dict[str, int], DrawMatrix, float]:
    """Return the draws of a quantity.

    Parameters
    ----------
    source : RunDraws
        A run.
    quantity : Quantity
        What is drawn.
    level : str
        ``"entity"`` or a grouping column.

    Returns
    -------
    row : dict of str to int
        Row of each name.
    draws : DrawMatrix, shape (n_names, n_draws)
        Rates, or amounts in the unit of the totals.
    whole : float
        What rows are to be divided by: the grand total for shares, else 1.
    """
    if quantity.name == "rate":
        labels, rates = source.rates(level)
        return {label: i for i, label in enumerate(labels)}, DrawMatrix.of(rates), 1.0
    found = source.amounts(level)
    whole = source.run.manifest.data.grand_total if quantity.name == "share" else 1.0
    row = {str(label): i for i, label in enumerate(found.labels[level])}
    return row, found.amounts, whole


def noun_of(run: RunFolder, level: str) -> str:
    """Return the column that names are from: the entity's key, or the grouping column."""
    return run.spec.columns.entity if level == names.ENTITY else level


def rows_of(row: dict[str, int], draws: DrawMatrix, chosen: list[str]) -> np.ndarray:
    """Return the draws of chosen names, shape (n_chosen, n_draws)."""
    return draws.rows(np.array([row[name] for name in chosen], dtype=np.int64))
