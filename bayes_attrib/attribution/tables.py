"""From draws to the two tables of a run: cells, and entities with their roll-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from bayes_attrib import names
from bayes_attrib.attribution.allocation import Allocation, allocate
from bayes_attrib.attribution.intervals import Summary, summarise
from bayes_attrib.attribution.variance_split import split_variance
from bayes_attrib.baselines import PointFit
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inference.expected_draws import ExpectedDraws
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families import Draws, Family
from bayes_attrib.spec import IntervalSpec


@dataclass(frozen=True, eq=False)
class AttributionResult:
    """Who earned what, and how sure we are.

    Attributes
    ----------
    table : DataFrame
        One row per entity and per level of each grouping: the columns of ``attribution.csv``.
    cells : DataFrame
        One row per (aggregate, entity) with positive exposure: the columns of ``cells.parquet``.
    amounts : DrawMatrix, shape (n_entities, n_draws)
        Draws of the amount of each entity, given the totals and in their unit.
    expected_amounts : DrawMatrix, shape (n_entities, n_draws)
        Draws of the expected amount of each entity, in the unit of the totals.
    largest_residual : float
        Largest absolute difference between a total and the sum of its amounts in any draw.
    variance : DataFrame or None
        Variance of every amount, split by what it comes from (:func:`split_variance`), where that
        was asked for.
    """

    table: pd.DataFrame
    cells: pd.DataFrame
    amounts: DrawMatrix
    expected_amounts: DrawMatrix
    largest_residual: float
    variance: pd.DataFrame | None = None


def attribute(
    mean: ExpectedDraws,
    family: Family,
    noise: Draws,
    *,
    baselines: Mapping[str, PointFit],
    interval: IntervalSpec,
    rng: np.random.Generator,
    variance: bool = False,
) -> AttributionResult:
    """Attribute every total to its entities, in every posterior draw, and summarise.

    Parameters
    ----------
    mean : ExpectedDraws
        Posterior draws of the expected amounts, and the data that they belong to.
    family : Family
        Likelihood of the fit.
    noise : mapping of str to ndarray, shape (n_draws,)
        Draws of the family's parameters.
    baselines : mapping of str to PointFit
        Point estimates by the prefix of their columns, such as ``"em"``.
    interval : IntervalSpec
        Kind and probability of all intervals.
    rng : numpy.random.Generator
        Source of the allocation's randomness.
    variance : bool
        Whether the variance of amounts is split by what it comes from.

    Returns
    -------
    AttributionResult
        Tables, and draws of the expected amounts.
    """
    data = mean.data
    allocation = allocate(mean, family, noise, interval=interval, rng=rng)
    source = _Source(data, mean.rates, allocation, baselines, interval)
    table = pd.concat([_rows(source, level) for level in _levels(data)], ignore_index=True)
    table = table.assign(interval_kind=interval.kind, interval_prob=interval.prob)
    if data.truth is not None:
        table["truth_amount"] = table.pop("truth_amount")
    return AttributionResult(
        table,
        _cells(source),
        allocation.amounts,
        allocation.expected_amounts,
        allocation.largest_residual,
        split_variance(data, allocation, mean.given) if variance else None,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Source:
    """Everything that the tables are made from."""

    data: AggregateData
    rates: DrawMatrix
    allocation: Allocation
    baselines: Mapping[str, PointFit]
    interval: IntervalSpec


@dataclass(frozen=True, eq=False, slots=True)
class _Level:
    """A level of the table, and the matrix (n_names, n_entities) that sums entities to it.

    The entities themselves need no matrix.
    """

    label: str
    names: Sequence[str] | npt.NDArray[np.object_]
    matrix: sp.csr_array | None = None

    def sum(self, per_entity: FloatArray) -> FloatArray:
        """Sum a value per entity to the names of this level."""
        return per_entity if self.matrix is None else self.matrix @ per_entity


def _levels(data: AggregateData) -> list[_Level]:
    groupings = data.groupings.values()
    return [
        _Level(names.ENTITY, data.entity_names),
        *(_Level(grouping.name, grouping.levels, grouping.indicator) for grouping in groupings),
    ]


def _rows(source: _Source, level: _Level) -> pd.DataFrame:
    data, interval, grand_total = source.data, source.interval, source.data.grand_total
    exposure = np.asarray(data.exposure.sum(axis=0)).ravel()
    amount = _summarise(source.allocation.amounts, level.matrix, interval)
    expected = _summarise(source.allocation.expected_amounts, level.matrix, interval)
    rate = _mean_rate(source.rates, exposure, level, interval)
    columns: dict[str, object] = {
        "level": level.label,
        "name": level.names,
        "exposure": level.sum(exposure),
        "n_aggregates": _aggregates_reached(data, level),
        "amount_mean": amount.mean,
        "amount_sd": amount.sd,
        "amount_lower": amount.lower,
        "amount_upper": amount.upper,
        "share_mean": amount.mean / grand_total,
        "share_lower": amount.lower / grand_total,
        "share_upper": amount.upper / grand_total,
        "rate_mean": rate.mean,
        "rate_lower": rate.lower,
        "rate_upper": rate.upper,
        "expected_amount_lower": expected.lower,
        "expected_amount_upper": expected.upper,
    }
    for prefix, fit in source.baselines.items():
        columns[f"{prefix}_amount"] = level.sum(fit.entity_amount)
        columns[f"{prefix}_share"] = level.sum(fit.entity_amount) / grand_total
    if data.truth is not None:
        columns["truth_amount"] = level.sum(data.sum_to_entities(data.truth))
    return pd.DataFrame(columns)


def _summarise(draws: DrawMatrix, matrix: sp.csr_array | None, interval: IntervalSpec) -> Summary:
    if matrix is not None:
        return summarise(draws.sums(matrix), interval)
    parts = [summarise(block, interval) for _, block in draws.blocks()]
    return Summary(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Summary)
        )
    )


def _mean_rate(
    rates: DrawMatrix, exposure: FloatArray, level: _Level, interval: IntervalSpec
) -> Summary:
    """Rate per unit of exposure: an entity's own, or the exposure-weighted mean of a level's."""
    if level.matrix is None:
        return _summarise(rates, None, interval)
    weights = sp.csr_array(level.matrix @ sp.diags_array(exposure))
    with np.errstate(invalid="ignore", divide="ignore"):  # a level without exposure has no rate
        rate = rates.sums(weights) / level.sum(exposure)[:, np.newaxis]
    return summarise(rate, interval)


def _aggregates_reached(data: AggregateData, level: _Level) -> npt.NDArray[np.integer[Any]]:
    """Number of aggregates in which an entity or level has positive exposure."""
    reach = sp.csr_array(data.exposure.T)
    if level.matrix is not None:
        reach = sp.csr_array(level.matrix @ reach)
    return np.diff(reach.indptr)


def _cells(source: _Source) -> pd.DataFrame:
    data = source.data
    keys = data.aggregate_keys.iloc[data.edge_aggregate].reset_index(drop=True)
    keys[data.entity_key] = data.entity_names[data.edge_entity]
    keys[names.EXPOSURE] = data.exposure.data
    points = {f"{prefix}_amount": fit.amount for prefix, fit in source.baselines.items()}
    frame = pd.concat([keys, source.allocation.cells, pd.DataFrame(points)], axis=1)
    return frame if data.truth is None else frame.assign(truth_amount=data.truth)
