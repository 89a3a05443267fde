"""Everything that a run of a mix model tells, as tables and plain records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_attrib.errors import Finding
from bayes_attrib.inference.diagnostics import Diagnostics
from bayes_attrib.inputs.source import SourceFile
from bayes_attrib.mmm_fit import files
from bayes_attrib.mmm_fit.classical import fit_least_squares, fit_ridge
from bayes_attrib.mmm_fit.classical.table import classical_table
from bayes_attrib.mmm_fit.fit import MmmFit, fit_mmm
from bayes_attrib.mmm_fit.lift_table import read_lift_tests
from bayes_attrib.mmm_fit.predictive import (
    forecast,
    posterior_draws,
    predictive_checks,
    prior_draws,
)
from bayes_attrib.mmm_fit.read_series import read_future, read_series
from bayes_attrib.mmm_fit.residuals import check_residuals, collinearity
from bayes_attrib.mmm_fit.response import response_of
from bayes_attrib.mmm_fit.schema import MmmSpec
from bayes_attrib.mmm_fit.series import MmmSeries
from bayes_attrib.mmm_fit.tables import (
    channel_table,
    component_table,
    curve_table,
    lift_table,
    marginal_table,
    parameter_table,
    prediction_table,
    summary_columns,
)
from bayes_attrib.mmm_fit.validation import in_sample_row, validate
from bayes_attrib.mmm_fit.verdict import judge

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class MmmInputs:
    """What a run reads.

    Attributes
    ----------
    series : MmmSeries
        Past periods.
    lift_tests : DataFrame or None
        Experiments.
    future : MmmSeries or None
        Planned spend.
    findings : tuple of Finding
        Warnings and notes.
    sources : tuple of SourceFile
        Files with their digests.
    """

    series: MmmSeries
    lift_tests: pd.DataFrame | None
    future: MmmSeries | None
    findings: tuple[Finding, ...]
    sources: tuple[SourceFile, ...]


@dataclass(frozen=True, eq=False)
class MmmResults:
    """What a run tells.

    Attributes
    ----------
    fit : MmmFit
        The fitted model.
    tables : dict of str to DataFrame
        By the names of :mod:`bayes_attrib.mmm_fit.files`.
    diagnostics : Diagnostics
        Checks, verdict, and findings about the data.
    summary : dict
        Plain JSON types.
    """

    fit: MmmFit
    tables: dict[str, pd.DataFrame]
    diagnostics: Diagnostics
    summary: dict[str, Any]


def read_inputs(spec: MmmSpec, data: Path, future: Path | None = None) -> MmmInputs:
    """Read and check all tables of a run; nothing is fitted before all of them are right.

    Parameters
    ----------
    spec : MmmSpec
        The model.
    data : Path
        Data folder, or the file of the series.
    future : Path, optional
        Table of planned spend; a data folder's ``future.csv`` is taken by itself.

    Returns
    -------
    MmmInputs
        Ready to be fitted.

    Raises
    ------
    DataError
        If a table is wrong.
    """
    read = read_series(spec, data)
    tests, source = read_lift_tests(spec, data, read.series)
    path = future
    if path is None and data.is_dir() and [*data.glob("future.*")]:
        path = data
    ahead = None if path is None else read_future(spec, path, read.series)
    sources = [read.series.source]
    sources += [source] if source is not None else []
    sources += [ahead.source] if ahead is not None else []
    return MmmInputs(read.series, tests, ahead, read.findings, tuple(sources))


def compute(spec: MmmSpec, inputs: MmmInputs, progress: Progress = lambda _: None) -> MmmResults:
    """Fit a mix model, and tell all that is asked of it.

    Parameters
    ----------
    spec : MmmSpec
        The model.
    inputs : MmmInputs
        The data.
    progress : callable
        Told what begins.

    Returns
    -------
    MmmResults
        Tables, checks and summary.
    """
    series, interval = inputs.series, spec.report.interval
    chains = spec.inference.chains
    progress(
        f"fitting {len(series.channels)} channels over {series.n_periods} periods, {chains} chains"
    )
    fit = fit_mmm(spec, series, inputs.lift_tests)
    progress("drawing from the prior and from the posterior")
    before, after = prior_draws(fit), posterior_draws(fit)
    response = response_of(fit)
    residuals = check_residuals(series.target - after.mean(axis=0))
    tables = {
        files.CHANNELS: channel_table(fit, response),
        files.COMPONENTS: component_table(fit),
        files.CURVES: curve_table(fit, response),
        files.MARGINAL: marginal_table(fit, response),
        files.PREDICTIONS: prediction_table(series, after, interval),
        files.PARAMETERS: parameter_table(fit),
        files.PREDICTIVE: predictive_checks(series.target, before, after),
        files.AUTOCORRELATION: residuals.autocorrelation,
        files.QUANTILES: residuals.quantiles,
        files.COLLINEARITY: collinearity(series),
    }
    progress("fitting least squares and ridge regression, for comparison")
    classical = [fit_least_squares(spec, series), fit_ridge(spec, series)]
    tables[files.CLASSICAL] = classical_table(series, classical)
    if inputs.lift_tests is not None:
        tables[files.LIFT_TESTS] = lift_table(fit)
    if inputs.future is not None:
        progress("forecasting")
        tables |= _forecast_tables(fit, inputs.future)
    inside = pd.DataFrame([in_sample_row(series, after, interval.prob)])
    held = validate(spec, series, inputs.lift_tests, progress)
    tables[files.ACCURACY] = pd.concat([inside, held], ignore_index=True)
    judged = judge(fit)
    summary = {
        "n_periods": series.n_periods,
        "first_period": f"{series.dates[0]:%Y-%m-%d}",
        "last_period": f"{series.dates[-1]:%Y-%m-%d}",
        "geos": [geo for geo in series.geos if geo],
        "channels": list(series.channels),
        "controls": list(series.controls),
        "target_total": float(series.target.sum()),
        "target_scale": dict(zip(series.geos, fit.target_scale.tolist(), strict=True)),
        "draws_of_responses": response.n_draws,
        "residuals": residuals.summary,
        "classical": {found.method: found.facts for found in classical},
    }
    return MmmResults(fit, tables, Diagnostics(judged.checks, inputs.findings), summary)


def _forecast_tables(fit: MmmFit, ahead: MmmSeries) -> dict[str, pd.DataFrame]:
    targets, _, contributions = forecast(fit, ahead)
    interval = fit.spec.report.interval
    table = prediction_table(ahead, targets, interval).drop(columns=["target", "residual"])
    totals = contributions.sum(axis=(1, 2)).T
    spend = ahead.spend.sum(axis=(0, 1))
    channels = pd.DataFrame({"channel": ahead.channels, "spend": spend})
    channels = pd.concat([channels, summary_columns(totals, "contribution", interval)], axis=1)
    beyond = np.asarray(fit.series.spend.max(axis=(0, 1)))
    channels["extrapolates"] = ahead.spend.max(axis=(0, 1)) > beyond
    return {files.FORECAST: table, files.FORECAST_CHANNELS: channels}
