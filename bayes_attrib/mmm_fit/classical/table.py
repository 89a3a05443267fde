"""Classical contributions beside the posterior, as one table."""

from __future__ import annotations

import pandas as pd

from bayes_attrib.mmm_fit.classical.design import ClassicalFit
from bayes_attrib.mmm_fit.series import MmmSeries


def classical_table(series: MmmSeries, fits: list[ClassicalFit]) -> pd.DataFrame:
    """Tell what classical fits make of each channel.

    Parameters
    ----------
    series : MmmSeries
        The data.
    fits : list of ClassicalFit
        Fits of them.

    Returns
    -------
    DataFrame
        ``method``, ``channel``, ``contribution`` and ``roas`` within the periods, the shapes, and
        the ``rmse`` of the whole fit.
    """
    spend = series.spend.sum(axis=(0, 1))
    parts = []
    for fit in fits:
        table = fit.shapes.copy()
        table.insert(0, "method", fit.method)
        total = fit.contributions.sum(axis=(0, 1))
        table.insert(2, "contribution", total)
        table.insert(3, "roas", total / spend)
        table["rmse"] = fit.rmse(series.target)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
