"""The report's sentences about the noise of totals."""

from __future__ import annotations

from typing import Final

from bayes_attrib.spec import LikelihoodSpec

_NOISE: Final = {
    ("poisson", None): (
        "Poisson: totals scatter as counts of independent events do, and each unit of a total goes "
        "to one entity, independently of the others."
    ),
    ("negative_binomial", "aggregate"): (
        "Negative binomial, at the level of the aggregate: totals scatter more than independent "
        "events would, by a factor that all entities of an aggregate have in common and that "
        "cancels in their shares."
    ),
    ("negative_binomial", "pair"): (
        "Negative binomial, at the level of the pair: every entity's amount in every aggregate "
        "scatters more than independent events would, so credit inside a total is less certain."
    ),
    ("gamma", "aggregate"): (
        "Gamma, at the level of the aggregate: a factor that all entities of an aggregate have in "
        "common moves its total and cancels in their shares. Given the rates, the split has no "
        "noise of its own."
    ),
    ("gamma", "pair"): (
        "Gamma, at the level of the pair: every entity's amount in every aggregate scatters by "
        "itself, with variance proportional to its mean."
    ),
    ("lognormal", "aggregate"): (
        "Lognormal, at the level of the aggregate: a factor that all entities of an aggregate have "
        "in common, now and then a very large one, moves its total and cancels in their shares. "
        "Given the rates, the split has no noise of its own."
    ),
    ("lognormal", "pair_approximation"): (
        "Lognormal, at the level of the pair, as an approximation: every entity's amount in every "
        "aggregate scatters by itself, now and then very far. A sum of lognormals has no law in "
        "closed form; that of a total is replaced by a lognormal of the same mean and variance."
    ),
}
"""What each base family says about noise."""

_SPARED: Final = {
    True: (
        "Beyond the zeros that this brings, a total is zero with a probability of its own, for "
        "all entities of an aggregate at once"
    ),
    False: (
        "Before that, a total is zero with a probability of its own, for all entities of an "
        "aggregate at once"
    ),
}
"""What excess zeros add, for counts and for money."""


def describe_noise(likelihood: LikelihoodSpec) -> str:
    """Say in words how totals scatter.

    Parameters
    ----------
    likelihood : LikelihoodSpec
        Family and level.

    Returns
    -------
    str
        A few sentences.
    """
    noise = _NOISE[likelihood.base_family, likelihood.level]
    if not likelihood.excess_zeros:
        return noise
    on = (
        "" if likelihood.zero_covariates is None else f", depending on {likelihood.zero_covariates}"
    )
    return f"{noise} {_SPARED[likelihood.counts]}{on}."
