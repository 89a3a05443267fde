"""The report's sentences about the noise of totals."""

from __future__ import annotations

from typing import Final

from bayes_attrib.report.language import ENGLISH, Language, message
from bayes_attrib.spec import LikelihoodSpec

_NOISE: Final = {
    ("poisson", None): message(
        "Poisson: totals scatter as counts of independent events do, and each unit of a total goes "
        "to one entity, independently of the others."
    ),
    ("negative_binomial", "aggregate"): message(
        "Negative binomial, at the level of the aggregate: totals scatter more than independent "
        "events would, by a factor that all entities of an aggregate have in common and that "
        "cancels in their shares."
    ),
    ("negative_binomial", "pair"): message(
        "Negative binomial, at the level of the pair: every entity's amount in every aggregate "
        "scatters more than independent events would, so credit inside a total is less certain."
    ),
    ("gamma", "aggregate"): message(
        "Gamma, at the level of the aggregate: a factor that all entities of an aggregate have in "
        "common moves its total and cancels in their shares. Given the rates, the split has no "
        "noise of its own."
    ),
    ("gamma", "pair"): message(
        "Gamma, at the level of the pair: every entity's amount in every aggregate scatters by "
        "itself, with variance proportional to its mean."
    ),
    ("lognormal", "aggregate"): message(
        "Lognormal, at the level of the aggregate: a factor that all entities of an aggregate have "
        "in common, now and then a very large one, moves its total and cancels in their shares. "
        "Given the rates, the split has no noise of its own."
    ),
    ("lognormal", "pair_approximation"): message(
        "Lognormal, at the level of the pair, as an approximation: every entity's amount in every "
        "aggregate scatters by itself, now and then very far. A sum of lognormals has no law in "
        "closed form; that of a total is replaced by a lognormal of the same mean and variance."
    ),
    ("given", None): message(
        "Totals are given, such as by a mix model, and are split as they are. They say nothing "
        "about rates, which are told by priors, covariates and lift tests. Given the rates, the "
        "split has no noise of its own."
    ),
}
"""What each base family says about noise."""

_SPARED: Final = {
    (True, False): message(
        "Beyond the zeros that this brings, a total is zero with a probability of its own, for "
        "all entities of an aggregate at once."
    ),
    (True, True): message(
        "Beyond the zeros that this brings, a total is zero with a probability of its own, for "
        "all entities of an aggregate at once, depending on {covariates}."
    ),
    (False, False): message(
        "Before that, a total is zero with a probability of its own, for all entities of an "
        "aggregate at once."
    ),
    (False, True): message(
        "Before that, a total is zero with a probability of its own, for all entities of an "
        "aggregate at once, depending on {covariates}."
    ),
}
"""What excess zeros add: for counts or for money, with covariates of their own or without."""


def describe_noise(likelihood: LikelihoodSpec, *, language: Language = ENGLISH) -> str:
    """Say in words how totals scatter.

    Parameters
    ----------
    likelihood : LikelihoodSpec
        Family and level.
    language : Language
        Language of the reader.

    Returns
    -------
    str
        A few sentences.
    """
    noise = language.text(_NOISE[likelihood.base_family, likelihood.level])
    if not likelihood.excess_zeros:
        return noise
    covariates = likelihood.zero_covariates
    spared = _SPARED[likelihood.counts, covariates is not None]
    return f"{noise} {language.text(spared, covariates=covariates)}"
