"""Draws of targets: before the data, after them, and of periods that were not fitted."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm_fit.fit import MmmFit, silent_output
from bayes_attrib.mmm_fit.series import MmmSeries
from bayes_attrib.mmm_fit.upstream import quiet

PRIOR_DRAWS: Final = 500


def prior_draws(fit: MmmFit) -> FloatArray:
    """Draw targets from the prior.

    Parameters
    ----------
    fit : MmmFit
        A fit; its prior is that of its model.

    Returns
    -------
    ndarray, shape (n_draws, n_periods, n_geos)
        In the unit of the target.
    """
    with quiet(), silent_output():
        found = fit.model.sample_prior_predictive(
            fit.series.frame(fit.spec),
            fit.series.response(fit.spec),
            samples=PRIOR_DRAWS,
            random_seed=fit.spec.inference.seed,
            extend_idata=False,
            combined=False,
            var_names=["y"],
        )
    return _draws(fit, found["y"])


def posterior_draws(fit: MmmFit) -> FloatArray:
    """Draw targets of the fitted periods from the posterior, noise included.

    Parameters
    ----------
    fit : MmmFit
        The fit.

    Returns
    -------
    ndarray, shape (n_draws, n_periods, n_geos)
        In the unit of the target.
    """
    with quiet(), silent_output():
        found = fit.model.sample_posterior_predictive(
            fit.series.frame(fit.spec),
            random_seed=fit.spec.inference.seed,
            extend_idata=False,
            combined=False,
            var_names=["y"],
            progressbar=False,
        )
    return _draws(fit, found["y"])


def forecast(fit: MmmFit, ahead: MmmSeries) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Predict periods right after those that were fitted; spend before them carries over.

    Parameters
    ----------
    fit : MmmFit
        The fit.
    ahead : MmmSeries
        Spend and controls of the following periods.

    Returns
    -------
    targets : ndarray, shape (n_draws, n_ahead, n_geos)
        Predictive draws, noise included.
    expected : ndarray, shape (n_draws, n_ahead, n_geos)
        Draws of expected targets.
    contributions : ndarray, shape (n_draws, n_ahead, n_geos, n_channels)
        Draws of contributions, carry-over from the fitted periods included.
    """
    with quiet(), silent_output():
        found = fit.model.sample_posterior_predictive(
            ahead.frame(fit.spec),
            include_last_observations=True,
            random_seed=fit.spec.inference.seed,
            extend_idata=False,
            combined=False,
            var_names=["y", "mu", "channel_contribution"],
            progressbar=False,
        )
    contributions = found["channel_contribution"].sel(channel=list(fit.series.channels))
    return (
        _draws(fit, found["y"]),
        _draws(fit, found["mu"]),
        _draws(fit, contributions, own=("channel",)),
    )


def _draws(fit: MmmFit, found: xr.DataArray, own: tuple[str, ...] = ()) -> FloatArray:
    """Return draws in the unit of the target, with the axes draw, period, geo and others."""
    geo = fit.spec.columns.geo or "geo"
    if geo not in found.dims:
        found = found.expand_dims({geo: list(fit.series.geos)})
    else:
        found = found.sel({geo: list(fit.series.geos)})
    order: tuple[Any, ...] = ("chain", "draw", "date", geo, *own)
    values = np.asarray(found.transpose(*order).to_numpy(), dtype=np.float64)
    scale = fit.target_scale.reshape(-1, *[1] * len(own))
    return values.reshape(-1, *values.shape[2:]) * scale


def predictive_checks(target: FloatArray, prior: FloatArray, posterior: FloatArray) -> pd.DataFrame:
    """Ask whether targets of the prior and of the posterior look like those that came.

    Parameters
    ----------
    target : ndarray, shape (n_periods, n_geos)
        What came.
    prior, posterior : ndarray, shape (n_draws, n_periods, n_geos)
        Draws.

    Returns
    -------
    DataFrame
        One row per law and statistic: ``law``, ``statistic``, ``observed``, ``lower``, ``median``,
        ``upper`` (94% of the draws), ``p``: part of draws that are at least as large, ties halved.
        A p near 0 or 1 under the posterior is a misfit; under the prior it says that the prior
        contradicts the data.
    """
    rows = []
    for law, draws in (("prior", prior), ("posterior", posterior)):
        for name, statistic in _STATISTICS.items():
            seen = float(statistic(target[np.newaxis])[0])
            made = statistic(draws)
            lower, median, upper = np.quantile(made, [0.03, 0.5, 0.97])
            p = float((made > seen).mean() + 0.5 * (made == seen).mean())
            rows.append((law, name, seen, lower, median, upper, p))
    return pd.DataFrame(
        rows, columns=["law", "statistic", "observed", "lower", "median", "upper", "p"]
    )


def _lag_one(draws: FloatArray) -> FloatArray:
    centred = draws - draws.mean(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            (centred[:, 1:] * centred[:, :-1]).sum(axis=(1, 2)) / (centred**2).sum(axis=(1, 2))
        )


_STATISTICS: Final = {
    "mean": lambda draws: draws.mean(axis=(1, 2)),
    "standard_deviation": lambda draws: draws.std(axis=1).mean(axis=1),
    "smallest": lambda draws: draws.min(axis=(1, 2)),
    "largest": lambda draws: draws.max(axis=(1, 2)),
    "autocorrelation": _lag_one,
}
