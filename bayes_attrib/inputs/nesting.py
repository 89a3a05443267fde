"""Nested grouping columns: each level's groups are paths from the top of the tree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bayes_attrib.inputs.aggregate_data import Grouping, IntArray
from bayes_attrib.inputs.paths import join_parts


def path_codes(labels: pd.DataFrame, columns: Sequence[str]) -> list[IntArray]:
    """Number the distinct paths at each level of a tree.

    Parameters
    ----------
    labels : DataFrame, shape (n_entities, n_columns)
        One label per entity and level.
    columns : sequence of str
        The levels, from the top down.

    Returns
    -------
    list of ndarray of int, each of shape (n_entities,)
        For each level, codes from 0 up in the order of first occurrence; equal for entities with
        equal labels from the top down to that level.
    """
    code = np.zeros(len(labels), dtype=np.int64)
    found = []
    for column in columns:
        part, distinct = pd.factorize(labels[column])
        code = pd.factorize(code * len(distinct) + part)[0].astype(np.int64)
        found.append(code)
    return found


def nested_groupings(labels: pd.DataFrame, columns: Sequence[str]) -> dict[str, Grouping]:
    """Build one grouping per level of a tree, whose groups are named by their paths.

    Equal labels under different parents are different groups. Names are the labels from the top
    joined by ' / ', in quotes where labels that hold ' / ' themselves would make two paths of a
    level look alike.

    Parameters
    ----------
    labels : DataFrame, shape (n_entities, n_columns)
        One label per entity and level.
    columns : sequence of str
        The levels, from the top down.

    Returns
    -------
    dict of str to Grouping
        By column, from the top down; groups are sorted by name.
    """
    return {
        column: _grouping(column, code, labels[list(columns[: depth + 1])])
        for depth, (column, code) in enumerate(
            zip(columns, path_codes(labels, columns), strict=True)
        )
    }


def _grouping(column: str, code: IntArray, labels: pd.DataFrame) -> Grouping:
    first = np.unique(code, return_index=True)[1]
    paths = join_parts(list(labels.iloc[first].itertuples(index=False, name=None)))
    order = sorted(range(len(paths)), key=paths.__getitem__)
    rank = np.empty(len(paths), dtype=np.int64)
    rank[order] = np.arange(len(paths))
    return Grouping(column, tuple(paths[position] for position in order), rank[code])
