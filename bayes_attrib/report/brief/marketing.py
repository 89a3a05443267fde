"""What marketing asks: causes, other methods, comparisons, campaigns that look alike."""

from __future__ import annotations

from typing import Final

from bayes_attrib.report.brief.allocation import moved_sentences, told_apart
from bayes_attrib.report.brief.answers import from_run, in_general, question
from bayes_attrib.report.brief.blocks import Audience, Question
from bayes_attrib.report.brief.facts import Facts
from bayes_attrib.report.brief.medium import Medium

MOST_SETS: Final = 3
"""Sets of entities that look alike, and names in each, which are listed."""


def marketing_questions(facts: Facts, medium: Medium) -> Audience:
    """Answer what marketing asks.

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
        medium.text("Marketing"),
        (
            _causal(facts, medium),
            _other_methods(facts, medium),
            _alike(facts, medium),
            _comparable(facts, medium),
        ),
    )


def _causal(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    return question(
        text("Is it causal?"),
        from_run(
            text(
                "The run read totals ({total}) and exposures ({exposure}). It used no experiment, "
                "so nothing in it tests the split.",
                total=medium.name(facts.run.spec.columns.total),
                exposure=medium.name(facts.run.spec.columns.exposure),
            )
        ),
        in_general(
            text(
                "As far as the totals are. If they are incremental, by experiment or by a "
                "marketing mix model, so is their sum here. How they are split is inferred from a "
                "model; only an experiment on an entity can confirm its part."
            )
        ),
    )


def _other_methods(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    moved = tuple(moved_sentences(facts, medium)) if facts.usable else ()
    return question(
        text("Why not last click, or EM?"),
        from_run(medium.sentences(*moved)),
        in_general(
            text(
                "Last click needs the journeys of single persons and gives everything to the last "
                "contact. EM needs no journeys, but follows noise: it can give some entities "
                "nothing and others too much, and has no interval. Both are point estimates."
            )
        ),
    )


def _alike(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    return question(
        text("What if two campaigns are always run together?"),
        from_run(_sets(facts, medium)),
        in_general(
            text(
                "Entities whose exposures keep the same proportion in every aggregate cannot be "
                "told apart by any method. Their sum is informed by the data; how it is divided "
                "between them comes from their groups and the prior, with intervals that say so."
            )
        ),
    )


def _sets(facts: Facts, medium: Medium) -> str:
    if not facts.alike:
        return medium.text("No two entities of this run have proportional exposures.")
    shown = [
        medium.names(names[:MOST_SETS])
        if len(names) <= MOST_SETS
        else medium.text(
            "{names} and {n} more",
            names=medium.names(names[:MOST_SETS]),
            n=medium.language.number(len(names) - MOST_SETS),
        )
        for names in facts.alike[:MOST_SETS]
    ]
    count = medium.plural(
        len(facts.alike),
        "{n} set of entities has proportional exposures, {n_entities} entities in all: {sets}.",
        "{n} sets of entities have proportional exposures, {n_entities} entities in all, such as: "
        "{sets}.",
        n_entities=medium.language.number(sum(map(len, facts.alike))),
        sets=medium.joined("; ", shown),
    )
    advice = medium.text("Look at the sum of each set, not at its members.")
    return medium.sentences(count, advice)


def _comparable(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    return question(
        text("Who can be compared with whom?"),
        from_run(told_apart(facts, medium)),
        in_general(
            text(
                "Amounts and shares can be compared across all entities; rates only where an "
                "exposure means the same, inside one channel. {command} compares those that you "
                "name, from the joint draws; whether two intervals overlap is no test.",
                command=medium.code("bayes-attrib compare RUN"),
            )
        ),
    )
