"""Predictions for entities and aggregates that no fit has seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution.prediction.amounts import predict_amounts
from bayes_attrib.attribution.prediction.edges import new_aggregates
from bayes_attrib.attribution.prediction.rates import entity_rates, rate_table
from bayes_attrib.attribution.prediction.source import Source
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.inputs.table import Tables
from bayes_attrib.model.families import get_family
from bayes_attrib.spec import IntervalSpec


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a fit says about entities and aggregates, those that it has never seen among them.

    Attributes
    ----------
    rates : DataFrame, shape (n_entities, 9)
        One row per entity asked for; columns as in
        :func:`bayes_attrib.attribution.prediction.rates.rate_table`.
    totals : DataFrame or None
        One row per new aggregate: keys, ``expected_*``, ``total_*``, and ``total`` where observed.
    cells : DataFrame or None
        One row per new (aggregate, entity): keys, ``exposure``, ``share_*``, ``amount_*``,
        ``is_new``.
    interval : IntervalSpec
        Kind and probability of all intervals.
    rate_draws : ndarray, shape (n_entities, n_draws)
        Draws of the rates, in the order of the table.
    total_draws : ndarray, shape (n_aggregates, n_draws), or None
        Draws of new totals, in the order of the table.
    """

    rates: pd.DataFrame
    totals: pd.DataFrame | None
    cells: pd.DataFrame | None
    interval: IntervalSpec
    rate_draws: FloatArray
    total_draws: FloatArray | None


def predict_tables(
    source: Source,
    tables: Tables,
    *,
    interval: IntervalSpec,
    rng: np.random.Generator,
) -> Prediction:
    """Predict rates, and totals and amounts where exposures are given.

    Parameters
    ----------
    source : Source
        The fit.
    tables : Tables
        Checked tables: entities, exposures, or both; aggregates beside exposures.
    interval : IntervalSpec
        Kind and probability of all intervals.
    rng : numpy.random.Generator
        Source of everything random.

    Returns
    -------
    Prediction
        Tables and draws.
    """
    spec = source.spec
    key = spec.columns.entity
    has_exposures = names.EXPOSURES_TABLE in tables.by_stem
    asked: list[str] = []
    described = pd.DataFrame()
    if names.ENTITIES_TABLE in tables.by_stem:
        table = tables.entities
        asked += table[key].tolist()
        described = pd.concat([table.frame[list(table.layout.labels)], table.covariates], axis=1)
        described = described.loc[:, ~described.columns.duplicated()].set_axis(asked)
    if has_exposures:
        asked += tables.exposures[key].tolist()
    entities = list(dict.fromkeys(asked))
    rates = entity_rates(source, entities, described, rng)
    rate_rows = rate_table(rates, source, interval)
    rate_draws = np.exp(rates.log_rate)
    if not has_exposures:
        return Prediction(rate_rows, None, None, interval, rate_draws, None)
    new = new_aggregates(source, tables, rates, rng)
    found = predict_amounts(new, get_family(spec.likelihood), interval, rng)
    strangers = rates.entities[rates.is_new]
    cells = found.cells.assign(is_new=found.cells[key].isin(strangers))
    return Prediction(rate_rows, found.totals, cells, interval, rate_draws, found.total_draws)


__all__ = ["Prediction", "Source", "predict_tables"]
