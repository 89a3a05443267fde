"""Summaries of the parameters above the entities, read from the stored draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from bayes_attrib import names
from bayes_attrib.attribution import interval_of
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


def summarise_parameters(run: RunFolder) -> tuple[ParameterSummary, ...]:
    """Summarise intercept, standard deviations, dispersion and group effects.

    Parameters
    ----------
    run : RunFolder
        The run; its ``posterior.nc`` is opened and only these variables are read.

    Returns
    -------
    tuple of ParameterSummary
        Parameters in the model's order, then effects; those that were not stored are left out.
    """
    with run.open_posterior() as tree:
        if "posterior" not in tree:
            return ()
        posterior = tree["posterior"].to_dataset()
        return (
            *_scalars(posterior, run),
            *(
                summary
                for group in run.spec.rates.pooling
                if names.effect_of(group) in posterior
                for summary in _effects(posterior[names.effect_of(group)], group, run.spec)
            ),
        )


def _scalars(posterior: xr.Dataset, run: RunFolder) -> Iterator[ParameterSummary]:
    spec, priors = run.spec, run.manifest.priors
    for name in spec.parameters:
        if name in posterior and set(posterior[name].dims) == {names.CHAIN, names.DRAW}:
            prior = _prior_words(priors[name]) if name in priors else ""
            yield _summarise(name, _meaning(name, spec), posterior[name], spec, prior)


def _prior_words(prior: PriorSpec) -> str:
    settings = ", ".join(f"{name}={value:g}" for name, value in prior.parameters.items())
    return f"{prior.dist}({settings})"


def _effects(effect: xr.DataArray, group: str, spec: ModelSpec) -> Iterator[ParameterSummary]:
    levels = [dim for dim in effect.dims if dim not in (names.CHAIN, names.DRAW)]
    if len(levels) != 1 or effect.sizes[levels[0]] > MAX_LEVELS:
        return
    dim = levels[0]
    labels = effect[dim].to_numpy().astype(str) if dim in effect.coords else None
    for i in range(effect.sizes[dim]):
        label = str(labels[i]) if labels is not None else str(i)
        yield _summarise(
            f"{effect.name}[{label}]",
            f"log rate of {group} {label}, beside the mean of all levels",
            effect.isel({dim: i}),
            spec,
            "",
        )


def _summarise(
    name: str, meaning: str, values: xr.DataArray, spec: ModelSpec, prior: str
) -> ParameterSummary:
    draws = values.to_numpy().astype(np.float64).ravel()
    lower, upper = interval_of(draws[np.newaxis], spec.report.interval)
    return ParameterSummary(name, meaning, float(draws.mean()), lower.item(), upper.item(), prior)


def _meaning(name: str, spec: ModelSpec) -> str:
    for group in spec.rates.pooling:
        if name == names.sigma_of(group):
            return f"spread of log rates between levels of {group}"
    alpha = "size of the noise shared by an aggregate; its squared CV is 1 / alpha"
    return {
        names.INTERCEPT: "log rate of a typical entity, relative to the data's own mean rate",
        names.SIGMA_ENTITY: "spread of log rates between entities, beyond their groups",
        names.ALPHA: alpha,
        names.PHI: {
            "gamma": "noise of a pair: variance per unit of its mean",
        }.get(
            spec.likelihood.family, "extra noise of a pair: its variance is 1 + phi times its mean"
        ),
    }.get(name, "")
