"""How much the data say about each entity beyond what its groups say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayes_attrib import names
from bayes_attrib.errors import Finding
from bayes_attrib.inference.draw_matrix import BLOCK_ELEMENTS, DrawMatrix
from bayes_attrib.inference.learned_checks import learned_findings
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
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
    own, fraction = OwnEffects.of(posterior, data, spec), np.empty(data.n_attributable)
    for entities in own.blocks():
        offset = (own.log_rates(entities) - own.centres(entities)) / own.spreads(entities)
        fraction[entities] = 1.0 - offset.var(axis=1)
    return np.clip(fraction, 0.0, 1.0)


def central_rates(posterior: PosteriorFit, data: AggregateData, spec: ModelSpec) -> FloatArray:
    """Return the rates that groups and covariates alone would give, in the mean over draws.

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
    ndarray, shape (n_attributable,)
        Totals per unit of exposure.
    """
    own, rates = OwnEffects.of(posterior, data, spec), np.empty(data.n_attributable)
    for entities in own.blocks():
        rates[entities] = np.exp(own.centres(entities)).mean(axis=1)
    return rates


@dataclass(frozen=True, eq=False)
class OwnEffects:
    """What the effects of entities of their own are made from, a block of entities at a time.

    Attributes
    ----------
    rates : DrawMatrix, shape (n_entities, n_draws)
        Draws of the rates.
    intercept : ndarray, shape (n_draws,)
        Draws of the log rate of an average entity.
    groups : sequence of (ndarray of int, ndarray of shape (n_levels, n_draws))
        Level of each attributable entity, and the draws of the effects of levels.
    design : ndarray, shape (n_attributable, n_covariates)
        Covariates of the entities; of no columns where the model has none.
    beta : ndarray, shape (n_covariates, n_draws)
        Draws of their coefficients.
    spread : ndarray, shape (n_levels, n_draws)
        Draws of the sd of the entities' own effects; one level for all, or those of a group.
    spread_level : ndarray of int, shape (n_attributable,)
        Level of each entity.
    """

    rates: DrawMatrix
    intercept: FloatArray
    groups: Sequence[tuple[IntArray, FloatArray]]
    design: FloatArray
    beta: FloatArray
    spread: FloatArray
    spread_level: IntArray

    @classmethod
    def of(cls, posterior: PosteriorFit, data: AggregateData, spec: ModelSpec) -> OwnEffects:
        """Collect them from a fit."""
        design = entity_design(data, spec)
        column = spec.rates.heteroscedastic
        spread = names.SIGMA_ENTITY if column is None else names.sigma_entity_of(column)
        n = data.n_attributable
        return cls(
            posterior.rate_matrix(),
            np.log(data.reference_rate) + posterior.draws(names.INTERCEPT),
            [
                (data.attributable_grouping(g).codes, posterior.draws(names.effect_of(g)))
                for g in spec.rates.groups
            ],
            np.empty((n, 0)) if design is None else design.matrix,
            np.empty((0, posterior.n_draws)) if design is None else posterior.draws(names.BETA),
            np.atleast_2d(posterior.draws(spread)),
            np.zeros(n, int) if column is None else data.attributable_grouping(column).codes,
        )

    def blocks(self) -> Iterator[slice]:
        """Yield slices of attributable entities that fit into little memory with their draws."""
        n, step = len(self.design), max(1, BLOCK_ELEMENTS // self.rates.shape[1])
        for start in range(0, n, step):
            yield slice(start, min(start + step, n))

    def log_rates(self, entities: slice) -> FloatArray:
        """Return draws of log rates, shape (n_chosen, n_draws)."""
        return np.log(self.rates.rows(entities))

    def centres(self, entities: slice) -> FloatArray:
        """Return draws of what groups and covariates alone say about log rates, same shape."""
        centre = np.tile(self.intercept, (entities.stop - entities.start, 1))
        for level, effect in self.groups:
            centre += effect[level[entities]]
        if self.design.shape[1]:
            centre += self.design[entities] @ self.beta
        return centre

    def spreads(self, entities: slice) -> FloatArray:
        """Return draws of the sd of each entity's own effect, same shape."""
        return self.spread[self.spread_level[entities]]


def information_findings(
    posterior: PosteriorFit, data: AggregateData, spec: ModelSpec
) -> tuple[Finding, ...]:
    """Say which entities, and which learned transforms, the data cannot tell or say little about.

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
        Notes, and warnings about transforms; empty where the data inform every entity.
    """
    findings = [*learned_findings(posterior, data, spec)]
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
                "finer aggregates, exposures that vary, or a lift test of one would tell them "
                "apart",
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
