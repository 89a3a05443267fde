"""What the data can and cannot tell apart: the information fraction of every entity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.inference.information import LITTLE, information_fraction
from bayes_attrib.report.labels import printable
from bayes_attrib.report.language import Language
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.run_folder import RunFolder

_BINS: Final = 10
MOST_NAMED: Final = 10
"""Entities about which the data say little that are named; the table tells of all."""


@dataclass(frozen=True, slots=True)
class InformationBin:
    """Entities whose fraction lies in one tenth: its label, their number, height in percent."""

    label: str
    count: str
    height: float


@dataclass(frozen=True, slots=True)
class InformationHistogram:
    """Distribution of the information fractions.

    Attributes
    ----------
    bins : tuple of InformationBin
        Tenths from 0 to 100%.
    median : str
        Median fraction.
    n_little, n : int
        Entities below :data:`LITTLE`, and all.
    little : str
        That limit, as a percentage.
    named : tuple of str
        Some entities below the limit, least information first.
    """

    bins: tuple[InformationBin, ...]
    median: str
    n_little: int
    n: int
    little: str
    named: tuple[str, ...]


def information_of(run: RunFolder, draws: PageDraws) -> pd.Series | None:
    """Return the information fraction by name of the entity.

    Parameters
    ----------
    run : RunFolder
        The run.
    draws : PageDraws
        Its draws.

    Returns
    -------
    Series or None
        None for a model of the user's own, whose priors are not known here, and for a run that
        was rolled forward, whose totals have told the rates nothing.
    """
    if run.manifest.model_variables or run.manifest.rolled_forward is not None:
        return None
    data = draws.data
    fraction = information_fraction(draws.source.fit, data, run.spec)
    return pd.Series(fraction, index=data.entity_names[: data.n_attributable].astype(str))


def lay_out_information(information: pd.Series, language: Language) -> InformationHistogram:
    """Lay out the histogram.

    Parameters
    ----------
    information : Series
        Fraction by name, between 0 and 1.
    language : Language
        Language of the labels.

    Returns
    -------
    InformationHistogram
        Counts and words.
    """
    values = information.to_numpy(dtype=np.float64)
    counts, edges = np.histogram(values, bins=_BINS, range=(0.0, 1.0))
    highest = max(1, int(counts.max()))
    bins = tuple(
        InformationBin(
            f"{round(100 * low)}–{language.percent(high, 0)}",
            language.number(count),
            round(100 * count / highest, 2),
        )
        for low, high, count in zip(
            edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True
        )
    )
    little = information[information < LITTLE].sort_values(kind="stable")
    return InformationHistogram(
        bins,
        language.percent(float(np.median(values)), 0),
        len(little),
        len(values),
        language.percent(LITTLE, 0),
        tuple(printable(str(name)) for name in little.index[:MOST_NAMED]),
    )
