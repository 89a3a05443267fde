"""Do the parts add up to the whole? Computed from the run's tables, never assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.report.language import ENGLISH, Language, message
from bayes_attrib.report.run_folder import RunFolder

METHODS: Final = (
    (message("posterior mean"), "amount_mean"),
    (message("EM"), "em_amount"),
    (message("proportional split"), "proportional_amount"),
)

RELATIVE_TOLERANCE: Final = 1e-9
"""Sums of floating-point numbers may differ by so much of the total."""


@dataclass(frozen=True, slots=True)
class MethodSum:
    """What one method attributed.

    Attributes
    ----------
    method : str
        Name of the method, in the language of the reader.
    attributed : float
        Sum over entities, in the unit of the totals.
    difference : float
        That sum less the total to be attributed.
    largest_in_aggregate : float
        Largest absolute difference between an aggregate's total and the sum of its cells.
    adds_up : bool
        Whether both differences are within rounding error of floating-point sums.
    """

    method: str
    attributed: float
    difference: float
    largest_in_aggregate: float
    adds_up: bool


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """From the totals of the input to what was attributed.

    Attributes
    ----------
    total_in_input : float
        Sum of all totals as they were handed in.
    total_excluded : float
        Part that opt-in repairs took out.
    total_to_attribute : float
        The rest: what the model was asked to split.
    sums : tuple of MethodSum
        One per method.
    totals_from : {"observed", "proportional"}
        Whether the totals per aggregate were read from ``posterior.nc``, or summed over the cells
        of the proportional split because it does not hold them.
    n_aggregates : int
        Number of aggregates that have cells.
    """

    total_in_input: float
    total_excluded: float
    total_to_attribute: float
    sums: tuple[MethodSum, ...]
    totals_from: str
    n_aggregates: int

    @property
    def adds_up(self) -> bool:
        """Whether every method's parts add up to the whole."""
        return all(method.adds_up for method in self.sums)


def reconcile(
    run: RunFolder, cells: pd.DataFrame, *, language: Language = ENGLISH
) -> Reconciliation:
    """Compare totals, per run and per aggregate, with the sums of what was attributed.

    Parameters
    ----------
    run : RunFolder
        The run.
    cells : DataFrame, shape (n_edges, n_columns)
        Cells with the aggregate's key columns, ``amount_mean``, ``em_amount`` and
        ``proportional_amount``, in the unit of the totals.
    language : Language
        Language of the reader.

    Returns
    -------
    Reconciliation
        Sums and differences.
    """
    keys = list(run.spec.columns.aggregate)
    columns = [column for _, column in METHODS]
    sums = cells.groupby(keys, sort=False, observed=True)[columns].sum(min_count=1)
    totals = observed_totals(run, sums.index)
    totals_from = "observed" if totals is not None else "proportional"
    if totals is None:
        totals = sums["proportional_amount"].to_numpy(dtype=np.float64)
    grand_total = run.manifest.data.grand_total
    excluded = sum(repair.total_excluded for repair in run.manifest.repairs)
    return Reconciliation(
        grand_total + excluded,
        excluded,
        grand_total,
        tuple(
            _method_sum(
                language.text(method), run.entities[column], sums[column], totals, grand_total
            )
            for method, column in METHODS
        ),
        totals_from,
        len(sums),
    )


def _method_sum(
    method: str, entities: pd.Series, by_aggregate: pd.Series, totals: np.ndarray, whole: float
) -> MethodSum:
    attributed = float(entities.sum())
    gaps = np.abs(by_aggregate.to_numpy(dtype=np.float64) - totals)
    largest = float(gaps.max()) if len(gaps) else 0.0
    tolerance = RELATIVE_TOLERANCE * max(1.0, whole)
    # A NaN compares as false, so a missing amount never passes for a sum that is right.
    adds_up = abs(attributed - whole) <= tolerance and largest <= tolerance
    return MethodSum(method, attributed, attributed - whole, largest, bool(adds_up))


def observed_totals(run: RunFolder, keys: pd.Index) -> np.ndarray | None:
    """Return the totals of the aggregates, in the order of ``keys``; None if none are stored."""
    with run.open_group("observed_data") as observed:
        if names.TOTAL not in observed.data_vars:
            return None
        total = observed[names.TOTAL]
        if total.dims != (names.AGGREGATE,) or names.AGGREGATE not in total.coords:
            return None
        by_label = pd.Series(
            total.to_numpy().astype(np.float64), index=total[names.AGGREGATE].to_numpy().astype(str)
        )
    rows = [key if isinstance(key, tuple) else (key,) for key in keys]
    for write in (str, repr):  # labels quote their keys where plain ones would not be unique
        labels = [names.PATH_SEPARATOR.join(map(write, row)) for row in rows]
        if by_label.index.is_unique and by_label.index.isin(labels).sum() == len(rows):
            return by_label.loc[labels].to_numpy()
    return None
