"""Levels and periods of new aggregates, with the draws of their effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution.prediction.rates import EntityRates
from bayes_attrib.attribution.prediction.source import Source
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, Grouping, IntArray
from bayes_attrib.inputs.periods import period_grouping

Variable = tuple[tuple[str, ...], FloatArray]
"""Names of dimensions, and draws of shape (..., n_draws)."""


def entity_groupings(source: Source, rates: EntityRates) -> dict[str, Grouping]:
    """Return the groups of the entities in new aggregates.

    Parameters
    ----------
    source : Source
        The fit: its levels come first, in their order.
    rates : EntityRates
        Entities and their groups.

    Returns
    -------
    dict of str to Grouping
        By column; only levels that occur, new ones last.
    """
    found = {}
    for column in source.spec.rates.groups:
        grouping = _grouping(column, rates.groups[column], _levels(source, column))
        if source.spec.unattributed is not None:
            levels, codes = grouping.levels, grouping.codes
            grouping = Grouping(
                column, (*levels, names.UNATTRIBUTED), np.append(codes, len(levels))
            )
        found[column] = grouping
    return found


def aggregate_groupings(source: Source, frame: pd.DataFrame) -> dict[str, Grouping]:
    """Return the groups of the new aggregates: levels of their effects, and periods in time.

    Parameters
    ----------
    source : Source
        The fit.
    frame : DataFrame, shape (n_aggregates, any)
        The new aggregates.

    Returns
    -------
    dict of str to Grouping
        By column.
    """
    rates = source.spec.rates
    found = {
        column: _grouping(column, frame[column].to_numpy(dtype=object), _levels(source, column))
        for column in rates.aggregate_effects
    }
    if rates.drift is not None:
        found[rates.drift.period] = period_grouping(rates.drift.period, frame[rates.drift.period])
    return found


def group_variables(source: Source, rates: EntityRates, data: AggregateData) -> dict[str, Variable]:
    """Return draws of the effects, and of the spreads, of the levels that occur.

    Parameters
    ----------
    source : Source
        The fit.
    rates : EntityRates
        Has the draws of levels that the fit has never seen.
    data : AggregateData
        Has the levels.

    Returns
    -------
    dict of str to Variable
        ``effect_<column>`` and ``sigma_entity_of_<column>``.
    """
    spec, fit = source.spec, source.fit
    wanted = [(names.effect_of(column), column) for column in spec.rates.groups]
    if spec.rates.heteroscedastic is not None:
        column = spec.rates.heteroscedastic
        wanted.append((names.sigma_entity_of(column), column))
    found: dict[str, Variable] = {}
    for variable, column in wanted:
        place = {level: i for i, level in enumerate(_levels(source, column))}
        fitted, fresh = fit.draws(variable), rates.fresh.get(variable, {})
        levels = data.attributable_grouping(column).levels
        rows = [fitted[place[level]] if level in place else fresh[level] for level in levels]
        found[variable] = ((column,), np.stack(rows))
    return found


def aggregate_variables(
    source: Source, data: AggregateData, terms: Mapping[str, tuple[IntArray, FloatArray]]
) -> dict[str, Variable]:
    """Return draws of the effects of aggregates, and of drift, where they occur.

    Parameters
    ----------
    source : Source
        The fit.
    data : AggregateData
        The new aggregates.
    terms : mapping of str to (ndarray of int, ndarray)
        By variable: position of every edge in the flattened variable, and its draws, as
        :func:`bayes_attrib.attribution.prediction.edges.new_aggregates` makes them.

    Returns
    -------
    dict of str to Variable
        ``effect_<column>`` and ``drift``.
    """
    found: dict[str, Variable] = {}
    for column in source.spec.rates.aggregate_effects:
        variable = names.effect_of(column)
        index, draws = terms[variable]
        codes = data.aggregate_groupings[column].codes[data.edge_aggregate]
        place = _first(codes, index, len(data.aggregate_groupings[column].levels))
        found[variable] = ((column,), draws[place])
    drift = source.spec.rates.drift
    if drift is None:
        return found
    index, draws = terms[names.DRIFT]
    flat = draws.reshape(-1, draws.shape[-1])
    periods = data.aggregate_groupings[drift.period]
    own = data.edge_entity < data.n_attributable
    by_entity = drift.by == names.ENTITY
    series = (
        np.arange(data.n_attributable) if by_entity else data.attributable_grouping(drift.by).codes
    )
    n_periods, n_series = len(periods.levels), int(series.max()) + 1
    wanted = (series[data.edge_entity[own]], periods.codes[data.edge_aggregate[own]])
    given = index[own] // draws.shape[1], index[own] % draws.shape[1]
    rows = _first(wanted[0], given[0], n_series)
    columns = _first(wanted[1], given[1], n_periods)
    values = flat[rows[:, np.newaxis] * draws.shape[1] + columns]
    dims = tuple(map(str, source.fit.posterior[names.DRIFT].dims[2:]))
    found[names.DRIFT] = (dims, values)
    return found


def _first(codes: IntArray, values: IntArray, n: int) -> IntArray:
    """For each code, the value that stands beside it; each code occurs."""
    found = np.zeros(n, dtype=np.int64)
    found[codes] = values
    return found


def _levels(source: Source, column: str) -> list[str]:
    coordinate = source.fit.posterior[names.effect_of(column)].coords[column]
    return [str(level) for level in coordinate.to_numpy()]


def _grouping(column: str, labels: Iterable[object], fitted: Sequence[str]) -> Grouping:
    texts = [str(label) for label in labels]
    seen = dict.fromkeys(texts)
    levels = tuple(dict.fromkeys([*(level for level in fitted if level in seen), *seen]))
    place = {level: i for i, level in enumerate(levels)}
    return Grouping(column, levels, np.array([place[text] for text in texts], dtype=np.int64))
