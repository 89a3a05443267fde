"""Checks that need nothing but the tables: signs, order, shares, and sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.report.reconciliation import METHODS
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.verification.differences import FloatArray, compare_columns
from bayes_attrib.report.verification.outcome import Outcome, identity

CELL_NUMBERS = (
    *("amount_mean", "amount_sd", "amount_lower", "amount_upper"),
    *("share_mean", "share_lower", "share_upper", "em_amount", "proportional_amount"),
)
_ATTRIBUTION_NUMBERS = (
    "exposure",
    "n_aggregates",
    *CELL_NUMBERS,
    *("expected_amount_lower", "expected_amount_upper", "em_share", "proportional_share"),
)
_ENDS = ("lower", "upper")
_SUMMED = tuple(column for _, column in METHODS)


def check_numbers(table: pd.DataFrame, file: str) -> Outcome:
    """Check that amounts are finite and not negative, and that intervals have their ends in order.

    The mean is not required to lie in its interval: that of a skewed posterior need not.

    Parameters
    ----------
    table : DataFrame
        ``attribution.csv`` or ``cells.parquet``.
    file : str
        Name of the file.

    Returns
    -------
    Outcome
        Names the first offending value.
    """
    wanted = _ATTRIBUTION_NUMBERS if "level" in table else CELL_NUMBERS
    wrong: list[str] = []
    for column in (c for c in wanted if c in table):
        values = table[column].to_numpy(dtype=np.float64)
        bad = ~(np.isfinite(values) & (values >= 0))
        if column == "amount_sd":  # a single draw has none
            bad &= ~np.isnan(values)
        wrong += _first(bad, f"{column} is {{0}}", values)
    for what in ("amount", "share", "rate", "expected_amount"):
        if f"{what}_lower" in table:
            lower, upper = (table[f"{what}_{end}"].to_numpy(np.float64) for end in _ENDS)
            wrong += _first(lower > upper, f"{what}_lower {{0}} > {what}_upper {{1}}", lower, upper)
    what = "numbers are finite and not negative, lower ends not above upper ones"
    return identity("numbers", file, "; ".join(wrong), what)


def _first(bad: np.ndarray, text: str, *values: FloatArray) -> list[str]:
    rows = np.flatnonzero(bad)
    if not len(rows):
        return []
    return [f"row {rows[0] + 1}: {text.format(*(v[rows[0]] for v in values))}"]


def check_shares(run: RunFolder) -> Outcome:
    """Check that every share is its amount over the grand total of the manifest."""
    table, whole = run.attribution, run.manifest.data.grand_total
    pairs = [(f"share_{end}", f"amount_{end}") for end in ("mean", *_ENDS)]
    pairs += [(f"{method}_share", f"{method}_amount") for method in ("em", "proportional")]
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            share: (table[share].to_numpy(), table[amount].to_numpy() / whole)
            for share, amount in pairs
        }
    return compare_columns(
        "shares",
        names.ATTRIBUTION_FILE,
        row_label(table),
        columns,
        again="as amount / grand total",
    )


def check_entity_sums(run: RunFolder, cells: pd.DataFrame) -> list[Outcome]:
    """Compare the rows of entities with sums over their cells, one outcome per column.

    Parameters
    ----------
    run : RunFolder
        The run.
    cells : DataFrame, shape (n_edges, n_columns)
        All cells.

    Returns
    -------
    list of Outcome
        For ``amount_mean``, ``em_amount``, ``proportional_amount``, ``exposure``,
        ``n_aggregates``, and the truth where it is known.
    """
    table, key = run.attribution, run.spec.columns.entity
    rows = table[table["level"] == names.ENTITY]
    grouped = cells.groupby(cells[key].astype(str), sort=False)
    columns = [*_SUMMED, names.EXPOSURE, *([names.TRUTH_AMOUNT] if run.has_truth else [])]
    sums = grouped[columns].sum(min_count=1).assign(n_aggregates=grouped.size())
    labels = rows["name"].astype(str)
    found = [_same_entities(set(labels), set(map(str, sums.index)))]
    sums = sums.reindex(labels)
    return found + [
        compare_columns(
            f"entity_sums.{column}",
            names.ATTRIBUTION_FILE,
            row_label(rows),
            {column: (rows[column].to_numpy(), sums[column].to_numpy())},
            again=f"summed over {names.CELLS_FILE}",
        )
        for column in (*columns, "n_aggregates")
    ]


def _same_entities(listed: set[str], found: set[str]) -> Outcome:
    only = [f"only in {names.ATTRIBUTION_FILE}: {name!r}" for name in sorted(listed - found)[:3]]
    only += [f"only in {names.CELLS_FILE}: {name!r}" for name in sorted(found - listed)[:3]]
    what = f"entities of {names.ATTRIBUTION_FILE} and {names.CELLS_FILE}"
    return identity("entity_names", names.ATTRIBUTION_FILE, "; ".join(only), what)


def check_aggregate_sums(
    run: RunFolder, cells: pd.DataFrame, totals: FloatArray | None
) -> list[Outcome]:
    """Compare sums over the cells of every aggregate with its total, and all totals with the whole.

    Parameters
    ----------
    run : RunFolder
        The run.
    cells : DataFrame, shape (n_edges, n_columns)
        All cells.
    totals : ndarray, shape (n_exposed,), or None
        Totals in the order of the first cells; None where they are not stored, and the sums of the
        proportional split stand for them.

    Returns
    -------
    list of Outcome
        One per method, then the grand total and the number of aggregates.
    """
    keys = list(run.spec.columns.aggregate)
    sums = cells.groupby(keys, sort=False, observed=True)[list(_SUMMED)].sum(min_count=1)
    stored = totals is not None
    wanted = sums["proportional_amount"].to_numpy(np.float64) if totals is None else totals
    again = "against its total" if stored else "against the proportional split"
    found = [
        compare_columns(
            f"aggregate_sums.{column}",
            names.CELLS_FILE,
            lambda row: f"{', '.join(keys)} = {sums.index[row]}",
            {column: (sums[column].to_numpy(np.float64), wanted)},
            again=again,
        )
        for column in (_SUMMED if stored else _SUMMED[:2])
    ]
    data = run.manifest.data
    found.append(
        compare_columns(
            "grand_total",
            names.MANIFEST_FILE,
            lambda _: "the run",
            {"grand_total": ([data.grand_total], [float(wanted.sum())])},
            again="as the sum of all totals",
        )
    )
    exposed = data.n_aggregates - data.aggregates_without_exposure
    wrong = "" if exposed == len(sums) else f"{exposed:,} in the manifest, {len(sums):,} in cells"
    what = "number of aggregates with exposure"
    return [*found, identity("number_of_aggregates", names.MANIFEST_FILE, wrong, what)]


def check_roll_ups(run: RunFolder, groups: Mapping[str, pd.Series]) -> list[Outcome]:
    """Compare the rows of roll-ups with sums over their entities.

    Parameters
    ----------
    run : RunFolder
        The run.
    groups : mapping of str to Series
        Level of every entity, indexed by entity, by grouping column. A column that is not there is
        only checked to sum to the entities.

    Returns
    -------
    list of Outcome
        One per roll-up level.
    """
    truth = [names.TRUTH_AMOUNT] if run.has_truth else []
    columns = [*_SUMMED, names.EXPOSURE, *truth]
    entities = run.attribution[run.attribution["level"] == names.ENTITY].set_index("name")[columns]
    found: list[Outcome] = []
    for level in run.levels:
        rows = run.attribution[run.attribution["level"] == level]
        if level in groups:
            label = row_label(rows)
            sums = entities.groupby(groups[level].reindex(entities.index)).sum()
            sums, stored = sums.reindex(rows["name"].astype(str)), rows[columns]
        else:
            label = _whole_of(level)
            stored, sums = rows[columns].sum().to_frame().T, entities.sum().to_frame().T
        found.append(
            compare_columns(
                f"roll_up_sums.{level}",
                names.ATTRIBUTION_FILE,
                label,
                {c: (stored[c].to_numpy(), sums[c].to_numpy()) for c in columns},
                again="summed over entities",
            )
        )
    return found


def row_label(table: pd.DataFrame) -> Callable[[int], str]:
    """Return what names a row of ``attribution.csv`` for messages, by its position."""
    return lambda row: f"{table['level'].iloc[row]} {table['name'].iloc[row]!r}"


def _whole_of(level: str) -> Callable[[int], str]:
    return lambda _: f"all of {level}"
