"""The families that a choice is made among, and the spec of each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final, get_args

import numpy as np

from bayes_attrib import names
from bayes_attrib.errors import Finding, SpecError
from bayes_attrib.inputs import AggregateData
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.choice import candidate_label
from bayes_attrib.report.numbers import plural
from bayes_attrib.spec import LikelihoodSpec, ModelSpec, parse_plain
from bayes_attrib.spec.likelihood import LEVELS, FamilyName

LARGE_COUNT = 100.0
"""From this median of the positive totals on, counts may be money, and money families take part.

The density of a total is then next to constant over the unit between two whole numbers, so that it
equals the mass of that unit, and log densities compare with log masses.
"""

_COUNTS: Final = (
    ("poisson", None),
    ("negative_binomial", "aggregate"),
    ("negative_binomial", "pair"),
)
_MONEY: Final = (("gamma", "aggregate"), ("gamma", "pair"), ("lognormal", "aggregate"))


def reading_spec(spec: ModelSpec) -> ModelSpec:
    """Return the spec to read tables with: for money, one under which totals may be zero.

    Whether zeros are possible is part of the question.
    """
    likelihood = spec.likelihood
    if likelihood.zeros_allowed:
        return spec
    hurdle = LikelihoodSpec.model_validate(
        {"family": f"hurdle_{likelihood.family}", "level": likelihood.level}
    )
    return candidate_spec(spec, hurdle)[0]


def default_candidates(spec: ModelSpec, data: AggregateData) -> tuple[LikelihoodSpec, ...]:
    """Choose candidates by the kind of the totals: counts or money, with zeros or without.

    Parameters
    ----------
    spec : ModelSpec
        Its own family says whether totals are counts.
    data : AggregateData
        Totals.

    Returns
    -------
    tuple of LikelihoodSpec
        Simple families first. Whole-number totals that are large, under a Poisson spec, may be
        money: gamma families take part as well.
    """
    totals = _totals(data)
    has_zeros = bool(np.any(totals == 0))
    prefix = "hurdle_" if has_zeros else ""
    money = [(prefix + family, level) for family, level in _MONEY]
    if not spec.likelihood.counts:
        return _likelihoods(spec, money)
    chosen = list(_COUNTS)
    if has_zeros:
        chosen += [(f"zero_inflated_{family}", level) for family, level in _COUNTS]
    is_poisson = spec.likelihood.base_family == "poisson"
    if is_poisson and np.median(totals[totals > 0]) >= LARGE_COUNT:
        chosen += money[:2]
    return _likelihoods(spec, chosen)


def parse_candidates(words: Iterable[str], spec: ModelSpec) -> tuple[LikelihoodSpec, ...]:
    """Read candidates from words such as ``gamma`` or ``gamma:pair``.

    Parameters
    ----------
    words : iterable of str
        A family each, with a level after a colon; the family's default level where it has none.
    spec : ModelSpec
        Covariates of zeros, for candidates that have zeros of their own.

    Returns
    -------
    tuple of LikelihoodSpec
        In the order given.

    Raises
    ------
    SpecError
        If a family or a level is unknown; every fault is listed.
    """
    faults: list[Finding] = []
    chosen: list[tuple[str, str | None]] = []
    for word in words:
        family, _, level = word.partition(":")
        fault = _fault_of_name(family, level)
        if fault is None:
            chosen.append((family, level or None))
        else:
            faults.append(Finding("unknown-candidate", "error", f"--family {word}", *fault))
    _raise(faults)
    return _likelihoods(spec, chosen)


def _fault_of_name(family: str, level: str) -> tuple[str, str] | None:
    known = get_args(FamilyName)
    if family not in known:
        near = difflib.get_close_matches(family, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return f"there is no family {family!r}", f"{hint}families are {', '.join(known)}"
    levels = LEVELS[family]
    if level and level not in levels:
        of = f"its levels are {', '.join(levels)}" if levels else f"write --family {family}"
        return f"family {family!r} has no level {level!r}", of
    return None


def complete_candidates(
    candidates: Iterable[LikelihoodSpec], spec: ModelSpec, data: AggregateData
) -> tuple[LikelihoodSpec, ...]:
    """Check candidates against the totals, and add the spec's own family where it is possible.

    Parameters
    ----------
    candidates : iterable of LikelihoodSpec
        Families to choose among.
    spec : ModelSpec
        The model.
    data : AggregateData
        Totals.

    Returns
    -------
    tuple of LikelihoodSpec
        Without repetitions; the spec's own family first.

    Raises
    ------
    SpecError
        If a total is impossible under a candidate, or fewer than two candidates are left.
    """
    own = spec.likelihood.model_copy(update={"amounts": "marginal"})
    faults: list[Finding] = []
    chosen = [own] if _impossible(own, data) is None else []
    for candidate in candidates:
        message = _impossible(candidate, data)
        if message is not None:
            remedy = "leave this candidate out, or repair the totals (see validate)"
            where = f"--family {candidate_label(candidate)}"
            faults.append(Finding("impossible-candidate", "error", where, message, remedy))
        elif candidate not in chosen:
            chosen.append(candidate)
    if not faults and len(chosen) < 2:
        named = candidate_label(chosen[0]) if chosen else "none"
        faults = [
            Finding(
                "single-candidate",
                "error",
                "--family",
                f"a choice needs two candidates; there is {named}",
                "add another --family, or leave the option out for the usual candidates",
            )
        ]
    _raise(faults)
    return tuple(chosen)


def candidate_spec(spec: ModelSpec, likelihood: LikelihoodSpec) -> tuple[ModelSpec, str | None]:
    """Return the spec with another family and all else unchanged, and a note on dropped priors.

    A prior of a noise parameter belongs to its family and level, even where another family has a
    parameter of the same name: ``phi`` has a unit under gamma and none under negative binomial.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    likelihood : LikelihoodSpec
        The candidate.

    Returns
    -------
    spec : ModelSpec
        The model with this likelihood.
    note : str or None
        Which priors of the spec do not apply, if any.
    """
    own = spec.likelihood
    kept = set(likelihood.parameters)
    if (likelihood.base_family, likelihood.level) != (own.base_family, own.level):
        kept &= {names.PI, names.BETA_ZERO}
    dropped = [name for name in spec.priors if name in set(own.parameters) - kept]
    plain = spec.model_dump(mode="json")
    plain["likelihood"] = likelihood.model_dump(mode="json")
    plain["priors"] = {k: v for k, v in plain["priors"].items() if k not in dropped}
    changed = parse_plain(plain, source=f"candidate {candidate_label(likelihood)}")
    if not dropped:
        return changed, None
    named = ", ".join(dropped)
    return (
        changed,
        f"{candidate_label(likelihood)}: the spec's prior of {named} does not apply to it",
    )


def _likelihoods(
    spec: ModelSpec, chosen: Sequence[tuple[str, str | None]]
) -> tuple[LikelihoodSpec, ...]:
    found = (
        LikelihoodSpec.model_validate({"family": family, "level": level})
        for family, level in chosen
    )
    covariates = {"zero_covariates": spec.likelihood.zero_covariates}
    return tuple(one.model_copy(update=covariates) if one.excess_zeros else one for one in found)


def _impossible(likelihood: LikelihoodSpec, data: AggregateData) -> str | None:
    """Say which totals a family rules out, if any."""
    totals = _totals(data)
    broken = np.zeros(len(totals), dtype=bool)
    why = ""
    if likelihood.counts:
        broken, why = totals != np.round(totals), "not a whole number"
    elif not likelihood.zeros_allowed:
        broken, why = totals == 0, "of zero"
    if not broken.any():
        return None
    first = data.aggregate_labels[data.is_exposed][broken][0]
    return f"{plural(int(broken.sum()), 'total')} {why}, the first that of {first}"


def _totals(data: AggregateData) -> FloatArray:
    return data.totals[data.is_exposed]


def _raise(faults: Sequence[Finding]) -> None:
    if faults:
        count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise SpecError(f"the candidates have {count}:", faults)
