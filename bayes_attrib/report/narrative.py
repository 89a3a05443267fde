"""The report's sentences, chosen by what the run contains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bayes_attrib.report.language import ENGLISH, MISSING, Language, message
from bayes_attrib.report.noise import describe_noise
from bayes_attrib.report.numbers import AmountFormat, shortest
from bayes_attrib.report.records import Check, EMRecord
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.structure import Sharing
from bayes_attrib.spec import IntervalSpec, ModelSpec

_KINDS: Final = {
    "hdi": (
        message("{prob} highest-density interval"),
        message("{prob} highest-density intervals"),
    ),
    "eti": (message("{prob} equal-tailed interval"), message("{prob} equal-tailed intervals")),
}
_SHORT_KINDS: Final = {"hdi": message("{prob} HDI"), "eti": message("{prob} ETI")}

_REMEDIES: Final = (
    (("max_rhat_", "min_ess_"), message("Draw more (--tune, --draws).")),
    (("refit_drift_",), message("Draw more in each refit (--draws).")),
    (
        ("effective_total_draws",),
        message("Infer rates from more draws of the totals (totals.draws in the spec)."),
    ),
    (("divergent_", "min_bfmi"), message("Raise inference.target_accept in the spec.")),
    (("max_depth_",), message("Tune longer (--tune).")),
    (("chains",), message("Run four chains (--chains 4).")),
    (
        (
            "approximate",
            "mean_correction",
            "start_remembered",
            "pareto_k",
            "check_",
            "failed_paths_",
            "distinct_draws",
        ),
        message("Sample before you decide (--method nuts)."),
    ),
    (("independent_draws",), message("Draw more (--draws).")),
    (
        ("evidence_bound_", "largest_shift"),
        message("Search longer (inference.advi.most_steps), or sample (--method nuts)."),
    ),
    (
        ("dispersion_", "zeros_", "extremes_", "size_spread_"),
        message("Try another family or level of the likelihood."),
    ),
    (
        ("levels_",),
        message("Give levels of that key a factor of their own (rates.aggregate_effects)."),
    ),
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


def interval_words(spec: IntervalSpec, *, many: bool = False, language: Language = ENGLISH) -> str:
    """Return an interval in words, such as '94% highest-density interval', or many of them."""
    return language.text(_KINDS[spec.kind][many], prob=_probability(spec, language))


def interval_short(spec: IntervalSpec, *, language: Language = ENGLISH) -> str:
    """Return an interval in short, such as '94% HDI'."""
    return language.text(_SHORT_KINDS[spec.kind], prob=_probability(spec, language))


def _probability(spec: IntervalSpec, language: Language) -> str:
    decimals = len(f"{100 * spec.prob:g}".partition(".")[2])
    return language.percent(spec.prob, decimals)


def describe_verdict(run: RunFolder, *, language: Language = ENGLISH) -> VerdictText:
    """Say what the verdict means for the reader.

    Parameters
    ----------
    run : RunFolder
        The run.
    language : Language
        Language of the reader.

    Returns
    -------
    VerdictText
        Headline, explanation, the checks that did not pass, and remedies.
    """
    checks = run.diagnostics.checks
    failed = tuple(check for check in checks if check.status != "ok")
    remedies = _remedies(failed, language)
    if run.diagnostics.verdict == "ok":
        count = language.plural(
            len(checks), "{n} check made, all passed.", "{n} checks made, all passed."
        )
        meaning = language.text(
            "They speak for the computation; whether the model suits the question is for you to "
            "judge, see the limits below."
        )
        headline = language.text("The fit converged.")
        return VerdictText(headline, f"{count} {meaning}", failed, remedies)
    count = language.plural(
        len(checks),
        "{n_failed} of {n} check did not pass.",
        "{n_failed} of {n} checks did not pass.",
        n_failed=language.number(len(failed)),
    )
    if run.diagnostics.verdict == "warn":
        meaning = language.text(
            "The numbers are a fair first look, and no basis for decisions yet."
        )
        headline = language.text("Use with care: the fit raised warnings.")
        return VerdictText(headline, f"{count} {meaning}", failed, remedies)
    return VerdictText(
        language.text("Do not use these numbers: the fit did not converge."),
        f"{count} " + language.text("What follows serves to find out why, and nothing else."),
        failed,
        (*remedies, language.text("If that does not help, simplify the model.")),
    )


def _remedies(failed: tuple[Check, ...], language: Language) -> tuple[str, ...]:
    return tuple(
        language.text(remedy)
        for prefixes, remedy in _REMEDIES
        if any(check.name.startswith(prefixes) for check in failed)
    )


def find_answer(run: RunFolder, amounts: AmountFormat, *, language: Language = ENGLISH) -> Answer:
    """Find who earned most.

    Parameters
    ----------
    run : RunFolder
        The run.
    amounts : AmountFormat
        How amounts are written.
    language : Language
        Language of the reader.

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
        language.percent(first["share_mean"], amounts.share_decimals),
        amounts.bounds(first["amount_lower"], first["amount_upper"]),
        rivals,
    )


def describe_model(
    spec: ModelSpec, own_variables: Sequence[str] = (), *, language: Language = ENGLISH
) -> tuple[str, ...]:
    """Describe noise and pooling in sentences.

    Parameters
    ----------
    spec : ModelSpec
        The spec.
    own_variables : sequence of str
        Variables of a model of the user's own, if the run has one.
    language : Language
        Language of the reader.

    Returns
    -------
    tuple of str
        One sentence or two each for the family and for the pooling.
    """
    noise = describe_noise(spec.likelihood, language=language)
    if own_variables:
        law = language.text("Totals are split by the law of this family.")
        own = language.text(
            "Rates, and how they are pooled, are those of a model of the user's own, with the "
            "variables {variables}; the spec says nothing of them.",
            variables=", ".join(own_variables),
        )
        return f"{law} {noise}", own
    return noise, _describe_pooling(spec, language), *_describe_factors(spec, language)


def _describe_pooling(spec: ModelSpec, language: Language) -> str:
    rates = spec.rates
    groups = list(rates.pooling)
    if rates.nested:
        path, *below = rates.nested
        for level in below:
            path = language.text("{level} within {parent}", level=level, parent=path)
        groups.append(path)
    if rates.covariates is not None:
        groups.append(language.text("covariates"))
    if not groups:
        return language.text(
            "Every entity has one rate per unit of exposure, the same in all aggregates. Rates are "
            "partially pooled: an entity with little data is drawn towards the mean of all "
            "entities."
        )
    of = groups[0]
    for group in groups[1:]:
        of = language.text("{first} and its {last}", first=of, last=group)
    return language.text(
        "Every entity has one rate per unit of exposure, the same in all aggregates. Rates are "
        "partially pooled: an entity with little data is drawn towards those of its {groups}, and "
        "these towards the mean of all.",
        groups=of,
    )


def _describe_factors(spec: ModelSpec, language: Language) -> Iterator[str]:
    rates = spec.rates
    if rates.pair_covariates is not None:
        yield language.text(
            "The exposure of a pair is scaled by {covariates}.", covariates=rates.pair_covariates
        )
    if rates.aggregate_effects:
        yield language.text(
            "Totals have a factor of their own per {columns}, which changes no share within one.",
            columns=language.join(rates.aggregate_effects),
        )
    if rates.drift is not None:
        yield language.text(
            _DRIFTS[rates.drift.kind == "random_walk"],
            period=rates.drift.period,
            by=rates.drift.by,
        )
    if spec.unattributed is not None:
        yield language.text("What no exposure explains is an entity of its own, unattributed.")


_DRIFTS: Final = (
    message(
        "Rates drift along smooth curves over {period}, per {by}; a rate in the table is the "
        "typical one over time."
    ),
    message(
        "Rates drift step by step over {period}, per {by}; a rate in the table is the typical one "
        "over time."
    ),
)


def describe_em(em: EMRecord | None, n_entities: int, *, language: Language = ENGLISH) -> str:
    """Say how the EM baseline ended.

    Parameters
    ----------
    em : EMRecord or None
        Provenance of the EM baseline.
    n_entities : int
        Number of entities.
    language : Language
        Language of the reader.

    Returns
    -------
    str
        One sentence or two; empty without a baseline.
    """
    if em is None:
        return ""
    end = (
        language.plural(
            em.iterations,
            "EM reached the certified maximum of the likelihood in {n} iteration",
            "EM reached the certified maximum of the likelihood in {n} iterations",
        )
        if em.converged
        else language.plural(
            em.iterations,
            "EM stopped after {n} iteration, before the certified maximum of the likelihood",
            "EM stopped after {n} iterations, before the certified maximum of the likelihood",
        )
    )
    if em.relative_gap is not None:
        gap = language.significant(em.relative_gap, 2)
        end = language.text("{statement} (relative gap {gap})", statement=end, gap=gap)
    if not em.n_zero:
        return f"{end}."
    return language.text(
        "{statement}; it gives nothing to {n_zero} of {n} entities.",
        statement=end,
        n_zero=language.number(em.n_zero),
        n=language.number(n_entities),
    )


def describe_sharing(sharing: Sharing, *, language: Language = ENGLISH) -> str:
    """Say how aggregates are shared.

    Parameters
    ----------
    sharing : Sharing
        Counts of aggregates.
    language : Language
        Language of the reader.

    Returns
    -------
    str
        One sentence.
    """
    if not sharing.n_sole:
        return language.plural(
            sharing.n_shared,
            "In this run {n} aggregate is shared by two or more entities; in none one entity alone "
            "has exposure, and its credit is certain.",
            "In this run {n} aggregates are shared by two or more entities; in none one entity "
            "alone has exposure, and its credit is certain.",
        )
    return language.plural(
        sharing.n_shared,
        "In this run {n} aggregate is shared by two or more entities; in {n_sole} one entity alone "
        "has exposure, and its credit is certain.",
        "In this run {n} aggregates are shared by two or more entities; in {n_sole} one entity "
        "alone has exposure, and its credit is certain.",
        n_sole=language.number(sharing.n_sole),
    )


def describe_check(check: Check, *, language: Language = ENGLISH) -> tuple[str, str]:
    """Return a check's value and its requirement as text.

    Parameters
    ----------
    check : Check
        The check.
    language : Language
        Language of the reader.

    Returns
    -------
    tuple of str
        Such as ``("1.003", "at most 1.01")``.
    """
    value = (
        language.text("not a number")
        if check.value is None
        else shortest(check.value, language=language)
    )
    threshold = MISSING if check.threshold is None else shortest(check.threshold, language=language)
    if check.comparison == "<=":
        return value, language.text("at most {threshold}", threshold=threshold)
    return value, language.text("at least {threshold}", threshold=threshold)
