"""The report's sentences, chosen by what the run contains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bayes_attrib.report.noise import describe_noise
from bayes_attrib.report.numbers import AmountFormat, percent, plural, shortest, significant
from bayes_attrib.report.records import Check, EMRecord
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.structure import Sharing
from bayes_attrib.spec import IntervalSpec, ModelSpec

_KINDS: Final = {"hdi": "highest-density interval", "eti": "equal-tailed interval"}
_SHORT_KINDS: Final = {"hdi": "HDI", "eti": "ETI"}

_RATES: Final = (
    "Every entity has one rate per unit of exposure, the same in all aggregates. Rates are "
    "partially pooled:"
)


_REMEDIES: Final = (
    (("max_rhat_", "min_ess_"), "Draw more (--tune, --draws)."),
    (("divergent_", "min_bfmi"), "Raise inference.target_accept in the spec."),
    (("max_depth_",), "Tune longer (--tune)."),
    (("chains",), "Run four chains (--chains 4)."),
    (
        ("dispersion_", "zeros_", "extremes_", "size_spread_"),
        "Try another family or level of the likelihood.",
    ),
    (("levels_",), "Give levels of that key a factor of their own (rates.aggregate_effects)."),
)


@dataclass(frozen=True, slots=True)
class VerdictText:
    """A verdict in plain words.

    Attributes
    ----------
    headline, explanation : str
        What was found, and what it means for the reader.
    failed : tuple of Check
        Checks that did not pass.
    remedies : tuple of str
        What to do about them, each once.
    """

    headline: str
    explanation: str
    failed: tuple[Check, ...]
    remedies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Who earned most, in the pieces of one sentence.

    Attributes
    ----------
    name : str
        Name of the entity.
    amount, total, share : str
        Its mean amount, the total with its unit, and its share.
    interval : str
        Interval of its amount.
    n_rivals : int
        Entities whose interval reaches into that of the first.
    """

    name: str
    amount: str
    total: str
    share: str
    interval: str
    n_rivals: int


def interval_words(spec: IntervalSpec) -> str:
    """Return an interval in words, such as '94% highest-density interval'."""
    return f"{100 * spec.prob:g}% {_KINDS[spec.kind]}"


def interval_short(spec: IntervalSpec) -> str:
    """Return an interval in short, such as '94% HDI'."""
    return f"{100 * spec.prob:g}% {_SHORT_KINDS[spec.kind]}"


def describe_verdict(run: RunFolder) -> VerdictText:
    """Say what the verdict means for the reader.

    Parameters
    ----------
    run : RunFolder
        The run.

    Returns
    -------
    VerdictText
        Headline, explanation, the checks that did not pass, and remedies.
    """
    checks = run.diagnostics.checks
    failed = tuple(check for check in checks if check.status != "ok")
    remedies = _remedies(failed)
    if run.diagnostics.verdict == "ok":
        return VerdictText(
            "The fit converged.",
            f"{plural(len(checks), 'check')} made, all passed. They speak for the computation; "
            "whether the model suits the question is for you to judge, see the limits below.",
            failed,
            remedies,
        )
    count = f"{len(failed)} of {plural(len(checks), 'check')} did not pass."
    if run.diagnostics.verdict == "warn":
        return VerdictText(
            "Use with care: the fit raised warnings.",
            f"{count} The numbers are a fair first look, and no basis for decisions yet.",
            failed,
            remedies,
        )
    return VerdictText(
        "Do not use these numbers: the fit did not converge.",
        f"{count} What follows serves to find out why, and nothing else.",
        failed,
        (*remedies, "If that does not help, simplify the model."),
    )


def _remedies(failed: tuple[Check, ...]) -> tuple[str, ...]:
    return tuple(
        remedy
        for prefixes, remedy in _REMEDIES
        if any(check.name.startswith(prefixes) for check in failed)
    )


def find_answer(run: RunFolder, amounts: AmountFormat) -> Answer:
    """Find who earned most.

    Parameters
    ----------
    run : RunFolder
        The run.
    amounts : AmountFormat
        How amounts are written.

    Returns
    -------
    Answer
        Pieces of the sentence.
    """
    entities = run.entities
    first = entities.iloc[0]
    rivals = int((entities["amount_upper"].iloc[1:] >= first["amount_lower"]).sum())
    return Answer(
        str(first["name"]),
        amounts.with_currency(first["amount_mean"]),
        amounts.with_unit(run.manifest.data.grand_total),
        percent(first["share_mean"], amounts.share_decimals),
        amounts.bounds(first["amount_lower"], first["amount_upper"]),
        rivals,
    )


def describe_model(spec: ModelSpec, own_variables: Sequence[str] = ()) -> tuple[str, ...]:
    """Describe noise and pooling in sentences.

    Parameters
    ----------
    spec : ModelSpec
        The spec.
    own_variables : sequence of str
        Variables of a model of the user's own, if the run has one.

    Returns
    -------
    tuple of str
        One sentence or two each for the family and for the pooling.
    """
    if own_variables:
        own = (
            "Rates, and how they are pooled, are those of a model of the user's own, with the "
            f"variables {', '.join(own_variables)}; the spec says nothing of them."
        )
        noise = describe_noise(spec.likelihood)
        return f"Totals are split by the law of this family. {noise}", own
    rates = spec.rates
    groups = [*rates.pooling, *([" within ".join(reversed(rates.nested))] if rates.nested else [])]
    if rates.covariates is not None:
        groups.append("covariates")
    towards = (
        f"towards those of its {' and its '.join(groups)}, and these towards the mean of all"
        if groups
        else "towards the mean of all entities"
    )
    return (
        describe_noise(spec.likelihood),
        f"{_RATES} an entity with little data is drawn {towards}.",
        *_describe_factors(spec),
    )


def _describe_factors(spec: ModelSpec) -> Iterator[str]:
    rates = spec.rates
    if rates.pair_covariates is not None:
        yield f"The exposure of a pair is scaled by {rates.pair_covariates}."
    if rates.aggregate_effects:
        columns = " and ".join(rates.aggregate_effects)
        yield f"Totals have a factor of their own per {columns}, which changes no share within one."
    if rates.drift is not None:
        shape = "step by step" if rates.drift.kind == "random_walk" else "along smooth curves"
        yield (
            f"Rates drift {shape} over {rates.drift.period}, per {rates.drift.by}; a rate in the "
            "table is the typical one over time."
        )
    if spec.unattributed is not None:
        yield "What no exposure explains is an entity of its own, unattributed."


def describe_em(em: EMRecord | None, n_entities: int) -> str:
    """Say how the EM baseline ended.

    Parameters
    ----------
    em : EMRecord or None
        Provenance of the EM baseline.
    n_entities : int
        Number of entities.

    Returns
    -------
    str
        One sentence or two; empty without a baseline.
    """
    if em is None:
        return ""
    steps = plural(em.iterations, "iteration")
    gap = "" if em.relative_gap is None else f" (relative gap {significant(em.relative_gap, 2)})"
    end = (
        f"EM reached the certified maximum of the likelihood in {steps}{gap}"
        if em.converged
        else f"EM stopped after {steps}, before the certified maximum of the likelihood{gap}"
    )
    zeros = f"; it gives nothing to {em.n_zero:,} of {n_entities:,} entities" if em.n_zero else ""
    return f"{end}{zeros}."


def describe_sharing(sharing: Sharing) -> str:
    """Say how aggregates are shared.

    Parameters
    ----------
    sharing : Sharing
        Counts of aggregates.

    Returns
    -------
    str
        One sentence.
    """
    shared = plural(sharing.n_shared, "aggregate")
    verb = "is" if sharing.n_shared == 1 else "are"
    sole = f"{sharing.n_sole:,}" if sharing.n_sole else "none"
    return (
        f"In this run {shared} {verb} shared by two or more entities; in {sole} one entity alone "
        "has exposure, and its credit is certain."
    )


def describe_check(check: Check) -> tuple[str, str]:
    """Return a check's value and its requirement as text.

    Parameters
    ----------
    check : Check
        The check.

    Returns
    -------
    tuple of str
        Such as ``("1.003", "at most 1.01")``.
    """
    value = "not a number" if check.value is None else shortest(check.value)
    side = "at most" if check.comparison == "<=" else "at least"
    threshold = "–" if check.threshold is None else shortest(check.threshold)
    return value, f"{side} {threshold}"
