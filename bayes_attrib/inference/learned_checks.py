"""Whether totals say anything about the transforms that are learned from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy import stats

from bayes_attrib import names
from bayes_attrib.citing import MAX_EXAMPLES, listed
from bayes_attrib.errors import Finding
from bayes_attrib.inference.posterior_fit import PosteriorFit
from bayes_attrib.inputs.aggregate_data import AggregateData, FloatArray, IntArray
from bayes_attrib.model.learned_exposure import learned_of
from bayes_attrib.spec import ModelSpec, PriorSpec
from bayes_attrib.spec.learned import LearnedParameter

LITTLE_CONTRACTION: Final = 0.25
"""Below it totals are said to tell nothing of a parameter: its posterior is its prior.

Where they tell nothing, the contraction of some 400 effective draws has a standard deviation of
about .07, so that 999 of 1,000 such parameters are named."""

STRONG_CORRELATION: Final = 0.8
"""From it on a parameter and the level of rates are said to be told apart by the prior."""

_QUANTILES: Final = 4000


@dataclass(frozen=True)
class LearnedSummary:
    """What totals say about one parameter of a transform.

    Attributes
    ----------
    parameter : LearnedParameter
        The parameter and its prior.
    prior_mean, prior_sd, posterior_mean, posterior_sd : float
        On its own scale; not finite for priors without these moments.
    contraction : float
        One minus posterior over prior variance, on the log scale (logit between 0 and 1): 0 where
        totals say nothing, near 1 where they say all. Negative where they contradict the prior.
    correlation : float
        Posterior correlation, on that scale, with the mean log rate of the entities that it makes
        exposures for; NaN where there are none.
    """

    parameter: LearnedParameter
    prior_mean: float
    prior_sd: float
    posterior_mean: float
    posterior_sd: float
    contraction: float
    correlation: float


def summarise_learned(
    posterior: PosteriorFit, data: AggregateData, spec: ModelSpec
) -> tuple[LearnedSummary, ...]:
    """Compare the posterior of every learned parameter with its prior.

    Parameters
    ----------
    posterior : PosteriorFit
        Draws of the model that was built from data and spec.
    data : AggregateData
        Tells whose exposures a parameter makes.
    spec : ModelSpec
        The model.

    Returns
    -------
    tuple of LearnedSummary
        In the order of the spec; empty where nothing is learned.
    """
    learned = learned_of(spec)
    if not learned.parameters:
        return ()
    draws, found = posterior.draws(names.TRANSFORM), []
    for at, parameter in enumerate(learned.parameters):
        prior = prior_quantiles(parameter.prior)
        unbounded = _unbounded(parameter.prior)
        moved = unbounded(draws[at])
        entities = _entities(at, data, spec)
        level = np.log(posterior.rate_matrix().rows(entities)).mean(axis=0) if len(entities) else 0
        found.append(
            LearnedSummary(
                parameter,
                float(prior.mean()),
                float(prior.std()),
                float(draws[at].mean()),
                float(draws[at].std()),
                float(1.0 - moved.var() / unbounded(prior).var()),
                float(np.corrcoef(moved, level)[0, 1]) if len(entities) else float("nan"),
            )
        )
    return tuple(found)


def _entities(at: int, data: AggregateData, spec: ModelSpec) -> IntArray:
    """Return the entities whose exposures depend on a parameter."""
    edges = [
        part.edges
        for transform, part in zip(learned_of(spec).transforms, data.delivery, strict=True)
        if at in {position for _, position in transform.curve.unknowns}
    ]
    entities = data.edge_entity[np.concatenate(edges)] if edges else np.zeros(0)
    return np.unique(entities).astype(np.int64)


def _unbounded(prior: PriorSpec) -> Callable[[FloatArray], FloatArray]:
    if prior.support == "unit":
        return lambda x: np.log(x) - np.log1p(-x)
    return np.log


def prior_quantiles(prior: PriorSpec) -> FloatArray:
    """Return evenly spaced quantiles of a prior, shape (4000,): draws without luck.

    Parameters
    ----------
    prior : PriorSpec
        A prior that is positive, or between 0 and 1.
    """
    middle = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    return np.asarray(_QUANTILE_OF[prior.dist](middle, prior.parameters), dtype=np.float64)


_QUANTILE_OF: Final[Mapping[str, Callable[[FloatArray, dict[str, float]], FloatArray]]] = (
    MappingProxyType(
        {
            "HalfNormal": lambda u, p: stats.halfnorm.ppf(u, scale=p["sigma"]),
            "HalfStudentT": lambda u, p: p["sigma"] * stats.t.ppf((1.0 + u) / 2.0, p["nu"]),
            "HalfCauchy": lambda u, p: stats.halfcauchy.ppf(u, scale=p["beta"]),
            "Exponential": lambda u, p: stats.expon.ppf(u, scale=1.0 / p["lam"]),
            "Gamma": lambda u, p: stats.gamma.ppf(u, p["alpha"], scale=1.0 / p["beta"]),
            "InverseGamma": lambda u, p: stats.invgamma.ppf(u, p["alpha"], scale=p["beta"]),
            "LogNormal": lambda u, p: np.exp(p["mu"] + p["sigma"] * stats.norm.ppf(u)),
            "Weibull": lambda u, p: stats.weibull_min.ppf(u, p["alpha"], scale=p["beta"]),
            "Beta": lambda u, p: stats.beta.ppf(u, p["alpha"], p["beta"]),
        }
    )
)


def learned_findings(
    posterior: PosteriorFit, data: AggregateData, spec: ModelSpec
) -> tuple[Finding, ...]:
    """Say what totals tell about learned transforms, and where they tell nothing.

    Parameters
    ----------
    posterior : PosteriorFit
        Draws of the model that was built from data and spec.
    data : AggregateData
        Tells whose exposures a parameter makes.
    spec : ModelSpec
        The model.

    Returns
    -------
    tuple of Finding
        Warnings about parameters that are not identified or are learned in a circle, and notes
        about the others; empty where nothing is learned.
    """
    return tuple(_findings(summarise_learned(posterior, data, spec), spec))


def _findings(found: tuple[LearnedSummary, ...], spec: ModelSpec) -> Iterator[Finding]:
    if not found:
        return
    if spec.exposure is not None and spec.exposure.totals == "mix_model":
        labels = listed([summary.parameter.label for summary in found])
        yield Finding(
            "learned-in-a-circle",
            "warning",
            "exposure.totals",
            f"{labels} were learned from contributions of the mix model, which follow from its own "
            "transforms: what was learned is what the mix model had assumed or found, told again "
            "with too much certainty",
            "keep the transforms fixed (remove learn), or learn them from totals that were "
            "measured without the mix model",
        )
    little = [summary for summary in found if summary.contraction < LITTLE_CONTRACTION]
    if little:
        yield Finding(
            "transform-not-identified",
            "warning",
            "exposure.channels",
            f"the totals say next to nothing about {_worded(little)}: the posterior is the prior, "
            "and shares that depend on it rest on the prior alone",
            "keep these parameters fixed, or bring data that tell: delivery that stops and "
            "starts, campaigns that overlap less, lift tests",
        )
    traded = [s for s in found if s not in little and abs(s.correlation) > STRONG_CORRELATION]
    if traded:
        yield Finding(
            "transform-traded-off",
            "note",
            "exposure.channels",
            f"{_worded(traded)}: told together with the level of the channel's rates (correlation "
            f"beyond {STRONG_CORRELATION:g}), so that rates per unit of exposure are uncertain "
            "where amounts need not be",
            "compare amounts and shares rather than rates of this channel",
        )
    told = [summary for summary in found if summary not in little]
    if told:
        yield Finding(
            "transform-learned",
            "note",
            "exposure.channels",
            f"learned from the totals: {_worded(told)}",
        )


def _worded(found: list[LearnedSummary]) -> str:
    shown = [
        f"{s.parameter.label} (prior {s.prior_mean:.3g} ± {s.prior_sd:.2g}, posterior "
        f"{s.posterior_mean:.3g} ± {s.posterior_sd:.2g}, contraction {s.contraction:.2f})"
        for s in found[:MAX_EXAMPLES]
    ]
    return listed(shown, len(found), separator="; ")
