"""Assertions about what a prior claims."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from bayes_attrib.inference import PriorDraws
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.testing.drivers import find_driver, remedy_of
from bayes_attrib.testing.failure import ModelAssertionError


def assert_prior_totals_within(
    prior: PriorDraws, low: float, high: float, share: float = 0.95
) -> None:
    """Assert that most totals that the prior predicts lie in a range that you call possible.

    Parameters
    ----------
    prior : PriorDraws
        From :func:`bayes_attrib.sample_prior`.
    low, high : float
        The range, in the unit of the totals, ends included.
    share : float
        Wanted share of totals inside, over aggregates and draws.

    Raises
    ------
    ModelAssertionError
        If fewer lie inside; the message names the parameter that moves totals out of the range.
    """
    __tracebackhide__ = True
    _require(low < high, f"low must be below high; got {low:g} and {high:g}")
    _require_probability("share", share)
    inside = (prior.totals >= low) & (prior.totals <= high)
    found = float(inside.mean())
    if found >= share:
        return
    lower, upper = _central(prior.totals.ravel(), share)
    below, above = float(np.mean(prior.totals < low)), float(np.mean(prior.totals > high))
    lines, remedy = remedy_of(
        find_driver(prior, 1.0 - inside.mean(axis=0)),
        "no prior moves them: the noise of the family, or the exposures, do",
    )
    spread = (
        f"{below:.1%} lie below and {above:.1%} above; the central {share:.0%} reach from "
        f"{lower:,.4g} to {upper:,.4g}"
    )
    precision = (
        f"{prior.n_draws:,} draws, so the share is known to {_standard_error(inside):.1%} "
        "(standard error)"
    )
    raise ModelAssertionError(
        f"only {found:.1%} of the totals that the prior predicts lie within {low:,.6g} to "
        f"{high:,.6g}; wanted {share:.1%} or more",
        (spread, precision, *lines),
        remedy,
        {"inside": found, "below": below, "above": above, "lower": lower, "upper": upper},
    )


def assert_prior_covers_totals(prior: PriorDraws, prob: float = 0.94, share: float = 0.9) -> None:
    """Assert that the observed totals do not surprise the prior.

    Parameters
    ----------
    prior : PriorDraws
        From :func:`bayes_attrib.sample_prior`.
    prob : float
        Probability of the central interval that the prior predicts for each aggregate.
    share : float
        Wanted share of observed totals that lie inside the interval of their own aggregate.

    Raises
    ------
    ModelAssertionError
        If fewer lie inside; the message names the totals that surprise most.
    """
    __tracebackhide__ = True
    _require_probability("prob", prob)
    _require_probability("share", share)
    observed = prior.observed_totals
    lower, upper = np.quantile(prior.totals, [(1 - prob) / 2, (1 + prob) / 2], axis=1)
    outside = (observed < lower) | (observed > upper)
    found = 1.0 - float(outside.mean())
    if found >= share:
        return
    labels = prior.data.aggregate_labels[prior.data.is_exposed]
    # Distance from the interval on a scale on which ten times too much and too little are alike.
    unit = np.median(observed[observed > 0])
    gap = np.arcsinh(np.maximum(lower - observed, observed - upper) / unit)
    worst = np.argsort(-gap, kind="stable")[:3]
    raise ModelAssertionError(
        f"only {found:.1%} of {len(observed):,} observed totals lie inside the central {prob:.0%} "
        f"of what the prior predicts for their aggregate; wanted {share:.1%} or more",
        tuple(
            f"{labels[b]}: observed {observed[b]:,.6g}, predicted {lower[b]:,.4g} to "
            f"{upper[b]:,.4g}"
            for b in worst
        ),
        "widen the priors under [priors] of the spec (sigma_entity and the other spreads, or the "
        "family's noise), or look whether these totals and exposures are right",
        {"inside": found},
    )


def assert_no_dominant_entity(prior: PriorDraws, share: float = 0.9, prob: float = 0.05) -> None:
    """Assert that the prior does not hand nearly everything to a single entity.

    Shares are of the grand total, with every observed total split by rates from the prior. With
    very few entities a large share is nothing unusual: choose ``share`` and ``prob`` accordingly.

    Parameters
    ----------
    prior : PriorDraws
        From :func:`bayes_attrib.sample_prior`.
    share : float
        An entity with a larger share is dominant.
    prob : float
        Largest probability that may be given to any entity being dominant.

    Raises
    ------
    ModelAssertionError
        If the prior gives it more.
    ValueError
        If there is one entity only, which must get everything.
    """
    __tracebackhide__ = True
    _require_probability("share", share)
    _require_probability("prob", prob)
    _require(prior.data.n_entities > 1, "a single entity gets everything; there is nothing to test")
    largest = prior.shares.max(axis=0)
    dominant = largest > share
    found = float(dominant.mean())
    if found <= prob:
        return
    counts = np.bincount(prior.shares.argmax(axis=0)[dominant], minlength=prior.data.n_entities)
    first = int(counts.argmax())
    most_often = (
        f"{prior.data.entity_names[first]} does so most often, in "
        f"{counts[first] / prior.n_draws:.1%} of draws"
    )
    median = float(np.median(largest))
    lines, remedy = remedy_of(
        find_driver(prior, largest),
        "the exposures leave nothing to the others, whatever the rates",
    )
    raise ModelAssertionError(
        f"one entity takes more than {share:.0%} of the grand total in {found:.1%} of prior draws; "
        f"wanted at most {prob:.1%}",
        (most_often, f"the largest share is {median:.1%} in the median draw", *lines),
        remedy,
        {"dominance": found, "largest_share_median": median},
    )


def assert_prior_parameter_within(
    prior: PriorDraws, name: str, low: float, high: float, share: float = 0.95
) -> None:
    """Assert that most of the prior of a variable lies in a range that you call possible.

    Parameters
    ----------
    prior : PriorDraws
        From :func:`bayes_attrib.sample_prior`.
    name : str
        A variable of the model, such as ``"sigma_entity"`` or ``"rate"``; a vector is pooled.
    low, high : float
        The range, in the variable's unit, ends included.
    share : float
        Wanted share of draws inside.

    Raises
    ------
    ModelAssertionError
        If fewer lie inside.
    ValueError
        If the model has no such variable.
    """
    __tracebackhide__ = True
    _require(low < high, f"low must be below high; got {low:g} and {high:g}")
    _require_probability("share", share)
    known = ", ".join(sorted(prior.variables))
    _require(name in prior.variables, f"the model has no variable {name!r}; it has {known}")
    values = prior.draws(name)
    found = float(np.mean((values >= low) & (values <= high)))
    if found >= share:
        return
    lower, upper = _central(values.ravel(), share)
    outcome = (
        np.atleast_2d((values < low) | (values > high)).reshape(-1, prior.n_draws).mean(axis=0)
    )
    lines, remedy = remedy_of(find_driver(prior, outcome), "widen the range, or change the model")
    raise ModelAssertionError(
        f"only {found:.1%} of the prior of {name!r} lies within {low:,.6g} to {high:,.6g}; wanted "
        f"{share:.1%} or more",
        (f"its central {share:.0%} reach from {lower:,.4g} to {upper:,.4g}", *lines),
        remedy,
        {"inside": found, "lower": lower, "upper": upper},
    )


def _central(values: FloatArray, prob: float) -> tuple[float, float]:
    lower, upper = np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2])
    return float(lower), float(upper)


def _standard_error(inside: npt.NDArray[np.bool_]) -> float:
    """Standard error of a share over draws; totals of one draw are dependent."""
    return float(inside.mean(axis=0).std(ddof=1)) / math.sqrt(inside.shape[1])


def _require_probability(name: str, value: float) -> None:
    _require(0 < value < 1, f"{name} is a fraction between 0 and 1; got {value:g}")


def _require(holds: bool, message: str) -> None:
    """Tell a test that is wrong itself from one that fails."""
    if not holds:
        raise ValueError(message)
