"""The pass over all cells: amounts given totals, in every draw, a block of aggregates at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp

from bayes_attrib.attribution.draw_matrix import BLOCK_ELEMENTS, DrawMatrix
from bayes_attrib.attribution.intervals import summarise
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.model.families import Cells, Draws, Family
from bayes_attrib.spec import IntervalSpec


@dataclass(frozen=True, eq=False)
class Allocation:
    """What the pass over all cells leaves behind.

    Attributes
    ----------
    cells : DataFrame, shape (n_edges, 7)
        Summaries ``share_mean, share_lower, share_upper, amount_mean, amount_sd, amount_lower,
        amount_upper`` per edge; shares are those of the expected amounts within the aggregate.
    amounts : DrawMatrix, shape (n_entities, n_draws)
        Amount of each entity over all aggregates, given the totals.
    expected_amounts : DrawMatrix, shape (n_entities, n_draws)
        Expected amount sum_b y_b p_eb of each entity: the uncertainty of rates only.
    largest_residual : float
        Largest absolute difference between a total and the sum of its amounts, over all aggregates
        and draws; 0 for counts.
    """

    cells: pd.DataFrame
    amounts: DrawMatrix
    expected_amounts: DrawMatrix
    largest_residual: float


def allocate(
    data: AggregateData,
    rates: DrawMatrix,
    family: Family,
    dispersion: Draws,
    *,
    interval: IntervalSpec,
    rng: np.random.Generator,
) -> Allocation:
    """Draw the amounts of every cell given the totals, once per posterior draw.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    rates : DrawMatrix, shape (n_entities, n_draws)
        Posterior draws of the rates; positive.
    family : Family
        Gives the law of the amounts given their total.
    dispersion : mapping of str to ndarray, shape (n_draws,)
        Draws of the family's dispersion parameter, if it has one.
    interval : IntervalSpec
        Kind and probability of the intervals.
    rng : numpy.random.Generator
        Consumed in the order of aggregates.

    Returns
    -------
    Allocation
        Summaries per cell, and draws per entity.
    """
    n_draws = rates.shape[1]
    amounts = DrawMatrix(data.n_entities, n_draws)
    expected = DrawMatrix(data.n_entities, n_draws)
    summaries: list[pd.DataFrame] = []
    residual = 0.0
    for block in _blocks(data, n_draws):
        entity = data.edge_entity[block.edges].astype(np.int64)
        exposure = data.exposure.data[block.edges, np.newaxis]
        cells = Cells(data.totals[block.aggregates], block.indptr, exposure * rates.rows(entity))
        drawn = family.draw_amounts(cells, dispersion, rng)
        residual = max(residual, _largest_residual(cells, drawn))
        _accumulate(amounts, entity, drawn)
        _accumulate(expected, entity, cells.scaled_by_totals(cells.shares))
        summaries.append(_summaries(cells.shares, drawn, interval))
    return Allocation(pd.concat(summaries, ignore_index=True), amounts, expected, residual)


@dataclass(frozen=True, eq=False, slots=True)
class _Block:
    """Consecutive exposed aggregates, their edges, and row pointers that start at zero."""

    aggregates: IntArray
    edges: slice
    indptr: IntArray


def _blocks(data: AggregateData, n_draws: int) -> Iterator[_Block]:
    """Cut the exposed aggregates so that a block of cells and draws fits into little memory."""
    exposed = np.flatnonzero(data.is_exposed)
    bounds = np.append(data.exposure.indptr[exposed], data.n_edges).astype(np.int64)
    most = max(1, BLOCK_ELEMENTS // n_draws)
    first = 0
    while first < len(exposed):
        last = int(np.searchsorted(bounds, bounds[first] + most, side="right")) - 1
        last = min(max(last, first + 1), len(exposed))
        pointers = bounds[first : last + 1]
        yield _Block(
            exposed[first:last], slice(int(pointers[0]), int(pointers[-1])), pointers - pointers[0]
        )
        first = last


def _largest_residual(cells: Cells, amounts: FloatArray) -> float:
    sums = np.add.reduceat(amounts, cells.indptr[:-1], axis=0)
    return float(np.max(np.abs(sums - cells.totals[:, np.newaxis])))


def _accumulate(matrix: DrawMatrix, entity: IntArray, values: FloatArray) -> None:
    """Sum edges to their entities, and add the sums to the matrix."""
    entities, position = np.unique(entity, return_inverse=True)
    n_edges = len(entity)
    shape = (len(entities), n_edges)
    indicator = sp.csr_array((np.ones(n_edges), (position, np.arange(n_edges))), shape=shape)
    matrix.add(entities, indicator @ values)


def _summaries(shares: FloatArray, amounts: FloatArray, interval: IntervalSpec) -> pd.DataFrame:
    share, amount = summarise(shares, interval), summarise(amounts, interval)
    return pd.DataFrame(
        {
            "share_mean": share.mean,
            "share_lower": share.lower,
            "share_upper": share.upper,
            "amount_mean": amount.mean,
            "amount_sd": amount.sd,
            "amount_lower": amount.lower,
            "amount_upper": amount.upper,
        }
    )
