"""What a reader must know of a run that was rolled forward: no fit, and whether it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import ENGLISH, Language, message
from bayes_attrib.report.records import RollReason
from bayes_attrib.report.run_folder import RunFolder

_HEADLINES: Final = {
    "ok": message("The fit still serves for these totals."),
    "warn": message("The fit serves for these totals, with a warning."),
    "refit": message("Fit again: these totals say that the fit no longer serves."),
}
_CLASSES: Final = {"ok": "ok", "warn": "warn", "refit": "not_converged"}


@dataclass(frozen=True, slots=True)
class RolledText:
    """Sentences about a run that was rolled forward.

    Attributes
    ----------
    origin : str
        Which fit allocated the totals, and that it has learned nothing from them.
    headline : str
        Whether it still serves.
    style : str
        Class of the box that says so.
    reasons : tuple of RollReason
        What was looked at, in English.
    """

    origin: str
    headline: str
    style: str
    reasons: tuple[RollReason, ...]


def describe_rolled(run: RunFolder, language: Language = ENGLISH) -> RolledText | None:
    """Say by which fit the totals of a run were allocated, and whether it still serves.

    Parameters
    ----------
    run : RunFolder
        The run.
    language : Language
        Language of the reader.

    Returns
    -------
    RolledText or None
        None for a run that was fitted.
    """
    record = run.manifest.rolled_forward
    if record is None:
        return None
    origin = language.text(
        "Allocated by the fit of {name} ({folder}, of {moment}) without refitting: its rates are "
        "those of {n} earlier aggregates, and have learned nothing from the totals here.",
        name=printable(record.name),
        folder=printable(record.folder),
        moment=language.moment(record.fit_ended),
        n=language.number(record.n_aggregates_fitted),
    )
    headline = language.text(_HEADLINES[record.drift])
    return RolledText(origin, headline, _CLASSES[record.drift], record.reasons)
