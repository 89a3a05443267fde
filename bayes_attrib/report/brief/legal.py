"""What legal asks: which columns were read, and where names appear."""

from __future__ import annotations

from bayes_attrib import names
from bayes_attrib.report.brief.answers import from_run, in_general, question
from bayes_attrib.report.brief.blocks import Audience, Question
from bayes_attrib.report.brief.facts import Facts
from bayes_attrib.report.brief.medium import Medium
from bayes_attrib.spec import ModelSpec


def legal_questions(facts: Facts, medium: Medium) -> Audience:
    """Answer what legal asks.

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
    return Audience(medium.text("Legal"), (_personal(facts, medium), _names(facts, medium)))


def _personal(facts: Facts, medium: Medium) -> Question:
    spec, text = facts.run.spec, medium.text
    columns = spec.columns
    keys = text(
        "The spec names these columns. Keys: {keys}. Numbers: {numbers}.",
        keys=medium.names([*columns.aggregate, columns.entity]),
        numbers=medium.names([columns.total, columns.exposure]),
    )
    truth = (
        text(
            "Known amounts ({amount}) were read to score the result, not to fit it.",
            amount=medium.name(columns.amount),
        )
        if facts.run.has_truth
        else ""
    )
    groups = group_columns(facts)
    described = text("Groups: {groups}.", groups=medium.names(groups)) if groups else ""
    formulas = covariate_formulas(spec)
    explained = (
        text("Covariates: {covariates}.", covariates=medium.names(formulas)) if formulas else ""
    )
    return question(
        text("Does it use personal data?"),
        from_run(medium.sentences(keys, described, explained, truth)),
        in_general(
            text(
                "The package needs totals, exposures and keys, and no journeys of single persons. "
                "It cannot know whether a key stands for a person: the key of a physician, a "
                "household or a member of staff does, and then the amounts are data about that "
                "person."
            )
        ),
    )


def _names(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    files = (names.ATTRIBUTION_FILE, names.CELLS_FILE, names.POSTERIOR_FILE)
    return question(
        text("Where do names appear, and what can be done?"),
        from_run(
            medium.plural(
                len(facts.run.entities),
                "The name of {n} entity appears as given in {files}, and in every report, this one "
                "included.",
                "The names of {n} entities appear as given in {files}, and in every report, this "
                "one included.",
                files=medium.joined(", ", [medium.code(file) for file in files]),
            )
        ),
        in_general(
            text(
                "Where keys stand for persons, replace them by pseudonyms before the fit and keep "
                "the list elsewhere; the numbers do not depend on names. Share roll-ups rather "
                "than entities, restrict access to the folder of the run, and delete it when it "
                "is no longer needed. Runs and reports are files; the package sends them nowhere "
                "by itself."
            )
        ),
    )


def group_columns(facts: Facts) -> list[str]:
    """Return the columns that group entities or aggregates, each once."""
    rates = facts.run.spec.rates
    found = [*rates.pooling, *rates.nested, *rates.aggregate_effects, *facts.run.levels]
    return list(dict.fromkeys(found))


def covariate_formulas(spec: ModelSpec) -> list[str]:
    """Return the formulas of covariates, which name their columns."""
    found = (spec.rates.covariates, spec.rates.pair_covariates, spec.likelihood.zero_covariates)
    return [formula for formula in found if formula is not None]
