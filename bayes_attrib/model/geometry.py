"""Choice of parameterisation from the information that the data hold about each entity.

Where the data say little about an entity, its effect follows its prior and samples well when
written as sigma times a standard normal ("noncentered"); where the data say much, the effect itself
samples well ("centered"). The turning point is where the data's Fisher information about a log rate
equals the prior's precision (Papaspiliopoulos, Roberts and Skold 2007, Statistical Science 22).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, cg

from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.model.families import Family, get_family
from bayes_attrib.spec import ModelSpec

Form = Literal["centered", "noncentered"]

REFERENCE_SIGMA = 0.5
"""Standard deviation of log rates at which the data's information is judged."""

MOST_ENTITIES = 64
"""So many entities, evenly chosen, stand for all when information is measured."""

FEW_LEVELS = 3
"""Groups of at most so many levels leave their sd so uncertain that non-centring pays."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Parameterisation of a model, with the figure that it was chosen by.

    Attributes
    ----------
    entity : {"centered", "noncentered"}
        Form of the entity effects.
    groups : mapping of str to {"centered", "noncentered"}
        Form of the effects of each grouping column.
    information_median : float
        Median information about a log rate (:func:`entity_information`) over an even choice of at
        most ``MOST_ENTITIES`` entities; 1 means that data and prior weigh the same.
    chosen_by : {"information", "spec"}
        Whether the entity form was chosen from the data or fixed by the spec.
    """

    entity: Form
    groups: dict[str, Form]
    information_median: float
    chosen_by: Literal["information", "spec"]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON types, for manifests."""
        return asdict(self)


def entity_information(data: AggregateData, family: Family, entities: IntArray) -> FloatArray:
    """Information about log rates that the data hold, beside a prior of sd ``REFERENCE_SIGMA``.

    With J the Fisher information of the totals about all log rates, at equal rates and a moment
    estimate of dispersion, and s the prior sd, the posterior covariance is (J + I / s**2)**-1 to
    second order. Returned is s**2 over its diagonal, minus one. Unlike the diagonal of J this knows
    that entities which share their aggregates are hard to tell apart. Each entity costs one solve
    by conjugate gradients, with sparse products only.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    family : Family
        Gives the variance of the totals.
    entities : ndarray of int, shape (n_chosen,)
        Positions of the entities to look at.

    Returns
    -------
    ndarray, shape (n_chosen,)
        Information in units of the prior's precision: 0 where the data say nothing, 1 where they
        say as much as the prior.
    """
    return _information(_scaled_exposure(data, family), entities)


def _scaled_exposure(data: AggregateData, family: Family) -> sp.csr_array:
    """Root of the Fisher information about log rates, in units of the prior's precision."""
    mu, exposed = data.expected_totals(_equal_rates(data)), data.is_exposed
    parameters = family.moment_parameters(data.totals[exposed], mu[exposed])
    deviation = np.sqrt(family.variance(mu[exposed], parameters))
    scaled = sp.diags_array(REFERENCE_SIGMA / deviation) @ data.exposure[exposed]
    return sp.csr_array(scaled @ sp.diags_array(_equal_rates(data)))


def _equal_rates(data: AggregateData) -> FloatArray:
    """The data's own rate for every entity; an unattributed one is expected to earn a tenth."""
    rate = np.full(data.n_entities, data.reference_rate)
    if data.has_unattributed:
        own = data.edge_entity == data.n_attributable
        rate[-1] = 0.1 * data.grand_total / data.exposure.data[own].sum()
    return rate


def _information(root: sp.csr_array, columns: IntArray) -> FloatArray:
    n = root.shape[1]
    precision = LinearOperator((n, n), matvec=lambda v: v + root.T @ (root @ v), dtype=float)
    information = np.empty(len(columns))
    for i, column in enumerate(columns):
        unit = np.zeros(n)
        unit[column] = 1.0
        solution, _ = cg(precision, unit, rtol=1e-3)
        information[i] = 1.0 / solution[column] - 1.0
    return information


def _evenly_chosen(n: int) -> IntArray:
    return np.unique(np.linspace(0, n - 1, MOST_ENTITIES).astype(np.int64))


def choose_geometry(data: AggregateData, spec: ModelSpec) -> Geometry:
    """Choose the parameterisation of a model for data.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    spec : ModelSpec
        The model; ``rates.geometry`` overrides the choice.

    Returns
    -------
    Geometry
        Forms of all effects, and the information by which they were chosen.
    """
    wanted = spec.rates.geometry
    chosen = _evenly_chosen(data.n_attributable)
    information = float(np.median(entity_information(data, get_family(spec.likelihood), chosen)))
    automatic: Form = "centered" if information > 1.0 else "noncentered"
    entity: Form = automatic if wanted.entity == "auto" else wanted.entity
    columns = (*spec.rates.groups, *spec.rates.aggregate_effects)
    groups = {
        column: _group_form(data, spec, column) if wanted.groups == "auto" else wanted.groups
        for column in columns
    }
    return Geometry(
        entity, groups, information, "information" if wanted.entity == "auto" else "spec"
    )


def _group_form(data: AggregateData, spec: ModelSpec, column: str) -> Form:
    """Centred effects where the data say much about them.

    A crossed group holds many entities, so its effect is written as it is; two or three effects
    leave their sd to its prior, and the funnel that opens towards zero is only passed by the
    non-centred form. Nested levels hand their variance to each other where parents have few
    children, and mix better non-centred.
    """
    if column in spec.rates.nested:
        return "noncentered"
    if column in spec.rates.aggregate_effects:
        return _few_or_many(len(data.aggregate_groupings[column].levels))
    return _few_or_many(len(data.attributable_grouping(column).levels))


def _few_or_many(n_levels: int) -> Form:
    return "noncentered" if n_levels <= FEW_LEVELS else "centered"
