"""The report's sentences, chosen by what the run contains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bayes_attrib.report.numbers import AmountFormat, percent, plural, shortest, significant
from bayes_attrib.report.records import Check, EMRecord
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.report.structure import ExposureStructure
from bayes_attrib.spec import IntervalSpec, ModelSpec

_KINDS: Final = {"hdi": "highest-density interval", "eti": "equal-tailed interval"}
_SHORT_KINDS: Final = {"hdi": "HDI", "eti": "ETI"}

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
}

_RATES: Final = (
    "Every entity has one rate per unit of exposure, the same in all aggregates. Rates are "
    "partially pooled:"
)


@dataclass(frozen=True, slots=True)
class VerdictText:
    """A verdict in plain words: a headline, and what it means for the reader."""

    headline: str
    explanation: str
    failed: tuple[Check, ...]


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
        Headline, explanation, and the checks that did not pass.
    """
    checks = run.diagnostics.checks
    failed = tuple(check for check in checks if check.status != "ok")
    count = f"{len(failed)} of {plural(len(checks), 'check')} did not pass."
    if run.diagnostics.verdict == "ok":
        return VerdictText(
            "The fit converged.",
            f"All {len(checks)} checks of the sampler passed. That speaks for the computation; "
            "whether the model suits the data is another question, see the limits below.",
            failed,
        )
    if run.diagnostics.verdict == "warn":
        return VerdictText(
            "Use with care: the fit raised warnings.",
            f"{count} The numbers are a fair first look; run longer before anything is decided on "
            "them.",
            failed,
        )
    return VerdictText(
        "Do not use these numbers: the fit did not converge.",
        f"{count} What follows serves to find out why, and nothing else. Fit again with more "
        "tuning steps and draws (--tune, --draws) or a higher target_accept; if that does not "
        "help, simplify the model.",
        failed,
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


def describe_model(spec: ModelSpec) -> tuple[str, ...]:
    """Describe noise and pooling in sentences.

    Parameters
    ----------
    spec : ModelSpec
        The spec.

    Returns
    -------
    tuple of str
        One sentence or two each for the family and for the pooling.
    """
    pooling = spec.rates.pooling
    towards = (
        f"towards those of its {' and its '.join(pooling)}, and these towards the mean of all"
        if pooling
        else "towards the mean of all entities"
    )
    return (
        _NOISE[spec.likelihood.family, spec.likelihood.level],
        f"{_RATES} an entity with little data is drawn {towards}.",
    )


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


def describe_structure(structure: ExposureStructure) -> str:
    """Say what the exposures can tell, and where the prior decides.

    Parameters
    ----------
    structure : ExposureStructure
        Facts about the exposures.

    Returns
    -------
    str
        Two or three sentences.
    """
    shared = plural(structure.n_shared_aggregates, "aggregate")
    verb = "is" if structure.n_shared_aggregates == 1 else "are"
    sole = f"{structure.n_sole_aggregates:,}" if structure.n_sole_aggregates else "none"
    facts = (
        f"In this run {shared} {verb} shared by two or more entities; in "
        f"{sole} one entity alone has exposure, and its credit is certain."
    )
    if not structure.n_alike:
        return (
            f"{facts} No two entities have the same pattern of exposure here; but where patterns "
            "are nearly the same, or hardly vary, the prior decides more than the data do."
        )
    examples = " and ".join(f"“{name}”" for name in structure.alike_example)
    return (
        f"{facts} {structure.n_alike:,} entities have the same pattern of exposure as another one, "
        f"up to a factor (such as {examples}): the data cannot tell their rates apart, only their "
        "groups and the prior can."
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
