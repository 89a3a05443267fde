"""Parameters above the entities, each with its prior beside its posterior on one axis."""

from __future__ import annotations

from dataclasses import dataclass

from bayes_attrib.report.language import Language
from bayes_attrib.report.page.intervals import significant_interval
from bayes_attrib.report.page.prior_interval import central_interval
from bayes_attrib.report.page.scale import Scale
from bayes_attrib.report.parameters import ParameterSummary
from bayes_attrib.report.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter.

    Attributes
    ----------
    name, meaning, prior : str
        Name, meaning in words, and prior in words.
    mean, interval, prior_interval : str
        Posterior mean and interval, and the central interval of the prior; the last is empty where
        the prior depends on other parameters.
    at : dict of str to float
        Positions of ``mean``, ``lower``, ``upper``, ``prior_lower``, ``prior_upper`` in percent of
        an axis of the row's own; empty without a prior interval.
    description : str
        In words.
    """

    name: str
    meaning: str
    prior: str
    mean: str
    interval: str
    prior_interval: str
    at: dict[str, float]
    description: str


def lay_out_parameters(
    run: RunFolder, summaries: tuple[ParameterSummary, ...], language: Language
) -> tuple[ParameterRow, ...]:
    """Lay out the parameters.

    Parameters
    ----------
    run : RunFolder
        Gives priors, and the probability of intervals.
    summaries : tuple of ParameterSummary
        Posteriors.
    language : Language
        Language of the reader.

    Returns
    -------
    tuple of ParameterRow
        In the order given.
    """
    return tuple(_row(run, summary, language) for summary in summaries)


def _row(run: RunFolder, summary: ParameterSummary, language: Language) -> ParameterRow:
    mean = language.significant(summary.mean)
    interval = significant_interval(language, summary.lower, summary.upper)
    prior = run.manifest.priors.get(summary.name)
    at: dict[str, float] = {}
    before = words = ""
    if prior is not None:
        lower, upper = central_interval(prior, run.spec.report.interval.prob)
        scale = Scale(min(lower, summary.lower), max(upper, summary.upper))
        at = {
            "mean": scale.at(summary.mean),
            "lower": scale.at(summary.lower),
            "upper": scale.at(summary.upper),
            "prior_lower": scale.at(lower),
            "prior_upper": scale.at(upper),
        }
        before = significant_interval(language, lower, upper)
        words = language.text(
            "{name}: before the data {prior}, after them {posterior}",
            name=summary.name,
            prior=before,
            posterior=interval,
        )
    return ParameterRow(
        summary.name, summary.meaning, summary.prior, mean, interval, before, at, words
    )
