"""Lift tests beside what was foretold of them, and the entities whose split they inform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bayes_attrib.inference.lift_findings import INFORMED, informed_entities, judged_tests
from bayes_attrib.inference.lift_reference import LiftReference
from bayes_attrib.inference.lift_summary import SMALL_P, Foretold, JudgedTest, adjusted
from bayes_attrib.model.identification import indistinguishable_entities
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import MISSING, Language
from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.run_folder import RunFolder

MOST_NAMED: Final = 20
"""Entities that are informed, and sets that cannot be told apart, of which so many are named."""


@dataclass(frozen=True, slots=True)
class LiftRow:
    """One test, in words.

    Attributes
    ----------
    name, subject, window : str
        What it is called, what was switched off, and when.
    measured, error : str
        Increment and standard error.
    expected, interval : str
        What the model foretold without any test; a dash where that is not known.
    distance, tail : str
        Measured less foretold in sds, and the tail probability.
    others : str
        Tail probability given the other tests.
    after : str
        Increment after the fit.
    conflicts : bool
        Whether what was measured contradicts what was foretold.
    """

    name: str
    subject: str
    window: str
    measured: str
    error: str
    expected: str
    interval: str
    distance: str
    tail: str
    others: str
    after: str
    conflicts: bool


@dataclass(frozen=True, slots=True)
class LiftSection:
    """The section about lift tests.

    Attributes
    ----------
    rows : tuple of LiftRow
        One for each test.
    informed : tuple of (str, str)
        Entities whose split is informed, with the part of the sd of the share that is gone.
    n_informed : int
        How many there are.
    limit : str
        Part of the sd from which an entity is named.
    how : str
        How that was found: ``"weights"``, ``"refit"`` or ``"none"``.
    has_others : bool
        Whether there is more than one.
    alike : tuple of str
        Sets of entities that neither exposures nor tests tell apart.
    """

    rows: tuple[LiftRow, ...]
    informed: tuple[tuple[str, str], ...]
    n_informed: int
    limit: str
    how: str
    has_others: bool
    alike: tuple[str, ...]


def lay_out_lift_tests(
    run: RunFolder, draws: PageDraws, amounts: AmountFormat
) -> LiftSection | None:
    """Lay out the section.

    Parameters
    ----------
    run : RunFolder
        The run.
    draws : PageDraws
        Its draws.
    amounts : AmountFormat
        How amounts are written.

    Returns
    -------
    LiftSection or None
        None where the fit took no lift tests in.
    """
    fit, data = draws.source.fit, draws.source.data
    reference, judged = LiftReference.of(fit), judged_tests(fit, data, run.spec)
    if reference is None or not judged:
        return None
    language = amounts.language
    conflicts = _conflicts([j.by_model for j in judged])
    disagrees = _conflicts([j.by_others for j in judged])
    found = informed_entities(data, reference.informed)
    return LiftSection(
        rows=tuple(
            _row(j, amounts, conflicts=one or other)
            for j, one, other in zip(judged, conflicts, disagrees, strict=True)
        ),
        informed=tuple(
            (printable(name), language.percent(part, 0)) for name, part in found[:MOST_NAMED]
        ),
        n_informed=len(found),
        limit=language.percent(INFORMED, 0),
        how=reference.how,
        has_others=len(judged) > 1,
        alike=tuple(
            ", ".join(map(printable, entities))
            for entities in indistinguishable_entities(data)[:MOST_NAMED]
        ),
    )


def _conflicts(foretold: list[Foretold | None]) -> list[bool]:
    """Which of the tests are in conflict, by the rule of the checks."""
    known = iter(adjusted([f.tail for f in foretold if f is not None]))
    return [f is not None and next(known) < SMALL_P for f in foretold]


def _row(judged: JudgedTest, amounts: AmountFormat, *, conflicts: bool) -> LiftRow:
    language, test = amounts.language, judged.test
    foretold, others = judged.by_model, judged.by_others
    window = test.first if test.first == test.last else f"{test.first} – {test.last}"
    return LiftRow(
        name=printable(test.name),
        subject=printable(test.subject),
        window=printable(window),
        measured=amounts.mean(test.increment),
        error=amounts.mean(test.standard_error),
        expected=MISSING if foretold is None else amounts.mean(foretold.mean),
        interval=MISSING if foretold is None else amounts.bounds(foretold.lower, foretold.upper),
        distance=MISSING if foretold is None else _signed(language, foretold.z),
        tail=MISSING if foretold is None else _tail(language, foretold.tail),
        others=MISSING if others is None else _tail(language, others.tail),
        after=amounts.mean(judged.mean),
        conflicts=conflicts,
    )


def _signed(language: Language, value: float) -> str:
    sign = "+" if value > 0 else ""
    return sign + language.number(value, 1)


def _tail(language: Language, probability: float) -> str:
    smallest = 0.001
    if probability < smallest:
        return "< " + language.number(smallest, 3)
    return language.number(probability, 3)
