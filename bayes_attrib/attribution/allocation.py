"""The pass over all cells: amounts given totals, in every draw, a block of aggregates at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import scipy.sparse as sp

from bayes_attrib.attribution.intervals import summarise
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inference.expected_draws import AggregateBlock, ExpectedDraws
from bayes_attrib.inputs.aggregate_data import FloatArray, IntArray
from bayes_attrib.model.families import Cells, Draws, Family
from bayes_attrib.spec import IntervalSpec

_ALLOCATION_STREAM = 1

MANY_AMOUNTS: Final = 2**26
"""Cells times draws from which on whole amounts are drawn by a compiled algorithm."""


@dataclass(frozen=True, eq=False)
class MainEffects:
    """What expected amounts would be if only the totals, or only the rates, varied.

    Attributes
    ----------
    of_totals : DrawMatrix, shape (n_entities, n_draws)
        Sums over aggregates of drawn totals times mean shares.
    of_rates : DrawMatrix, shape (n_entities, n_draws)
        Sums over aggregates of the totals themselves times drawn shares.
    """

    of_totals: DrawMatrix
    of_rates: DrawMatrix

    def add(self, cells: Cells, totals: FloatArray, entity: IntArray) -> None:
        """Add the cells of a block, whose totals are ``totals`` on average."""
        fixed = Cells(totals, cells.indptr, cells.mu)
        mean = cells.shares.mean(axis=1, keepdims=True)
        accumulate(self.of_totals, entity, cells.scaled_by_totals(mean))
        accumulate(self.of_rates, entity, fixed.scaled_by_totals(cells.shares))


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
        Largest absolute difference between a total, that of the draw where it is an estimate, and
        the sum of its amounts, over all aggregates and draws; 0 for counts.
    main_effects : MainEffects or None
        Only where totals are estimates that are independent of the rates.
    """

    cells: pd.DataFrame
    amounts: DrawMatrix
    expected_amounts: DrawMatrix
    largest_residual: float
    main_effects: MainEffects | None = None


def allocate(
    mean: ExpectedDraws,
    family: Family,
    noise: Draws,
    *,
    interval: IntervalSpec,
    rng: np.random.Generator,
) -> Allocation:
    """Draw the amounts of every cell given the totals, once per posterior draw.

    Parameters
    ----------
    mean : ExpectedDraws
        Posterior draws of the expected amounts.
    family : Family
        Gives the law of the amounts given their total.
    noise : mapping of str to ndarray, shape (n_draws,)
        Draws of the family's parameters.
    interval : IntervalSpec
        Kind and probability of the intervals.
    rng : numpy.random.Generator
        Consumed in the order of aggregates.

    Returns
    -------
    Allocation
        Summaries per cell, and draws per entity.
    """
    data = mean.data
    amounts = DrawMatrix(data.n_entities, mean.n_draws)
    expected = DrawMatrix(data.n_entities, mean.n_draws)
    summaries: list[pd.DataFrame] = []
    residual = 0.0
    effects = _no_effects(mean)
    for block, cells, drawn in drawn_blocks(mean, family, noise, rng):
        entity = data.edge_entity[block.edges].astype(np.int64)
        residual = max(residual, _largest_residual(cells, drawn))
        accumulate(amounts, entity, drawn)
        accumulate(expected, entity, cells.scaled_by_totals(cells.shares))
        if effects is not None:
            effects.add(cells, data.totals[block.aggregates], entity)
        summaries.append(cell_summaries(cells.shares, drawn, interval))
    table = pd.concat(summaries, ignore_index=True)
    return Allocation(table, amounts, expected, residual, effects)


def _no_effects(mean: ExpectedDraws) -> MainEffects | None:
    if mean.given is None or mean.given.treatment != "paired":
        return None
    shape = mean.data.n_entities, mean.n_draws
    return MainEffects(DrawMatrix(*shape), DrawMatrix(*shape))


def allocation_rng(seed: int) -> np.random.Generator:
    """Return the source of the allocation's randomness in a run with this seed.

    The same fit, allocated twice with it, gives the same draws of amounts.
    """
    return np.random.default_rng([seed, _ALLOCATION_STREAM])


def drawn_blocks(
    mean: ExpectedDraws, family: Family, noise: Draws, rng: np.random.Generator
) -> Iterator[tuple[AggregateBlock, Cells, FloatArray]]:
    """Yield all cells in order, a block of aggregates at a time, with draws of their amounts.

    Parameters
    ----------
    mean : ExpectedDraws
        Posterior draws of the expected amounts.
    family : Family
        Gives the law of the amounts given their total.
    noise : mapping of str to ndarray, shape (n_draws,)
        Draws of the family's parameters.
    rng : numpy.random.Generator
        Consumed in the order of aggregates.

    Yields
    ------
    block : AggregateBlock
        Which aggregates and edges.
    cells : Cells
        Their totals and expected amounts.
    amounts : ndarray, shape (n_edges of the block, n_draws)
        Amounts given the totals, in their unit.
    """
    of_many = mean.data.n_edges * mean.n_draws > MANY_AMOUNTS
    for block in mean.blocks():
        totals = mean.given_totals(block.aggregates)
        cells = Cells(totals, block.indptr, mean.amounts(block.edges), of_many)
        yield block, cells, family.draw_amounts(cells, noise, rng)


def _largest_residual(cells: Cells, amounts: FloatArray) -> float:
    sums = np.add.reduceat(amounts, cells.indptr[:-1], axis=0)
    return float(np.max(np.abs(sums - cells.totals_by_draw)))


def accumulate(matrix: DrawMatrix, row: IntArray, values: FloatArray) -> None:
    """Add the values of edges, shape (n_edges, n_draws), to rows of a matrix, one for each edge."""
    rows, position = np.unique(row, return_inverse=True)
    n_edges = len(row)
    shape = (len(rows), n_edges)
    indicator = sp.csr_array((np.ones(n_edges), (position, np.arange(n_edges))), shape=shape)
    matrix.add(rows, indicator @ values)


def cell_summaries(shares: FloatArray, amounts: FloatArray, interval: IntervalSpec) -> pd.DataFrame:
    """Summarise draws of shares and amounts, each of shape (n_edges, n_draws), for the cells."""
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
