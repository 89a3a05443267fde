"""Short ways to write questions and answers."""

from __future__ import annotations

from bayes_attrib.report.brief.blocks import Answer, Question, Source


def question(title: str, *answers: Answer | None) -> Question:
    """Return a question with the answers that there are."""
    return Question(title, tuple(answer for answer in answers if answer is not None))


def from_run(text: str) -> Answer | None:
    """Return an answer that is read from the run; None where the run says nothing."""
    return Answer(Source.RUN, text) if text else None


def in_general(text: str) -> Answer:
    """Return an answer that holds for every run."""
    return Answer(Source.GENERAL, text)
