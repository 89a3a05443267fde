"""How much the data say about each entity beyond what its groups say."""

from __future__ import annotations

import numpy as np

from bayes_attrib import names
from bayes_attrib.errors import Finding
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
from bayes_attrib.model.covariates import entity_design
from bayes_attrib.model.identification import indistinguishable_entities
from bayes_attrib.spec import ModelSpec

LITTLE = 0.1
"""Information fraction below which an entity is called told by its groups."""

_MOST_NAMES = 5


def information_fraction(
    posterior: PosteriorFit, data: AggregateData, spec: ModelSpec
) -> FloatArray:
    """Share of the prior variance of each entity's own effect that the data took away.

    The effect eps_e = (log rate_e - centre_e) / sigma_entity has prior variance one, so one minus
    its posterior variance is 0 where the data say nothing about the entity itself and 1 where they
    say all (Gelman and Pardoe 2006, Technometrics 48, on pooling factors).

    Parameters
    ----------
    posterior : PosteriorFit
        Draws of the model that was built from data and spec.
    data : AggregateData
        Groupings and the reference rate.
    spec : ModelSpec
        The model.

    Returns
    -------
    ndarray, shape (n_attributable,)
        Fractions, clipped to [0, 1].
    """
    own = posterior.draws(names.LOG_RATE)[: data.n_attributable]
    offset = (own - rate_centres(posterior, data, spec)) / entity_spreads(posterior, data, spec)
    return np.clip(1.0 - offset.var(axis=1), 0.0, 1.0)


def rate_centres(posterior: PosteriorFit, data: AggregateData, spec: ModelSpec) -> FloatArray:
    """Draws of what groups and covariates alone say about each log rate.

    Parameters
    ----------
    posterior : PosteriorFit
        Draws of the model that was built from data and spec.
    data : AggregateData
        Groupings, covariates and the reference rate.
    spec : ModelSpec
        The model.

    Returns
    -------
    ndarray, shape (n_attributable, n_draws)
        Logarithms of rates per unit of exposure.
    """
    intercept = np.log(data.reference_rate) + posterior.draws(names.INTERCEPT)
    centre = np.tile(intercept, (data.n_attributable, 1))
    for group in spec.rates.groups:
        effect = posterior.draws(names.effect_of(group))
        centre += effect[data.attributable_grouping(group).codes]
    design = entity_design(data, spec)
    if design is not None:
        centre += design.matrix @ posterior.draws(names.BETA)
    return centre


def entity_spreads(posterior: PosteriorFit, data: AggregateData, spec: ModelSpec) -> FloatArray:
    """Draws of the sd of each entity's own effect, shape (n_attributable or 1, n_draws).

    Parameters
    ----------
    posterior : PosteriorFit
        Draws of the model that was built from data and spec.
    data : AggregateData
        Groupings.
    spec : ModelSpec
        The model.
    """
    column = spec.rates.heteroscedastic
    if column is None:
        return posterior.draws(names.SIGMA_ENTITY)[np.newaxis]
    spreads = posterior.draws(names.sigma_entity_of(column))
    return spreads[data.attributable_grouping(column).codes]


def information_findings(
    posterior: PosteriorFit, data: AggregateData, spec: ModelSpec
) -> tuple[Finding, ...]:
    """Say which entities the data cannot tell apart, or say little about.

    Parameters
    ----------
    posterior : PosteriorFit
        Draws of the model that was built from data and spec.
    data : AggregateData
        Exposures and groupings.
    spec : ModelSpec
        The model.

    Returns
    -------
    tuple of Finding
        Notes; empty where the data inform every entity.
    """
    findings = []
    alike = indistinguishable_entities(data)
    if alike:
        sets = "set" if len(alike) == 1 else "sets"
        count = sum(map(len, alike))
        examples = "; ".join(_listed(entities) for entities in alike[:3])
        findings.append(
            Finding(
                "indistinguishable-entities",
                "note",
                "exposures",
                f"{count} entities in {len(alike)} {sets} have proportional exposures "
                f"({examples}): only groups and prior tell them apart",
                "finer aggregates or exposures that vary would tell them apart",
            )
        )
    fraction = information_fraction(posterior, data, spec)
    little = [str(name) for name in data.entity_names[: data.n_attributable][fraction < LITTLE]]
    if little:
        findings.append(
            Finding(
                "little-information",
                "note",
                "exposures",
                f"for {len(little)} of {data.n_entities} entities ({_listed(little)}) the data "
                f"remove less than {LITTLE:.0%} of the prior variance of the entity's own effect: "
                "their rates are those of their groups",
                "compare groups rather than these entities",
            )
        )
    return tuple(findings)


def _listed(labels: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(labels) - _MOST_NAMES} more" if len(labels) > _MOST_NAMES else ""
    return ", ".join(labels[:_MOST_NAMES]) + more
