"""The whole summary, from a run and a medium."""

from __future__ import annotations

from bayes_attrib.report.brief.allocation import allocation_slide
from bayes_attrib.report.brief.analytics import analytics_questions
from bayes_attrib.report.brief.blocks import Brief
from bayes_attrib.report.brief.facts import Facts, gather_facts
from bayes_attrib.report.brief.finance import finance_questions
from bayes_attrib.report.brief.guarantees import guarantees_slide
from bayes_attrib.report.brief.legal import legal_questions
from bayes_attrib.report.brief.marketing import marketing_questions
from bayes_attrib.report.brief.medium import Medium
from bayes_attrib.report.brief.problem import problem_slide
from bayes_attrib.report.labels import title_of
from bayes_attrib.report.narrative import describe_verdict
from bayes_attrib.report.rolled_text import describe_rolled
from bayes_attrib.report.run_folder import RunFolder


def compose_brief(run: RunFolder, medium: Medium) -> Brief:
    """Write the summary of a run.

    Parameters
    ----------
    run : RunFolder
        The run; nothing is fitted.
    medium : Medium
        Where it is shown, and in which language.

    Returns
    -------
    Brief
        Text that is safe for the medium. Equal runs give equal summaries.
    """
    facts = gather_facts(run, medium.language)
    return Brief(
        medium.name(run.spec.report.title or title_of(run.spec.name)),
        medium.text(
            "Summary for committees. Model {model}, run of {moment}.",
            model=medium.name(run.spec.name),
            moment=medium.language.moment(run.manifest.ended),
        ),
        run.diagnostics.verdict,
        _banner(facts, medium),
        (
            problem_slide(facts, medium),
            allocation_slide(facts, medium),
            guarantees_slide(facts, medium),
        ),
        (
            finance_questions(facts, medium),
            marketing_questions(facts, medium),
            analytics_questions(facts, medium),
            legal_questions(facts, medium),
        ),
    )


def _banner(facts: Facts, medium: Medium) -> str:
    sentences = []
    if facts.run.diagnostics.verdict != "ok":
        words = describe_verdict(facts.run, language=medium.language)
        sentences += [medium.strong(medium.plain(words.headline)), medium.plain(words.explanation)]
    rolled = describe_rolled(facts.run, medium.language)
    if rolled is not None:
        sentences += [medium.plain(rolled.origin), medium.strong(medium.plain(rolled.headline))]
    return medium.sentences(*sentences) if sentences else ""
