"""Second slide: who earned what, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator

from bayes_attrib.report.accuracy import score_level
from bayes_attrib.report.brief.blocks import Points, Slide
from bayes_attrib.report.brief.facts import EQUAL, SURE, Facts
from bayes_attrib.report.brief.medium import Medium
from bayes_attrib.report.brief.tables import entity_table, rollup_tables
from bayes_attrib.report.narrative import describe_verdict, interval_words


def allocation_slide(facts: Facts, medium: Medium) -> Slide:
    """Say who earned what; of a fit that did not converge, only that it is not known.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.

    Returns
    -------
    Slide
        A list and tables; of a fit that did not converge, neither amounts nor an order.
    """
    title = medium.text("2. The allocation, and how sure it is")
    if not facts.usable:
        return Slide(title, (Points(_withheld(facts, medium)),))
    sentences = tuple(_sentences(facts, medium))
    tables = (entity_table(facts, medium), *rollup_tables(facts, medium))
    return Slide(title, (Points(sentences),), tables)


def _withheld(facts: Facts, medium: Medium) -> tuple[str, ...]:
    remedies = describe_verdict(facts.run, language=medium.language).remedies
    return (
        medium.text(
            "The computation did not converge, so there is no allocation to show. Amounts, "
            "intervals and ranks are left out of this summary on purpose."
        ),
        medium.text(
            "What to do: {remedies}", remedies=medium.sentences(*map(medium.plain, remedies))
        ),
    )


def _sentences(facts: Facts, medium: Medium) -> Iterator[str]:
    yield _largest(facts, medium)
    if facts.pairs is not None and facts.pairs.n_entities > 1:
        yield told_apart(facts, medium)
    yield from moved_sentences(facts, medium)
    if facts.unattributed is not None:
        yield _unattributed(facts, medium)
    yield from _against_truth(facts, medium)


def _largest(facts: Facts, medium: Medium) -> str:
    run, amounts = facts.run, facts.amounts
    first = facts.entities.iloc[0]
    largest = medium.text(
        "The largest amount is that of {key} {name}: {amount}, or {share} of the total; "
        "{interval_words}: {interval}.",
        key=medium.name(run.spec.columns.entity),
        name=medium.strong(medium.name(str(first["name"]))),
        amount=medium.strong(amounts.with_unit(first["amount_shown"])),
        share=medium.strong(medium.language.percent(first["share_shown"], amounts.share_decimals)),
        interval_words=interval_words(run.spec.report.interval, language=medium.language),
        interval=amounts.bounds(first["amount_lower"], first["amount_upper"]),
    )
    if facts.pairs is None or len(facts.entities) < 2:
        return largest
    chance = medium.text(
        "The probability that it is the largest of all is {chance}.",
        chance=_chance(facts.pairs.first_probability, medium),
    )
    return medium.sentences(largest, chance)


def told_apart(facts: Facts, medium: Medium) -> str:
    """Say how many pairs of the largest entities can be told apart by their amounts.

    Parameters
    ----------
    facts : Facts
        What is known of the run, with counts of pairs.
    medium : Medium
        Writes sentences.
    """
    pairs, language = facts.pairs, medium.language
    if pairs is None:
        return ""
    count = medium.plural(
        pairs.told_apart + pairs.equal + pairs.unclear,
        "Of {n} pair among the {k} largest, {apart} can be told apart (probability of at least "
        "{prob} that one amount is the larger), {equal} count as equal (within {width}), and "
        "{unclear} cannot be told apart by these data.",
        "Of {n} pairs among the {k} largest, {apart} can be told apart (probability of at least "
        "{prob} that one amount is the larger), {equal} count as equal (within {width}), and "
        "{unclear} cannot be told apart by these data.",
        k=language.number(pairs.n_entities),
        apart=medium.strong(language.number(pairs.told_apart)),
        equal=language.number(pairs.equal),
        unclear=medium.strong(language.number(pairs.unclear)),
        prob=language.percent(SURE, 0),
        width=language.percent(EQUAL.width, 0),
    )
    if not pairs.unclear:
        return count
    order = medium.text("Their order in the table is not to be read as a ranking.")
    return medium.sentences(count, order)


def moved_sentences(facts: Facts, medium: Medium) -> Iterator[str]:
    """Yield how much the model credits to others than the simple splits do.

    Parameters
    ----------
    facts : Facts
        What is known of the run.
    medium : Medium
        Writes sentences.

    Yields
    ------
    str
        One sentence for each split that the run has.
    """
    total = facts.run.manifest.data.grand_total
    for column, moved in facts.moved.items():
        values = {
            "moved": medium.strong(facts.amounts.with_unit(moved)),
            "part": medium.language.percent(moved / total),
        }
        if column == "em_amount":
            yield medium.text(
                "Compared with EM, the model moves {moved} ({part} of the total) to other "
                "entities.",
                **values,
            )
        else:
            yield medium.text(
                "Compared with a split by exposure, the model moves {moved} ({part} of the total) "
                "to other entities.",
                **values,
            )


def _unattributed(facts: Facts, medium: Medium) -> str:
    row, amounts = facts.unattributed, facts.amounts
    if row is None:
        return ""
    return medium.text(
        "{amount} ({share} of the total; {interval}) is explained by no exposure and stands under "
        "{name}: it is nobody's credit.",
        amount=medium.strong(amounts.with_unit(row["amount_shown"])),
        share=medium.language.percent(row["share_shown"], amounts.share_decimals),
        interval=amounts.bounds(row["amount_lower"], row["amount_upper"]),
        name=medium.name(str(row["name"])),
    )


def _against_truth(facts: Facts, medium: Medium) -> Iterator[str]:
    errors = score_level(facts.run.entities, language=medium.language)
    if not errors:
        return
    posterior, em, proportional = (
        medium.language.percent(error.total_variation) for error in errors
    )
    yield medium.text(
        "The truth is known here, and was not used for the fit: the model credits {posterior} of "
        "the total wrongly, EM {em}, the split by exposure {proportional}.",
        posterior=medium.strong(posterior),
        em=em,
        proportional=proportional,
    )


def _chance(probability: float, medium: Medium) -> str:
    """Write a probability from draws: never quite 0 or 100 percent."""
    percent = medium.language.percent
    if probability > 0.99:
        return medium.text("over {value}", value=percent(0.99, 0))
    if probability < 0.01:
        return medium.text("under {value}", value=percent(0.01, 0))
    return percent(probability, 0)
