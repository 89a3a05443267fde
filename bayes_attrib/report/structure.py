"""What the exposures alone can tell: how many aggregates are shared at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib import names


@dataclass(frozen=True, slots=True)
class Sharing:
    """How aggregates are shared.

    Attributes
    ----------
    n_sole : int
        Aggregates in which one entity alone has exposure: its credit there is certain.
    n_shared : int
        Aggregates that two or more entities share: only these have to be split.
    """

    n_sole: int
    n_shared: int


def count_sharing(cells: pd.DataFrame, aggregate_keys: tuple[str, ...]) -> Sharing:
    """Count the aggregates that one entity has to itself, and those that several share.

    Parameters
    ----------
    cells : DataFrame, shape (n_edges, n_columns)
        Cells with the aggregate's keys and ``exposure``, one row per aggregate and entity.
    aggregate_keys : tuple of str
        Key columns of the aggregate.

    Returns
    -------
    Sharing
        Both counts.
    """
    exposed = cells[cells[names.EXPOSURE] > 0]
    members = exposed.groupby(list(aggregate_keys), sort=False, observed=True).size().to_numpy()
    return Sharing(int(np.sum(members == 1)), int(np.sum(members > 1)))
