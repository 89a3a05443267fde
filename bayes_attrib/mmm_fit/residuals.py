"""What is left over: autocorrelation, normality, quantiles; and how alike spends are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from bayes_attrib.inputs.aggregate_data import FloatArray
from bayes_attrib.mmm_fit.series import MmmSeries

_MOST_LAGS: Final = 13


@dataclass(frozen=True, eq=False)
class ResidualChecks:
    """Diagnostics of standardised residuals.

    Attributes
    ----------
    summary : dict of str to float
        ``durbin_watson`` (2 without autocorrelation of the first order), ``ljung_box_p`` over the
        listed lags, ``jarque_bera_p``, ``skewness``, ``excess_kurtosis``.
    autocorrelation : DataFrame
        ``lag``, ``autocorrelation``, ``bound``: 1.96 / sqrt(n), which white noise exceeds in one of
        twenty lags.
    quantiles : DataFrame
        ``normal``, ``residual``: the points of a Q-Q plot.
    """

    summary: dict[str, float]
    autocorrelation: pd.DataFrame
    quantiles: pd.DataFrame


def check_residuals(residuals: FloatArray) -> ResidualChecks:
    """Check residuals of a fit.

    Parameters
    ----------
    residuals : ndarray, shape (n_periods, n_geos)
        Targets minus what was expected of them.

    Returns
    -------
    ResidualChecks
        Geos are standardised each by its own spread, and products of neighbours in time never
        reach from one geo into the next. Ljung and Box (1978), Biometrika 65; Jarque and Bera
        (1987), International Statistical Review 55.
    """
    centred = residuals - residuals.mean(axis=0)
    scale = centred.std(axis=0)
    z = centred / np.where(scale > 0, scale, 1.0)
    n_periods, n = len(z), z.size
    lags = np.arange(1, min(_MOST_LAGS, n_periods - 2) + 1)
    total = float((z**2).sum())
    found = np.array([float((z[lag:] * z[:-lag]).sum()) / total for lag in lags])
    # One statistic for each geo; independent, so that they add up.
    own = np.array(
        [
            [(z[lag:, g] * z[:-lag, g]).sum() / (z[:, g] ** 2).sum() for lag in lags]
            for g in range(z.shape[1])
        ]
    )
    ljung_box = n_periods * (n_periods + 2) * float((own**2 / (n_periods - lags)).sum())
    flat = z.ravel()
    bera = stats.jarque_bera(flat)
    summary = {
        "durbin_watson": float((np.diff(z, axis=0) ** 2).sum() / total),
        "ljung_box": ljung_box,
        "ljung_box_lags": float(len(lags)),
        "ljung_box_p": float(stats.chi2.sf(ljung_box, own.size)),
        "jarque_bera": float(bera.statistic),
        "jarque_bera_p": float(bera.pvalue),
        "skewness": float(stats.skew(flat)),
        "excess_kurtosis": float(stats.kurtosis(flat)),
    }
    ranks = (np.arange(1, n + 1) - 0.5) / n
    return ResidualChecks(
        summary,
        pd.DataFrame({"lag": lags, "autocorrelation": found, "bound": 1.96 / np.sqrt(n)}),
        pd.DataFrame({"normal": stats.norm.ppf(ranks), "residual": np.sort(flat)}),
    )


def collinearity(series: MmmSeries) -> pd.DataFrame:
    """Return how well each spend is told by the other spends and the controls.

    Parameters
    ----------
    series : MmmSeries
        The data.

    Returns
    -------
    DataFrame
        ``channel``, ``vif``: variance inflation factor ``1 / (1 - R2)``, 1 where nothing else tells
        it; ``closest``, ``correlation``: the other channel or control that is most alike. Spends
        are centred within geos.
    """
    columns = np.concatenate([series.spend, series.control], axis=-1)
    centred = (columns - columns.mean(axis=0)).reshape(-1, columns.shape[-1])
    names = (*series.channels, *series.controls)
    norms = np.sqrt((centred**2).sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = (centred.T @ centred) / np.outer(norms, norms)
    np.fill_diagonal(correlation, 0.0)
    correlation = np.nan_to_num(correlation)
    rows = []
    for i, name in enumerate(series.channels):
        others = np.delete(centred, i, axis=1)
        left = centred[:, i]
        if others.shape[1]:
            left = left - others @ np.linalg.lstsq(others, centred[:, i], rcond=None)[0]
        rest, whole = float((left**2).sum()), float((centred[:, i] ** 2).sum())
        vif = np.inf if rest <= 1e-12 * whole else whole / rest
        at = int(np.abs(correlation[i]).argmax()) if len(names) > 1 else i
        rows.append((name, vif if whole > 0 else np.nan, names[at], correlation[i, at]))
    return pd.DataFrame(rows, columns=["channel", "vif", "closest", "correlation"])
