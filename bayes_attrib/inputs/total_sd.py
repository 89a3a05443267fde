"""Draws of totals of which only the standard deviation is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bayes_attrib import names
from bayes_attrib.citing import quote
from bayes_attrib.errors import Finding
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.inputs.drawn_totals import DrawnTotals
from bayes_attrib.inputs.numbers import parse_numbers
from bayes_attrib.inputs.row_findings import row_findings
from bayes_attrib.inputs.table import Table
from bayes_attrib.inputs.unavailable import UnavailableError

N_DRAWS: Final = 2000
_STREAM: Final = 30


def draws_from_sd(totals: FloatArray, sd: FloatArray, seed: int) -> DrawnTotals:
    """Draw totals from Gamma laws with given means and standard deviations.

    Parameters
    ----------
    totals, sd : ndarray, shape (n_aggregates,)
        Means and standard deviations; where either is zero, all draws are the mean.
    seed : int
        Seed of the run.

    Returns
    -------
    DrawnTotals
        Independent between aggregates, with the means that were given.
    """
    rng = np.random.default_rng([seed, _STREAM])
    varies = (totals > 0) & (sd > 0)
    shape = np.square(totals[varies] / sd[varies])[:, np.newaxis]
    values = np.repeat(totals[:, np.newaxis], N_DRAWS, axis=1)
    factors = rng.standard_gamma(np.broadcast_to(shape, (len(shape), N_DRAWS)))
    values[varies] *= factors / factors.mean(axis=1, keepdims=True)
    return DrawnTotals(values, is_joint=False)


def sd_of(table: Table) -> FloatArray:
    """Return the standard deviations of the totals, NaN where a cell holds no number.

    Parameters
    ----------
    table : Table
        Table of aggregates with a column ``total_sd``.

    Returns
    -------
    ndarray, shape (n_aggregates,)
        In the unit of the totals.
    """
    try:
        parsed = parse_numbers(table.file.cells.column(names.TOTAL_SD)).parsed
    except TypeError as error:
        raise UnavailableError(
            Finding(
                "number-type",
                "error",
                table.name,
                f"{quote(names.TOTAL_SD)} is stored as {error}, which is no number",
                "store it as whole numbers or floating point",
            )
        ) from error
    return np.asarray(parsed, dtype=np.float64)[table.rows]


def sd_faults(table: Table, totals: FloatArray, sd: FloatArray) -> Iterator[Finding]:
    """Yield standard deviations that no law of a total can have.

    Parameters
    ----------
    table : Table
        Table of aggregates.
    totals, sd : ndarray, shape (n_aggregates,)
        Totals, and their standard deviations.

    Yields
    ------
    Finding
        Standard deviations that are missing, negative, or beside a total of zero.
    """
    yield from row_findings(
        "total-sd-not-positive",
        table,
        table.select(~(np.isfinite(sd) & (sd >= 0))),
        "the standard deviation of a total is missing, no number, infinite or negative",
        "write the standard deviation of each total, 0 where it is known exactly",
        show=names.TOTAL_SD,
    )
    yield from row_findings(
        "total-sd-of-zero",
        table,
        table.select((sd > 0) & (totals == 0)),
        "a total of zero cannot be uncertain here: totals are not negative, and zero is their mean",
        "write 0 as its standard deviation, or leave the aggregate out",
        show=names.TOTAL_SD,
    )
