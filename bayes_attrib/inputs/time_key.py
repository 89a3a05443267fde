"""Which key column of the aggregates tells the time."""

from __future__ import annotations

from typing import Final

import pandas as pd

from bayes_attrib.spec import ModelSpec
from bayes_attrib.timeline import arrange

_TIMES: Final = ("date", "day", "week", "month", "quarter", "year", "period", "time")
"""Names of key columns that tell the time, where their values do not say so."""


def time_key(spec: ModelSpec, keys: pd.DataFrame) -> str | None:
    """Find the key column that tells the time; None if none does.

    It is ``report.period`` or the period of a drift where the spec names one, else the first key
    column whose values are dates, months, weeks or quarters in ISO's forms, else one with the name
    of such a thing.

    Parameters
    ----------
    spec : ModelSpec
        Names of the key columns.
    keys : DataFrame, shape (n_aggregates, n_keys)
        Key of every aggregate as text.
    """
    if spec.report.period is not None:
        return spec.report.period
    if spec.rates.drift is not None:
        return spec.rates.drift.period
    columns = spec.columns.aggregate
    for column in columns:
        labels = keys[column].unique()
        if not arrange(labels).unplaced and any("-" in label for label in labels):
            return column
    return next((column for column in columns if column.lower() in _TIMES), None)
