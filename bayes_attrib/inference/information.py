"""How much the data say about each entity beyond what its groups say."""

from __future__ import annotations

import numpy as np

from bayes_attrib import names
from bayes_attrib.errors import Finding
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray
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
    ndarray, shape (n_entities,)
        Fractions, clipped to [0, 1].
    """
    centre = np.log(data.reference_rate) + posterior.draws(names.INTERCEPT)[np.newaxis, :]
    for group in spec.rates.pooling:
        centre = centre + posterior.draws(names.effect_of(group))[data.groupings[group].codes]
    offset = (posterior.draws(names.LOG_RATE) - centre) / posterior.draws(names.SIGMA_ENTITY)
    return np.clip(1.0 - offset.var(axis=1), 0.0, 1.0)


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
    little = [str(name) for name in data.entity_names[fraction < LITTLE]]
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
