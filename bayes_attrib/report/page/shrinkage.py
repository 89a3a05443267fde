"""From the free estimate to the pooled one: how far pooling moved each rate, and towards what."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from bayes_attrib.inference.information import central_rates
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.labels import printable
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.page.intervals import between
from bayes_attrib.report.page.scale import Scale, Tick, scale_for_rates
from bayes_attrib.report.run_folder import RunFolder

TOP: Final = 20
"""Rows that are drawn one by one: the largest amounts."""

MOST_POINTS: Final = 2000
"""Entities of the scatter plot, largest amounts first."""


@dataclass(frozen=True, slots=True)
class ShrinkageRow:
    """One entity: positions in percent, and what they say.

    Attributes
    ----------
    name, rate, detail, description : str
        Name; posterior mean; EM and group beside it; all of it as a sentence.
    at : dict of str to float
        Positions of ``em``, ``mean``, ``lower``, ``upper`` and ``group``, as far as there are such.
    """

    name: str
    rate: str
    detail: str
    description: str
    at: dict[str, float]


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """The shrinkage plot.

    Attributes
    ----------
    rows : tuple of ShrinkageRow
        The entities of the largest amounts.
    ticks : tuple of Tick
        Labels of the common axis.
    is_linear : bool
        Whether that axis is linear.
    n_entities : int
        Entities of the run.
    points : str
        Path of the scatter plot: x the EM rate, y the pooled rate, in per mille of the axis.
    n_points : int
        Entities in it.
    scatter_ticks : tuple of Tick
        Labels of its two axes, which are alike.
    closer : int or None
        Entities whose pooled rate lies closer to their group than EM's does; None without groups.
    has_groups : bool
        Whether the rates that groups alone would give are known.
    """

    rows: tuple[ShrinkageRow, ...]
    ticks: tuple[Tick, ...]
    is_linear: bool
    n_entities: int
    points: str
    n_points: int
    scatter_ticks: tuple[Tick, ...]
    closer: int | None
    has_groups: bool

    @property
    def name_length(self) -> int:
        """Characters of the longest name, for the width of the names."""
        return max(len(row.name) for row in self.rows)


def lay_out_shrinkage(
    run: RunFolder, draws: PageDraws | None, amounts: AmountFormat
) -> Shrinkage | None:
    """Lay out EM's rate, the pooled rate, and the rate of its group, per entity.

    EM's rate is its amount over the entity's exposure, which at EM's fixed point is the rate that
    EM found. The rate of the group is what intercept, groups and covariates alone say, see
    :func:`central_rates`.

    Parameters
    ----------
    run : RunFolder
        The run.
    draws : PageDraws or None
        Its draws, for the rates of groups; None leaves them out.
    amounts : AmountFormat
        How numbers are written.

    Returns
    -------
    Shrinkage or None
        None where EM has no result, or a rate is missing for every entity.
    """
    table = run.entities
    em = (table["em_amount"] / table["exposure"]).to_numpy(dtype=np.float64)
    mean = table["rate_mean"].to_numpy(dtype=np.float64)
    known = np.isfinite(em) & np.isfinite(mean)
    if not known.any():
        return None
    group = _group_rates(run, draws)
    rates = pd.DataFrame(
        {
            "name": table["name"],
            "em": em,
            "mean": mean,
            "lower": table["rate_lower"],
            "upper": table["rate_upper"],
            "group": np.nan if group is None else group.reindex(table["name"]).to_numpy(),
        }
    )[known]
    rows, points = rates.head(TOP), rates.head(MOST_POINTS)
    scale = scale_for_rates(rows.drop(columns="name").to_numpy(dtype=np.float64))
    square = scale_for_rates(points[["em", "mean"]].to_numpy(dtype=np.float64))
    return Shrinkage(
        tuple(_row(record, scale, amounts) for record in rows.to_dict("records")),
        scale.ticks(amounts.language),
        scale.is_linear,
        len(table),
        _path(points, square),
        len(points),
        square.ticks(amounts.language),
        None if group is None else _count_closer(rates),
        group is not None,
    )


def _group_rates(run: RunFolder, draws: PageDraws | None) -> pd.Series | None:
    """Rates that groups alone would give, by name of the entity."""
    if draws is None or run.manifest.model_variables:
        return None
    data = draws.data
    centre = central_rates(draws.source.fit, data, run.spec)
    return pd.Series(centre, index=data.entity_names[: data.n_attributable].astype(str))


def _count_closer(rates: pd.DataFrame) -> int:
    """Count entities that pooling moved towards their group, on the log scale."""
    em, mean, group = (rates[c].to_numpy(dtype=np.float64) for c in ("em", "mean", "group"))
    with np.errstate(divide="ignore"):
        return int(np.sum(np.abs(np.log(mean / group)) < np.abs(np.log(em / group))))


def _row(record: Mapping[Hashable, Any], scale: Scale, amounts: AmountFormat) -> ShrinkageRow:
    language = amounts.language
    name = printable(str(record["name"]))
    values = {str(key): float(x) for key, x in record.items() if key != "name"}
    texts = {key: language.significant(x) for key, x in values.items()}
    detail = language.text("EM {em}", em=texts["em"])
    words = language.text(
        "{name}: EM {em}, pooled {mean} ({interval})",
        name=name,
        em=texts["em"],
        mean=texts["mean"],
        interval=between(language, texts["lower"], texts["upper"]),
    )
    if math.isfinite(values["group"]):
        words = language.text("{words}; its group {group}", words=words, group=texts["group"])
    at = {key: scale.at(x) for key, x in values.items() if math.isfinite(x)}
    return ShrinkageRow(name, texts["mean"], detail, words, at)


def _path(points: pd.DataFrame, scale: Scale) -> str:
    """Dots as a path of zero-length strokes with round ends: 12 bytes each."""
    pairs: FloatArray = points[["em", "mean"]].to_numpy(dtype=np.float64)
    places = ((10 * scale.at(x), 1000 - 10 * scale.at(y)) for x, y in pairs.tolist())
    return "".join(f"M{x:.0f} {y:.0f}h0" for x, y in places)
