"""Summaries of the parameters above the entities, read from the stored draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.attribution import interval_of
from bayes_attrib.model.learned_exposure import learned_of
from bayes_attrib.report.language import ENGLISH, Language, message
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.spec import ModelSpec, PriorSpec

MAX_LEVELS: Final = 20
"""Effects of so many levels of a grouping are listed; more would bury the parameters above them."""


@dataclass(frozen=True, slots=True)
class ParameterSummary:
    """Posterior of one number.

    Attributes
    ----------
    name : str
        Parameter, with its level in brackets where it has levels.
    meaning : str
        In words.
    mean, lower, upper : float
        Posterior mean and the ends of the run's kind of interval.
    prior : str
        Prior, as recorded in the manifest; empty where it is not, and for effects.
    """

    name: str
    meaning: str
    mean: float
    lower: float
    upper: float
    prior: str


def summarise_parameters(
    run: RunFolder, *, language: Language = ENGLISH
) -> tuple[ParameterSummary, ...]:
    """Summarise intercept, standard deviations, noise, coefficients and group effects.

    Parameters
    ----------
    run : RunFolder
        The run; its ``posterior.nc`` is opened and only these variables are read.
    language : Language
        Language of the reader.

    Returns
    -------
    tuple of ParameterSummary
        Parameters in the model's order, then effects; those that were not stored are left out.
    """
    with run.open_group("posterior") as posterior:
        return (
            *_scalars(posterior, run, language),
            *(
                summary
                for name, meaning in _vectors(run.spec, language).items()
                if name in posterior
                for summary in _elements(posterior[name], meaning, run.spec)
            ),
        )


def _vectors(spec: ModelSpec, language: Language) -> dict[str, Callable[[str], str]]:
    """Meaning of the variables with one value per level, as functions of the level."""
    rates = spec.rates

    def meaning(text: str, **values: str) -> Callable[[str], str]:
        return lambda level: language.text(text, level=level, **values)

    columns = {name: meaning(text) for name, text in _VECTORS.items()}
    for column in rates.pooling:
        text = message("log rate of {column} {level}, beside the mean of all levels")
        columns[names.effect_of(column)] = meaning(text, column=column)
    for column in rates.nested:
        text = message("log rate of {column} {level}, beside its parent")
        columns[names.effect_of(column)] = meaning(text, column=column)
    if rates.heteroscedastic is not None:
        text = message("spread of log rates within {level}")
        columns[names.sigma_entity_of(rates.heteroscedastic)] = meaning(text)
    for column in rates.aggregate_effects:
        text = message("log factor of totals of {column} {level}")
        columns[names.effect_of(column)] = meaning(text, column=column)
    return columns


def _scalars(
    posterior: xr.Dataset, run: RunFolder, language: Language
) -> Iterator[ParameterSummary]:
    spec, priors = run.spec, run.manifest.priors
    own = run.manifest.model_variables
    for name in own or spec.parameters:
        if name in posterior and set(posterior[name].dims) == {names.CHAIN, names.DRAW}:
            prior = prior_words(priors[name]) if name in priors else ""
            meaning = "" if own else meaning_of(name, spec, language=language)
            yield _summarise(name, meaning, posterior[name], spec, prior)


def prior_words(prior: PriorSpec) -> str:
    """Return a prior in words: ``Normal(mu=0, sigma=1)``."""
    settings = ", ".join(f"{name}={value:g}" for name, value in prior.parameters.items())
    return f"{prior.dist}({settings})"


def _elements(
    values: xr.DataArray, meaning: Callable[[str], str], spec: ModelSpec
) -> Iterator[ParameterSummary]:
    levels = [dim for dim in values.dims if dim not in (names.CHAIN, names.DRAW)]
    if len(levels) != 1 or values.sizes[levels[0]] > MAX_LEVELS:
        return
    dim = levels[0]
    learned = learned_of(spec).parameters if values.name == names.TRANSFORM else ()
    priors = {parameter.label: prior_words(parameter.prior) for parameter in learned}
    labels = values[dim].to_numpy().astype(str) if dim in values.coords else None
    for i in range(values.sizes[dim]):
        label = str(labels[i]) if labels is not None else str(i)
        name = f"{values.name}[{label}]"
        prior = priors.get(label, "")
        yield _summarise(name, meaning(label), values.isel({dim: i}), spec, prior)


def _summarise(
    name: str, meaning: str, values: xr.DataArray, spec: ModelSpec, prior: str
) -> ParameterSummary:
    draws = values.to_numpy().astype(np.float64).ravel()
    lower, upper = interval_of(draws[np.newaxis], spec.report.interval)
    return ParameterSummary(name, meaning, float(draws.mean()), lower.item(), upper.item(), prior)


def meaning_of(name: str, spec: ModelSpec, *, language: Language = ENGLISH) -> str:
    """Return what a parameter of a spec's model measures; empty for an unknown one."""
    rates = spec.rates
    for column in rates.pooling:
        if name == names.sigma_of(column):
            return language.text("spread of log rates between levels of {column}", column=column)
    for column, parent in zip(rates.nested, (None, *rates.nested), strict=False):
        if name == names.sigma_of(column):
            if parent is None:
                return language.text(
                    "spread of log rates between levels of {column} within all", column=column
                )
            return language.text(
                "spread of log rates between levels of {column} within {parent}",
                column=column,
                parent=parent,
            )
    for column in rates.aggregate_effects:
        if name == names.sigma_of(column):
            return language.text(
                "spread of the log factors of totals between levels of {column}", column=column
            )
    if name == names.PHI and spec.likelihood.base_family == "gamma":
        return language.text("noise of a pair: variance per unit of its mean")
    return language.text(_MEANING[name]) if name in _MEANING else ""


_MEANING: Final = MappingProxyType(
    {
        names.INTERCEPT: message(
            "log rate of a typical entity, relative to the data's own mean rate"
        ),
        names.SIGMA_ENTITY: message(
            "spread of log rates between entities, beyond groups and covariates"
        ),
        names.SIGMA_SPREAD: message(
            "how much the spread between entities differs from group to group"
        ),
        names.SIGMA_DRIFT: message("how much log rates move over time"),
        names.LENGTHSCALE_DRIFT: message("periods over which a rate's movement is remembered"),
        names.ALPHA: message(
            "size of the noise shared by an aggregate; its squared CV is 1 / alpha"
        ),
        names.PHI: message("extra noise of a pair: its variance is 1 + phi times its mean"),
        names.SIGMA_TOTAL: message("sd of the noise on the log scale"),
        names.PI: message("probability that a total is zero for reasons of its own"),
        names.UNATTRIBUTED_SHARE: message("share of the grand total that no exposure explains"),
    }
)

_VECTORS: Final = MappingProxyType(
    {
        names.COEFFICIENT: message("change of the log rate per unit of {level}, as you measure it"),
        names.COEFFICIENT_PAIR: message(
            "change of the pair's log factor per unit of {level}, as you measure it"
        ),
        names.TRANSFORM: message("{level}: parameter of a transform of delivery, learned"),
        names.COEFFICIENT_ZERO: message("change of the log odds of a zero per unit of {level}"),
    }
)
"""Variables with one value per level, of any model."""
