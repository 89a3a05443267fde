"""Tables made again from the posterior and the data that a run keeps, and compared with its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution import AttributionResult, allocation_rng, attribute
from bayes_attrib.attribution.variance_split import COLUMNS
from bayes_attrib.model import resolve_priors
from bayes_attrib.model.families import get_family
from bayes_attrib.report.rolled_run import baselines_again
from bayes_attrib.report.run_draws import RunDraws
from bayes_attrib.report.verification.differences import compare_columns
from bayes_attrib.report.verification.outcome import (
    RELATIVE_TOLERANCE,
    Outcome,
    identity,
    not_checked,
)
from bayes_attrib.report.verification.sums import row_label

EM_TOLERANCE: Final = 1e-6
"""Relative; EM stops by a certificate, and another machine may stop an iteration sooner."""

_DRAWN: Final = ("amount", "share", "rate", "expected_amount")
_POINT: Final = ("em", "proportional")
_GIVEN: Final = (names.EXPOSURE, "n_aggregates", names.TRUTH_AMOUNT)


@dataclass(frozen=True, eq=False)
class _Pair:
    """A table as stored and as made again, with names for its rows."""

    file: str
    stored: pd.DataFrame
    again: pd.DataFrame
    label: Callable[[int], str]


def make_again(draws: RunDraws) -> AttributionResult:
    """Make the tables of a run again, by the very steps of the fit but the sampling.

    Parameters
    ----------
    draws : RunDraws
        Posterior and data of the run.

    Returns
    -------
    AttributionResult
        Tables and draws; baselines are computed anew from the cells.
    """
    return attribute(
        draws.mean,
        get_family(draws.run.spec.likelihood),
        draws.noise,
        baselines=baselines_again(draws.data, draws.fit.tree["constant_data"].to_dataset()),
        interval=draws.run.spec.report.interval,
        rng=allocation_rng(draws.run.manifest.seed),
        variance=draws.run.spec.totals is not None,
    )


def check_tables(draws: RunDraws, result: AttributionResult, cells: pd.DataFrame) -> list[Outcome]:
    """Compare both tables of a run, column by column, with those that were made again.

    Parameters
    ----------
    draws : RunDraws
        The run.
    result : AttributionResult
        Of :func:`make_again`.
    cells : DataFrame, shape (n_edges, n_columns)
        ``cells.parquet``.

    Returns
    -------
    list of Outcome
        One per table and kind of column: amounts, shares, rates, expected amounts, EM, proportional
        split, and what is summed of the data. Means, standard deviations and intervals must equal
        to a relative 1e-9, EM to 1e-6.
    """
    table = draws.run.attribution
    keys = [*draws.run.spec.columns.aggregate, draws.run.spec.columns.entity]
    pairs = (
        _Pair(names.ATTRIBUTION_FILE, table, result.table, row_label(table)),
        _Pair(names.CELLS_FILE, cells, result.cells, _cell_label(cells, keys)),
    )
    found: list[Outcome] = []
    for pair in pairs:
        found.append(_same_rows(pair, ["level", "name"] if pair.stored is table else keys))
        if found[-1].status == "ok":
            found += _columns(pair)
    return [*found, _largest_residual(draws, result)]


def check_priors(draws: RunDraws) -> Outcome:
    """Compare the priors of the manifest with those that the spec and the data give."""
    manifest = draws.run.manifest
    if manifest.rolled_forward is not None:
        what = "priors are those of the run that was rolled forward, which verifies them"
        return not_checked("priors", names.MANIFEST_FILE, what)
    if manifest.model is not None:
        what = "priors of a model of the user's own are not recorded"
        return Outcome("priors", names.MANIFEST_FILE, "not recorded", None, None, what)
    wanted = resolve_priors(draws.run.spec, draws.data)
    wrong = [
        f"{name} is {manifest.priors.get(name)}, and the spec gives {wanted.get(name)}"
        for name in dict.fromkeys((*wanted, *manifest.priors))
        if manifest.priors.get(name) != wanted.get(name)
    ]
    what = "priors as the spec and the data give them"
    return identity("priors", names.MANIFEST_FILE, "; ".join(wrong), what)


def check_em_errors(draws: RunDraws, table: pd.DataFrame) -> Outcome:
    """Compare the EM estimates beside their standard errors with those of ``attribution.csv``."""
    rows = draws.run.attribution
    rows = rows[rows["level"] == names.ENTITY]
    if list(table["name"]) != list(rows["name"]):
        what = f"entities of {names.EM_ERRORS_FILE} and {names.ATTRIBUTION_FILE}"
        wrong = "they are not the same in the same order"
        return identity("em_errors", names.EM_ERRORS_FILE, wrong, what)
    amounts = pd.to_numeric(table["em_amount"]).to_numpy()
    return compare_columns(
        "em_errors",
        names.EM_ERRORS_FILE,
        row_label(rows),
        {"em_amount": (amounts, rows["em_amount"].to_numpy())},
        again=f"in {names.ATTRIBUTION_FILE}",
    )


def check_variance(result: AttributionResult, table: pd.DataFrame) -> Outcome:
    """Compare the split of variances with the one that was made again.

    Parameters
    ----------
    result : AttributionResult
        Of :func:`make_again`.
    table : DataFrame
        ``variance_split.csv``.

    Returns
    -------
    Outcome
        Names the first row that differs, by more than a relative 1e-9 of its variance.
    """
    file, what = names.VARIANCE_FILE, "variances and their parts, made again"
    again = result.variance
    if again is None or list(table["name"].astype(str)) != list(again["name"].astype(str)):
        return identity("variance_split", file, "it has other rows than when made again", what)
    columns = {c: (table[c].to_numpy(np.float64), again[c].to_numpy()) for c in COLUMNS}
    return compare_columns(
        "variance_split", file, row_label(table), columns, again=f"made from {names.POSTERIOR_FILE}"
    )


def _columns(pair: _Pair) -> list[Outcome]:
    kinds = {
        **{what: [f"{what}_{end}" for end in ("mean", "sd", "lower", "upper")] for what in _DRAWN},
        **{method: [f"{method}_amount", f"{method}_share"] for method in _POINT},
        "data": list(_GIVEN),
    }
    found = []
    for kind, candidates in kinds.items():
        columns = [c for c in candidates if c in pair.stored and c in pair.again]
        if not columns or (kind == "data" and pair.file == names.CELLS_FILE):
            continue  # the data are rebuilt from the cells, so these would agree with themselves
        found.append(
            compare_columns(
                f"recomputed.{kind}",
                pair.file,
                pair.label,
                {c: (pair.stored[c].to_numpy(), pair.again[c].to_numpy()) for c in columns},
                again=_how(kind),
                tolerance=EM_TOLERANCE if kind == "em" else RELATIVE_TOLERANCE,
            )
        )
    return found


def _how(kind: str) -> str:
    if kind in _POINT:
        return "computed again from the data"
    return "taken from the cells" if kind == "data" else f"drawn again from {names.POSTERIOR_FILE}"


def _same_rows(pair: _Pair, keys: list[str]) -> Outcome:
    stored, again = (table[keys].astype(str) for table in (pair.stored, pair.again))
    wrong = ""
    if len(stored) != len(again):
        wrong = f"{len(stored):,} rows, and {len(again):,} when made again"
    else:
        differs = (stored.to_numpy() != again.to_numpy()).any(axis=1)
        if differs.any():
            row = int(differs.argmax())
            wrong = f"row {row + 1} is {tuple(stored.iloc[row])}, not {tuple(again.iloc[row])}"
    return identity("recomputed.rows", pair.file, wrong, f"{', '.join(keys)} of every row")


def _cell_label(cells: pd.DataFrame, keys: list[str]) -> Callable[[int], str]:
    return lambda row: f"the cell {tuple(str(cells[key].iloc[row]) for key in keys)}"


def _largest_residual(draws: RunDraws, result: AttributionResult) -> Outcome:
    """The residual is rounding error, so it is held against the size of totals, not itself."""
    said, file = draws.run.manifest.largest_residual, names.MANIFEST_FILE
    if said is None:
        what = "largest residual of a total was not recorded"
        return Outcome("largest_residual", file, "not recorded", None, None, what)
    largest = RELATIVE_TOLERANCE * max(1.0, draws.data.grand_total)
    over = [f"{value:g}" for value in (said, result.largest_residual) if not value <= largest]
    wrong = f"{over[0]} is more than rounding" if over else ""
    what = "every total is the sum of its amounts, in every draw"
    return identity(
        "largest_residual", file, wrong, what, value=f"{max(said, result.largest_residual):g}"
    )
