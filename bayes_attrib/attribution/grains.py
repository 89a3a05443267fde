"""Amounts at any grain: by entity, by group, by period, or by several of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution.allocation import accumulate, drawn_blocks
from bayes_attrib.errors import UnknownNameError
from bayes_attrib.inference.draw_matrix import DrawMatrix
from bayes_attrib.inference.expected_draws import ExpectedDraws
from bayes_attrib.inputs.aggregate_data import AggregateData, IntArray
from bayes_attrib.model.families import Draws, Family
from bayes_attrib.timeline import arrange

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Grain:
    """Rows that cells are summed to.

    Attributes
    ----------
    labels : DataFrame, shape (n_rows, n_columns)
        What each row is; rows are unique, and each has at least one cell.
    row : ndarray of int, shape (n_edges,)
        Row of every cell.
    """

    labels: pd.DataFrame
    row: IntArray


@dataclass(frozen=True, eq=False)
class GrainDraws:
    """Draws of the amounts of the rows of a grain.

    Attributes
    ----------
    labels : DataFrame, shape (n_rows, n_columns)
        What each row is.
    amounts : DrawMatrix, shape (n_rows, n_draws)
        Amounts given the totals, in their unit: uncertainty of rates and of allocation.
    expected_amounts : DrawMatrix, shape (n_rows, n_draws)
        Expected amounts given the totals: uncertainty of rates only.
    """

    labels: pd.DataFrame
    amounts: DrawMatrix
    expected_amounts: DrawMatrix


def grain_of(data: AggregateData, by: Sequence[str]) -> Grain:
    """Find the rows of a grain.

    Parameters
    ----------
    data : AggregateData
        Cells, groupings and keys.
    by : sequence of str
        Columns: ``"entity"`` or the entity's key, a grouping column, a key column of the
        aggregates. A name that is both a grouping and a key means the grouping. Empty for one row.

    Returns
    -------
    Grain
        Rows in the order of ``by``: entities as in the data, levels as in their grouping, periods
        in the order of time, other keys in the order of the data.

    Raises
    ------
    UnknownNameError
        If a name is none of these; the message lists what there is.
    """
    columns = {name: _codes(data, name) for name in by}
    row = np.zeros(data.n_edges, dtype=np.int64)
    for codes, levels in columns.values():
        row = row * len(levels) + codes
    _, first, position = np.unique(row, return_index=True, return_inverse=True)
    labels = {name: levels[codes[first]] for name, (codes, levels) in columns.items()}
    return Grain(
        pd.DataFrame(labels, index=range(len(first)), dtype="str"), position.astype(np.int64)
    )


def draw_grains(
    mean: ExpectedDraws,
    family: Family,
    noise: Draws,
    grains: Sequence[Grain],
    rng: np.random.Generator,
) -> list[GrainDraws]:
    """Draw the amounts of all cells once, and sum them to each of several grains.

    Parameters
    ----------
    mean : ExpectedDraws
        Posterior draws of the expected amounts.
    family : Family
        Gives the law of the amounts given their total.
    noise : mapping of str to ndarray, shape (n_draws,)
        Draws of the family's parameters.
    grains : sequence of Grain
        Rows to sum to.
    rng : numpy.random.Generator
        That of :func:`allocation_rng` gives the very draws of a run.

    Returns
    -------
    list of GrainDraws
        One for each grain. All are sums of the same draws, so they agree with each other.
    """
    found = [
        GrainDraws(
            grain.labels,
            DrawMatrix(len(grain.labels), mean.n_draws),
            DrawMatrix(len(grain.labels), mean.n_draws),
        )
        for grain in grains
    ]
    for block, cells, drawn in drawn_blocks(mean, family, noise, rng):
        expected = cells.scaled_by_totals(cells.shares)
        for grain, draws in zip(grains, found, strict=True):
            accumulate(draws.amounts, grain.row[block.edges], drawn)
            accumulate(draws.expected_amounts, grain.row[block.edges], expected)
    return found


def _codes(data: AggregateData, name: str) -> tuple[IntArray, Texts]:
    """Code of every edge, and the labels that codes stand for."""
    if name in {names.ENTITY, data.entity_key}:
        return data.edge_entity.astype(np.int64), data.entity_names
    if name in data.groupings:
        grouping = data.groupings[name]
        return grouping.codes[data.edge_entity], np.array(grouping.levels, dtype=object)
    if name in data.aggregate_keys.columns:
        return _key_codes(data, name)
    known = [names.ENTITY, *data.groupings, *data.aggregate_keys.columns]
    raise UnknownNameError(
        f"there is no grain {name!r} in this run; it has {', '.join(map(repr, known))}"
    )


def _key_codes(data: AggregateData, name: str) -> tuple[IntArray, Texts]:
    codes, labels = pd.factorize(data.aggregate_keys[name].to_numpy(dtype=object))
    timeline = arrange(labels)
    if not timeline.unplaced:
        order = pd.Index(timeline.labels)
        codes, labels = order.get_indexer(pd.Index(labels))[codes], order.to_numpy(dtype=object)
    return codes[data.edge_aggregate].astype(np.int64), labels
