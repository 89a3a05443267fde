"""What finance asks: sums, certainty, changes, audit."""

from __future__ import annotations

import numpy as np

from bayes_attrib import names
from bayes_attrib.report.brief.answers import from_run, in_general, question
from bayes_attrib.report.brief.blocks import Audience, Question
from bayes_attrib.report.brief.facts import Facts
from bayes_attrib.report.brief.guarantees import sums_sentence
from bayes_attrib.report.brief.medium import Medium

_HASH_DIGITS = 12


def finance_questions(facts: Facts, medium: Medium) -> Audience:
    """Answer what finance asks.

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
        medium.text("Finance"),
        (
            _sales(facts, medium),
            _how_sure(facts, medium),
            _since_last_month(medium),
            _audit(facts, medium),
        ),
    )


def _sales(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    excluded = facts.sums.total_excluded
    repairs = (
        text(
            "Repairs that were asked for took {excluded} out of the input before the split; it is "
            "attributed to nobody.",
            excluded=facts.amounts.with_unit(excluded),
        )
        if excluded
        else text("No part of the totals was left out before the split.")
    )
    return question(
        text("Does this create or destroy sales?"),
        from_run(medium.sentences(sums_sentence(facts, medium), repairs)),
        in_general(
            text(
                "No. The totals go in and the same totals come out; only their parts are new. The "
                "larger the part of one entity, the smaller that of the others."
            )
        ),
    )


def _how_sure(facts: Facts, medium: Medium) -> Question:
    text = medium.text
    return question(
        text("How sure are these numbers?"),
        from_run(_typical_width(facts, medium)),
        in_general(
            text(
                "Read the interval, not the mean. It holds the uncertainty of the rates and of the "
                "split, and assumes that the model is right. Larger groups are surer than single "
                "entities."
            )
        ),
    )


def _typical_width(facts: Facts, medium: Medium) -> str:
    if not facts.usable:
        return medium.text(
            "Not at all: the computation did not converge, and no number of it is to be used."
        )
    rows = facts.entities[facts.entities["amount_mean"] > 0]
    if rows.empty:
        return ""
    width = (rows["amount_upper"] - rows["amount_lower"]) / rows["amount_mean"]
    return medium.text(
        "For half of the entities, the interval is at least {width} times as wide as the amount "
        "is large.",
        width=medium.language.number(float(np.median(width)), 1),
    )


def _since_last_month(medium: Medium) -> Question:
    return question(
        medium.text("What changed since last month?"),
        in_general(
            medium.text(
                "One run cannot tell. {command} compares two finished runs: what changed in the "
                "inputs, the spec and the totals, and which amounts now lie outside their earlier "
                "interval.",
                command=medium.code("bayes-attrib diff OLD NEW"),
            )
        ),
    )


def _audit(facts: Facts, medium: Medium) -> Question:
    manifest, text = facts.run.manifest, medium.text
    inputs = [f"{record.name} {record.sha256[:_HASH_DIGITS]}" for record in manifest.inputs]
    kept = ("bayes-attrib", "bayes_attrib", "python", "pymc", "nutpie", "numpy")
    versions = [f"{name} {manifest.versions[name]}" for name in kept if name in manifest.versions]
    recorded = text(
        "Yes. Inputs by their SHA-256: {inputs}. Digest of the spec: {digest}. Method {method}, "
        "seed {seed}.",
        inputs=medium.names(inputs),
        digest=medium.code(manifest.spec_digest[:_HASH_DIGITS]),
        method=medium.name(manifest.method),
        seed=str(manifest.seed),
    )
    made_with = text("Made with {versions}.", versions=medium.names(versions)) if versions else ""
    return question(
        text("Can we audit it?"),
        from_run(medium.sentences(recorded, made_with)),
        in_general(
            text(
                "{command} checks that the files of a run belong together and that their sums tie "
                "out. {manifest} has the full hashes and versions, {cells} every aggregate and "
                "entity.",
                command=medium.code("bayes-attrib verify RUN"),
                manifest=medium.code(names.MANIFEST_FILE),
                cells=medium.code(names.CELLS_FILE),
            )
        ),
    )
