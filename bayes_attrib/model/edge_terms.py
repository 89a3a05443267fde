"""What multiplies expected amounts beside rate and exposure: factors of pairs and of aggregates.

log mu_eb = log rate_e + log exposure_eb + sum of terms. A term is a function of one variable of
the posterior, and one description serves the PyTensor graph and, draw by draw, NumPy. All are
linear in it but the factor of transforms that are learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, Grouping, IntArray
from bayes_attrib.model.covariates import pair_design
from bayes_attrib.model.learned_exposure import TransformTerm, transform_term
from bayes_attrib.spec import ModelSpec


@dataclass(frozen=True, eq=False, slots=True)
class LevelTerm:
    """One value of a variable for each edge, picked by position.

    Attributes
    ----------
    variable : str
        Variable of the posterior; its dimensions are read in C order.
    index : ndarray of int, shape (n_edges,)
        Position in the flattened variable; its size stands for no effect.
    """

    variable: str
    index: IntArray

    def graph(self, variable: Any) -> Any:
        """Return the term of every edge as a PyTensor vector, shape (n_edges,), in a model."""
        index = pm.Data(f"edge_{self.variable}", self.index)
        return pt.concatenate([variable.flatten(), pt.zeros(1)])[index]

    def values(self, edges: slice, draws: FloatArray) -> FloatArray:
        """Return the term of some edges in every draw, shape (n_chosen, n_draws).

        Parameters
        ----------
        edges : slice
            Which edges.
        draws : ndarray, shape (..., n_draws)
            Draws of the variable.
        """
        flat = draws.reshape(-1, draws.shape[-1])
        return np.vstack([flat, np.zeros((1, flat.shape[1]))])[self.index[edges]]


@dataclass(frozen=True, eq=False, slots=True)
class LinearTerm:
    """A linear predictor of each edge: a row of covariates times coefficients.

    Attributes
    ----------
    variable : str
        Variable of the posterior with one coefficient per column.
    matrix : ndarray of float, shape (n_edges, n_coefficients)
        Standardised covariates.
    """

    variable: str
    matrix: FloatArray

    def graph(self, variable: Any) -> Any:
        """Return the term of every edge as a PyTensor vector, shape (n_edges,), in a model."""
        return pt.dot(pm.Data(f"edge_{self.variable}", self.matrix), variable)

    def values(self, edges: slice, draws: FloatArray) -> FloatArray:
        """Return the term of some edges in every draw, shape (n_chosen, n_draws).

        Parameters
        ----------
        edges : slice
            Which edges.
        draws : ndarray, shape (n_coefficients, n_draws)
            Draws of the coefficients.
        """
        return self.matrix[edges] @ draws


EdgeTerm = LevelTerm | LinearTerm | TransformTerm


def edge_terms(data: AggregateData, spec: ModelSpec) -> tuple[EdgeTerm, ...]:
    """Return what multiplies the expected amounts of a spec's model beside rate and exposure.

    Parameters
    ----------
    data : AggregateData
        Edges, groupings of the aggregates, covariates of pairs.
    spec : ModelSpec
        The model.

    Returns
    -------
    tuple of EdgeTerm
        Aggregate effects, covariates of pairs, drift, and learned transforms, where the spec has
        them.
    """
    terms: list[EdgeTerm] = [
        LevelTerm(
            names.effect_of(column), data.aggregate_groupings[column].codes[data.edge_aggregate]
        )
        for column in spec.rates.aggregate_effects
    ]
    design = pair_design(data, spec)
    if design is not None:
        matrix = np.zeros((data.n_edges, design.matrix.shape[1]))
        matrix[_is_attributable(data)] = design.matrix
        terms.append(LinearTerm(names.BETA_PAIR, matrix))
    if spec.rates.drift is not None:
        terms.append(LevelTerm(names.DRIFT, _drift_index(data, spec)))
    learned = transform_term(data, spec)
    if learned is not None:
        terms.append(learned)
    return tuple(terms)


def drift_series(data: AggregateData, spec: ModelSpec) -> Grouping | None:
    """Return the groups whose rates drift together; None where every entity drifts on its own."""
    drift = spec.rates.drift
    if drift is None or drift.by == names.ENTITY:
        return None
    return data.attributable_grouping(drift.by)


def _is_attributable(data: AggregateData) -> Any:
    return data.edge_entity < data.n_attributable


def _drift_index(data: AggregateData, spec: ModelSpec) -> IntArray:
    """Position of every edge in drift, shape (n_series, n_periods), flattened."""
    drift = spec.rates.drift
    if drift is None:
        raise AssertionError("asked for the drift of a spec without one")
    periods = data.aggregate_groupings[drift.period]
    grouping = drift_series(data, spec)
    series = np.arange(data.n_attributable) if grouping is None else grouping.codes
    n_values = (int(series.max()) + 1) * len(periods.levels)
    index = np.full(data.n_edges, n_values, dtype=np.int64)
    chosen = _is_attributable(data)
    index[chosen] = (
        series[data.edge_entity[chosen]] * len(periods.levels)
        + periods.codes[data.edge_aggregate[chosen]]
    )
    return index
