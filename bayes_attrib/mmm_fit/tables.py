"""The tables of a fitted mix model, every number from draws."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from bayes_attrib.attribution.intervals import interval_of, summarise
from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm_fit.fit import MmmFit
from bayes_attrib.mmm_fit.priors import pooling_of, prior_of
from bayes_attrib.mmm_fit.response import Response
from bayes_attrib.mmm_fit.series import MmmSeries
from bayes_attrib.mmm_fit.verdict import mixing_table, parameter_columns
from bayes_attrib.spec import IntervalSpec

ALL_GEOS: Final = ""
"""Label of rows that are summed over geos."""

CURVE_FACTORS: Final = np.linspace(0.0, 1.5, 31)
"""Multiples of observed spend at which response curves are tabled."""


def summary_columns(draws: FloatArray, prefix: str, interval: IntervalSpec) -> pd.DataFrame:
    """Summarise rows of draws as columns ``<prefix>_mean``, ``_sd``, ``_lower``, ``_upper``.

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
        Draws.
    prefix : str
        Of the names.
    interval : IntervalSpec
        Kind and probability.

    Returns
    -------
    DataFrame, shape (n_rows, 4)
        Without an index of its own.
    """
    found = summarise(draws, interval)
    values = {"mean": found.mean, "sd": found.sd, "lower": found.lower, "upper": found.upper}
    return pd.DataFrame({f"{prefix}_{name}": column for name, column in values.items()})


def channel_table(fit: MmmFit, response: Response) -> pd.DataFrame:
    """Tell what each channel spent and brought, in all geos together and in each.

    Parameters
    ----------
    fit : MmmFit
        The fit.
    response : Response
        Its draws of responses.

    Returns
    -------
    DataFrame
        ``channel``, ``geo`` (empty for all), ``spend``, ``contribution_*`` within the periods,
        ``share_*`` of the sum of targets, ``carried_beyond_mean`` after the last period,
        ``roas_*``: everything that spend brings, after the last period too, per unit of it;
        ``marginal_roas_*``: what the last unit brings, where all periods grow by the same factor.
    """
    series, interval = fit.series, fit.spec.report.interval
    tail = response.weights.shape[-1] - 1
    brought = response.contributions(series.spend, beyond=tail)
    within, after = brought[:, : series.n_periods].sum(axis=1), brought[:, series.n_periods :]
    beyond = after.sum(axis=1)
    with np.errstate(invalid="ignore"):
        weighted = np.where(series.spend > 0, response.marginal(series.spend) * series.spend, 0.0)
    edge = weighted.sum(axis=1)
    spend, target = series.spend.sum(axis=0), series.target.sum(axis=0)
    parts = []
    for geo in _with_all(series):
        at = slice(None) if geo == ALL_GEOS else slice(*_position(series.geos, geo))
        spent = spend[at].sum(axis=0)
        inside, past, last = (values[:, at].sum(axis=1).T for values in (within, beyond, edge))
        per_unit = np.where(spent > 0, spent, np.nan)[:, np.newaxis]
        part = pd.DataFrame({"channel": series.channels, "geo": geo, "spend": spent})
        part["interval_kind"], part["interval_prob"] = interval.kind, interval.prob
        parts.append(
            pd.concat(
                [
                    part,
                    summary_columns(inside, "contribution", interval),
                    summary_columns(inside / target[at].sum(), "share", interval),
                    pd.DataFrame({"carried_beyond_mean": past.mean(axis=1)}),
                    summary_columns((inside + past) / per_unit, "roas", interval),
                    summary_columns(last / per_unit, "marginal_roas", interval),
                ],
                axis=1,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _position(labels: tuple[str, ...], label: str) -> tuple[int, int]:
    at = labels.index(label)
    return at, at + 1


def component_table(fit: MmmFit) -> pd.DataFrame:
    """Take expected targets apart, period by period.

    Parameters
    ----------
    fit : MmmFit
        The fit.

    Returns
    -------
    DataFrame
        ``date``, ``geo`` (empty for all), ``component``, ``kind`` (``channel``, ``control``,
        ``season`` or ``baseline``) and ``amount_*``. The means of a period add up to the mean
        expected target.
    """
    spec, series = fit.spec, fit.series
    scale = fit.target_scale[:, np.newaxis]
    shape = (-1, len(series.geos), series.n_periods)
    found: list[tuple[str, str, FloatArray]] = []
    media = fit.draws("channel_contribution", own=("date", "channel"))
    found += [(name, "channel", media[..., i]) for i, name in enumerate(series.channels)]
    if series.controls:
        held = fit.draws("control_contribution", own=("date", "control"))
        found += [(name, "control", held[..., i]) for i, name in enumerate(series.controls)]
    if spec.baseline.yearly_seasonality:
        season = fit.draws("yearly_seasonality_contribution", own=("date",))
        found.append(("season", "season", season))
    level = fit.draws("intercept_contribution")[..., np.newaxis]
    found.append(("baseline", "baseline", np.broadcast_to(level, (*level.shape[:2], shape[-1]))))
    parts = []
    labels = _with_all(series)
    for name, kind, draws in found:
        rows = _with_sum(draws * scale, axis=1).reshape(len(draws), -1).T
        keys = pd.DataFrame(
            {
                "date": np.tile(series.dates.strftime("%Y-%m-%d"), len(labels)),
                "geo": np.repeat(labels, series.n_periods),
                "component": name,
                "kind": kind,
            }
        )
        summary = summary_columns(rows, "amount", spec.report.interval)
        parts.append(pd.concat([keys, summary], axis=1))
    return pd.concat(parts, ignore_index=True)


def _with_all(series: MmmSeries) -> tuple[str, ...]:
    """Return labels of places: all together, then each, where there are several."""
    return (ALL_GEOS, *series.geos) if len(series.geos) > 1 else (ALL_GEOS,)


def _with_sum(values: FloatArray, axis: int) -> FloatArray:
    """Put the sum over places before them, where there are several."""
    if values.shape[axis] == 1:
        return values
    return np.concatenate([values.sum(axis=axis, keepdims=True), values], axis=axis)


def curve_table(fit: MmmFit, response: Response) -> pd.DataFrame:
    """Tell what channels would bring if all of their spend grew or shrank by one factor.

    Parameters
    ----------
    fit : MmmFit
        The fit.
    response : Response
        Its draws of responses.

    Returns
    -------
    DataFrame
        ``channel``, ``factor`` of observed spend, ``spend``, ``amount_*``, summed over periods and
        geos, carry-over after the last period included; ``extrapolates`` above a factor of 1.
    """
    series, interval = fit.series, fit.spec.report.interval
    tail = response.weights.shape[-1] - 1
    spend = series.spend.sum(axis=(0, 1))
    parts = []
    for factor in CURVE_FACTORS:
        draws = response.contributions(factor * series.spend, beyond=tail).sum(axis=(1, 2)).T
        keys = pd.DataFrame(
            {
                "channel": series.channels,
                "factor": factor,
                "spend": factor * spend,
                "extrapolates": factor > 1.0,
            }
        )
        parts.append(pd.concat([keys, summary_columns(draws, "amount", interval)], axis=1))
    table = pd.concat(parts, ignore_index=True)
    order = table["channel"].map({name: i for i, name in enumerate(series.channels)})
    return table.iloc[np.lexsort((table["factor"], order))].reset_index(drop=True)


def marginal_table(fit: MmmFit, response: Response) -> pd.DataFrame:
    """Tell what one more unit of spend in a period brings, in it and in all later ones.

    Parameters
    ----------
    fit : MmmFit
        The fit.
    response : Response
        Its draws of responses.

    Returns
    -------
    DataFrame
        ``date``, ``geo``, ``channel``, ``spend``, ``marginal_roas_*``.
    """
    series = fit.series
    draws = response.marginal(series.spend)
    n_draws = len(draws)
    flat = draws.reshape(n_draws, -1).T
    index = pd.MultiIndex.from_product(
        [series.dates.strftime("%Y-%m-%d"), series.geos, series.channels],
        names=["date", "geo", "channel"],
    )
    table = index.to_frame(index=False)
    table["spend"] = series.spend.ravel()
    summary = summary_columns(flat, "marginal_roas", fit.spec.report.interval)
    return pd.concat([table, summary], axis=1)


def prediction_table(series: MmmSeries, draws: FloatArray, interval: IntervalSpec) -> pd.DataFrame:
    """Hold targets against their predictions.

    Parameters
    ----------
    series : MmmSeries
        Periods and targets; NaN where they are not known.
    draws : ndarray, shape (n_draws, n_periods, n_geos)
        Predictive draws, noise included.
    interval : IntervalSpec
        Kind and probability.

    Returns
    -------
    DataFrame
        ``date``, ``geo`` (empty for all), ``target``, ``predicted_*``, ``residual``.
    """
    index = pd.MultiIndex.from_product(
        [series.dates.strftime("%Y-%m-%d"), _with_all(series)], names=["date", "geo"]
    )
    table = index.to_frame(index=False)
    table["target"] = _with_sum(series.target, axis=1).ravel()
    rows = _with_sum(draws, axis=2).reshape(len(draws), -1).T
    table = pd.concat([table, summary_columns(rows, "predicted", interval)], axis=1)
    table["residual"] = table["target"] - table["predicted_mean"]
    return table


def parameter_table(fit: MmmFit) -> pd.DataFrame:
    """Summarise every parameter, with its prior and how well it was sampled.

    Parameters
    ----------
    fit : MmmFit
        The fit.

    Returns
    -------
    DataFrame
        ``name``, ``mean``, ``sd``, ``lower``, ``upper``, ``rhat``, ``ess_bulk``, ``ess_tail``,
        ``prior``, ``pooling``; on the scale of spends and targets divided by their largest.
    """
    columns = parameter_columns(fit)
    draws = np.stack([values.ravel() for values in columns.values()])
    lower, upper = interval_of(draws, fit.spec.report.interval)
    table = mixing_table(columns)
    table.insert(1, "mean", draws.mean(axis=1))
    table.insert(2, "sd", draws.std(axis=1, ddof=1))
    table.insert(3, "lower", lower)
    table.insert(4, "upper", upper)
    roots = table["name"].str.partition("[")[0].str.removesuffix("_contribution")
    known = {name: prior_of(fit.spec, name) for name in fit.spec.parameters}
    table["prior"] = [
        f"{p.dist}({', '.join(f'{k}={v:g}' for k, v in p.parameters.items())})" if p else ""
        for p in (known.get(root) for root in roots)
    ]
    geos = fit.spec.columns.geo is not None
    table["pooling"] = [
        pooling_of(fit.spec, root).kind if geos and root in known else "" for root in roots
    ]
    return table


def lift_table(fit: MmmFit) -> pd.DataFrame:
    """Hold lift tests against what the fit makes of them.

    Parameters
    ----------
    fit : MmmFit
        A fit to which lift tests were added.

    Returns
    -------
    DataFrame
        The tests, ``model_lift_*`` in the unit of the target, and ``z``: measured minus modelled
        over the standard error of the test and the posterior sd together.
    """
    if fit.lift_tests is None:
        return pd.DataFrame()
    name = "lift_measurements_model_estimated_lift_original_scale"
    found = fit.posterior[name]
    draws = found.transpose(..., "chain", "draw").to_numpy().reshape(len(fit.lift_tests), -1)
    summary = summary_columns(draws, "model_lift", fit.spec.report.interval)
    table = pd.concat([fit.lift_tests.reset_index(drop=True), summary], axis=1)
    spread = np.hypot(table["sigma"], table["model_lift_sd"])
    table["z"] = (table["delta_y"] - table["model_lift_mean"]) / spread
    return table
