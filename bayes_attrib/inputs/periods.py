"""Aggregates grouped by their period, with the periods in the order of time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayes_attrib.inputs.aggregate_data import Grouping
from bayes_attrib.timeline import arrange


def period_grouping(column: str, labels: Iterable[str]) -> Grouping:
    """Group aggregates by period, with the levels in the order of time.

    Parameters
    ----------
    column : str
        Key column that tells the time.
    labels : iterable of str
        Period of every aggregate; :func:`arrange` has a place for each.

    Returns
    -------
    Grouping
        Levels in the order of time.
    """
    codes, distinct = pd.factorize(np.asarray(list(labels), dtype=object))
    levels = arrange(distinct).labels
    rank = {level: position for position, level in enumerate(levels)}
    return Grouping(column, levels, np.array([rank[label] for label in distinct])[codes])
