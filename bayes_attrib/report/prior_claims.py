"""What priors claim, in words; the same sentences on the page and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from bayes_attrib.report.numbers import percent, plural, significant
from bayes_attrib.report.parameters import meaning_of, prior_words
from bayes_attrib.report.prior_summary import DOMINANT_SHARE, PriorSummary
from bayes_attrib.spec import ModelSpec, PriorSpec

NOT_A_FIT: Final = (
    "Draws from the priors alone. Nothing was fitted: how totals vary with exposure was not looked "
    "at, only their sum, which sets the scale of the rates."
)


@dataclass(frozen=True, slots=True)
class ParameterClaim:
    """What the prior says of one number.

    Attributes
    ----------
    name, meaning : str
        Parameter, with its level in brackets where it has levels; and in words.
    prior : str
        Distribution; empty for a parameter of a model of one's own.
    median, lower, upper : float
        Median and ends of the central interval.
    """

    name: str
    meaning: str
    prior: str
    median: float
    lower: float
    upper: float


def describe_prior(summary: PriorSummary, spec: ModelSpec) -> tuple[str, ...]:
    """Say what the priors claim about totals, rates and shares, beside what was observed.

    Parameters
    ----------
    summary : PriorSummary
        The figures.
    spec : ModelSpec
        Gives the names of the user's own columns.

    Returns
    -------
    tuple of str
        Whole sentences.
    """
    return (_totals(summary, spec), _inside(summary), _rates(summary), _shares(summary))


def _totals(summary: PriorSummary, spec: ModelSpec) -> str:
    return (
        f"{100 * summary.prob:g}% of the totals that the prior predicts lie between "
        f"{significant(summary.total_lower)} and {significant(summary.total_upper)} "
        f"({spec.report.currency or spec.columns.total}); observed: "
        f"{significant(summary.observed_lowest)} to {significant(summary.observed_highest)}."
    )


def _inside(summary: PriorSummary) -> str:
    inside = summary.n_inside / summary.n_totals
    claim = (
        f"{summary.n_inside:,} of {plural(summary.n_totals, 'observed total')} "
        f"({percent(inside)}) lie inside the central {100 * summary.prob:g}% of what the prior "
        "predicts for their own aggregate."
    )
    if inside >= 2 * summary.prob - 1:  # no more than twice as many misses as there ought to be
        return claim
    return f"{claim} Many totals surprise this prior: it claims more than is known before a fit."


def _rates(summary: PriorSummary) -> str:
    return (
        f"{100 * summary.prob:g}% of rates lie between {significant(summary.rate_lower)} and "
        f"{significant(summary.rate_upper)} times the data's own rate."
    )


def _shares(summary: PriorSummary) -> str:
    return (
        f"The largest share of one entity is {percent(summary.largest_share_median)} of the grand "
        f"total in the median draw, and above {percent(DOMINANT_SHARE, 0)} in "
        f"{percent(summary.dominance)} of draws; split in proportion to exposure it is "
        f"{percent(summary.largest_proportional_share)}."
    )


def describe_parameters(
    summary: PriorSummary, spec: ModelSpec, priors: Mapping[str, PriorSpec]
) -> tuple[ParameterClaim, ...]:
    """List the parameters with their priors, in the model's order.

    Parameters
    ----------
    summary : PriorSummary
        The figures.
    spec : ModelSpec
        The model.
    priors : mapping of str to PriorSpec
        Prior of every parameter, defaults included.

    Returns
    -------
    tuple of ParameterClaim
        One per scalar, and per element of a vector.
    """
    rows = summary.rows("parameter")
    figures = rows[["median", "lower", "upper"]].to_numpy(dtype=np.float64).tolist()
    claims = []
    for label, (median, lower, upper) in zip(rows["name"].astype(str), figures, strict=True):
        name = label.partition("[")[0]
        prior = prior_words(priors[name]) if name in priors else ""
        claims.append(ParameterClaim(label, meaning_of(name, spec), prior, median, lower, upper))
    return tuple(claims)
