"""How well a mix model predicts what it has not seen: a hold-out, and rolling origins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from bayes_attrib.mmm_fit.accuracy import Accuracy, score, seasonal_naive
from bayes_attrib.mmm_fit.fit import fit_mmm
from bayes_attrib.mmm_fit.predictive import forecast
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries
from bayes_attrib.mmm_fit.verdict import judge

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Window:
    """Periods that a fit does not see.

    Attributes
    ----------
    name : str
        ``holdout`` or ``origin_1`` and so on.
    start, stop : int
        Positions; the fit sees all periods before ``start``.
    """

    name: str
    start: int
    stop: int


def windows(spec: MmmSpec, n_periods: int) -> Iterator[Window]:
    """Yield the windows that a spec asks for.

    Parameters
    ----------
    spec : MmmSpec
        Section ``[validation]``.
    n_periods : int
        Number of periods.

    Yields
    ------
    Window
        Origins step back from the end by one horizon each, so that no period is predicted twice;
        those that leave less than half of the periods to fit are left out.
    """
    chosen = spec.validation
    if chosen.holdout:
        yield Window("holdout", n_periods - max(1, round(chosen.holdout * n_periods)), n_periods)
    for i in range(chosen.origins, 0, -1):
        start = n_periods - i * chosen.horizon
        if start >= n_periods // 2:
            stop = start + chosen.horizon
            yield Window(f"origin_{chosen.origins - i + 1}", start, stop)


def validate(
    spec: MmmSpec,
    series: MmmSeries,
    lift_tests: pd.DataFrame | None = None,
    progress: Progress = lambda _: None,
) -> pd.DataFrame:
    """Refit without the last periods, and score what is predicted of them.

    Parameters
    ----------
    spec : MmmSpec
        Section ``[validation]``.
    series : MmmSeries
        All periods.
    lift_tests : DataFrame, optional
        Experiments, which take part in every fit.
    progress : callable
        Told what begins.

    Returns
    -------
    DataFrame
        Two rows for each window, ``method`` ``mmm`` and ``seasonal_naive``: the fields of
        :class:`Accuracy`, ``first`` and ``last`` period, and the fit's ``verdict``.
    """
    rows = []
    for number, window in enumerate(windows(spec, series.n_periods), start=1):
        progress(f"{window.name}: fitting the periods before {series.dates[window.start]:%Y-%m-%d}")
        rows += _score_window(spec, series, lift_tests, window, number)
    return pd.DataFrame(rows)


def _score_window(
    spec: MmmSpec,
    series: MmmSeries,
    lift_tests: pd.DataFrame | None,
    window: Window,
    number: int,
) -> list[dict[str, object]]:
    seen, ahead = series.window(0, window.start), series.window(window.start, window.stop)
    fit = fit_mmm(spec, seen, lift_tests, seed=number)
    targets, _, _ = forecast(fit, ahead)
    prob = spec.report.interval.prob
    naive = seasonal_naive(seen.target, ahead.n_periods, spec.validation.season)
    scores = {
        "mmm": (score(ahead.target, targets.mean(axis=0), targets, prob=prob), judge(fit).verdict),
        "seasonal_naive": (score(ahead.target, naive, prob=prob), ""),
    }
    return [
        accuracy_row(window.name, method, ahead, accuracy, verdict)
        for method, (accuracy, verdict) in scores.items()
    ]


def accuracy_row(
    window: str, method: str, series: MmmSeries, accuracy: Accuracy, verdict: str = ""
) -> dict[str, object]:
    """Return one row of the table of accuracies.

    Parameters
    ----------
    window, method : str
        What is predicted, and by what.
    series : MmmSeries
        The periods.
    accuracy : Accuracy
        Its scores.
    verdict : str
        Of the fit that predicts.

    Returns
    -------
    dict
        By column.
    """
    return {
        "window": window,
        "method": method,
        "first": f"{series.dates[0]:%Y-%m-%d}",
        "last": f"{series.dates[-1]:%Y-%m-%d}",
        **asdict(accuracy),
        "verdict": verdict,
    }


def in_sample_row(series: MmmSeries, draws: np.ndarray, prob: float) -> dict[str, object]:
    """Return the row of the fitted periods themselves, which flatters every model."""
    accuracy = score(series.target, draws.mean(axis=0), draws, prob=prob)
    return accuracy_row("in_sample", "mmm", series, accuracy)
