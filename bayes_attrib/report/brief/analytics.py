"""What analytics asks: assumptions, convergence, and what would make it surer."""

from __future__ import annotations

from bayes_attrib.report.brief.answers import from_run, in_general, question
from bayes_attrib.report.brief.blocks import Audience, Question
from bayes_attrib.report.brief.facts import Facts
from bayes_attrib.report.brief.guarantees import convergence_sentence
from bayes_attrib.report.brief.medium import Medium
from bayes_attrib.report.narrative import describe_model, describe_sharing, describe_verdict


def analytics_questions(facts: Facts, medium: Medium) -> Audience:
    """Answer what analytics asks.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.

    Returns
    -------
    Audience
        Questions with answers.
    """
    return Audience(
        medium.text("Analytics"),
        (_assumptions(facts, medium), _converged(facts, medium), _surer(facts, medium)),
    )


def _assumptions(facts: Facts, medium: Medium) -> Question:
    run, text = facts.run, medium.text
    sentences = describe_model(run.spec, run.manifest.model_variables, language=medium.language)
    return question(
        text("What does the model assume?"),
        from_run(medium.sentences(*map(medium.plain, sentences))),
        in_general(
            text(
                "Checks compare the totals with what the model expects, and pass where it could "
                "have made them. That does not prove the assumptions about single entities, of "
                "which no totals were seen."
            )
        ),
    )


def _converged(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    remedies = describe_verdict(facts.run, language=medium.language).remedies
    advice = medium.sentences(*map(medium.plain, remedies))
    return question(
        text("Can the computation be trusted?"),
        from_run(
            medium.sentences(
                convergence_sentence(facts, medium),
                text("What to do: {remedies}", remedies=advice) if remedies else "",
            )
        ),
        in_general(
            text(
                "Passed checks speak for the computation, not for the model. A run that did not "
                "converge is marked in every report, and its numbers are not to be used."
            )
        ),
    )


def _surer(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    sharing = medium.plain(describe_sharing(facts.sharing, language=medium.language))
    return question(
        text("What would make it surer?"),
        from_run(medium.sentences(_little(facts, medium), sharing)),
        in_general(
            text(
                "Finer aggregates, such as weeks instead of months or shops instead of regions; "
                "exposures that vary between entities instead of moving together; longer periods; "
                "groups and covariates that explain rates. More draws make the computation more "
                "exact, not the answer."
            )
        ),
    )


def _little(facts: Facts, medium: Medium) -> str:
    if not facts.n_little:
        return ""
    return medium.plural(
        facts.n_little,
        "For {n} of {all} entities the data say little: its rate is close to what its group and "
        "the prior say.",
        "For {n} of {all} entities the data say little: their rates are close to what their "
        "groups and the prior say.",
        all=medium.language.number(len(facts.entities)),
    )
