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

from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.families import Family, get_family
from bayes_attrib.spec import ModelSpec

Form = Literal["centered", "noncentered"]

REFERENCE_SIGMA = 0.5
"""Standard deviation of log rates at which the data's information is judged."""

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
        Median over entities of ``REFERENCE_SIGMA**2`` times the data's Fisher information about the
        log rate; 1 means that data and prior weigh the same.
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


def entity_information(data: AggregateData, family: Family) -> FloatArray:
    """Fisher information about each log rate, at equal rates and a moment estimate of dispersion.

    The information of a mean-parameterised total about log lambda_e is the sum over aggregates of
    mu_eb**2 / Var(y_b); other entities are held fixed, so this is an upper bound.

    Parameters
    ----------
    data : AggregateData
        Totals and exposures.
    family : Family
        Gives the variance of the totals.

    Returns
    -------
    ndarray, shape (n_entities,)
        Information, dimensionless (per squared unit of the log rate).
    """
    rate = np.full(data.n_entities, data.reference_rate)
    mu, exposed = data.expected_totals(rate), data.is_exposed
    dispersion = family.moment_dispersion(data.totals[exposed], mu[exposed])
    precision = np.zeros_like(mu)
    precision[exposed] = 1.0 / family.variance(mu[exposed], dispersion)
    per_edge = data.expected_amounts(rate) ** 2 * precision[data.edge_aggregate]
    return data.sum_to_entities(per_edge)


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
    weight = REFERENCE_SIGMA**2 * entity_information(data, get_family(spec.likelihood))
    information = float(np.median(weight))
    automatic: Form = "centered" if information > 1.0 else "noncentered"
    entity: Form = automatic if wanted.entity == "auto" else wanted.entity
    groups = {
        group: _group_form(len(data.groupings[group].levels))
        if wanted.groups == "auto"
        else wanted.groups
        for group in spec.rates.pooling
    }
    return Geometry(
        entity, groups, information, "information" if wanted.entity == "auto" else "spec"
    )


def _group_form(n_levels: int) -> Form:
    """Centred groups, except where levels are few.

    The data say much about a group that holds many entities, so its effect is written as it is; two
    or three effects leave their standard deviation to its prior, and the funnel that opens towards
    zero is only passed by the non-centred form.
    """
    return "noncentered" if n_levels <= FEW_LEVELS else "centered"
