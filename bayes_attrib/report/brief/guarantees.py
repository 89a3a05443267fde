"""Third slide: what the numbers guarantee, and what they do not."""

from __future__ import annotations

from bayes_attrib.report.brief.blocks import Points, Slide
from bayes_attrib.report.brief.facts import Facts
from bayes_attrib.report.brief.medium import Medium
from bayes_attrib.report.narrative import describe_verdict, interval_words


def guarantees_slide(facts: Facts, medium: Medium) -> Slide:
    """Say what holds whatever one believes of the model, and what does not.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.

    Returns
    -------
    Slide
        Two lists.
    """
    text = medium.text
    return Slide(
        text("3. What is guaranteed, and what is not"),
        (
            Points(_guaranteed(facts, medium), text("Guaranteed")),
            Points(_not_guaranteed(facts, medium), text("Not guaranteed")),
        ),
    )


def sums_sentence(facts: Facts, medium: Medium) -> str:
    """Say whether what was attributed equals the totals.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.
    """
    sums, amounts, language = facts.sums, facts.amounts, medium.language
    posterior = sums.sums[0]
    values = {
        "attributed": medium.strong(amounts.with_unit(posterior.attributed)),
        "total": medium.strong(amounts.with_unit(sums.total_to_attribute)),
        "difference": language.significant(posterior.difference, 2),
        "largest": language.significant(posterior.largest_in_aggregate, 2),
        "aggregates": medium.plural(sums.n_aggregates, "{n} aggregate", "{n} aggregates"),
    }
    if not sums.adds_up:
        return medium.text(
            "The sums do not tie out: attributed {attributed}, observed {total}, difference "
            "{difference}; inside {aggregates} with exposure the largest difference is {largest}. "
            "Do not publish before this is understood.",
            **values,
        )
    return medium.text(
        "The sums tie out: attributed {attributed}, observed {total}, difference {difference}; "
        "inside {aggregates} with exposure the largest difference is {largest}.",
        **values,
    )


def _guaranteed(facts: Facts, medium: Medium) -> tuple[str, ...]:
    text, run = medium.text, facts.run
    residual = run.manifest.largest_residual
    every_draw = (
        ""
        if residual is None
        else text(
            "The same was checked in every draw when it was made: the largest difference was "
            "{residual}.",
            residual=medium.language.significant(residual, 2),
        )
    )
    return (
        medium.sentences(sums_sentence(facts, medium), every_draw),
        text(
            "Roll-ups are the same draws added up: they agree with the entities, and have "
            "intervals of their own."
        ),
        text(
            "The same inputs, spec, seed and versions give the same numbers; the run records all "
            "of them."
        ),
        *((convergence_sentence(facts, medium),) if _converged(facts) else ()),
    )


def _converged(facts: Facts) -> bool:
    return facts.run.diagnostics.verdict == "ok"


def convergence_sentence(facts: Facts, medium: Medium) -> str:
    """Say how many checks of the computation passed, and what that means.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.
    """
    checks = facts.run.diagnostics.checks
    passed = sum(check.status == "ok" for check in checks)
    count = medium.plural(
        len(checks),
        "Of {n} check of the computation, {passed} passed.",
        "Of {n} checks of the computation, {passed} passed.",
        passed=medium.language.number(passed),
    )
    headline = describe_verdict(facts.run, language=medium.language).headline
    return medium.sentences(medium.plain(headline), count)


def _not_guaranteed(facts: Facts, medium: Medium) -> tuple[str, ...]:
    text, interval = medium.text, facts.run.spec.report.interval
    return (
        *(() if _converged(facts) else (convergence_sentence(facts, medium),)),
        text(
            "The split is model-based, not causal: an amount is not what would be lost without the "
            "entity."
        ),
        text(
            "The {intervals} hold if totals and exposures are right and the model is sensible; "
            "they do not cover the choice of the model.",
            intervals=interval_words(interval, many=True, language=medium.language),
        ),
        text("Means add up; the ends of intervals do not, and must not be added."),
        text(
            "The totals are taken as given. If they are wrong, or hold more than the entities can "
            "have earned, so does the split."
        ),
    )
