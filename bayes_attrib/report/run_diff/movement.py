"""How totals, amounts and shares moved from one run to another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution import GrainDraws
from bayes_attrib.report.run_diff.decomposition import PARTS, decompose, decompose_whole
from bayes_attrib.report.run_diff.sources import Side

FloatArray = npt.NDArray[np.float64]

_KEPT: Final = (
    *("amount_mean", "amount_sd", "amount_lower", "amount_upper"),
    *("share_mean", "share_lower", "share_upper"),
)
_MOVERS: Final = 5


@dataclass(frozen=True, slots=True)
class TotalsChange:
    """Totals of aggregates in two runs; sums are in the unit of the totals.

    Attributes
    ----------
    n_added, n_removed, n_changed, n_unchanged : int
        Aggregates that only the new run has, only the old one, both with another total, and both
        with the same.
    added, removed : float
        Sums of the totals that came and went.
    increase, decrease : float
        Sums of the changes upwards, and downwards (not negative).
    """

    n_added: int
    n_removed: int
    n_changed: int
    n_unchanged: int
    added: float
    removed: float
    increase: float
    decrease: float

    @classmethod
    def of(cls, old: pd.Series, new: pd.Series) -> TotalsChange:
        """Compare totals that are indexed by the keys of their aggregates."""
        position = new.index.get_indexer(old.index)
        kept = position >= 0
        change = new.to_numpy()[position[kept]] - old.to_numpy()[kept]
        came = np.ones(len(new), dtype=bool)
        came[position[kept]] = False
        return cls(
            n_added=int(came.sum()),
            n_removed=int((~kept).sum()),
            n_changed=int(np.count_nonzero(change)),
            n_unchanged=int(np.sum(change == 0)),
            added=float(new.to_numpy()[came].sum()),
            removed=float(old.to_numpy()[~kept].sum()),
            increase=float(change[change > 0].sum()),
            decrease=float(-change[change < 0].sum()),
        )


@dataclass(frozen=True, eq=False)
class Movement:
    """What moved between two runs.

    Attributes
    ----------
    totals : TotalsChange or None
        None where the runs key their aggregates by other columns.
    table : DataFrame
        One row per entity and roll-up of either run; ``docs/audit.md`` lists the columns.
    notes : tuple of str
        Why a column is empty.
    """

    totals: TotalsChange | None
    table: pd.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def between(cls, old: Side, new: Side, levels: list[str]) -> Movement:
        """Compare two runs.

        Parameters
        ----------
        old, new : Side
            The runs.
        levels : list of str
            ``"entity"`` and grouping columns that either run has.

        Returns
        -------
        Movement
            Tables; nothing is fitted.
        """
        same_keys = old.run.spec.columns.aggregate == new.run.spec.columns.aggregate
        drawn = (old.drawn(levels), new.drawn(levels)) if old.draws and new.draws else ({}, {})
        tables = [
            _level(
                old,
                new,
                level,
                same_keys=same_keys,
                drawn=(drawn[0].get(level), drawn[1].get(level)),
            )
            for level in levels
        ]
        notes = [reason for reason in (old.without_draws, new.without_draws) if reason]
        if not same_keys:
            a, b = (", ".join(side.run.spec.columns.aggregate) for side in (old, new))
            notes.append(f"aggregates are keyed by {a} and by {b}, so totals are compared in sum")
        totals = TotalsChange.of(old.totals, new.totals) if same_keys else None
        return cls(totals, pd.concat(tables, ignore_index=True), tuple(notes))

    def level(self, level: str) -> pd.DataFrame:
        """Return the rows of a level."""
        return self.table[self.table["level"] == level]

    def summary(self, level: str = names.ENTITY) -> dict[str, Any]:
        """Summarise a level in plain JSON types.

        Parameters
        ----------
        level : str
            ``"entity"`` or a grouping column.

        Returns
        -------
        dict
            Numbers of rows in both runs, added and removed; total variation distance of shares;
            how many shares and amounts lie outside the earlier interval; parts of the change of
            amounts; the largest movers by share.
        """
        rows = self.level(level)
        both = rows[rows["status"] == "both"]
        order = rows["share_change"].abs().sort_values(ascending=False, kind="stable").index
        movers = rows.loc[order].head(_MOVERS)
        parts = rows[list(PARTS)].sum(min_count=len(rows))
        return {
            "level": level,
            "n_both": len(both),
            "n_added": int((rows["status"] == "added").sum()),
            "n_removed": int((rows["status"] == "removed").sum()),
            "total_variation": float(0.5 * rows["share_change"].abs().sum()),
            "n_share_beyond_interval": int(both["share_beyond_interval"].sum()),
            "n_amount_beyond_interval": int(both["amount_beyond_interval"].sum()),
            **{part: float(parts[part]) for part in PARTS},
            "largest_movers": movers[
                [
                    "name",
                    "status",
                    "share_old",
                    "share_new",
                    "share_change",
                    "share_beyond_interval",
                ]
            ].to_dict("records"),
        }

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain types; missing numbers are NaN."""
        return {
            "totals": None if self.totals is None else asdict(self.totals),
            "levels": [self.summary(level) for level in self.table["level"].unique()],
            "notes": list(self.notes),
            "rows": self.table.to_dict("records"),
        }


def _level(
    old: Side,
    new: Side,
    level: str,
    *,
    same_keys: bool,
    drawn: tuple[GrainDraws | None, GrainDraws | None],
) -> pd.DataFrame:
    """Compare the rows of one level, those of the new run first."""
    before, after = (side.run.level(level).set_index("name")[list(_KEPT)] for side in (old, new))
    labels = [*after.index, *(name for name in before.index if name not in after.index)]
    a, b = before.reindex(labels), after.reindex(labels)
    in_old, in_new = pd.Index(labels).isin(before.index), pd.Index(labels).isin(after.index)
    table = pd.DataFrame({"level": level, "name": labels})
    table["status"] = np.select([in_old & in_new, in_new], ["both", "added"], "removed")
    for what in ("amount", "share"):
        mean = f"{what}_mean"
        table[f"{what}_old"] = a[mean].fillna(0.0).to_numpy()
        table[f"{what}_new"] = b[mean].fillna(0.0).to_numpy()
        table[f"{what}_change"] = table[f"{what}_new"] - table[f"{what}_old"]
        for end in ("lower", "upper"):
            table[f"{what}_{end}_old"] = a[f"{what}_{end}"].to_numpy()
            table[f"{what}_{end}_new"] = b[f"{what}_{end}"].to_numpy()
        outside = (b[mean] < a[f"{what}_lower"]) | (b[mean] > a[f"{what}_upper"])
        table[f"{what}_beyond_interval"] = outside.to_numpy()
    spread = np.hypot(a["amount_sd"].to_numpy(), b["amount_sd"].to_numpy())
    with np.errstate(invalid="ignore", divide="ignore"):
        table["change_in_sds"] = np.where(spread > 0, table["amount_change"] / spread, np.nan)
    scales = {"amount": (1.0, 1.0), "share": (old.grand_total, new.grand_total)}
    for what, scale in scales.items():
        table[f"probability_{what}_rose"] = _probabilities(labels, level, drawn, scale)
    return table.join(_parts(old, new, level, table, same_keys=same_keys))


def _parts(
    old: Side, new: Side, level: str, table: pd.DataFrame, *, same_keys: bool
) -> pd.DataFrame:
    if not same_keys:
        return decompose_whole(table, old.grand_total, new.grand_total)
    belongs = (None, None) if level == names.ENTITY else (old.groups(level), new.groups(level))
    if level != names.ENTITY and None in belongs:
        return pd.DataFrame(np.nan, index=table.index, columns=list(PARTS))
    return decompose(old, new, *belongs).reindex(table["name"]).fillna(0.0).reset_index(drop=True)


def _probabilities(
    labels: list[str],
    level: str,
    drawn: tuple[GrainDraws | None, GrainDraws | None],
    scale: tuple[float, float],
) -> FloatArray:
    """Probability that a quantity rose, were the two posteriors independent; NaN where unknown."""
    found = np.full(len(labels), np.nan)
    before, after = drawn
    if before is None or after is None:
        return found
    row_of = [
        {str(label): row for row, label in enumerate(draws.labels[level])}
        for draws in (before, after)
    ]
    for i, label in enumerate(labels):
        if label in row_of[0] and label in row_of[1]:
            x, y = (
                draws.amounts.rows(np.array([rows[label]]))[0] / size
                for draws, rows, size in zip((before, after), row_of, scale, strict=True)
            )
            found[i] = probability_greater(y, x)
    return found


def probability_greater(y: FloatArray, x: FloatArray) -> float:
    """Probability that a draw of y exceeds an independent draw of x; ties count half.

    It is the Mann-Whitney statistic over the number of pairs, so no draws are matched.

    Parameters
    ----------
    y, x : ndarray, shape (n_draws,)
        Draws; their numbers may differ.

    Returns
    -------
    float
        Between 0 and 1.
    """
    ordered = np.sort(x)
    below = np.searchsorted(ordered, y, side="left") + np.searchsorted(ordered, y, side="right")
    return float(below.mean() / (2 * len(x)))
