"""The sections of the page, in their order."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_attrib.report.language import Language


@dataclass(frozen=True, slots=True)
class Contents:
    """Which of the sections that not every run has are there."""

    rollups: bool
    shrinkage: bool
    comparison: bool
    time: bool
    information: bool
    variance: bool
    lift_tests: bool
    truth: bool
    journeys: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its id, which is also the name of its template, its title, and its short title."""

    id: str
    title: str
    short: str


def list_sections(contents: Contents, language: Language) -> tuple[Section, ...]:
    """List the sections of a page.

    Parameters
    ----------
    contents : Contents
        What the run has.
    language : Language
        Language of the titles.

    Returns
    -------
    tuple of Section
        In the order of the page.
    """
    text = language.text
    every = (
        (True, "who", text("Who earned what"), text("Who earned what")),
        (contents.rollups, "rollups", text("By group"), text("By group")),
        (contents.shrinkage, "shrinkage", text("What pooling changed"), text("Pooling")),
        (
            contents.comparison,
            "comparison",
            text("Who is more productive than whom?"),
            text("Compare two"),
        ),
        (contents.time, "time", text("Over time"), text("Over time")),
        (True, "inside", text("Inside one aggregate"), text("Inside one aggregate")),
        (
            contents.variance,
            "variance",
            text("Where the uncertainty comes from"),
            text("Uncertainty"),
        ),
        (
            contents.information,
            "information",
            text("What the data can and cannot tell apart"),
            text("Information"),
        ),
        (
            contents.lift_tests,
            "lift_tests",
            text("What experiments say"),
            text("Experiments"),
        ),
        (
            contents.journeys,
            "journeys",
            text("Heuristics of journeys beside the posterior"),
            text("Journeys"),
        ),
        (contents.truth, "truth", text("Against the truth"), text("Against the truth")),
        (True, "sums", text("Do the totals add up?"), text("Do the totals add up?")),
        (True, "fit", text("Can the fit be trusted?"), text("Can the fit be trusted?")),
        (True, "limits", text("What is causal, and what is model-based"), text("What is claimed")),
        (True, "data", text("Data, repairs and findings"), text("Data")),
        (True, "made", text("How it was made"), text("How it was made")),
    )
    return tuple(Section(id_, title, short) for is_there, id_, title, short in every if is_there)
