"""The sections that need draws, made together so that the page holds all of them or none."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bayes_attrib.report.numbers import AmountFormat
from bayes_attrib.report.page.comparison import Comparison, compare
from bayes_attrib.report.page.draws import PageDraws
from bayes_attrib.report.page.information import (
    InformationHistogram,
    information_of,
    lay_out_information,
)
from bayes_attrib.report.page.lift_tests import LiftSection, lay_out_lift_tests
from bayes_attrib.report.page.predictive import PredictiveCheck, check_totals
from bayes_attrib.report.page.series import Series, lay_out_series
from bayes_attrib.report.run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class DrawnSections:
    """What draws give.

    Attributes
    ----------
    redrawn : bool
        Whether the run could be drawn again; if not, all else is None.
    is_thinned : bool
        Whether not all draws were used.
    n_draws : int
        Draws that were used.
    comparison, series, information, predictive, lift_tests : object or None
        The sections, as far as the run has them.
    information_by_name : Series or None
        Information fraction by name of the entity.
    """

    redrawn: bool
    is_thinned: bool = False
    n_draws: int = 0
    comparison: Comparison | None = None
    series: Series | None = None
    information: InformationHistogram | None = None
    predictive: PredictiveCheck | None = None
    lift_tests: LiftSection | None = None
    information_by_name: pd.Series | None = None


def draw_sections(run: RunFolder, draws: PageDraws | None, amounts: AmountFormat) -> DrawnSections:
    """Make the sections that need draws.

    Parameters
    ----------
    run : RunFolder
        The run.
    draws : PageDraws or None
        None where the run cannot be drawn again.
    amounts : AmountFormat
        How amounts are written.

    Returns
    -------
    DrawnSections
        The sections.
    """
    if draws is None:
        return DrawnSections(redrawn=False)
    information = information_of(run, draws)
    return DrawnSections(
        redrawn=True,
        is_thinned=draws.step > 1,
        n_draws=draws.n_draws,
        comparison=compare(run, draws, amounts),
        series=lay_out_series(draws, amounts),
        information=None
        if information is None
        else lay_out_information(information, amounts.language),
        predictive=check_totals(run, draws, amounts) if run.spec.likelihood.informs_rates else None,
        lift_tests=lay_out_lift_tests(run, draws, amounts),
        information_by_name=information,
    )
