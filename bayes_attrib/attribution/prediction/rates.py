"""Rates: those of fitted entities have their posterior, others the law of their groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from bayes_attrib import names
from bayes_attrib.attribution.intervals import interval_of, summarise
from bayes_attrib.attribution.prediction.levels import (
    LevelDraws,
    effect_draws,
    group_labels,
    spread_draws,
)
from bayes_attrib.attribution.prediction.source import Source
from bayes_attrib.inference.constant_data import FittedData, Texts
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.spec import IntervalSpec


@dataclass(frozen=True, eq=False)
class EntityRates:
    """Draws of the log rates of entities, known and new.

    Attributes
    ----------
    entities : ndarray of str (object), shape (n_entities,)
        Names.
    position : ndarray of int, shape (n_entities,)
        Place among the entities of the fit; -1 for a new one.
    groups : mapping of str to ndarray of str (object), shape (n_entities,)
        Level of every entity by grouping column.
    log_rate : ndarray, shape (n_entities, n_draws)
        Log rates per unit of exposure.
    new_levels : tuple of str, one per entity
        Levels that the fit has never seen and that were drawn, such as ``"campaign 'spring'"``.
    fresh : mapping of str to mapping of str to ndarray, shape (n_draws,)
        Draws of these levels, by variable (``effect_<column>``, ``sigma_entity_of_<column>``) and
        level.
    """

    entities: Texts
    position: npt.NDArray[np.int64]
    groups: Mapping[str, Texts]
    log_rate: FloatArray
    new_levels: tuple[str, ...]
    fresh: Mapping[str, Mapping[str, FloatArray]] = field(default_factory=dict)

    @property
    def is_new(self) -> npt.NDArray[np.bool_]:
        """Whether each entity is none of the fit's, shape (n_entities,)."""
        return self.position < 0


def entity_rates(
    source: Source,
    entities: Sequence[str],
    described: pd.DataFrame,
    rng: np.random.Generator,
) -> EntityRates:
    """Return draws of the log rates of entities.

    The log rate of a new entity is log r0 + intercept + effects of its groups + x' beta +
    sigma_entity * eps, eps a fresh standard normal in every draw; effects of levels that the fit
    has never seen are fresh too (:func:`bayes_attrib.attribution.prediction.levels.effect_draws`).

    Parameters
    ----------
    source : Source
        The fit.
    entities : sequence of str
        Who is asked for, each once.
    described : DataFrame, shape (n_described, any)
        Groups and covariates by the name of the entity; needs a row for every new one if the model
        has either.
    rng : numpy.random.Generator
        Source of everything fresh.

    Returns
    -------
    EntityRates
        In the order of ``entities``.
    """
    fit, spec, fitted = source.fit, source.spec, source.data
    known = {name: i for i, name in enumerate(fitted.entities.tolist())}
    position = np.array([known.get(name, -1) for name in entities], dtype=np.int64)
    asked = np.array(list(entities), dtype=object)
    log_rate = np.empty((len(asked), fit.n_draws))
    log_rate[position >= 0] = fit.draws(names.LOG_RATE)[position[position >= 0]]
    groups = {column: fitted.groups[column][position] for column in spec.rates.groups}
    notes = np.full(len(asked), "", dtype=object)
    fresh: dict[str, Mapping[str, FloatArray]] = {}
    new = np.flatnonzero(position < 0)
    if len(new):
        frame = described.reindex(asked[new])
        labels = group_labels(spec, fitted, frame)
        log_rate[new], notes[new], fresh = _new_log_rates(source, labels, frame, rng)
        for column, values in labels.items():
            groups[column][new] = values
    return EntityRates(asked, position, groups, log_rate, tuple(notes.tolist()), fresh)


def _new_log_rates(
    source: Source,
    groups: dict[str, Texts],
    frame: pd.DataFrame,
    rng: np.random.Generator,
) -> tuple[FloatArray, list[str], dict[str, Mapping[str, FloatArray]]]:
    """Draw log rates of new entities, shape (n_new, n_draws); name and return the levels drawn."""
    fit, spec, fitted = source.fit, source.spec, source.data
    centre = np.tile(np.log(fitted.reference_rate) + fit.draws(names.INTERCEPT), (len(frame), 1))
    unseen: list[list[str]] = [[] for _ in range(len(frame))]
    fresh: dict[str, Mapping[str, FloatArray]] = {}
    for column in spec.rates.groups:
        effect = effect_draws(fit, column, groups[column], rng)
        centre += effect.rows
        fresh[names.effect_of(column)] = _fresh(effect, groups[column])
        for row in np.flatnonzero(effect.is_unseen):
            unseen[row].append(f"{column} {groups[column][row]!r}")
    design = fitted.designs.get(names.ENTITIES_TABLE)
    if design is not None:
        centre += design.apply(frame) @ fit.draws(names.BETA)
    spread = spread_draws(fit, spec, groups, len(frame), rng)
    if spec.rates.heteroscedastic is not None:
        column = spec.rates.heteroscedastic
        fresh[names.sigma_entity_of(column)] = _fresh(spread, groups[column])
    own = rng.standard_normal(centre.shape)
    return centre + spread.rows * own, ["; ".join(levels) for levels in unseen], fresh


def _fresh(drawn: LevelDraws, labels: Texts) -> dict[str, FloatArray]:
    """Draws of the levels that the fit has never seen, by level."""
    return {
        str(labels[row]): drawn.levels[drawn.codes[row]] for row in np.flatnonzero(drawn.is_unseen)
    }


def rate_table(rates: EntityRates, source: Source, interval: IntervalSpec) -> pd.DataFrame:
    """Summarise rates, and say how wide the intervals are beside those of fitted entities.

    Parameters
    ----------
    rates : EntityRates
        Draws.
    source : Source
        Log rates and groups of the entities that were fitted.
    interval : IntervalSpec
        Kind and probability.

    Returns
    -------
    DataFrame, shape (n_entities, 9)
        ``entity``, ``is_new``, ``rate_mean``, ``rate_sd``, ``rate_lower``, ``rate_upper``,
        ``interval_width_ratio`` (width of the interval of the log rate over the median width among
        fitted entities of the same groups), ``n_compared`` (their number), ``new_levels``.
    """
    found = summarise(np.exp(rates.log_rate), interval)
    width = _widths(rates.log_rate, interval)
    fitted = source.data
    fitted_rates = source.fit.draws(names.LOG_RATE)[: len(fitted.entities)]
    fitted_width = _widths(fitted_rates, interval)
    kin = [_kin(rates, fitted, row) for row in range(len(rates.entities))]
    usual = np.array([np.median(fitted_width[chosen]) for chosen in kin])
    return pd.DataFrame(
        {
            names.ENTITY: rates.entities,
            "is_new": rates.is_new,
            "rate_mean": found.mean,
            "rate_sd": found.sd,
            "rate_lower": found.lower,
            "rate_upper": found.upper,
            "interval_width_ratio": width / usual,
            "n_compared": [int(chosen.sum()) for chosen in kin],
            "new_levels": rates.new_levels,
        }
    )


def _widths(log_rate: FloatArray, interval: IntervalSpec) -> FloatArray:
    lower, upper = interval_of(log_rate, interval)
    return upper - lower


def _kin(rates: EntityRates, fitted: FittedData, row: int) -> npt.NDArray[np.bool_]:
    """Mark the fitted entities that share every group of an entity which the fit knows."""
    chosen = np.ones(len(fitted.entities), dtype=bool)
    for column, labels in fitted.groups.items():
        same = labels == rates.groups[column][row]
        if (chosen & same).any():
            chosen &= same
    return chosen
