"""First slide: what is to be split, and why the simple ways are not enough."""

from __future__ import annotations

from bayes_attrib.report.brief.blocks import Points, Slide
from bayes_attrib.report.brief.facts import Facts
from bayes_attrib.report.brief.medium import Medium
from bayes_attrib.report.narrative import describe_model, describe_sharing


def problem_slide(facts: Facts, medium: Medium) -> Slide:
    """Say what the run had to solve.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.

    Returns
    -------
    Slide
        Two lists: the task, and why it takes a model.
    """
    text = medium.text
    return Slide(
        text("1. The problem"),
        (
            Points(_task(facts, medium), text("What is to be split")),
            Points(
                (_by_exposure(facts, medium), _by_em(facts, medium), _by_model(facts, medium)),
                text("Why a simple split is not enough"),
            ),
        ),
    )


def _task(facts: Facts, medium: Medium) -> tuple[str, ...]:
    text, run = medium.text, facts.run
    data, columns = run.manifest.data, run.spec.columns
    observed = text(
        "Observed: {total}, in {aggregates}, one for each {keys}.",
        total=medium.strong(facts.amounts.with_unit(data.grand_total)),
        aggregates=medium.plural(data.n_aggregates, "{n} aggregate", "{n} aggregates"),
        keys=medium.names([" × ".join(columns.aggregate)]),
    )
    wanted = text(
        "Wanted: the part of each of {entities} ({key}).",
        entities=medium.strong(
            medium.plural(len(facts.entities), "{n} entity", "{n} entities"),
        ),
        key=medium.name(columns.entity),
    )
    hidden = text(
        "Who earned what inside a total was never observed. It has to be inferred from how the "
        "totals vary with the known exposure ({exposure}).",
        exposure=medium.name(columns.exposure),
    )
    sharing = medium.plain(describe_sharing(facts.sharing, language=medium.language))
    return observed, wanted, hidden, sharing


def _by_exposure(facts: Facts, medium: Medium) -> str:
    rule = medium.text(
        "A split by exposure gives every entity the same rate. It is right only if all of them "
        "work equally well, which is what one wants to find out."
    )
    moved = facts.moved.get("proportional_amount")
    if not facts.usable or moved is None:
        return rule
    here = medium.text(
        "In this run it credits {moved} ({part} of the total) to other entities than the model "
        "does.",
        moved=facts.amounts.with_unit(moved),
        part=medium.language.percent(moved / facts.run.manifest.data.grand_total),
    )
    return medium.sentences(rule, here)


def _by_em(facts: Facts, medium: Medium) -> str:
    rule = medium.text(
        "EM, the usual alternative, takes the rates that fit the totals best, noise included, and "
        "does not say how sure they are."
    )
    em = facts.run.manifest.baselines.em
    if em is None or not em.n_zero:
        return rule
    here = medium.plural(
        em.n_zero,
        "In this run it gives nothing at all to {n} of {all} entities, although it had exposure.",
        "In this run it gives nothing at all to {n} of {all} entities, although they had exposure.",
        all=medium.language.number(facts.run.manifest.data.n_entities),
    )
    return medium.sentences(rule, here)


def _by_model(facts: Facts, medium: Medium) -> str:
    run = facts.run
    _, pooling, *_ = describe_model(
        run.spec, run.manifest.model_variables, language=medium.language
    )
    if not facts.usable:
        return medium.plain(pooling)
    how_sure = medium.text("Every amount comes with an interval that says how sure it is.")
    return medium.sentences(medium.plain(pooling), how_sure)
