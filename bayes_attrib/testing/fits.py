"""Assertions about a fit and its attribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from bayes_attrib.attribution import AttributionResult
from bayes_attrib.inputs import AggregateData
from bayes_attrib.testing.failure import ModelAssertionError


class _Check(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def comparison(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def detail(self) -> str: ...


class _Diagnostics(Protocol):
    @property
    def verdict(self) -> str: ...
    @property
    def checks(self) -> Sequence[_Check]: ...


class Diagnosed(Protocol):
    """Anything with diagnostics: a fit in memory, or a run folder read back."""

    @property
    def diagnostics(self) -> _Diagnostics:
        """Verdict and checks."""


def assert_converged(fitted: Diagnosed, *, allow_warnings: bool = True) -> None:
    """Assert that the verdict on a fit lets its numbers be used.

    Parameters
    ----------
    fitted : Fitted or RunFolder
        From :func:`bayes_attrib.fit_tables`, or :meth:`bayes_attrib.RunFolder.load`.
    allow_warnings : bool
        Whether the verdict may be ``"warn"``, which leaves the numbers usable.

    Raises
    ------
    ModelAssertionError
        If the fit did not converge, with every check that did not pass.
    """
    __tracebackhide__ = True
    found = fitted.diagnostics
    if found.verdict == "ok" or (allow_warnings and found.verdict == "warn"):
        return
    missed = [check for check in found.checks if check.status != "ok"]
    raise ModelAssertionError(
        f"the verdict on the fit is {found.verdict!r}",
        tuple(_describe(check) for check in missed),
        "draw and tune longer (inference.draws, inference.tune), raise inference.target_accept "
        "against divergent draws, and see whether the priors leave room that the data do not fill",
        {check.name: math.nan if check.value is None else check.value for check in missed},
    )


def assert_conserves_totals(
    result: AttributionResult, data: AggregateData, *, rtol: float = 1e-9
) -> None:
    """Assert that what was attributed adds up to the totals, everywhere.

    Checked are every aggregate in every draw, the mean amounts of the cells of every aggregate,
    the draws of all entities together, and the mean amounts of every level of the table.

    Parameters
    ----------
    result : AttributionResult
        From :func:`bayes_attrib.attribute`, or ``fitted.result``.
    data : AggregateData
        The data that were attributed.
    rtol : float
        Largest difference, as a fraction of the grand total, that is rounding.

    Raises
    ------
    ModelAssertionError
        If something does not add up, with the largest difference of each kind.
    """
    __tracebackhide__ = True
    gaps = {
        "one aggregate in one draw": result.largest_residual,
        "mean amounts of one aggregate": _gap_of_cells(result, data),
        "all entities in one draw": _gap_of_draws(result, data),
    }
    for level, rows in result.table.groupby("level", sort=False):
        gaps[f"mean amounts of level {level!r}"] = abs(rows["amount_mean"].sum() - data.grand_total)
    tolerance = rtol * data.grand_total
    wrong = {what: gap for what, gap in gaps.items() if not gap <= tolerance}
    if wrong:
        raise ModelAssertionError(
            f"attributed amounts do not add up to the totals (grand total {data.grand_total:,.6g}, "
            f"allowed difference {tolerance:.2g})",
            tuple(f"{what}: off by {gap:,.6g}" for what, gap in wrong.items()),
            "amounts must be drawn given the observed totals, and these must be the totals that "
            "were fitted: same rows, same order, no rounding in between",
            wrong,
        )


def _gap_of_cells(result: AttributionResult, data: AggregateData) -> float:
    sums = np.bincount(
        data.edge_aggregate, weights=result.cells["amount_mean"], minlength=data.n_aggregates
    )
    return float(np.max(np.abs(sums - data.totals)))


def _gap_of_draws(result: AttributionResult, data: AggregateData) -> float:
    sums = sum(block.sum(axis=0) for _, block in result.amounts.blocks())
    return float(np.max(np.abs(sums - data.grand_total)))


def _describe(check: _Check) -> str:
    value = "not a number" if check.value is None else f"{check.value:.4g}"
    detail = f" ({check.detail})" if check.detail else ""
    return f"{check.name}: {value}, wanted {check.comparison} {check.threshold:g}{detail}"
