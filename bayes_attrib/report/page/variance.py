"""Where the uncertainty of each amount comes from: the totals, the rates, allocation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib import names
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language, message
from bayes_attrib.report.numbers import AmountFormat, round_to_sum
from bayes_attrib.report.run_folder import RunFolder
from bayes_attrib.spec import ModelSpec

MOST_ROWS: Final = 40
"""Rows of a level on the page; variance_split.csv has all."""

_PARTS: Final = ("variance_from_totals", "variance_from_rates", "variance_from_allocation")


@dataclass(frozen=True, slots=True)
class VarianceRow:
    """An amount: its name, mean and sd, and the parts of its variance in words and in percent."""

    name: str
    mean: str
    sd: str
    parts: tuple[str, str, str]
    widths: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class VarianceLevel:
    """The largest amounts of a level.

    Attributes
    ----------
    level : str
        Key column of the entities, or a grouping column.
    rows : tuple of VarianceRow
        Largest first.
    n_more : int
        Rows that are only in the file.
    """

    level: str
    rows: tuple[VarianceRow, ...]
    n_more: int


@dataclass(frozen=True, slots=True)
class VarianceSplit:
    """The section.

    Attributes
    ----------
    treatment : str
        What was done about the uncertainty of the totals, in a sentence or two.
    status : str
        What the totals and the split are evidence of.
    levels : tuple of VarianceLevel
        Roll-ups first, then entities.
    """

    treatment: str
    status: str
    levels: tuple[VarianceLevel, ...]


def lay_out_variance(run: RunFolder, amounts: AmountFormat) -> VarianceSplit | None:
    """Lay out the parts of the variance of every amount.

    Parameters
    ----------
    run : RunFolder
        The run.
    amounts : AmountFormat
        How amounts are written.

    Returns
    -------
    VarianceSplit or None
        None where the spec says nothing about the uncertainty of the totals.
    """
    file = run.path / names.VARIANCE_FILE
    if run.spec.totals is None or not file.is_file():
        return None
    table = pd.read_csv(file, dtype={"level": str, "name": str}, keep_default_na=False)
    language = amounts.language
    levels = tuple(_level(run, table, level, amounts) for level in (*run.levels, names.ENTITY))
    return VarianceSplit(
        describe_treatment(run.spec, language=language), describe_status(language=language), levels
    )


def describe_treatment(spec: ModelSpec, *, language: Language) -> str:
    """Say how the uncertainty of the totals was treated.

    Parameters
    ----------
    spec : ModelSpec
        The spec.
    language : Language
        Language of the reader.

    Returns
    -------
    str
        A sentence or two.
    """
    n_draws = 0 if spec.totals is None else spec.totals.draws
    treatment: str = spec.total_uncertainty
    if treatment == "paired" and not spec.likelihood.informs_rates:
        treatment = "paired, given"
    return language.text(_TREATMENTS[treatment], n=language.number(n_draws))


def describe_status(*, language: Language) -> str:
    """Say what the totals and the split are evidence of, where totals are estimates."""
    return language.text(
        "A total is as causal as the mix model that estimated it. The split below it is "
        "model-based, unless a lift test informs it."
    )


_TREATMENTS: Final[Mapping[str, str]] = {
    "paired, given": message(
        "The totals are estimates, and say nothing about rates. Each draw splits one draw of all "
        "totals together, so intervals hold the uncertainty of the totals."
    ),
    "plugin": message(
        "The totals were taken as known. All intervals are conditional on them, and say nothing "
        "about how certain the totals are."
    ),
    "paired": message(
        "The totals are estimates. Rates were inferred from the totals as they are, and each draw "
        "splits one draw of all totals together, so intervals hold the uncertainty of the totals. "
        "What other totals would have taught about the rates is left out."
    ),
    "cut": message(
        "The totals are estimates. Rates were inferred anew from each of {n} draws of all totals, "
        "and split that draw, so intervals hold the uncertainty of the totals and what it does to "
        "the rates. Nothing flows back: the split does not correct the totals."
    ),
}


def _level(run: RunFolder, table: pd.DataFrame, level: str, amounts: AmountFormat) -> VarianceLevel:
    rows = run.level(level)
    parts = table[table["level"] == level].set_index("name").reindex(rows["name"].astype(str))
    shown = rows.head(MOST_ROWS)
    found = tuple(
        _row(str(name), mean, parts.iloc[i], amounts)
        for i, (name, mean) in enumerate(zip(shown["name"], shown["amount_mean"], strict=True))
    )
    key = run.spec.columns.entity if level == names.ENTITY else level
    return VarianceLevel(key, found, len(rows) - len(found))


def _row(name: str, mean: float, parts: pd.Series, amounts: AmountFormat) -> VarianceRow:
    fractions = _fractions(parts)
    first, second, third = (amounts.language.percent(value / 100, 0) for value in fractions)
    a, b, c = (float(value) for value in fractions)
    return VarianceRow(
        printable(name),
        amounts.mean(mean),
        amounts.mean(float(np.sqrt(parts["variance"]))),
        (first, second, third),
        (a, b, c),
    )


def _fractions(parts: pd.Series) -> FloatArray:
    """Return the parts in whole percent, which add up to 100, or all zero without variance."""
    variance = float(parts["variance"])
    if not variance > 0:
        return np.zeros(len(_PARTS))
    return round_to_sum(100 * parts[list(_PARTS)].to_numpy(dtype=np.float64) / variance, 0)
