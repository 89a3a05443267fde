"""A change between two runs in the sentences of a month-end restatement."""

from __future__ import annotations

from bayes_attrib import names
from bayes_attrib.report.language import Language
from bayes_attrib.report.run_diff.movement import Movement, TotalsChange
from bayes_attrib.report.run_folder import RunFolder


def restatement(
    old: RunFolder, new: RunFolder, movement: Movement, language: Language
) -> list[str]:
    """Say in a few sentences what changed.

    Parameters
    ----------
    old, new : RunFolder
        The runs.
    movement : Movement
        What moved between them.
    language : Language
        Of the sentences.

    Returns
    -------
    list of str
        Sentences; the first is about the total.
    """
    before, after = old.manifest.data.grand_total, new.manifest.data.grand_total
    values = {"old": language.significant(before, 8), "new": language.significant(after, 8)}
    sentences = [
        language.text("The total is unchanged at {new}.", **values)
        if before == after
        else language.text(
            "The total went from {old} to {new} ({change}).",
            **values,
            change=_signed(after - before, language),
        )
    ]
    if movement.totals is not None:
        sentences += _totals(movement.totals, language)
    levels = movement.table["level"].unique()
    level = names.ENTITY if names.ENTITY in levels else str(levels[0])
    sentences += _shares(movement, level, language)
    sentences += [
        language.text(
            "The fit of {run} did not converge, so its numbers cannot be compared in earnest.",
            run=str(run.path),
        )
        for run in (old, new)
        if run.diagnostics.verdict == "not_converged"
    ]
    return sentences


def _totals(change: TotalsChange, language: Language) -> list[str]:
    found: list[str] = []
    if change.n_added:
        found.append(
            language.plural(
                change.n_added,
                "{n} aggregate is new and adds {sum}.",
                "{n} aggregates are new and add {sum}.",
                sum=language.significant(change.added, 8),
            )
        )
    if change.n_removed:
        found.append(
            language.plural(
                change.n_removed,
                "{n} aggregate is gone and takes {sum} away.",
                "{n} aggregates are gone and take {sum} away.",
                sum=language.significant(change.removed, 8),
            )
        )
    if change.n_changed:
        found.append(
            language.plural(
                change.n_changed,
                "The total of {n} aggregate was restated: {up} up, {down} down.",
                "The totals of {n} aggregates were restated: {up} up, {down} down.",
                up=language.significant(change.increase, 8),
                down=language.significant(change.decrease, 8),
            )
        )
    return found


def _shares(movement: Movement, level: str, language: Language) -> list[str]:
    summary = movement.summary(level)
    found = [
        language.text(
            "{part} of the whole is credited to another {what} than before.",
            part=language.percent(summary["total_variation"], 2),
            what=language.text("entity") if level == names.ENTITY else level,
        ),
        language.text(
            "Outside their earlier interval: {moved} of {n} shares, {amounts} of {n} amounts.",
            moved=language.number(summary["n_share_beyond_interval"]),
            amounts=language.number(summary["n_amount_beyond_interval"]),
            n=language.number(summary["n_both"]),
        ),
    ]
    if summary["n_added"] or summary["n_removed"]:
        found.append(
            language.text(
                "{added} came in and {removed} went out.",
                added=language.number(summary["n_added"]),
                removed=language.number(summary["n_removed"]),
            )
        )
    return found


def _signed(value: float, language: Language) -> str:
    return ("+" if value > 0 else "") + language.significant(value, 8)
